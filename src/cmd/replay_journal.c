/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a replay: the same file as that of the running controller. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/replay.h"
#include "io/log.h"

/* The text of a file, NULL where it cannot be read. */
static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    if (!f)
        return NULL;
    if (getdelim(&text, &room, '\0', f) < 0) {
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

static void on_trouble(void *arg, bool begins, const char *text)
{
    bool *troubled = arg;

    if (begins && !*troubled)
        log_errorx("the journal: %s", text);
    *troubled = *troubled || begins;
}

/* The command line may have changed what the site file says; then the journal cannot
 * claim to be of that file. */
static bool as_in_file(const struct replay_options *o)
{
    return o->n_policies == 0 && o->n_set == 0 && o->power_kw <= 0;
}

struct journal *replay_journal_open(const struct replay_options *o,
                                    const struct config *c, int64_t from_s,
                                    bool *troubled)
{
    char *text = as_in_file(o) ? slurp(o->config) : NULL;
    struct journal_header h = {
        .utc_s = from_s,
        .mono_ms = 0,
        .version = PACKAGE_VERSION,
        .config_hash = text ? c->hash : "",
        .site = text,
    };
    struct journal *j;

    if (unlink(o->journal) != 0 && errno != ENOENT)
        log_warn("%s", o->journal);
    j = journal_open(o->journal, 0, &h, on_trouble, troubled);
    free(text);
    return j;
}
