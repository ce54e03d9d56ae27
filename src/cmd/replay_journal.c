/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a replay: the same file as that of the running controller. */
#include <errno.h>
#include <unistd.h>

#include "cmd/replay.h"
#include "io/log.h"

static void on_trouble(void *arg, bool begins, const char *text)
{
    bool *troubled = arg;

    if (begins && !*troubled)
        log_errorx("the journal: %s", text);
    *troubled = *troubled || begins;
}

struct journal *replay_journal_open(const char *path, bool *troubled)
{
    if (unlink(path) != 0 && errno != ENOENT)
        log_warn("%s", path);
    return journal_open(path, 0, on_trouble, troubled);
}

void replay_journal_head(struct journal *j, const struct config *c,
                         const struct site *s, const struct control *k, int64_t utc_s,
                         int64_t mono_ms)
{
    struct journal_header h = {
        .utc_s = utc_s,
        .mono_ms = mono_ms,
        .version = PACKAGE_VERSION,
        .config_hash = c->hash,
        .site = s,
        .control = k,
    };

    journal_head(j, &h);
}
