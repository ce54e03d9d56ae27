/* SPDX-License-Identifier: Apache-2.0 */
/* What a person has asked of a charger and what it answers in messages of its own, in
 * parts: its monitors, its messages, what it knows of a customer. They are laid down in
 * the folder of the site file, a part on each line, or only logged where there is none.
 * What nobody has asked for is not kept. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum { MOST = 4 * 1024 * 1024, PATIENCE_MS = 600000 };

struct ocpp_later {
    char action[OCPP_FRAME_WORD];
    int64_t request, until_ms;
    size_t bytes;
    int n;
    char path[600]; /* "" = it is logged */
};

void ocpp_later_begin(struct ocpp_peer *p, const char *action, const cJSON *request)
{
    struct ocpp_later *l = p->later ? p->later : malloc(sizeof *l);
    char rest[60];
    int64_t id;

    if (!l || !ocpp_get_int(request, "requestId", &id)) {
        p->later = l;
        return;
    }
    *l = (struct ocpp_later){.request = id, .until_ms = p->w->now_ms + PATIENCE_MS};
    snprintf(l->action, sizeof l->action, "%s", action);
    snprintf(rest, sizeof rest, "%.40s-%d.json", action, (int)id);
    if (p->w->conf->ocpp.files)
        ocpp_files_path(p, rest, l->path, sizeof l->path);
    p->later = l;
}

static bool add_line(const struct ocpp_later *l, const char *text, size_t n)
{
    int more = l->n == 0 ? O_TRUNC : O_APPEND;
    int fd = open(l->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | more, 0640);
    bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n && write(fd, "\n", 1) == 1;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good;
}

static void take(struct ocpp_peer *p, struct ocpp_later *l, const char *text)
{
    size_t n = strlen(text);
    char news[700];

    l->bytes += n;
    if (l->bytes > MOST)
        return;
    if (!*l->path) {
        log_info("%s: %s: %.900s", p->id, l->action, text);
    } else if (!add_line(l, text, n)) {
        log_warn("%s: cannot be written", l->path);
        l->bytes = MOST;
    } else if (l->n == 0) {
        snprintf(news, sizeof news, "answers %s in %s", l->action, l->path);
        ocpp_news(p, "info", "file", news);
    }
    l->n++;
}

void ocpp_later_part(struct ocpp_peer *p, const cJSON *payload)
{
    struct ocpp_later *l = p->later;
    char *text;
    int64_t id;

    if (!l || !ocpp_get_int(payload, "requestId", &id) || id != l->request ||
        p->w->now_ms >= l->until_ms)
        return;
    l->until_ms = p->w->now_ms + PATIENCE_MS;
    text = cJSON_PrintUnformatted(payload);
    if (text)
        take(p, l, text);
    cJSON_free(text);
}
