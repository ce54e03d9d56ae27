/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus line at work: who is read when, what is told, when to connect again. Only
 * for bus.c, which sets it up. */
#ifndef IO_BUS_LINE_H
#define IO_BUS_LINE_H

#include <pthread.h>

#include "io/bus_turn.h"
#include "io/inbox.h"
#include "io/meter_poll.h"
#include "io/meter_tell.h"

/* A meter, or a digital input. */
struct bus_meter {
    struct meter_poll *poll;        /* NULL: an input */
    const struct conf_input *input; /* NULL: a meter */
    const char *name;
    int index; /* in the site, or of the inputs */
    int32_t max_age_ms;
    int64_t good_ms; /* last reading, or start */
    int failures;    /* cycles in a row without one */
    int silent;      /* ... and without any answer */
    struct meter_trouble trouble;
};

struct bus_line {
    struct modbus_line *line;
    const struct conf_meter *at; /* how it is reached: of the first on it */
    struct inbox *inbox;
    pthread_t thread;
    bool started;
    struct bus_meter *meters;
    struct bus_turn *turns; /* of each meter */
    int n_meters;
    int last;        /* meter read last */
    int timeouts;    /* in a row, whichever the meter */
    int backoff_s;   /* before the next connection attempt */
    int64_t open_ms; /* not before then */
    bool opened;     /* at least once: the next one is a new one */
    bool heard;      /* something has answered, ever */
    char hint[160];  /* why nothing does; "" = not known */
};

/* The thread; ends after modbus_line_stop(). */
void *bus_line_run(void *bus_line);

#endif
