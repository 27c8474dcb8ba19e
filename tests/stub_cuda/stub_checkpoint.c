// Stands for the checkpoint part of NVIDIA's libcuda.so.1 (driver 570 and newer) in tests. What it
// knows lies in the folder STUB_CHECKPOINT:
//   PID             the process's state, 0 to 3; no such file: it does not use CUDA
//   size.PID, free  bytes on the GPU; a restore needs as many free ones
//   fault.VERB.PID  what happens at that call: "CODE", "CODE STATE" (and it is in that state from
//   then
//                   on), "hang", or "die" (the process ends and the call fails)
//   calls           a line "VERB PID" for each call
// A lock that waits too long answers 600 after its time, as the driver does.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { running, locked, checkpointed, failed };

static void path_of(char* path, const char* name, int pid) {
  const char* folder = getenv("STUB_CHECKPOINT");
  if (pid > 0)
    snprintf(path, 512, "%s/%s%d", folder, name, pid);
  else
    snprintf(path, 512, "%s/%s", folder, name);
}

static int read_text(const char* name, int pid, char* text, int size) {
  char path[512];
  path_of(path, name, pid);
  FILE* file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fgets(text, size, file) == NULL) text[0] = '\0';
  fclose(file);
  return 1;
}

static long read_number(const char* name, int pid) {
  char text[64];
  return read_text(name, pid, text, sizeof text) ? atol(text) : -1;
}

static void write_number(const char* name, int pid, long number) {
  char path[512];
  path_of(path, name, pid);
  FILE* file = fopen(path, "w");
  if (file == NULL) abort();
  fprintf(file, "%ld\n", number);
  fclose(file);
}

// The state before the call, or -1 with the code to answer.
static int begin(const char* verb, int pid, int* code) {
  char path[512], name[64], text[64];
  path_of(path, "calls", 0);
  FILE* file = fopen(path, "a");
  if (file != NULL) {
    fprintf(file, "%s %d\n", verb, pid);
    fclose(file);
  }
  *code = 1;
  if (read_number("", pid) < 0 || kill(pid, 0) != 0) return -1;
  snprintf(name, sizeof name, "fault.%s.", verb);
  if (read_text(name, pid, text, sizeof text)) {
    int state = -1;
    if (strncmp(text, "hang", 4) == 0) {
      for (;;) pause();
    }
    if (strncmp(text, "die", 3) == 0) {
      kill(pid, SIGKILL);
      path_of(path, "", pid);
      unlink(path);
      *code = 999;
      return -1;
    }
    if (sscanf(text, "%d %d", code, &state) == 2) write_number("", pid, state);
    return -1;
  }
  return (int)read_number("", pid);
}

static int move(const char* verb, int pid, int from, int to) {
  int code = 0;
  const int state = begin(verb, pid, &code);
  if (state < 0) return code;
  if (state != from) return 401;
  write_number("", pid, to);
  return 0;
}

int cuInit(unsigned flags) {
  return flags == 0 ? 0 : 1;
}

int cuCheckpointProcessGetState(int pid, int* state) {
  const long known = read_number("", pid);
  if (known < 0 || kill(pid, 0) != 0) return 1;
  *state = (int)known;
  return 0;
}

int cuCheckpointProcessGetRestoreThreadId(int pid, int* thread) {
  *thread = pid;
  return read_number("", pid) < 0 ? 1 : 0;
}

struct lock_args {
  unsigned timeout_ms, reserved0;
  unsigned long reserved1[7];
};

int cuCheckpointProcessLock(int pid, struct lock_args* args) {
  const int code = move("lock", pid, running, locked);
  if (code == 600) usleep(args->timeout_ms * 1000);
  return code;
}

int cuCheckpointProcessCheckpoint(int pid, void* args) {
  (void)args;
  const int code = move("checkpoint", pid, locked, checkpointed);
  if (code == 0) write_number("free", 0, read_number("free", 0) + read_number("size.", pid));
  return code;
}

int cuCheckpointProcessRestore(int pid, void* args) {
  (void)args;
  int code = 0;
  const int state = begin("restore", pid, &code);
  if (state < 0) return code;
  if (state != checkpointed) return 401;
  const long left = read_number("free", 0) - read_number("size.", pid);
  if (left < 0) return 2;
  write_number("free", 0, left);
  write_number("", pid, locked);
  return 0;
}

int cuCheckpointProcessUnlock(int pid, void* args) {
  (void)args;
  return move("unlock", pid, locked, running);
}
