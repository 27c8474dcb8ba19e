/* GPU memory from estiva, the daemon that keeps the GPUs of this machine in order.
 *
 *     estiva_held *held;
 *     if (estiva_lease("f5tts", 2ull << 30, NULL, &held) != 0) die(estiva_error());
 *     ... setenv("CUDA_VISIBLE_DEVICES", estiva_gpus(held), 1) before the first CUDA call ...
 *     estiva_release(held);
 *
 * waits until 2 GiB are free on a GPU and keeps them until estiva_release() or the end of the
 * process. C11, POSIX threads and Linux; no other library. Link with -lestiva-client.
 *
 * Threads: every function may be called from any thread. Forks: a lease belongs to the process that
 * asked for it; in a child all calls with it fail, and estiva_release() only frees memory. Signals:
 * SIGPIPE is never raised. Errors: 0 is success; else one of the codes below, and estiva_error() is
 * a sentence about it. */
#ifndef ESTIVA_H
#define ESTIVA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESTIVA_API_VERSION 1
#define ESTIVA_API __attribute__((visibility("default")))

enum {
  ESTIVA_OK = 0,
  ESTIVA_NO_DAEMON = 1, /* nobody answers at the socket */
  ESTIVA_NO_ROOM = 2,   /* not enough GPU memory, also not in the time one was ready to wait */
  ESTIVA_DENIED = 3,    /* it is somebody else's */
  ESTIVA_REFUSED = 4,   /* not now, or not in this way */
  ESTIVA_LOST = 5,      /* the lease is no more */
  ESTIVA_USAGE = 6      /* wrong arguments, or out of memory or descriptors */
};

typedef struct estiva_held estiva_held;

/* The bytes of a lease are wanted, for `reason`, in `seconds`; 0: the lease is lost and has to
 * leave the GPU now. Moves them off the GPU and returns 0: then that is told. 1: they are kept, or
 * estiva_yielded() will be called later. A new daemon may ask for bytes that left already. Called
 * from the library's thread, or from estiva_dispatch(); never while the lease is busy. No heartbeat
 * is sent while it runs, so it must take less than heartbeat_seconds. It may call every function
 * with `held` but estiva_release(). */
typedef int estiva_revoked(estiva_held* held, const char* reason, double seconds, void* user);

typedef struct {
  const char* socket;        /* NULL: ESTIVA_LEASE_SOCKET, or where the daemon makes it */
  const char* gpu;           /* NULL: any; an index or a UUID */
  unsigned gpus;             /* 0 or 1: one; else that many, with as much on each */
  double wait_seconds;       /* for room, in the order in which processes asked; 0: not at all */
  double heartbeat_seconds;  /* the lease is lost when this process is silent so long; 0: 30; below
                                0: never */
  estiva_revoked* on_revoke; /* NULL: the bytes are never asked for */
  void* user;
  int by_hand; /* not 0: no thread; poll estiva_fd() and call estiva_dispatch() */
} estiva_options;

/* `options` may be NULL: one GPU, 60 s of patience, never revoked. On success *held is the lease.
 */
ESTIVA_API int estiva_lease(const char* name, uint64_t bytes, const estiva_options* options,
                            estiva_held** held);
/* Ends the lease and frees `held`, in whatever state it is; NULL is allowed. Waits for a callback
 * that runs. */
ESTIVA_API void estiva_release(estiva_held* held);

/* Valid until estiva_release(). The GPUs as CUDA_VISIBLE_DEVICES wants them. */
ESTIVA_API const char* estiva_gpus(const estiva_held* held);
ESTIVA_API const char* estiva_id(const estiva_held* held);

/* In the middle of a computation (1): the bytes are not asked for until it is over (0).
 * ESTIVA_REFUSED where they are being given back or have been: then estiva_resume() first. */
ESTIVA_API int estiva_busy(estiva_held* held, int busy);
/* The bytes have left the GPU, but for `residue` on each. What the daemon grants of them it looks
 * at first. */
ESTIVA_API int estiva_yielded(estiva_held* held, uint64_t residue);
/* Asks for the bytes again, waiting its turn. Move them in when it returns 0. */
ESTIVA_API int estiva_resume(estiva_held* held, double wait_seconds);

/* With by_hand: a descriptor that is readable when estiva_dispatch() has something to do; -1
 * without. It is the lease's: poll it, and nothing else. */
ESTIVA_API int estiva_fd(const estiva_held* held);
/* Does what is due (heartbeats, callbacks) and returns at once, but for what callbacks take.
 * ESTIVA_LOST when the lease is gone. */
ESTIVA_API int estiva_dispatch(estiva_held* held);

/* About the last call of this thread that failed: what, and what to do. Never NULL. */
ESTIVA_API const char* estiva_error(void);

#ifdef __cplusplus
}
#endif
#endif
