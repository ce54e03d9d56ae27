/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand share: one allocation, with reasons. */
#include "cmd/share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/event.h"
#include "proto/jsondoc.h"
#include "proto/snapshot.h"

enum { MAX_BYTES = 256 << 20 };

static const char help[] =
    "usage: chargehand share FILE.json|-\n"
    "\n"
    "Shares out the current of one moment and says why each connector gets what it\n"
    "gets. The file holds one problem, or several, one after the other:\n"
    "\n"
    "  {\"policy\": \"equal\", \"voltage_v\": 230, \"step_a\": 0.1,\n"
    "   \"circuits\": [{\"name\": \"grid\", \"limit_a\": [63, 63, 63],\n"
    "                 \"base_a\": [10, 4, -2], \"power_limit_w\": null},\n"
    "                {\"name\": \"garage\", \"parent\": \"grid\", \"limit_a\": 32}],\n"
    "   \"connectors\": [{\"name\": \"bay1\", \"circuit\": \"garage\", "
    "\"phases\": \"231\",\n"
    "                   \"min_a\": 6, \"max_a\": 16}]}\n"
    "\n"
    "Answers are JSON, a line for each problem. chargehand(1) has all keys.\n"
    "Exit code 78 when the file is no such problem: each error with its path.\n";

/* ---- solving ---- */

/* What the sun gives above what those with `minsolar` take anyway. */
static void minimums_first(struct share_problem *p)
{
    for (int i = 0; i < p->n_connectors; i++)
        if (p->connectors[i].mode == MODE_MINSOLAR) {
            const struct share_car *c = &p->cars[i];
            int v = c->circuit;
            int64_t *room;

            while (p->tree.parent[v] != SITE_NONE)
                v = p->tree.parent[v];
            room = &p->tree.room_ma[v][SHARE_SOLAR];
            *room -= (int64_t)c->min_ma * __builtin_popcount(c->phases);
            *room = *room > 0 ? *room : 0;
        }
}

int share_solve(struct share_problem *p)
{
    for (int i = 0; i < p->n_connectors; i++) {
        struct share_connector *c = &p->connectors[i];
        struct share_car *car = &p->cars[i];
        int64_t offset_ma = car->offset_ma;

        p->policy->rank(&c->rank, car);
        car->offset_ma += offset_ma;
        if (c->mode == MODE_FAST)
            car->tier = INT32_MIN;
        if (c->mode == MODE_SOLAR)
            car->sun_ma = 0;
        if (c->mode == MODE_MINSOLAR)
            car->sun_ma = car->min_ma;
        if (c->mode == MODE_OFF)
            car->max_ma = 0;
    }
    minimums_first(p);
    share(&p->tree, p->cars, p->n_connectors, p->policy->admission, p->scratch);
    return share_check(&p->tree, p->cars, p->n_connectors, p->scratch);
}

/* ---- the answer ---- */

static const char *circuit_at(const struct share_problem *p, int at)
{
    for (int v = 0; v < p->n_circuits; v++)
        if (p->circuits[v].at == at)
            return p->circuits[v].name;
    return NULL;
}

static void answer_connectors(struct jsondoc *d, const struct share_problem *p)
{
    cJSON *list = jsondoc_array(d, d->root, "connectors");

    for (int i = 0; i < p->n_connectors; i++) {
        const struct share_car *c = &p->cars[i];
        enum reason why = p->connectors[i].takes_part ? c->why.reason : REASON_MODE;
        cJSON *o = jsondoc_object(d, list, NULL);

        jsondoc_str(d, o, "name", p->connectors[i].name);
        jsondoc_milli(d, o, "current_a", c->current_ma);
        jsondoc_str(d, o, "reason", reason_name(why));
        jsondoc_str(d, o, "circuit", circuit_at(p, c->why.circuit));
        jsondoc_str(d, o, "phase", snapshot_phase(c->why.phase));
    }
}

/* Base load and cars, per phase of each place in the tree. */
static void sum_up(const struct share_problem *p, int64_t (*used_ma)[SITE_PHASES])
{
    for (int v = 0; v < p->n_circuits; v++)
        for (int ph = 0; ph < SITE_PHASES; ph++)
            used_ma[p->circuits[v].at][ph] = p->circuits[v].base_ma[ph];
    for (int i = 0; i < p->n_connectors; i++)
        for (int v = p->cars[i].circuit; v != SITE_NONE; v = p->tree.parent[v])
            for (int ph = 0; ph < SITE_PHASES; ph++)
                if (p->cars[i].phases >> ph & 1)
                    used_ma[v][ph] += p->cars[i].current_ma;
}

static void answer_circuit(struct jsondoc *d, cJSON *o, const struct share_problem *p,
                           const struct share_circuit *c, const int64_t *used_ma)
{
    cJSON *used, *left;
    int64_t sum = 0;

    jsondoc_str(d, o, "name", c->name);
    used = jsondoc_array(d, o, "used_a");
    left = jsondoc_array(d, o, "free_a");
    for (int ph = 0; ph < SITE_PHASES; ph++) {
        jsondoc_milli(d, used, NULL, used_ma[ph]);
        if (c->limit_ma[ph] == EVENT_NO_VALUE)
            jsondoc_null(d, left, NULL);
        else
            jsondoc_milli(d, left, NULL, c->limit_ma[ph] - used_ma[ph]);
        sum += used_ma[ph];
    }
    if (c->power_limit_w != EVENT_NO_VALUE) {
        jsondoc_milli(d, o, "used_w", sum * p->voltage_mv / 1000);
        jsondoc_milli(d, o, "free_w",
                      (int64_t)c->power_limit_w * 1000 - sum * p->voltage_mv / 1000);
    }
}

char *share_answer(const struct share_problem *p)
{
    int64_t(*used_ma)[SITE_PHASES] = calloc((size_t)p->n_circuits, sizeof *used_ma);
    struct jsondoc d;
    cJSON *list;

    if (!used_ma)
        return NULL;
    sum_up(p, used_ma);
    jsondoc_begin(&d);
    jsondoc_str(&d, d.root, "policy", p->policy->name);
    answer_connectors(&d, p);
    list = jsondoc_array(&d, d.root, "circuits");
    for (int v = 0; v < p->n_circuits; v++)
        answer_circuit(&d, jsondoc_object(&d, list, NULL), p, &p->circuits[v],
                       used_ma[p->circuits[v].at]);
    free(used_ma);
    return jsondoc_text(&d);
}

/* ---- the command ---- */

static int one(const cJSON *document, const char *where)
{
    struct share_problem *p = share_read(document, where, stderr);
    int cut, code = EXIT_GOOD;
    char *text;

    if (!p)
        return EXIT_CONFIG;
    cut = share_solve(p);
    text = share_answer(p);
    if (text)
        puts(text);
    if (cut > 0) {
        fprintf(stderr, "%s: our bug: the check had to cut %d connectors\n", where,
                cut);
        code = EXIT_BUG;
    }
    if (!text)
        code = EXIT_IO;
    free(text);
    share_free(p);
    return code;
}

/* Where in the text parsing stopped, as line and column. */
static void say_where(const char *name, const char *text, const char *at)
{
    int line = 1, column = 1;

    for (const char *c = text; at && c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    fprintf(stderr, "%s:%d:%d: this is not JSON\n", name, line, column);
}

static int all(const char *name, const char *text, size_t n)
{
    const char *at = text, *end = text + n, *stop;
    char where[300];
    int code = EXIT_GOOD;

    for (int i = 0; i == 0 || at < end; i++) {
        cJSON *document = cJSON_ParseWithLengthOpts(at, (size_t)(end - at), &stop, 0);
        int this;

        if (!document) {
            say_where(name, text, stop);
            return EXIT_CONFIG;
        }
        at = stop + strspn(stop, " \t\r\n");
        snprintf(where, sizeof where, i > 0 || at < end ? "%s: problem %d" : "%s", name,
                 i + 1);
        this = one(document, where);
        code = this > code ? this : code;
        cJSON_Delete(document);
    }
    return code;
}

/* All of it, with a 0 behind; NULL and errno. */
static char *read_all(FILE *from, size_t *n)
{
    size_t room = 1 << 16;
    char *text = malloc(room), *more;

    *n = 0;
    while (text) {
        *n += fread(text + *n, 1, room - 1 - *n, from);
        if (ferror(from) || *n < room - 1)
            break;
        errno = EFBIG;
        more = room < MAX_BYTES ? realloc(text, room *= 2) : NULL;
        if (!more) {
            free(text);
            return NULL;
        }
        text = more;
    }
    if (text && ferror(from)) {
        free(text);
        return NULL;
    }
    if (text)
        text[*n] = 0;
    return text;
}

int cmd_share(int argc, char **argv)
{
    bool standard;
    FILE *from;
    char *text;
    size_t n;
    int code;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    if (argc == 3 && strcmp(argv[1], "--json") == 0) /* as it does anyway */
        argv++, argc--;
    if (argc != 2 || (argv[1][0] == '-' && argv[1][1])) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    standard = strcmp(argv[1], "-") == 0;
    from = standard ? stdin : fopen(argv[1], "r");
    text = from ? read_all(from, &n) : NULL;
    if (!text)
        fprintf(stderr, "chargehand share: %s: %s\n", argv[1], strerror(errno));
    if (from && !standard)
        fclose(from);
    if (!text)
        return EXIT_IO;
    code = all(standard ? "standard input" : argv[1], text, n);
    free(text);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "chargehand share: cannot write: %s\n", strerror(errno));
        return EXIT_IO;
    }
    return code;
}
