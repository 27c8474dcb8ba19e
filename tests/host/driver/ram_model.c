/* A model server that is none, for the test host: takes RAM that it is told to, tells who it is to
 * each request, and says that it was asked to end. usage: ram_model PORT MIB */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void told(int signal) {
  (void)signal;
  static const char word[] = "asked to end\n";
  if (write(1, word, sizeof word - 1)) _exit(0);
  _exit(1);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  signal(SIGTERM, told);
  size_t size = strtoul(argv[2], NULL, 10) << 20;
  char* memory = malloc(size + 1);
  if (memory == NULL) return 1;
  memset(memory, 1, size + 1);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in where = {.sin_family = AF_INET,
                              .sin_port = htons((unsigned short)atoi(argv[1]))};
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&where, sizeof where) != 0 || listen(listener, 16) != 0)
    return 1;
  for (;;) {
    char text[4096], body[64];
    int client = accept(listener, NULL, NULL);
    if (client < 0 || read(client, text, sizeof text) <= 0) continue;
    snprintf(body, sizeof body, "pid %d uid %d %d\n", getpid(), getuid(), memory[size] == 1);
    snprintf(text, sizeof text,
             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
             body);
    if (write(client, text, strlen(text)) < 0) return 1;
    close(client);
  }
}
