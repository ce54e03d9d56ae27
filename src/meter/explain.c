/* SPDX-License-Identifier: Apache-2.0 */
/* Trying other orders of words. */
#include "meter/explain.h"

#include <stdlib.h>
#include <string.h>

#include "meter/definition_read.h"
#include "meter/plausible.h"

static void set_order(struct definition *d, enum word_order order)
{
    for (int i = 0; i < d->n_points; i++)
        d->points[i].order = order;
}

bool definition_set_order(struct definition *d, const char *order)
{
    for (int o = 0; o < WORDS_COUNT; o++)
        if (strcmp(order, word_order_words[o]) == 0) {
            set_order(d, (enum word_order)o);
            return true;
        }
    return false;
}

/* A usual voltage tells more than that nothing speaks against it. */
static bool convinces(const struct decode *d, const struct plan *p)
{
    struct meter_reading r;
    bool voltage = false;
    char text[128];

    decode_reading(d, p, &r);
    for (int i = 0; i < SITE_PHASES; i++)
        voltage =
            voltage || (r.v_mv[i] != EVENT_NO_VALUE && r.v_mv[i] >= READING_V_MIN_MV);
    return voltage && reading_plausible(&r, d->layout, text, sizeof text);
}

static bool has_wide_voltage(const struct definition *d)
{
    int v = d->by_quantity[QUANTITY_V];

    return v >= 0 && value_type_width(d->points[v].type) > 1;
}

const char *explain_word_order(const struct decode *d, const struct plan *p)
{
    struct definition *other = malloc(sizeof *other);
    const char *found = NULL;

    for (int o = 0; other && o < WORDS_COUNT && !found; o++) {
        struct decode as = *d;

        *other = *d->layout; /* what it owns is only looked at */
        set_order(other, (enum word_order)o);
        as.layout = other;
        if (d->device == d->layout)
            as.device = other;
        if (!d->layout->is_model && has_wide_voltage(d->layout) && convinces(&as, p))
            found = word_order_words[o];
    }
    free(other);
    return found;
}
