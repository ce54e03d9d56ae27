/* SPDX-License-Identifier: Apache-2.0 */
/* The table of known models. */
#include "io/ocpp_models.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/yaml.h"
#include "io/log.h"

enum { MODELS_BYTES = 256 * 1024, PATH = 512 };

struct ocpp_models {
    struct conf_arena *arena;
    const struct conf_node *list;
};

static const char *const keys[] = {"vendor", "model", "firmware",
                                   "habits", "note",  "source"};
enum { N_KEYS = sizeof keys / sizeof *keys };

static const char *text_of(const struct conf_node *entry, const char *key)
{
    const struct conf_node *n = conf_get(entry, key);

    return n && n->kind == CONF_SCALAR ? n->text : NULL;
}

static bool known(const char *key)
{
    for (int i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static bool bad(const struct conf_node *at, const char *what, char *why, size_t size)
{
    snprintf(why, size, "%d:%d: %s", at->line, at->col, what);
    return false;
}

static bool check_entry(const struct conf_node *entry, char *why, size_t size)
{
    struct ocpp_ability a;
    const struct conf_node *habits;
    char text[OCPP_ABILITY_WHY];

    if (entry->kind != CONF_MAP)
        return bad(entry, "an entry is vendor, model, habits and source", why, size);
    for (const struct conf_node *n = entry->first; n; n = n->next)
        if (!known(n->key->text) || n->kind != CONF_SCALAR)
            return bad(n, "there is no such key, or its value is no text", why, size);
    habits = conf_get(entry, "habits");
    if (!habits || !text_of(entry, "vendor") || !text_of(entry, "source"))
        return bad(entry, "vendor, habits and source are needed", why, size);
    ocpp_ability_init(&a);
    if (!ocpp_ability_read(&a, habits->text, text))
        return bad(habits, text, why, size);
    return true;
}

static void twice(void *arg, const struct conf_node *key, const struct conf_node *first)
{
    (void)first;
    if (!*(const struct conf_node **)arg)
        *(const struct conf_node **)arg = key;
}

struct ocpp_models *ocpp_models_parse(const char *text, size_t size, char *why,
                                      size_t why_size)
{
    struct ocpp_models *volatile m = calloc(1, sizeof *m);
    const struct conf_node *doubled = NULL;
    struct conf_fault fault = {0};
    jmp_buf no_memory;
    bool good;

    snprintf(why, why_size, "no memory");
    if (m)
        m->arena = conf_arena_new();
    if (!m || !m->arena || setjmp(no_memory)) {
        ocpp_models_free(m);
        return NULL;
    }
    m->arena->no_memory = &no_memory;
    m->list = conf_yaml(m->arena, text, size, &fault, twice, &doubled);
    good = m->list && !doubled;
    if (!m->list)
        snprintf(why, why_size, "%d:%d: %s", fault.line, fault.col, fault.text);
    else if (doubled)
        bad(doubled, "this key is there twice", why, why_size);
    else if (m->list->kind != CONF_LIST)
        good = bad(m->list, "this is no list of models", why, why_size);
    for (const struct conf_node *n = good ? m->list->first : NULL; n && good;
         n = n->next)
        good = check_entry(n, why, why_size);
    if (good)
        return m;
    ocpp_models_free(m);
    return NULL;
}

void ocpp_models_free(struct ocpp_models *m)
{
    if (m && m->arena)
        conf_arena_free(m->arena);
    free(m);
}

static bool find_file(char path[PATH])
{
    const char *env = getenv("CHARGEHAND_CHARGERS");
    ssize_t n;
    char *slash;

    if (env) {
        snprintf(path, PATH, "%s", env);
        return true;
    }
    strcpy(path, SYSCONF_DIR "/chargers.yaml");
    if (access(path, R_OK) == 0)
        return true;
    strcpy(path, CHARGERS_FILE);
    if (access(path, R_OK) == 0)
        return true;
    n = readlink("/proc/self/exe", path, PATH - 20);
    if (n <= 0)
        return false;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash)
        strcpy(slash, "/chargers.yaml");
    return slash && access(path, R_OK) == 0;
}

struct ocpp_models *ocpp_models_load(void)
{
    struct ocpp_models *m = NULL;
    char path[PATH], why[256];
    char *text = malloc(MODELS_BYTES);
    FILE *f = find_file(path) ? fopen(path, "re") : NULL;

    if (f && text) {
        size_t n = fread(text, 1, MODELS_BYTES, f);

        snprintf(why, sizeof why, "it is too large");
        if (n < MODELS_BYTES)
            m = ocpp_models_parse(text, n, why, sizeof why);
        if (!m)
            log_warnx("%s:%s: no charger's model is known", path, why);
    } else {
        log_info("there is no table of chargers' models: they are found out one by "
                 "one");
    }
    if (f)
        fclose(f);
    free(text);
    return m;
}

static bool fits(const struct conf_node *entry, const char *key, const char *value)
{
    const char *pattern = text_of(entry, key);

    return !pattern || fnmatch(pattern, value, FNM_CASEFOLD) == 0;
}

static const struct conf_node *next(const struct conf_node *n,
                                    const struct ocpp_ability *a)
{
    while (n && !(fits(n, "vendor", a->vendor) && fits(n, "model", a->model) &&
                  fits(n, "firmware", a->firmware)))
        n = n->next;
    return n;
}

int ocpp_models_apply(const struct ocpp_models *m, struct ocpp_ability *a)
{
    char why[OCPP_ABILITY_WHY];
    int n = 0;

    if (!m || !*a->vendor)
        return 0;
    for (const struct conf_node *e = next(m->list->first, a); e; e = next(e->next, a))
        n += ocpp_ability_read(a, text_of(e, "habits"), why);
    return n;
}

const char *ocpp_models_note(const struct ocpp_models *m, const struct ocpp_ability *a)
{
    const char *note = NULL;

    if (!m || !*a->vendor)
        return NULL;
    for (const struct conf_node *e = next(m->list->first, a); e; e = next(e->next, a))
        if (text_of(e, "note"))
            note = text_of(e, "note");
    return note;
}
