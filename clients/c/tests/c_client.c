/* Holds a lease as it is told on its standard input, a word a line, and says what happened. A test
 * drives it. c_client NAME BYTES WAIT HEARTBEAT thread|hand|never */
#include <estiva.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_revoke(estiva_held* held, const char* reason, double seconds, void* user) {
  (void)held;
  printf("revoked %s %s\n", seconds > 0 ? "in-time" : "lost", reason);
  return *(const int*)user;
}

static void say(const char* what, int code) {
  printf("%s %d %s\n", what, code, code == ESTIVA_OK ? "" : estiva_error());
}

/* False at the end. */
static int obey(estiva_held* held, char* word, int* keeps) {
  word[strcspn(word, "\n")] = 0;
  if (strcmp(word, "quit") == 0) return 0;
  if (strcmp(word, "busy") == 0) say(word, estiva_busy(held, 1));
  if (strcmp(word, "idle") == 0) say(word, estiva_busy(held, 0));
  if (strcmp(word, "resume") == 0) say(word, estiva_resume(held, 30));
  if (strcmp(word, "keep") == 0) say(word, (*keeps = 1) - 1);
  return 1;
}

int main(int count, char** words) {
  if (count != 6) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int keeps = 0;
  const int by_hand = strcmp(words[5], "hand") == 0;
  const int never = strcmp(words[5], "never") == 0;
  const estiva_options options = {.wait_seconds = atof(words[3]),
                                  .heartbeat_seconds = atof(words[4]),
                                  .on_revoke = never ? NULL : on_revoke,
                                  .user = &keeps,
                                  .by_hand = by_hand};
  estiva_held* held = NULL;
  const int code = estiva_lease(words[1], strtoull(words[2], NULL, 10), &options, &held);
  if (code != ESTIVA_OK) {
    say("refused", code);
    return 1;
  }
  printf("granted %s %s\n", estiva_id(held), estiva_gpus(held));
  struct pollfd both[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = estiva_fd(held), .events = POLLIN}};
  char word[128];
  for (int goes_on = 1; goes_on;) {
    if (poll(both, by_hand ? 2 : 1, -1) < 0) break;
    if (by_hand && both[1].revents != 0 && estiva_dispatch(held) != ESTIVA_OK) {
      say("dispatch", ESTIVA_LOST);
      both[1].fd = -1;
    }
    /* Unbuffered: what is left in a buffer would not be polled for. */
    if (both[0].revents != 0) {
      const ssize_t got = read(STDIN_FILENO, word, sizeof word - 1);
      word[got > 0 ? got : 0] = 0;
      goes_on = got > 0 && obey(held, word, &keeps);
    }
  }
  estiva_release(held);
  puts("released");
  return 0;
}
