#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_ANSWER (1u << 20)

static int found(char* path, size_t size, const char* folder, const char* rest) {
  if (folder == NULL || folder[0] == 0) return 0;
  if (snprintf(path, size, "%s%s/lease/estiva.sock", folder, rest) >= (int)size) return 0;
  return access(path, F_OK) == 0;
}

void estiva_find_socket(char* path, size_t size) {
  const char* named = getenv("ESTIVA_LEASE_SOCKET");
  if (named != NULL && named[0] != 0) {
    snprintf(path, size, "%s", named);
    return;
  }
  if (found(path, size, getenv("ESTIVA_RUNTIME_DIR"), "")) return;
  if (found(path, size, "/run/estiva", "")) return;
  if (found(path, size, getenv("XDG_RUNTIME_DIR"), "/estiva")) return;
  if (found(path, size, getenv("XDG_STATE_HOME"), "/estiva/run")) return;
  if (found(path, size, getenv("HOME"), "/.local/state/estiva/run")) return;
  snprintf(path, size, "/run/estiva/lease/estiva.sock");
}

int estiva_connect(const char* path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof to.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(to.sun_path, path, strlen(path) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, (const struct sockaddr*)&to, sizeof to) == 0) return fd;
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

int estiva_send(int fd, const char* text, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return -1;
    text += sent;
    size -= (size_t)sent;
  }
  return 0;
}

static int send_question(int fd, const char* method, const char* target, const char* body) {
  char head[1024];
  const size_t length = body == NULL ? 0 : strlen(body);
  const int size = snprintf(head, sizeof head,
                            "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                            method, target, length);
  if (size < 0 || (size_t)size >= sizeof head) {
    errno = EMSGSIZE;
    return -1;
  }
  if (estiva_send(fd, head, (size_t)size) != 0) return -1;
  return length == 0 ? 0 : estiva_send(fd, body, length);
}

/* To the end of the connection. */
static char* receive_all(int fd) {
  size_t size = 0, room = 4096;
  char* text = malloc(room);
  while (text != NULL) {
    if (size + 1 == room) {
      char* larger = room >= MOST_ANSWER ? NULL : realloc(text, room * 2);
      if (larger == NULL) break;
      text = larger;
      room *= 2;
    }
    const ssize_t got = recv(fd, text + size, room - size - 1, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    size += (size_t)got;
    if (got > 0) continue;
    text[size] = 0;
    return text;
  }
  free(text);
  return NULL;
}

static int split(char* text, estiva_answer* answer) {
  char* body = strstr(text, "\r\n\r\n");
  if (body == NULL || sscanf(text, "HTTP/1.%*d %d", &answer->status) != 1) {
    free(text);
    errno = EPROTO;
    return -1;
  }
  memmove(text, body + 4, strlen(body + 4) + 1);
  answer->body = text;
  return 0;
}

int estiva_ask(const char* path, const char* method, const char* target, const char* body,
               double seconds, estiva_answer* answer) {
  const int fd = estiva_connect(path);
  if (fd < 0) return -1;
  const struct timeval limit = {
      .tv_sec = (time_t)seconds,
      .tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char* text = send_question(fd, method, target, body) == 0 ? receive_all(fd) : NULL;
  const int why = errno;
  close(fd);
  errno = why;
  return text == NULL ? -1 : split(text, answer);
}

static const char* member(const char* json, const char* key) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  const char* at = strstr(json, quoted);
  return at == NULL ? NULL : at + strlen(quoted);
}

int estiva_text_of(const char* json, const char* key, char* value, size_t size) {
  const char* at = member(json, key);
  if (at == NULL || *at++ != '"') return 0;
  size_t used = 0;
  while (*at != 0 && *at != '"' && used + 1 < size) {
    char next = *at++;
    if (next == '\\' && *at != 0) {
      next = *at++;
      if (next == 'u') {
        unsigned code = 0;
        if (sscanf(at, "%4x", &code) == 1) at += 4;
        next = code < 0x80 ? (char)code : '?';
      } else if (next == 'n' || next == 't' || next == 'r') {
        next = ' ';
      }
    }
    value[used++] = next;
  }
  value[used] = 0;
  return 1;
}

int estiva_number_of(const char* json, const char* key, double* value) {
  const char* at = member(json, key);
  return at != NULL && sscanf(at, "%lf", value) == 1;
}

int estiva_quote(const char* text, char* out, size_t size) {
  size_t used = 0;
  if (size < 3) return 0;
  out[used++] = '"';
  for (; *text != 0; ++text) {
    if (used + 8 >= size) return 0;
    const unsigned char c = (unsigned char)*text;
    if (c < 0x20) {
      used += (size_t)snprintf(out + used, size - used, "\\u%04x", c);
    } else {
      if (c == '"' || c == '\\') out[used++] = '\\';
      out[used++] = (char)c;
    }
  }
  out[used++] = '"';
  out[used] = 0;
  return 1;
}
