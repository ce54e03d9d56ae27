/* SPDX-License-Identifier: Apache-2.0 */
/* A pseudo terminal as a serial line of tests: the device's end here, ours by name. */
#ifndef TESTS_PTY_H
#define TESTS_PTY_H

#include <stddef.h>

/* The device's end, raw; the other end's name in `name`. *held keeps that end alive
 * while nobody else has it open. -1 and errno. */
int pty_open(char *name, size_t size, int *held);

#endif
