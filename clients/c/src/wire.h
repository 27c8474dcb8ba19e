/* One question to the daemon over its Unix socket, and the few members of its answers. */
#ifndef ESTIVA_WIRE_H
#define ESTIVA_WIRE_H

#include <stddef.h>

typedef struct {
  int status;
  char* body; /* malloc()ed, ended by 0 */
} estiva_answer;

/* Where the socket is; into `path`. */
void estiva_find_socket(char* path, size_t size);
/* Connected, with close-on-exec; -1 with errno. */
int estiva_connect(const char* path);
/* All of `text`, or -1. */
int estiva_send(int fd, const char* text, size_t size);
/* Asks and reads the whole answer, for at most `seconds` between two pieces of it. 0, or -1 with
 * errno. The caller frees answer->body. */
int estiva_ask(const char* path, const char* method, const char* target, const char* body,
               double seconds, estiva_answer* answer);

/* The first string member `key` of a document that the daemon wrote: unescaped, into `value`; 0
 * where there is none. ASCII escapes only are resolved; that is what the daemon writes below 0x20.
 */
int estiva_text_of(const char* json, const char* key, char* value, size_t size);
int estiva_number_of(const char* json, const char* key, double* value);
/* `text` as a JSON string with its quotes; 0 where it does not fit. */
int estiva_quote(const char* text, char* out, size_t size);

#endif
