/* SPDX-License-Identifier: Apache-2.0 */
/* The Unix socket on which programs of this machine command the running controller: a
 * line of text in, a line of text out, then it is closed. Who may use it is who may
 * write to the file: its owner and its group. On the loop's thread. */
#ifndef IO_COMMAND_H
#define IO_COMMAND_H

#include <stdint.h>
#include <sys/types.h>

#include "io/loop.h"

enum {
    COMMAND_LINE = 65536, /* bytes of a line */
    COMMAND_CLIENTS = 16, /* at the same time; more are hung up on */
    COMMAND_READ_S = 10   /* to send the line */
};

struct command;      /* the socket */
struct command_line; /* one that wants an answer */

/* Listens on `path`. A file that nobody listens on any more is replaced. `asked` gets
 * each line and the user it came from, and answers it once, now or later. NULL and a
 * log line when it cannot. */
struct command *command_new(struct loop *l, const char *path,
                            void (*asked)(void *arg, struct command_line *line,
                                          uid_t user, const char *text),
                            void *arg);
/* Lines not yet answered may be answered afterwards: nobody hears it. */
void command_free(struct command *c);

/* Answers and frees the line; `text` has no line feed. */
void command_answer(struct command_line *line, const char *text);

#endif
