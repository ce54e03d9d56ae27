/* SPDX-License-Identifier: Apache-2.0 */
/* The site and the controller's memory as lines of the journal, and back: what an
 * auditor needs to go on from the middle of a recording. Names are in it, no passwords
 * and nothing else of the site file.
 *
 *   S layout 2891336453
 *   S policy "equal"
 *   S circuit 3 name "garage" parent 0 limit_ma 63000,63000,63000
 *   K connector 12 status 4 told_ma 16000 flight[0].seq 7,0,0,0
 *
 * The layout (memory_layout()) is that of the build that wrote it: another one may have
 * members that this memory lacks. Members that are 0 are left out; a record that is too
 * long goes on in another line with the same beginning. */
#ifndef IO_JOURNAL_IMAGE_H
#define IO_JOURNAL_IMAGE_H

#include "core/control.h"

/* Calls `put` with each line, without its end. */
void journal_image_write(const struct site *s, const struct control *k,
                         void (*put)(void *arg, const char *line, size_t n), void *arg);

struct journal_image;

struct journal_image *journal_image_new(void); /* NULL = no memory */
void journal_image_free(struct journal_image *m);

/* Takes a line in. NULL when it is good, else what is wrong (a constant text). */
const char *journal_image_take(struct journal_image *m, const char *line);
/* All lines are there. NULL when they make a sound site and memory. */
const char *journal_image_end(struct journal_image *m);

/* After a good journal_image_end(); they live as long as the image. */
const struct site *journal_image_site(const struct journal_image *m);
struct control *journal_image_control(struct journal_image *m);

#endif
