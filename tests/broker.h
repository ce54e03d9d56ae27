/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of MQTT: Debian's mosquitto on a port of the kernel's choice, and a
 * client that remembers what it has heard. Nothing here sleeps: all waits are for a
 * state and have a deadline. */
#ifndef TESTS_BROKER_H
#define TESTS_BROKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { DEADLINE_S = 60 };

int free_port(void); /* on 127.0.0.1; it was free a moment ago */

struct broker {
    pid_t pid;
    int port, log; /* log = reading end of its standard error */
    char folder[64];
};

/* Starts it; `more` is added to its configuration. Fails the test with a clear message
 * when the broker is not installed. */
void broker_start(struct broker *b, int port, const char *more);
void broker_signal(struct broker *b, int signal); /* SIGKILL also collects it */
void broker_end(struct broker *b);                /* and takes its folder away */

/* One lock and one bell for everything a test waits for. */
extern pthread_mutex_t bell_lock;
extern pthread_cond_t bell;
void bell_ring(void *arg);
/* Waits for fn(arg) with the lock held; false = deadline. */
bool bell_wait(bool (*fn)(void *arg), void *arg);

struct heard {
    char topic[160];
    char payload[8192];
    int length;
    bool retained;
};

struct spy {
    struct mosquitto *lib;
    struct heard *list;
    int n;
    bool subscribed;
};

void spy_start(struct spy *s, int port); /* hears everything */
void spy_end(struct spy *s);
void spy_say(struct spy *s, const char *topic, const void *payload, int length,
             bool retain);
/* Waits for that message; payload NULL = any. Its index; fails at the deadline. */
int spy_hears(struct spy *s, const char *topic, const char *payload);
int spy_count(struct spy *s, const char *topic);

#endif
