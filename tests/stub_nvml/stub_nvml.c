/* A second, independent libnvidia-ml.so.1, written by hand from NVML's published description. It
 * shares no code with sim/ and none with src/gpu: when both agree with it, the ABI is right.
 *
 * STUB_NVML_SCRIPT names a file of lines, read again whenever it changes:
 *   gpus N            processes N (a GPU)      driver VERSION       reverse (enumeration order)
 *   mig N (instances of GPU 0)                 garbage (rows that can't be true)
 *   leak (each Init leaves a descriptor behind, as driver 580.159.04 does)
 *   slow FUNCTION MICROSECONDS
 *   fail FUNCTION CODE [GPU]    hang FUNCTION [GPU]    crash FUNCTION [GPU]    abort FUNCTION [GPU]
 * Without it: STUB_NVML_GPUS and STUB_NVML_PROCESSES. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_GPUS 64
#define MAX_RULES 64

enum { OK = 0, UNINIT = 1, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7 };

struct rule {
  char verb, function[64];
  int code, gpu;
};

static struct rule rules[MAX_RULES];
static int rule_count, gpus = 2, processes = 1, reversed, mig, garbage, leaks, inited;
static char driver[64] = "550.163.01";
static struct timespec script_time;
static off_t script_size = -1;
static unsigned long long calls, inside_ns;

static void read_line(const char* line) {
  char verb[32] = "", name[64] = "";
  int a = 0, b = -1;
  int n = sscanf(line, "%31s %63s %d %d", verb, name, &a, &b);
  if (n < 1) return;
  if (!strcmp(verb, "gpus"))
    gpus = atoi(name);
  else if (!strcmp(verb, "processes"))
    processes = atoi(name);
  else if (!strcmp(verb, "driver"))
    snprintf(driver, sizeof driver, "%s", name);
  else if (!strcmp(verb, "reverse"))
    reversed = 1;
  else if (!strcmp(verb, "mig"))
    mig = atoi(name);
  else if (!strcmp(verb, "garbage"))
    garbage = 1;
  else if (!strcmp(verb, "leak"))
    leaks = 1;
  else if (rule_count < MAX_RULES) {
    struct rule* r = &rules[rule_count++];
    r->verb = verb[0];
    snprintf(r->function, sizeof r->function, "%s", name);
    r->code = a;
    r->gpu = verb[0] == 'f' || verb[0] == 's' ? (n > 3 ? b : -1) : (n > 2 ? a : -1);
  }
}

static void reload(void) {
  const char* path = getenv("STUB_NVML_SCRIPT");
  struct stat st;
  if (path == NULL) {
    if (getenv("STUB_NVML_GPUS")) gpus = atoi(getenv("STUB_NVML_GPUS"));
    if (getenv("STUB_NVML_PROCESSES")) processes = atoi(getenv("STUB_NVML_PROCESSES"));
    return;
  }
  if (stat(path, &st) != 0) return;
  if (st.st_mtim.tv_sec == script_time.tv_sec && st.st_mtim.tv_nsec == script_time.tv_nsec &&
      st.st_size == script_size)
    return;
  script_time = st.st_mtim;
  script_size = st.st_size;
  rule_count = reversed = mig = garbage = leaks = 0;
  FILE* file = fopen(path, "re");
  if (file == NULL) return;
  char line[256];
  while (fgets(line, sizeof line, file)) read_line(line);
  fclose(file);
  if (gpus > MAX_GPUS) gpus = MAX_GPUS;
}

/* What the script wants of this call: 0, or the code to return. */
static int enter(const char* function, int gpu) {
  ++calls;
  reload();
  for (int i = 0; i < rule_count; ++i) {
    struct rule* r = &rules[i];
    if (strcmp(r->function, function) && strcmp(r->function, "*")) continue;
    if (r->gpu >= 0 && r->gpu != gpu) continue;
    if (r->verb == 'h')
      for (;;) pause();
    if (r->verb == 'c') {
      signal(SIGSEGV, SIG_DFL); /* a sanitizer would turn the crash into an exit of its own */
      raise(SIGSEGV);
    }
    if (r->verb == 'a') abort();
    if (r->verb == 's') {
      usleep((useconds_t)r->code);
      continue;
    }
    if (r->code != 0) return r->code;
  }
  return OK;
}

static unsigned long long now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (unsigned long long)ts.tv_sec * 1000000000ull + (unsigned long long)ts.tv_nsec;
}

/* A handle is 1 + GPU for a whole one, and 1000 + GPU * 8 + instance for a part. */
static int gpu_of(void* h) {
  intptr_t v = (intptr_t)h;
  return v >= 1000 ? (int)((v - 1000) / 8) : (int)v - 1;
}
static int is_part(void* h) {
  return (intptr_t)h >= 1000;
}

#define BEGIN(gpu)                            \
  unsigned long long begun_ = now_ns();       \
  int code_ = enter(__func__, (gpu));         \
  if (code_ == OK && !inited) code_ = UNINIT; \
  if (code_ == OK) {
#define END                       \
  }                               \
  inside_ns += now_ns() - begun_; \
  return code_

EXPORT void stub_nvml_counters(unsigned long long out[2]) {
  out[0] = calls;
  out[1] = inside_ns;
}

EXPORT int nvmlInit_v2(void) {
  int code = enter(__func__, -1);
  if (code == OK) inited = 1;
  if (code == OK && leaks && open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return 999;
  return code;
}
EXPORT int nvmlShutdown(void) {
  int code = enter(__func__, -1);
  if (code == OK) inited = 0;
  return code;
}
EXPORT const char* nvmlErrorString(int code) {
  return code == 999 ? "Unknown Error" : code == 18 ? "Driver/library version mismatch" : "stub";
}
EXPORT int nvmlSystemGetDriverVersion(char* out, unsigned n) {
  BEGIN(-1) snprintf(out, n, "%s", driver);
  END;
}
EXPORT int nvmlSystemGetNVMLVersion(char* out, unsigned n) {
  BEGIN(-1) snprintf(out, n, "12.%s", driver);
  END;
}
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int* out) {
  BEGIN(-1)* out = 12040;
  END;
}
EXPORT int nvmlDeviceGetCount_v2(unsigned* out) {
  BEGIN(-1)* out = (unsigned)gpus;
  END;
}
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned i, void** out) {
  int gpu = reversed ? gpus - 1 - (int)i : (int)i;
  BEGIN(gpu) if ((int)i >= gpus) code_ = INVALID;
  else* out = (void*)(intptr_t)(1 + gpu);
  END;
}
EXPORT int nvmlDeviceGetHandleByUUID(const char* uuid, void** out) {
  int gpu = -1;
  if (sscanf(uuid, "GPU-%8x", (unsigned*)&gpu) != 1) return INVALID;
  BEGIN(gpu) if (gpu >= gpus) code_ = NOT_FOUND;
  else* out = (void*)(intptr_t)(1 + gpu);
  END;
}
EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** out) {
  unsigned domain, bus;
  if (sscanf(id, "%x:%x:", &domain, &bus) != 2) return INVALID;
  int gpu = (int)bus - 1;
  BEGIN(gpu) if (gpu < 0 || gpu >= gpus) code_ = NOT_FOUND;
  else* out = (void*)(intptr_t)(1 + gpu);
  END;
}
EXPORT int nvmlDeviceGetUUID(void* h, char* out, unsigned n) {
  BEGIN(gpu_of(h))
  if (is_part(h))
    snprintf(out, n, "MIG-%08x-0000-4000-8000-00000000000%d", (unsigned)gpu_of(h),
             (int)((intptr_t)h % 8));
  else
    snprintf(out, n, "GPU-%08x-0000-4000-8000-000000000000", (unsigned)gpu_of(h));
  END;
}
EXPORT int nvmlDeviceGetName(void* h, char* out, unsigned n) {
  BEGIN(gpu_of(h)) snprintf(out, n, is_part(h) ? "Stub GPU MIG 1g.5gb" : "Stub GPU");
  END;
}
struct pci {
  char legacy[16];
  unsigned domain, bus, device, id, subsystem;
  char bus_id[32];
};
EXPORT int nvmlDeviceGetPciInfo_v3(void* h, struct pci* out) {
  BEGIN(gpu_of(h))
  memset(out, 0, sizeof *out);
  snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02X:00.0", gpu_of(h) + 1);
  END;
}
EXPORT int nvmlDeviceGetMinorNumber(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = (unsigned)gpu_of(h);
  END;
}
EXPORT int nvmlDeviceGetArchitecture(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 7;
  END;
}
EXPORT int nvmlDeviceGetCudaComputeCapability(void* h, int* major, int* minor) {
  BEGIN(gpu_of(h))* major = 8;
  *minor = 6;
  END;
}
EXPORT int nvmlDeviceGetTemperatureThreshold(void* h, int which, unsigned* out) {
  BEGIN(gpu_of(h))* out = which == 0 ? 98 : which == 1 ? 95 : 93;
  END;
}
EXPORT int nvmlDeviceGetPowerManagementLimitConstraints(void* h, unsigned* low, unsigned* high) {
  BEGIN(gpu_of(h))* low = 100000;
  *high = 370000;
  END;
}
EXPORT int nvmlDeviceGetEnforcedPowerLimit(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 350000;
  END;
}

#define TOTAL (24ull << 30)
#define PER_PROCESS (1ull << 30)
static unsigned long long used_bytes(void) {
  unsigned long long used = (unsigned long long)processes * PER_PROCESS;
  return used > TOTAL / 2 ? TOTAL / 2 : used;
}
#define RESERVED (300ull << 20)
EXPORT int nvmlDeviceGetMemoryInfo_v2(void* h, unsigned char* out) {
  BEGIN(gpu_of(h))
  unsigned version;
  memcpy(&version, out, 4);
  if (version != 0x02000028u)
    code_ = 25;
  else {
    unsigned long long v[4] = {TOTAL, RESERVED, TOTAL - RESERVED - used_bytes(), used_bytes()};
    memcpy(out + 8, v, sizeof v); /* total, reserved, free, used */
  }
  END;
}
EXPORT int nvmlDeviceGetMemoryInfo(void* h, unsigned long long* out) {
  BEGIN(gpu_of(h))
  out[0] = TOTAL;
  out[1] = TOTAL - RESERVED - used_bytes();
  out[2] = RESERVED + used_bytes(); /* total, free, used */
  END;
}
EXPORT int nvmlDeviceGetUtilizationRates(void* h, unsigned* out) {
  BEGIN(gpu_of(h)) out[0] = 63;
  out[1] = 20;
  END;
}
EXPORT int nvmlDeviceGetTemperature(void* h, int sensor, unsigned* out) {
  (void)sensor;
  BEGIN(gpu_of(h))* out = 71 + (unsigned)gpu_of(h);
  END;
}
EXPORT int nvmlDeviceGetPowerUsage(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 103500;
  END;
}
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void* h, unsigned long long* out) {
  BEGIN(gpu_of(h))* out = 4;
  END;
}
EXPORT int nvmlDeviceGetClockInfo(void* h, int which, unsigned* out) {
  BEGIN(gpu_of(h))* out = which == 2 ? 9501 : 1695;
  END;
}
EXPORT int nvmlDeviceGetPerformanceState(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 2;
  END;
}
EXPORT int nvmlDeviceGetFieldValues(void* h, int n, unsigned char* rows) {
  BEGIN(gpu_of(h))
  for (int i = 0; i < n; ++i) {
    unsigned char* row =
        rows + 40 * i; /* id 0, scope 4, time 8, latency 16, type 24, code 28, value 32 */
    unsigned id, type = 3, code = 0;
    unsigned long long value = 0;
    memcpy(&id, row, 4);
    if (id == 83)
      value = 123456;
    else
      code = UNSUPPORTED;
    memcpy(row + 24, &type, 4);
    memcpy(row + 28, &code, 4);
    memcpy(row + 32, &value, 8);
  }
  END;
}

struct process {
  unsigned pid;
  unsigned long long used;
  unsigned gi, ci;
};
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void* h, unsigned* count, struct process* out) {
  BEGIN(gpu_of(h))
  unsigned wanted = (unsigned)processes + (garbage ? 4 : 0);
  if (*count < wanted) {
    *count = wanted;
    code_ = TOO_SMALL;
  } else {
    unsigned n = 0;
    for (int i = 0; i < processes; ++i)
      out[n++] =
          (struct process){(unsigned)(1000 * (gpu_of(h) + 1) + i + 1), PER_PROCESS, ~0u, ~0u};
    if (garbage) {
      out[n++] = (struct process){0, 1, 0, 0};
      out[n++] = (struct process){0xffffffffu, 1, 0, 0};
      out[n++] = (struct process){4000001, 1ull << 60, 0, 0};
      out[n++] = (struct process){4000002, ~0ull, 0, 0};
    }
    *count = n;
  }
  END;
}
EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(void* h, unsigned* count, struct process* out) {
  (void)out;
  BEGIN(gpu_of(h))* count = 0;
  END;
}
struct sample {
  unsigned pid;
  unsigned long long time;
  unsigned sm, mem, enc, dec;
};
EXPORT int nvmlDeviceGetProcessUtilization(void* h, struct sample* out, unsigned* count,
                                           unsigned long long since) {
  BEGIN(gpu_of(h))
  if (since >= 5000)
    code_ = NOT_FOUND;
  else if ((int)*count < processes) {
    *count = (unsigned)processes;
    code_ = TOO_SMALL;
  } else {
    for (int i = 0; i < processes; ++i)
      out[i] = (struct sample){(unsigned)(1000 * (gpu_of(h) + 1) + i + 1), 5000, 40, 10, 0, 0};
    *count = (unsigned)processes;
  }
  END;
}
EXPORT int nvmlDeviceGetEncoderUtilization(void* h, unsigned* out, unsigned* period) {
  BEGIN(gpu_of(h))* out = 5;
  *period = 100;
  END;
}
EXPORT int nvmlDeviceGetDecoderUtilization(void* h, unsigned* out, unsigned* period) {
  BEGIN(gpu_of(h))* out = 6;
  *period = 100;
  END;
}
EXPORT int nvmlDeviceGetFanSpeed(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 30;
  END;
}
EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 4;
  END;
}
EXPORT int nvmlDeviceGetCurrPcieLinkWidth(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 16;
  END;
}
EXPORT int nvmlDeviceGetPcieReplayCounter(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 0;
  END;
}
EXPORT int nvmlDeviceGetTotalEccErrors(void* h, int type, int counter, unsigned long long* out) {
  (void)counter;
  BEGIN(gpu_of(h))* out = type == 0 ? 3 : 0;
  END;
}
EXPORT int nvmlDeviceGetMigMode(void* h, unsigned* current, unsigned* pending) {
  BEGIN(gpu_of(h))* current = *pending = gpu_of(h) == 0 && mig > 0;
  END;
}
EXPORT int nvmlDeviceGetMaxMigDeviceCount(void* h, unsigned* out) {
  BEGIN(gpu_of(h))* out = 7;
  END;
}
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(void* h, unsigned i, void** out) {
  BEGIN(gpu_of(h)) if ((int)i >= mig) code_ = NOT_FOUND;
  else* out = (void*)(intptr_t)(1000 + gpu_of(h) * 8 + (int)i);
  END;
}
