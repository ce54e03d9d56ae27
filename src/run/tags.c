/* SPDX-License-Identifier: Apache-2.0 */
/* The number of the list of tags, which chargers know their copy by: kept in the
 * history's folder with a sum of the list it belongs to. It grows when the list is
 * another one, also over restarts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "run/runner.h"

/* A new number leaves room for those of the messages before the last. Without a file
 * they begin with the time, so that none comes twice. */
enum { ROOM = 1000, BEGIN_S = 1600000000 };

static uint64_t add(uint64_t sum, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        sum = (sum ^ p[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return sum;
}

static uint64_t sum_of(const struct config *c)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    for (int i = 0; i < c->ocpp.n_tags; i++) {
        const struct conf_tag *t = &c->ocpp.tags[i];
        const char *group = t->group ? t->group : "";

        sum = add(sum, t->id, strlen(t->id) + 1);
        sum = add(sum, group, strlen(group) + 1);
        sum = add(sum, &t->until_s, sizeof t->until_s);
        if (t->type)
            sum = add(sum, t->type, strlen(t->type) + 1);
    }
    return sum;
}

static void keep(const char *path, int32_t number, uint64_t sum)
{
    char fresh[560];
    FILE *f;
    bool good;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    f = fopen(fresh, "we");
    good = f && fprintf(f, "%" PRId32 " %016" PRIx64 "\n", number, sum) > 0;
    if (f)
        good = fclose(f) == 0 && good;
    if (!good || rename(fresh, path) != 0)
        log_warn("%s: cannot be written, chargers get the list of tags again after the "
                 "next start",
                 path);
}

int32_t runner_tags_version(struct runner *r)
{
    const struct config *c = r->conf;
    int64_t number = clock_utc_s() - BEGIN_S;
    uint64_t sum = sum_of(c), old_sum = 0;
    int32_t old = 0;
    char path[540];
    FILE *f = NULL;

    if (sum == r->tags_sum && r->tags_number)
        return r->tags_number;
    if (c->history.folder) {
        snprintf(path, sizeof path, "%.500s/tags-number", c->history.folder);
        f = fopen(path, "re");
    }
    if (f && fscanf(f, "%" SCNd32 " %" SCNx64, &old, &old_sum) != 2)
        old = 0;
    if (f)
        fclose(f);
    if (old < r->tags_number)
        old = r->tags_number;
    if (old > 0 && old_sum == sum)
        number = old;
    else if (number < (int64_t)old + ROOM)
        number = (int64_t)old + ROOM;
    if (number < ROOM || number > INT32_MAX)
        number = ROOM; /* no clock, or after 2088 */
    r->tags_number = (int32_t)number;
    r->tags_sum = sum;
    if (c->history.folder && c->ocpp.n_tags && number != old)
        keep(path, r->tags_number, sum);
    return r->tags_number;
}
