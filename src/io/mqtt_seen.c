/* SPDX-License-Identifier: Apache-2.0 */
/* The list of retained topics and its file: a topic per line, replaced as a whole. */
#include "io/mqtt_seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log.h"
#include "proto/mqtt_doc.h"

struct seen {
    char *topic;
    bool used;
};

struct mqtt_seen {
    char *path; /* NULL = memory only */
    struct seen *list;
    size_t n, room;
    bool changed, told;
};

static void load(struct mqtt_seen *s)
{
    char line[MQTT_TOPIC + 2];
    FILE *f = fopen(s->path, "re");
    size_t n;

    if (!f) {
        if (errno != ENOENT)
            log_warn("%s", s->path);
        return;
    }
    while (fgets(line, sizeof line, f)) {
        n = strcspn(line, "\n");
        if (line[n] == '\n' && n > 0 && !strpbrk(line, "+#")) {
            line[n] = '\0';
            mqtt_seen_use(s, line);
        }
    }
    fclose(f);
    mqtt_seen_unmark(s);
    s->changed = false;
}

struct mqtt_seen *mqtt_seen_new(const char *folder)
{
    struct mqtt_seen *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    if (folder && asprintf(&s->path, "%s/mqtt-topics", folder) < 0) {
        free(s);
        return NULL;
    }
    if (s->path)
        load(s);
    return s;
}

void mqtt_seen_free(struct mqtt_seen *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->list[i].topic);
    free(s->list);
    free(s->path);
    free(s);
}

bool mqtt_seen_use(struct mqtt_seen *s, const char *topic)
{
    struct seen *grown;

    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->list[i].topic, topic) == 0) {
            s->list[i].used = true;
            return true;
        }
    }
    if (s->n == s->room) {
        grown = realloc(s->list, (s->room + 32) * sizeof *grown);
        if (!grown)
            return false;
        s->list = grown;
        s->room += 32;
    }
    s->list[s->n] = (struct seen){.topic = strdup(topic), .used = true};
    if (!s->list[s->n].topic)
        return false;
    s->n++;
    s->changed = true;
    return true;
}

void mqtt_seen_unmark(struct mqtt_seen *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->list[i].used = false;
}

const char *mqtt_seen_unused(const struct mqtt_seen *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->list[i].used)
            return s->list[i].topic;
    return NULL;
}

void mqtt_seen_drop(struct mqtt_seen *s, const char *topic)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->list[i].topic, topic) != 0)
            continue;
        free(s->list[i].topic);
        s->list[i] = s->list[--s->n];
        s->changed = true;
        return;
    }
}

static bool write_to(const struct mqtt_seen *s, const char *path)
{
    FILE *f = fopen(path, "we");
    bool good = f != NULL;

    for (size_t i = 0; good && i < s->n; i++)
        good = fprintf(f, "%s\n", s->list[i].topic) > 0;
    if (f && fclose(f) != 0)
        good = false;
    return good;
}

void mqtt_seen_save(struct mqtt_seen *s)
{
    char *fresh;

    if (!s->path || !s->changed || asprintf(&fresh, "%s.new", s->path) < 0)
        return;
    if (write_to(s, fresh) && rename(fresh, s->path) == 0) {
        s->changed = false;
        s->told = false;
    } else if (!s->told) {
        log_warn("%s: what removed connectors leave on the broker may stay there",
                 s->path);
        s->told = true;
    }
    free(fresh);
}
