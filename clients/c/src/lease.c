/* A lease: what was granted, the stream of its events, and the thread that listens where one is
 * wanted. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "estiva.h"
#include "wire.h"

#define PATIENCE 30.0
#define PATH_SIZE 108
#define MOST_EVENT 8192
#define USUAL_DEADLINE 30.0

struct estiva_held {
  char id[64], name[256], gpus[4096], path[PATH_SIZE];
  uint64_t bytes;
  pid_t owner;
  double silence; /* seconds; below 0: never lost for it */
  estiva_revoked* on_revoke;
  void* user;
  int by_hand;
  int stream, timer, stop, poller; /* -1: not there; stop: an eventfd that ends the thread */
  char text[MOST_EVENT];           /* of the stream, not yet a whole event */
  size_t text_size;
  int is_head; /* the stream's HTTP head is still to come */
  int is_lost, has_thread;
  pthread_t thread;
  pthread_mutex_t in_dispatch; /* recursive: callbacks may call back */
};

static _Thread_local char last_error[1024];

const char* estiva_error(void) {
  return last_error;
}

static int failed(int code, const char* form, ...) __attribute__((format(printf, 2, 3)));
static int failed(int code, const char* form, ...) {
  va_list values;
  va_start(values, form);
  vsnprintf(last_error, sizeof last_error, form, values);
  va_end(values);
  return code;
}

static int no_daemon(const char* path) {
  return failed(
      ESTIVA_NO_DAEMON,
      "estiva does not answer at %s (%s). Start it ('estiva daemon', or its systemd unit); in a "
      "container mount its folder /run/estiva/lease",
      path, strerror(errno));
}

/* The code for an answer that is not 200, with the daemon's own sentence. */
static int told_no(const estiva_answer* answer) {
  char what[512] = "", remedy[512] = "";
  if (!estiva_text_of(answer->body, "message", what, sizeof what) &&
      !estiva_text_of(answer->body, "reason", what, sizeof what)) {
    snprintf(what, sizeof what, "the daemon answered with status %d", answer->status);
  }
  estiva_text_of(answer->body, "remedy", remedy, sizeof remedy);
  const int code = answer->status == 403   ? ESTIVA_DENIED
                   : answer->status == 404 ? ESTIVA_LOST
                   : answer->status == 409 ? ESTIVA_NO_ROOM
                   : answer->status == 504 ? ESTIVA_NO_ROOM
                                           : ESTIVA_REFUSED;
  return failed(code, remedy[0] != 0 ? "%s. %s" : "%s", what, remedy);
}

static int post(const estiva_held* held, const char* action, const char* body, double wait) {
  char target[160];
  snprintf(target, sizeof target, "/api/v1/leases/%s/%s", held->id, action);
  if (held->owner != getpid()) {
    return failed(ESTIVA_REFUSED, "the lease %s belongs to the process that asked for it (%d)",
                  held->name, (int)held->owner);
  }
  estiva_answer answer;
  if (estiva_ask(held->path, "POST", target, body, wait + PATIENCE, &answer) != 0)
    return no_daemon(held->path);
  const int code = answer.status == 200 ? ESTIVA_OK : told_no(&answer);
  free(answer.body);
  return code;
}

/* ---- the stream of events ------------------------------------------------------------------ */

static void set_timer(const estiva_held* held, double seconds) {
  const long whole = (long)seconds;
  const struct itimerspec spec = {
      .it_value = {.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)}};
  timerfd_settime(held->timer, 0, &spec, NULL);
}

static double beat_of(const estiva_held* held) {
  return held->silence > 0 ? held->silence / 3 : 10;
}

static void close_stream(estiva_held* held) {
  if (held->stream >= 0) close(held->stream); /* epoll forgets it */
  held->stream = -1;
}

/* HTTP/1.0: what comes is the stream itself, unframed. */
static void open_stream(estiva_held* held) {
  char question[256];
  const int size =
      snprintf(question, sizeof question,
               "GET /api/v1/leases/%s/events HTTP/1.0\r\nHost: localhost\r\n\r\n", held->id);
  held->text_size = 0;
  held->is_head = 1;
  held->stream = estiva_connect(held->path);
  if (held->stream < 0) return;
  struct epoll_event interest = {.events = EPOLLIN, .data.fd = held->stream};
  if (estiva_send(held->stream, question, (size_t)size) != 0 ||
      epoll_ctl(held->poller, EPOLL_CTL_ADD, held->stream, &interest) != 0) {
    close_stream(held);
  }
}

static int beat(estiva_held* held) {
  char body[96];
  int size =
      snprintf(body, sizeof body, "{\"revocable\":%s", held->on_revoke != NULL ? "true" : "false");
  if (held->silence > 0) {
    size += snprintf(body + size, sizeof body - (size_t)size, ",\"heartbeat_seconds\":%.3f",
                     held->silence);
  }
  snprintf(body + size, sizeof body - (size_t)size, "}");
  return post(held, "heartbeat", body, 0);
}

static void lose(estiva_held* held) {
  close_stream(held);
  if (held->is_lost) return;
  held->is_lost = 1;
  if (held->on_revoke != NULL) held->on_revoke(held, "the lease is lost", 0, held->user);
}

static void take_event(estiva_held* held, const char* event) {
  char reason[512] = "";
  double seconds = USUAL_DEADLINE;
  const char* data = strstr(event, "data: ");
  if (strncmp(event, "event: revoke\n", 14) != 0 || data == NULL) return;
  estiva_text_of(data, "reason", reason, sizeof reason);
  estiva_number_of(data, "deadline_seconds", &seconds);
  if (held->on_revoke(held, reason, seconds > 0 ? seconds : 0.001, held->user) == 0)
    estiva_yielded(held, 0);
}

/* Every whole event of what has come. */
static void take_events(estiva_held* held) {
  for (;;) {
    held->text[held->text_size] = 0;
    char* end = strstr(held->text, held->is_head ? "\r\n\r\n" : "\n\n");
    if (end == NULL) return;
    const size_t mark = held->is_head ? 4 : 2;
    char event[MOST_EVENT];
    const size_t size = (size_t)(end - held->text);
    memcpy(event, held->text, size);
    event[size] = 0;
    held->text_size -= size + mark;
    memmove(held->text, end + mark, held->text_size);
    if (held->is_head) {
      held->is_head = 0;
    } else {
      take_event(held, event);
    }
  }
}

static void read_stream(estiva_held* held) {
  const size_t room = sizeof held->text - 1 - held->text_size;
  const ssize_t got =
      room == 0 ? 0 : recv(held->stream, held->text + held->text_size, room, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close_stream(held); /* the daemon ended, or the lease did: the next beat tells */
    set_timer(held, 0.1);
    return;
  }
  held->text_size += (size_t)got;
  take_events(held);
}

static void on_time(estiva_held* held) {
  uint64_t times;
  if (read(held->timer, &times, sizeof times) != sizeof times) return;
  const int code = beat(held);
  if (code == ESTIVA_LOST) {
    lose(held);
    return;
  }
  if (held->stream < 0) open_stream(held);
  set_timer(held, held->stream < 0 ? 0.5 : beat_of(held));
}

int estiva_dispatch(estiva_held* held) {
  if (held->owner != getpid())
    return failed(ESTIVA_REFUSED, "the lease belongs to another process");
  pthread_mutex_lock(&held->in_dispatch);
  struct epoll_event ready[4];
  const int n = held->poller < 0 || held->is_lost ? 0 : epoll_wait(held->poller, ready, 4, 0);
  for (int i = 0; i < n && !held->is_lost; ++i) {
    if (ready[i].data.fd == held->timer) on_time(held);
    if (held->stream >= 0 && ready[i].data.fd == held->stream) read_stream(held);
  }
  const int is_lost = held->is_lost;
  pthread_mutex_unlock(&held->in_dispatch);
  return is_lost ? failed(ESTIVA_LOST, "the lease %s is lost", held->name) : ESTIVA_OK;
}

static void* listen_on(void* argument) {
  estiva_held* held = argument;
  struct pollfd both[2] = {{.fd = held->poller, .events = POLLIN},
                           {.fd = held->stop, .events = POLLIN}};
  for (;;) {
    if (poll(both, 2, -1) < 0 && errno != EINTR) break;
    if (both[1].revents != 0) break;
    if (both[0].revents != 0 && estiva_dispatch(held) == ESTIVA_LOST) break;
  }
  return NULL;
}

static int start_listening(estiva_held* held) {
  held->poller = epoll_create1(EPOLL_CLOEXEC);
  held->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  held->stop = eventfd(0, EFD_CLOEXEC);
  struct epoll_event interest = {.events = EPOLLIN, .data.fd = held->timer};
  if (held->poller < 0 || held->timer < 0 || held->stop < 0 ||
      epoll_ctl(held->poller, EPOLL_CTL_ADD, held->timer, &interest) != 0) {
    return failed(ESTIVA_USAGE, "no descriptors for the lease %s (%s)", held->name,
                  strerror(errno));
  }
  open_stream(held);
  set_timer(held, beat_of(held));
  if (held->by_hand) return ESTIVA_OK;
  if (pthread_create(&held->thread, NULL, listen_on, held) != 0)
    return failed(ESTIVA_USAGE, "no thread for the lease %s", held->name);
  held->has_thread = 1;
  return ESTIVA_OK;
}

/* ---- asking and ending ----------------------------------------------------------------------- */

static void take_gpus(estiva_held* held, const char* json) {
  const char* at = strstr(json, "\"gpus\":[");
  const char* end = at == NULL ? NULL : strchr(at, ']');
  size_t used = 0;
  for (at = at == NULL ? NULL : at + 8; at != NULL && at < end && used + 1 < sizeof held->gpus;
       ++at) {
    if (*at != '"') held->gpus[used++] = *at;
  }
  held->gpus[used] = 0;
}

static int question_of(const char* name, uint64_t bytes, const estiva_options* options, char* body,
                       size_t size) {
  char model[600], gpu[300] = "\"auto\"";
  if (!estiva_quote(name, model, sizeof model) ||
      (options->gpu != NULL && !estiva_quote(options->gpu, gpu, sizeof gpu))) {
    return 0;
  }
  int used = snprintf(body, size,
                      "{\"model\":%s,\"vram_bytes\":%llu,\"gpu\":%s,\"gpus\":%u,\"only_new\":true,"
                      "\"wait_seconds\":%.3f,\"revocable\":%s",
                      model, (unsigned long long)bytes, gpu, options->gpus > 1 ? options->gpus : 1,
                      options->wait_seconds, options->on_revoke != NULL ? "true" : "false");
  if (options->heartbeat_seconds >= 0) {
    used += snprintf(body + used, size - (size_t)used, ",\"heartbeat_seconds\":%.3f",
                     options->heartbeat_seconds > 0 ? options->heartbeat_seconds : 30.0);
  }
  return snprintf(body + used, size - (size_t)used, "}") == 1;
}

static void free_held(estiva_held* held) {
  close_stream(held);
  if (held->timer >= 0) close(held->timer);
  if (held->stop >= 0) close(held->stop);
  if (held->poller >= 0) close(held->poller);
  pthread_mutex_destroy(&held->in_dispatch);
  free(held);
}

static estiva_held* new_held(const char* name, uint64_t bytes, const estiva_options* options) {
  estiva_held* held = calloc(1, sizeof *held);
  if (held == NULL) return NULL;
  snprintf(held->name, sizeof held->name, "%s", name);
  if (options->socket != NULL) {
    snprintf(held->path, sizeof held->path, "%s", options->socket);
  } else {
    estiva_find_socket(held->path, sizeof held->path);
  }
  held->bytes = bytes;
  held->owner = getpid();
  held->silence = options->heartbeat_seconds > 0   ? options->heartbeat_seconds
                  : options->heartbeat_seconds < 0 ? -1
                                                   : 30;
  held->on_revoke = options->on_revoke;
  held->user = options->user;
  held->by_hand = options->by_hand;
  held->stream = held->timer = held->stop = held->poller = -1;
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&held->in_dispatch, &recursive);
  pthread_mutexattr_destroy(&recursive);
  return held;
}

int estiva_lease(const char* name, uint64_t bytes, const estiva_options* options,
                 estiva_held** out) {
  static const estiva_options usual = {.wait_seconds = 60};
  char body[2048];
  if (options == NULL) options = &usual;
  if (name == NULL || out == NULL || strlen(name) > 255 ||
      !question_of(name, bytes, options, body, sizeof body)) {
    return failed(ESTIVA_USAGE,
                  "a lease needs a name of at most 255 bytes and a place for its handle");
  }
  *out = NULL;
  estiva_held* held = new_held(name, bytes, options);
  if (held == NULL) return failed(ESTIVA_USAGE, "out of memory");
  estiva_answer answer;
  int code = ESTIVA_OK;
  if (estiva_ask(held->path, "POST", "/api/v1/leases", body, options->wait_seconds + PATIENCE,
                 &answer) != 0) {
    code = no_daemon(held->path);
    free_held(held);
    return code;
  }
  code = answer.status == 200 ? ESTIVA_OK : told_no(&answer);
  if (code == ESTIVA_OK) {
    estiva_text_of(answer.body, "id", held->id, sizeof held->id);
    take_gpus(held, answer.body);
  }
  free(answer.body);
  const int listens = held->on_revoke != NULL || held->silence > 0;
  if (code == ESTIVA_OK && listens) code = start_listening(held);
  if (code == ESTIVA_OK) {
    *out = held;
  } else {
    estiva_release(held);
  }
  return code;
}

static void delete_lease(const estiva_held* held) {
  char target[1024] = "/api/v1/leases?model=";
  size_t used = strlen(target);
  for (const char* c = held->name; *c != 0; ++c)
    used += (size_t)snprintf(target + used, 4, "%%%02X", (unsigned char)*c);
  snprintf(target + used, sizeof target - used, "&id=%s", held->id);
  estiva_answer answer;
  if (estiva_ask(held->path, "DELETE", target, NULL, PATIENCE, &answer) == 0) free(answer.body);
}

void estiva_release(estiva_held* held) {
  if (held == NULL) return;
  const int is_ours = held->owner == getpid();
  if (is_ours && held->has_thread) {
    const uint64_t one = 1;
    if (write(held->stop, &one, sizeof one) == sizeof one) pthread_join(held->thread, NULL);
  }
  if (is_ours && held->id[0] != 0 && !held->is_lost) delete_lease(held);
  free_held(held);
}

const char* estiva_gpus(const estiva_held* held) {
  return held->gpus;
}
const char* estiva_id(const estiva_held* held) {
  return held->id;
}
int estiva_fd(const estiva_held* held) {
  return held->by_hand ? held->poller : -1;
}

int estiva_busy(estiva_held* held, int busy) {
  return post(held, "use", busy ? "{\"busy\":true}" : "{\"busy\":false}", 0);
}

int estiva_yielded(estiva_held* held, uint64_t residue) {
  char body[64];
  snprintf(body, sizeof body, "{\"vram_bytes\":%llu}", (unsigned long long)residue);
  return post(held, "yielded", body, 0);
}

int estiva_resume(estiva_held* held, double wait_seconds) {
  char body[128];
  snprintf(body, sizeof body, "{\"vram_bytes\":%llu,\"wait_seconds\":%.3f}",
           (unsigned long long)held->bytes, wait_seconds);
  return post(held, "resume", body, wait_seconds);
}
