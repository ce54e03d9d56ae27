/* SPDX-License-Identifier: Apache-2.0 */
/* What an audit has found: counted, kept, and told to people or as JSON. */
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/audit.h"

static const char *const kinds[] = {
    [AUDIT_NOTE] = "note",
    [AUDIT_DIFFERENCE] = "difference",
    [AUDIT_BREACH] = "safety",
    [AUDIT_DAMAGE] = "damage",
};

/* The first ones are kept; where notes have taken all the room, the last note gives way
 * to a fault. */
static struct audit_finding *room_for(struct audit *a, enum audit_kind kind)
{
    if (a->n_kept < AUDIT_KEPT)
        return &a->kept[a->n_kept++];
    for (int i = AUDIT_KEPT - 1; i >= 0 && kind != AUDIT_NOTE; i--)
        if (a->kept[i].kind == AUDIT_NOTE)
            return &a->kept[i];
    return NULL;
}

void audit_say(struct audit *a, enum audit_kind kind, long line, const char *format,
               ...)
{
    struct audit_finding *f = room_for(a, kind);
    va_list args;

    a->found[kind]++;
    if (!f)
        return;
    f->kind = kind;
    f->file = a->file;
    f->line = line;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

bool audit_good(const struct audit *a)
{
    return !a->found[AUDIT_DIFFERENCE] && !a->found[AUDIT_BREACH] &&
           !a->found[AUDIT_DAMAGE];
}

void audit_print(const struct audit *a, FILE *to)
{
    long all = 0;

    for (int i = 0; i < a->n_kept; i++)
        fprintf(to, "%s:%ld: %s: %s\n", a->kept[i].file, a->kept[i].line,
                kinds[a->kept[i].kind], a->kept[i].text);
    for (int k = 0; k <= AUDIT_DAMAGE; k++)
        all += a->found[k];
    if (all > a->n_kept)
        fprintf(to, "... and %ld more\n", all - a->n_kept);
    fprintf(to, "%ld events and %ld orders in %ld parts reckoned anew: ", a->events,
            a->orders, a->parts);
    fprintf(to, "%ld differences, %ld breaches of a safety rule, %ld damaged places\n",
            a->found[AUDIT_DIFFERENCE], a->found[AUDIT_BREACH], a->found[AUDIT_DAMAGE]);
    if (a->skipped > 0)
        fprintf(to,
                "%ld events and orders could not be reckoned: they stand behind a "
                "gap or damage\n",
                a->skipped);
}

static void add_findings(const struct audit *a, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "findings");

    for (int i = 0; i < a->n_kept; i++) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddStringToObject(o, "kind", kinds[a->kept[i].kind]);
        cJSON_AddStringToObject(o, "file", a->kept[i].file);
        cJSON_AddNumberToObject(o, "line", (double)a->kept[i].line);
        cJSON_AddStringToObject(o, "text", a->kept[i].text);
        cJSON_AddItemToArray(list, o);
    }
}

void audit_print_json(const struct audit *a, FILE *to)
{
    const struct {
        const char *key;
        double value;
    } figures[] = {
        {"parts", (double)a->parts},
        {"events", (double)a->events},
        {"orders", (double)a->orders},
        {"skipped", (double)a->skipped},
        {"differences", (double)a->found[AUDIT_DIFFERENCE]},
        {"safety_breaches", (double)a->found[AUDIT_BREACH]},
        {"damaged", (double)a->found[AUDIT_DAMAGE]},
        {"torn", (double)a->torn},
        {"gaps", (double)a->gaps},
        {"records_lost", (double)a->lost},
    };
    cJSON *root = cJSON_CreateObject();
    char *text;

    cJSON_AddBoolToObject(root, "good", audit_good(a));
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        cJSON_AddNumberToObject(root, figures[i].key, figures[i].value);
    add_findings(a, root);
    text = cJSON_Print(root);
    fprintf(to, "%s\n", text ? text : "{}");
    free(text);
    cJSON_Delete(root);
}
