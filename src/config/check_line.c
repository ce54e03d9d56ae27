/* SPDX-License-Identifier: Apache-2.0 */
/* Serial lines that are too slow for the meters on them. What is reckoned with is what
 * each reading needs of them when all is well: no time-outs, no digital inputs. */
#include <string.h>

#include "config/build.h"

/* In between, the meter of the grid connection is read at its interval, but not twice
 * in a row (io/bus_turn.h). */
struct serial_line {
    int32_t grid_ms, grid_interval_ms; /* 0 = it is not on this line */
    int32_t others_ms, longest_ms;     /* of all of them, of one */
    int n_others;
};

static bool is_on(const struct conf_meter *m, const char *device)
{
    return m->source == SOURCE_MODBUS && m->transport == TRANSPORT_RTU && m->device &&
           strcmp(m->device, device) == 0;
}

static bool is_grid(const struct config *c, int meter)
{
    return c->site.n_circuits > 0 && c->site.circuits[0].meter == meter;
}

static struct serial_line line_of(const struct config *c, const char *device,
                                  const int32_t *serial_ms)
{
    struct serial_line l = {0};

    for (int i = 0; i < c->site.n_meters; i++) {
        if (!is_on(&c->meters[i], device))
            continue;
        if (is_grid(c, i)) {
            l.grid_ms = serial_ms[i];
            l.grid_interval_ms = c->meters[i].interval_ms;
            continue;
        }
        l.n_others++;
        l.others_ms += serial_ms[i];
        l.longest_ms = serial_ms[i] > l.longest_ms ? serial_ms[i] : l.longest_ms;
    }
    return l;
}

/* From one reading to the next, at most. */
static int64_t between_ms(const struct serial_line *l, bool grid)
{
    int64_t most = l->others_ms + (int64_t)l->n_others * l->grid_ms;
    int64_t rest_ms = l->grid_interval_ms - l->grid_ms, shared;

    if (grid)
        return l->grid_ms + l->longest_ms;
    if (rest_ms <= 0)
        return most;
    shared = (int64_t)l->others_ms * l->grid_interval_ms / rest_ms;
    return shared < most ? shared : most;
}

/* Only the first one on each line that has it is told. */
static bool told_before(const struct config *c, const bool *told, int meter)
{
    for (int i = 0; i < meter; i++)
        if (told[i] && is_on(&c->meters[i], c->meters[meter].device))
            return true;
    return false;
}

void conf_check_lines(struct conf_build *b, const int32_t *serial_ms)
{
    const struct conf_item *item = conf_value(b->top, K_METERS)->is.list.first;
    const struct config *c = b->c;
    bool *told = conf_array(b, c->site.n_meters, sizeof *told);

    for (int i = 0; item; item = item->next, i++) {
        const struct conf_meter *m = &c->meters[i];
        struct serial_line l;
        int64_t ms;

        if (serial_ms[i] == 0 || !is_on(m, m->device) || told_before(c, told, i))
            continue;
        l = line_of(c, m->device, serial_ms);
        ms = between_ms(&l, is_grid(c, i));
        told[i] = ms > m->max_age_ms;
        if (told[i])
            conf_warn(
                b->l, conf_at(item, K_METER_MAX_AGE),
                "max_age: %g s are too short for %s on %s: at %d baud there are up "
                "to %.1f s from one of its readings to the next, with %d meters on "
                "the line",
                m->max_age_ms / 1000.0, conf_item_text(b->l, item), m->device, m->baud,
                (double)ms / 1000, l.n_others + (l.grid_ms > 0));
    }
}
