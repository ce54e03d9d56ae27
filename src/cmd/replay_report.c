/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a replay: one HTML file with drawings in it, without scripts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/replay.h"
#include "io/clock.h"
#include "sim/car.h"

enum { BUCKETS = 1200, WIDTH = 1200, HEIGHT = 260, LEFT = 46, TOP = 12, BOTTOM = 24 };

static const char *const colours[SITE_PHASES] = {"#b45f2a", "#2b6cb0", "#2f855a"};

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:2em auto;"
    "padding:0 1em;color:#1a202c;background:#fff}"
    "h1{font-size:1.6em;margin-bottom:.2em}h2{font-size:1.2em;margin-top:2em}"
    "h3{font-size:1em;margin:1.4em 0 .2em}p.s{color:#667}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.2em .9em;text-align:right;border-bottom:1px solid #e2e8f0}"
    "td:first-child,th:first-child{text-align:left}"
    "th{font-weight:600}.bad{color:#c53030;font-weight:600}"
    "svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:#667}"
    ".bar{display:inline-block;height:.7em;background:#2f855a;border-radius:2px}"
    "summary{cursor:pointer;font-weight:600;margin-top:2em}"
    "@media(prefers-color-scheme:dark){body{background:#14181f;color:#e2e8f0}"
    "td,th{border-color:#2d3748}p.s,svg text{color:#9aa5b5;fill:#9aa5b5}}";

/* ---- what is kept while it runs */

bool replay_trace_init(struct replay_trace *t, int n_circuits, int64_t span_ms)
{
    size_t n = (size_t)n_circuits * BUCKETS;

    t->n_circuits = n_circuits;
    t->buckets = BUCKETS;
    t->bucket_ms = span_ms / BUCKETS + 1;
    t->total_ma = calloc(n, sizeof *t->total_ma);
    t->base_ma = calloc(n, sizeof *t->base_ma);
    for (size_t i = 0; t->total_ma && t->base_ma && i < n; i++)
        for (int p = 0; p < SITE_PHASES; p++)
            t->total_ma[i][p] = t->base_ma[i][p] = INT32_MIN;
    return t->total_ma && t->base_ma;
}

void replay_trace_free(struct replay_trace *t)
{
    free(t->total_ma);
    free(t->base_ma);
    *t = (struct replay_trace){0};
}

static void raise_to(int32_t most_ma[SITE_PHASES], const int32_t i_ma[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        if (i_ma[p] > most_ma[p])
            most_ma[p] = i_ma[p];
}

void replay_trace_add(struct replay_trace *t, int64_t now_ms, const struct sim_plant *p)
{
    int64_t bucket = now_ms / t->bucket_ms;
    int32_t i_ma[SITE_PHASES];

    if (bucket >= t->buckets)
        return;
    for (int c = 0; c < t->n_circuits; c++) {
        size_t at = (size_t)bucket * (size_t)t->n_circuits + (size_t)c;

        sim_plant_total(p, c, i_ma);
        raise_to(t->total_ma[at], i_ma);
        sim_plant_base(p, c, i_ma);
        raise_to(t->base_ma[at], i_ma);
    }
}

/* ---- the page */

static void text(FILE *f, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc(*s, f);
        }
}

struct scale {
    double top_a, bottom_a; /* of the drawing */
    int64_t span_ms;
};

static double y_of(const struct scale *s, double a)
{
    return TOP + (s->top_a - a) / (s->top_a - s->bottom_a) * (HEIGHT - TOP - BOTTOM);
}

static double x_of(const struct scale *s, int64_t ms)
{
    return LEFT + (double)ms / (double)s->span_ms * (WIDTH - LEFT);
}

static struct scale scale_of(const struct replay_set *set, const struct replay_trace *t,
                             int circuit)
{
    struct scale s = {0, 0, (set->to_s - set->from_s) * 1000};

    for (int b = 0; b < t->buckets; b++)
        for (int p = 0; p < SITE_PHASES; p++) {
            int32_t ma = t->total_ma[b * t->n_circuits + circuit][p];

            if (ma == INT32_MIN)
                continue;
            s.top_a = ma / 1000.0 > s.top_a ? ma / 1000.0 : s.top_a;
            s.bottom_a = ma / 1000.0 < s.bottom_a ? ma / 1000.0 : s.bottom_a;
        }
    for (int p = 0; p < SITE_PHASES; p++) { /* a limit far away is not drawn */
        double limit_a = set->site->circuits[circuit].limit_ma[p] / 1000.0;

        if (limit_a > s.top_a && limit_a < 4 * s.top_a + 10)
            s.top_a = limit_a;
    }
    s.top_a = s.top_a * 1.08 + 1;
    s.bottom_a *= 1.08;
    return s;
}

static void line(FILE *f, const struct scale *s, const struct replay_trace *t,
                 int circuit, int phase, bool base)
{
    const int32_t(*values)[SITE_PHASES] =
        (const int32_t(*)[SITE_PHASES])(base ? t->base_ma : t->total_ma);

    fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\"%s points=\"",
            colours[phase], base ? " opacity=\".4\"" : "");
    for (int b = 0; b < t->buckets; b++) {
        int32_t ma = values[b * t->n_circuits + circuit][phase];

        if (ma != INT32_MIN)
            fprintf(f, "%.1f,%.1f ", x_of(s, b * t->bucket_ms), y_of(s, ma / 1000.0));
    }
    fputs("\"/>\n", f);
}

/* A step between lines of the grid that gives at most `most` of them. */
static double nice_step(double range, int most)
{
    static const double steps[] = {1,   2,   5,   10,   20,   50,
                                   100, 200, 500, 1000, 2000, 5000};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (range / steps[i] <= most)
            return steps[i];
    return range;
}

static void axes(FILE *f, const struct replay_set *set, const struct scale *s)
{
    static const int64_t steps_h[] = {1, 3, 6, 12, 24, 48, 168, 720};
    double step = nice_step(s->top_a - s->bottom_a, 7);
    int64_t step_s = 0, at_s;
    char utc[21];

    for (double a = 0; a > s->bottom_a; a -= step)
        fprintf(
            f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#8884\"/>\n",
            LEFT, WIDTH, y_of(s, a), y_of(s, a));
    for (double a = 0; a < s->top_a; a += step)
        fprintf(f,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#8884\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g A</text>\n",
                LEFT, WIDTH, y_of(s, a), y_of(s, a), LEFT - 4, y_of(s, a) + 4, a);
    for (size_t i = 0; i < sizeof steps_h / sizeof *steps_h && !step_s; i++)
        if ((set->to_s - set->from_s) / (steps_h[i] * 3600) <= 16)
            step_s = steps_h[i] * 3600;
    step_s = step_s ? step_s : 5000 * INT64_C(3600);
    for (at_s = (set->from_s / step_s + 1) * step_s; at_s < set->to_s; at_s += step_s) {
        double x = x_of(s, (at_s - set->from_s) * 1000);

        clock_format_utc(at_s, utc);
        fprintf(f,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#8883\"/>"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.5s</text>\n",
                x, x, TOP, HEIGHT - BOTTOM, x, HEIGHT - 8,
                at_s % 86400 ? utc + 11 : utc + 5);
    }
}

static void limits(FILE *f, const struct replay_set *set, const struct scale *s,
                   int circuit)
{
    const int32_t *limit_ma = set->site->circuits[circuit].limit_ma;

    for (int p = 0; p < SITE_PHASES; p++) {
        double y = y_of(s, limit_ma[p] / 1000.0);

        if (y >= 0 && (p == 0 || limit_ma[p] != limit_ma[0]))
            fprintf(f,
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" "
                    "stroke=\"#c53030\" stroke-width=\"1.5\" "
                    "stroke-dasharray=\"6 3\"/>\n",
                    LEFT, WIDTH, y, y);
    }
}

static void drawing(FILE *f, const struct replay_set *set, const struct replay_run *run,
                    int circuit)
{
    struct scale s = scale_of(set, &run->trace, circuit);
    const int32_t *limit_ma = set->site->circuits[circuit].limit_ma;

    fputs("<h3>", f);
    text(f, set->site->circuits[circuit].name);
    fprintf(f, " &middot; limit %g", limit_ma[0] / 1000.0);
    if (limit_ma[1] != limit_ma[0] || limit_ma[2] != limit_ma[0])
        fprintf(f, " / %g / %g", limit_ma[1] / 1000.0, limit_ma[2] / 1000.0);
    fprintf(f, " A</h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
    axes(f, set, &s);
    for (int p = 0; p < SITE_PHASES; p++) {
        line(f, &s, &run->trace, circuit, p, true);
        line(f, &s, &run->trace, circuit, p, false);
    }
    limits(f, set, &s, circuit);
    fputs("</svg>\n", f);
}

static void result_table(FILE *f, const struct replay_set *set)
{
    fputs("<table><tr><th>policy</th>", f);
    for (int i = 0; i < set->n_runs; i++) {
        fputs("<th>", f);
        text(f, set->runs[i].result.policy);
        fputs("</th>", f);
    }
    fputs("</tr>\n", f);
    for (const struct replay_figure *g = replay_figures; g->key; g++) {
        bool blame = strstr(g->key, "by_control") || strstr(g->key, "failures");

        fprintf(f, "<tr><td>%s</td>", g->label);
        for (int i = 0; i < set->n_runs; i++) {
            double value = replay_figure(&set->runs[i].result, g);

            fprintf(f, "<td%s>%.*f</td>", blame && value > 0 ? " class=\"bad\"" : "",
                    g->decimals, value);
        }
        fputs("</tr>\n", f);
    }
    fputs("</table>\n", f);
}

static double served_pct(const struct sim_session *s)
{
    if (s->energy_wh == 0)
        return 100;
    return 100 * (double)s->delivered_nj / (double)SIM_NJ_PER_WH / (double)s->energy_wh;
}

static int by_service(const void *left, const void *right)
{
    const struct sim_session *a = left, *b = right;
    double pa = served_pct(a), pb = served_pct(b);

    return pa != pb ? (pa < pb ? -1 : 1) : a->line - b->line;
}

static void sessions_table(FILE *f, const struct replay_set *set,
                           struct replay_run *run)
{
    char from[21], to[21];

    qsort(run->sessions, (size_t)set->n_sessions, sizeof *run->sessions, by_service);
    fputs("<details><summary>Sessions, the worst served first</summary>\n<table>"
          "<tr><th>connector</th><th>arrival</th><th>departure</th><th>asked, kWh</th>"
          "<th>got, kWh</th><th>%</th><th></th><th>starts</th></tr>\n",
          f);
    for (int i = 0; i < set->n_sessions; i++) {
        const struct sim_session *s = &run->sessions[i];
        double pct = served_pct(s);

        clock_format_utc(s->arrival_s, from);
        clock_format_utc(s->departure_s, to);
        fputs("<tr><td>", f);
        text(f, set->site->connectors[s->connector].name);
        fprintf(f,
                "</td><td>%s</td><td>%s</td><td>%.3f</td><td>%.3f</td><td>%.1f</td>"
                "<td style=\"text-align:left\"><span class=\"bar\" "
                "style=\"width:%.0fpx\"></span></td><td>%d</td></tr>\n",
                from, to, (double)s->energy_wh / 1000,
                (double)s->delivered_nj / (double)SIM_NJ_PER_WH / 1000, pct, pct,
                s->starts);
    }
    fputs("</table></details>\n", f);
}

static void head(FILE *f, const struct replay_set *set)
{
    char from[21], to[21];

    clock_format_utc(set->from_s, from);
    clock_format_utc(set->to_s, to);
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>Replay: ",
          f);
    text(f, set->site->name);
    fprintf(f, "</title><style>%s</style></head><body>\n<h1>Replay: ", style);
    text(f, set->site->name);
    fprintf(f, "</h1>\n<p class=\"s\">%s to %s &middot; %s plant &middot; seed %llu",
            from, to, set->plant, (unsigned long long)set->seed);
    for (int i = 0; i < 3; i++) {
        const char *const files[] = {set->site_file, set->sessions_file,
                                     set->loads_file};

        if (files[i]) {
            fputs(" &middot; ", f);
            text(f, files[i]);
        }
    }
    fputs("</p>\n", f);
}

bool replay_report(const struct replay_set *set, const char *path)
{
    FILE *f = fopen(path, "w");
    bool good;

    if (!f)
        return false;
    head(f, set);
    result_table(f, set);
    for (int i = 0; i < set->n_runs; i++) {
        fputs("<h2>Policy ", f);
        text(f, set->runs[i].result.policy);
        fprintf(f,
                "</h2>\n<p class=\"s\">Highest current in each stretch of time: "
                "<b style=\"color:%s\">L1</b> <b style=\"color:%s\">L2</b> "
                "<b style=\"color:%s\">L3</b>; pale: without the cars; "
                "red: the limit. Times are UTC.</p>\n",
                colours[0], colours[1], colours[2]);
        for (int c = 0; c < set->site->n_circuits; c++)
            drawing(f, set, &set->runs[i], c);
        sessions_table(f, set, &set->runs[i]);
    }
    fputs("</body></html>\n", f);
    good = !ferror(f);
    return fclose(f) == 0 && good;
}
