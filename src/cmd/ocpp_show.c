/* SPDX-License-Identifier: Apache-2.0 */
/* What chargehand ocpp shows: the chargers, and what can be asked of them. */
#include <stdbool.h>
#include <string.h>

#include "cmd/ocpp.h"
#include "cmd/view.h"
#include "cmd/view_json.h"
#include "proto/ocpp_schema.h"

/* ---- the chargers */

static void put_transfer(FILE *to, const cJSON *t)
{
    const char *status = view_text(t, "status");
    double at = 0, of = 0;

    if (!cJSON_IsObject(t))
        return;
    fprintf(to, "    %s ", view_text(t, "what"));
    view_put(to, view_text(t, "file"), -60);
    fprintf(to, ": %s", *status ? status : "asked for");
    if (view_number(t, "bytes", &at) && view_number(t, "of_bytes", &of) && of > 0)
        fprintf(to, ", %.0f of %.0f bytes", at, of);
    fputc('\n', to);
}

static void put_reserved(FILE *to, const cJSON *of, double number)
{
    const cJSON *r = cJSON_GetObjectItemCaseSensitive(of, "reserved");

    if (!cJSON_IsObject(r))
        return;
    fprintf(to,
            number > 0 ? "    connector %.0f is reserved for " : "    reserved for ",
            number);
    view_put(to, view_text(r, "tag"), -36);
    fprintf(to, " until %s\n", view_text(r, "until"));
}

/* Settings that it does not let us change, as they are. */
static void put_fixed(FILE *to, const cJSON *record)
{
    const cJSON *fixed = cJSON_GetObjectItemCaseSensitive(record, "fixed"), *item;
    const char *sep = "    cannot be changed:";
    double n;

    cJSON_ArrayForEach(item, fixed)
    {
        const char *name = cJSON_GetStringValue(item);

        if (!name)
            continue;
        fprintf(to, "%s ", sep);
        view_put(to, name, -20);
        if (view_number(record, name, &n))
            fprintf(to, " %.0f", n);
        sep = ",";
    }
    if (*sep == ',')
        fputc('\n', to);
}

static void put_texts(FILE *to, const cJSON *list)
{
    const cJSON *text;

    cJSON_ArrayForEach(text, list)
    {
        fputs("    ", to);
        view_put(to, cJSON_GetStringValue(text), -100);
        fputc('\n', to);
    }
}

/* Limits that others have set in it. */
static void put_external(FILE *to, const cJSON *list)
{
    const cJSON *l;

    cJSON_ArrayForEach(l, list)
    {
        double n = 0;

        fputs("    limited by others (", to);
        view_put(to, view_text(l, "source"), -16);
        fputc(')', to);
        if (view_number(l, "connector", &n) && n > 0)
            fprintf(to, " on connector %.0f", n);
        if (view_number(l, "limit_a", &n))
            fprintf(to, " to %.1f A", n);
        else if (view_number(l, "limit_w", &n))
            fprintf(to, " to %.0f W", n);
        if (*view_text(l, "until")) {
            fputs(" until ", to);
            view_put(to, view_text(l, "until"), -20);
        }
        fputc('\n', to);
    }
}

static void put_row(FILE *to, const cJSON *c)
{
    const cJSON *connectors = cJSON_GetObjectItemCaseSensitive(c, "connectors"), *k;
    const cJSON *record = cJSON_GetObjectItemCaseSensitive(c, "record");
    char model[64];

    snprintf(model, sizeof model, "%s%s%s", view_text(c, "vendor"),
             *view_text(c, "vendor") ? " " : "", view_text(c, "model"));
    view_put(to, view_text(c, "id"), 16);
    fputc(' ', to);
    fputs(view_true(c, "connected") ? "yes " : "no  ", to);
    view_put(to, *model ? model : "-", 24);
    fputc(' ', to);
    view_put(to, *view_text(c, "firmware") ? view_text(c, "firmware") : "-", 14);
    cJSON_ArrayForEach(k, connectors)
    {
        double number = 0;

        view_number(k, "number", &number);
        fprintf(to, " %.0f:", number);
        view_put(to, view_text(k, "status"), -16);
    }
    fputc('\n', to);
    if (*view_text(c, "vendor")) {
        fputs("    ", to);
        view_put(to, view_text(c, "habits"), -200);
        if (!*view_text(record, "ocpp")) { /* records of the oldest do not tell it */
            fputs(" ocpp=", to);
            view_put(to, view_text(c, "version"), -16);
        }
        fputc('\n', to);
    }
    put_fixed(to, record);
    if (*view_text(record, "note")) {
        fputs("    note: ", to);
        view_put(to, view_text(record, "note"), -200);
        fputc('\n', to);
    }
    put_reserved(to, c, 0);
    cJSON_ArrayForEach(k, connectors)
    {
        double number = 0;

        view_number(k, "number", &number);
        put_reserved(to, k, number);
    }
    put_transfer(to, cJSON_GetObjectItemCaseSensitive(c, "transfer"));
    put_external(to, cJSON_GetObjectItemCaseSensitive(c, "external"));
    put_texts(to, cJSON_GetObjectItemCaseSensitive(c, "troubles"));
    put_texts(to, cJSON_GetObjectItemCaseSensitive(c, "problems"));
}

void ocpp_show_list(FILE *to, const cJSON *chargers)
{
    const cJSON *c;

    fprintf(to, "%-16s %-3s %-24s %-14s %s\n", "charger", "on", "model", "firmware",
            "connectors");
    cJSON_ArrayForEach(c, chargers)
    {
        put_row(to, c);
    }
}

/* ---- what one really does */

static bool put_test(FILE *to, const cJSON *t)
{
    double seconds, amps;
    bool good = view_true(t, "good");

    fprintf(to, "  %-4s %-20s ", good ? "ok" : "BAD", view_text(t, "test"));
    view_put(to, view_text(t, "result"), -60);
    if (view_number(t, "seconds", &seconds))
        fprintf(to, ", after %.1f s", seconds);
    if (view_number(t, "amps", &amps))
        fprintf(to, ", %.1f A", amps);
    fputc('\n', to);
    return good;
}

/* What it says that it takes. */
static void put_told(FILE *to, const cJSON *record)
{
    static const struct {
        const char *key, *before, *after;
    } numbers[] = {{"max_level", "stack levels up to", ""},
                   {"max_periods", "up to", " periods"},
                   {"max_profiles", "up to", " profiles"}};
    const char *units = view_text(record, "units");
    double n;

    fprintf(to, "  takes  limits in %s", *units ? units : "it does not say what");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (view_number(record, numbers[i].key, &n))
            fprintf(to, ", %s %.0f%s", numbers[i].before, n, numbers[i].after);
    fputc('\n', to);
}

static void put_ids(FILE *to, const cJSON *profiles)
{
    double fallback = 0, other = 0, tx = 0;

    if (view_number(profiles, "fallback", &fallback) &&
        view_number(profiles, "default", &other) && view_number(profiles, "tx", &tx))
        fprintf(to,
                "  keeps  profile %.0f as its fallback, %.0f without and %.0f with a "
                "transaction\n",
                fallback, other, tx);
}

bool ocpp_show_probe(FILE *to, const cJSON *report)
{
    const char *broken = view_text(report, "broken_off");
    const cJSON *t;
    double connector = 0;
    bool good = !*broken;

    view_number(report, "connector", &connector);
    view_put(to, view_text(report, "id"), -48);
    fprintf(to, ", connector %.0f: ", connector);
    view_put(to, view_text(report, "vendor"), -50);
    fputc(' ', to);
    view_put(to, view_text(report, "model"), -24);
    fputs(", firmware ", to);
    view_put(to, view_text(report, "firmware"), -52);
    fprintf(to, ", OCPP %s\n  habits ", view_text(report, "version"));
    view_put(to, view_text(report, "habits"), -200);
    fputc('\n', to);
    put_told(to, cJSON_GetObjectItemCaseSensitive(report, "record"));
    put_ids(to, cJSON_GetObjectItemCaseSensitive(report, "profiles"));
    cJSON_ArrayForEach(t, cJSON_GetObjectItemCaseSensitive(report, "tests"))
    {
        good &= put_test(to, t);
    }
    if (*broken)
        fprintf(to, "  broken off: %s\n", broken);
    return good;
}

/* ---- what can be asked of them */

static void put_words(FILE *to, const char *words)
{
    for (const char *p = words + 1; *p; p++)
        if (*p != '|')
            fputc(*p, to);
        else if (p[1])
            fputs(", ", to);
}

static void put_fields(FILE *to, const struct ocpp_field *f, int indent)
{
    static const char *const types[] = {"a whole number",
                                        "a number, in tenths",
                                        "true or false",
                                        "text",
                                        "",
                                        "time, 2019-03-01T14:20:00Z",
                                        "address, URL",
                                        "list of texts",
                                        "object:",
                                        "list of objects:",
                                        "list of whole numbers",
                                        "list of: ",
                                        "a number",
                                        "anything"};

    for (; f->name; f++) {
        fprintf(to, "%*s%s%s: %s", indent, "", f->name,
                f->need == OCPP_GIVEN ? " (made up when left out)"
                : f->need             ? ""
                                      : " (optional)",
                types[f->type]);
        if (f->type == OCPP_WORD || f->type == OCPP_WORDS)
            put_words(to, f->words);
        else if (f->most)
            fprintf(to, ", up to %d characters", f->most);
        else if (f->hi && f->type == OCPP_INT)
            fprintf(to, ", %d to %d", f->lo, f->hi);
        else if (f->type == OCPP_INT && f->lo > 0)
            fprintf(to, ", from %d on", f->lo);
        fputc('\n', to);
        if (f->sub)
            put_fields(to, f->sub, indent + 2);
    }
}

bool ocpp_show_actions(FILE *to, const char *action)
{
    bool any = false;

    for (const struct ocpp_schema *const *s = ocpp_schemas; *s; s++) {
        const struct ocpp_message *m =
            action ? ocpp_schema_find(*s, OCPP_SYSTEM, action) : NULL;

        if (!action || m)
            fprintf(to, "OCPP %s\n", (*s)->version);
        if (m)
            put_fields(to, m->request, 2);
        if (m && m->parts)
            fprintf(to, "  (told afterwards, by %s)\n", m->parts);
        for (int i = 0; !action && i < (*s)->ours->n; i++)
            fprintf(to, "  %s\n", (*s)->ours->messages[i].action);
        any |= !action || m;
    }
    return any;
}
