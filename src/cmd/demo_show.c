/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen of the demo: a picture that is drawn anew, lines, and a summary. */
#include <stdlib.h>
#include <string.h>

#include "cmd/demo.h"
#include "cmd/view.h"
#include "io/http_get.h"

static double number_in(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

static const char *text_in(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

double demo_number(const struct demo *d, const char *key)
{
    return number_in(d->report, key);
}

cJSON *demo_state(const struct demo *d)
{
    char address[32], error[256];
    char *body = NULL;
    cJSON *state = NULL;

    snprintf(address, sizeof address, "127.0.0.1:%d", d->http_port);
    if (http_get(address, "80", "/api/v1/state", 1000, &body, error, sizeof error) < 0)
        return NULL;
    state = cJSON_Parse(body);
    free(body);
    return state;
}

/* ---- the picture */

/* "L1 41.2  L2 50.0  L3 38.1" of the physical current of the grid connection. */
static void phases(const struct demo *d, FILE *to)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(d->report, "physical_a");

    for (int p = 0; p < 3; p++) {
        const cJSON *v = cJSON_GetArrayItem(list, p);

        fprintf(to, "%sL%d %.1f", p ? "  " : "", p + 1, v ? v->valuedouble : 0.0);
    }
}

static void truth(const struct demo *d, FILE *to)
{
    fprintf(to, "in truth     ");
    phases(d, to);
    fprintf(to, " A; over a limit %.0f s, by control %.0f s\n",
            demo_number(d, "over_limit_s"), demo_number(d, "over_limit_by_control_s"));
    fprintf(to, "served       %.0f", demo_number(d, "sessions_served"));
    if (d->for_s)
        fprintf(to, " of %d sessions, %.0f s of %d s\n", 10, demo_number(d, "t"),
                d->for_s);
    else
        fprintf(to, " sessions in %.0f s\n", demo_number(d, "t"));
    fprintf(to, "Simulated electricity, real time: the cars want Wh, not kWh. "
                "Ctrl-C ends it.\n");
}

/* Each line is written over the old one, so that nothing flickers. */
void demo_draw(const struct demo *d, const cJSON *state)
{
    char *text = NULL, *line, *rest;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return;
    if (state)
        view_draw(to, state, view_may_colour(stdout));
    else
        fprintf(to, "the controller does not answer\n");
    fputc('\n', to);
    truth(d, to);
    fclose(to);
    fputs("\033[H", stdout);
    for (rest = text; rest && (line = strsep(&rest, "\n")) && (rest || *line);)
        printf("%s\033[K\n", line);
    fputs("\033[J", stdout);
    fflush(stdout);
    free(text);
}

/* ---- a line */

void demo_line(const struct demo *d, const cJSON *state)
{
    printf("%3.0f s  ", demo_number(d, "t"));
    phases(d, stdout);
    printf(" A  served %.0f  ", demo_number(d, "sessions_served"));
    if (state)
        view_answer(stdout, state);
    else
        printf("the controller does not answer");
    putchar('\n');
    fflush(stdout);
}

/* ---- the summary */

static void unserved(const struct demo *d)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(d->report, "sessions"), *s;

    cJSON_ArrayForEach(s, list)
    {
        if (strcmp(text_in(s, "state"), "served") == 0)
            continue;
        printf("  %-14s %s: %.1f of %.1f Wh, drew for %.0f s\n", text_in(s, "bay"),
               text_in(s, "state"), number_in(s, "delivered_kwh") * 1000,
               number_in(s, "wanted_kwh") * 1000, number_in(s, "drew_s"));
    }
}

/* "5 speak OCPP x, 4 speak OCPP y" */
static void versions(const struct demo *d)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(d->report, "versions"), *v;

    printf("  %-14s", "chargers");
    cJSON_ArrayForEach(v, list)
        printf("%s %.0f speak OCPP %s", v == list->child ? "" : ",", v->valuedouble,
               v->string);
    putchar('\n');
}

static void figures(const struct demo *d)
{
    double over = demo_number(d, "over_limit_s");
    double by_control = demo_number(d, "over_limit_by_control_s");

    printf("  %-14s %.0f begun, %.0f served, %.3f kWh delivered in %.0f s\n",
           "sessions", demo_number(d, "sessions_begun"),
           demo_number(d, "sessions_served"), demo_number(d, "energy_kwh"),
           demo_number(d, "seconds"));
    if (d->for_s >= 60)
        unserved(d);
    printf("  %-14s %.0f s caused by control, %.0f s by the apartments alone",
           "over a limit", by_control, over - by_control);
    if (over > 0)
        printf("; worst %.1f A", demo_number(d, "worst_over_limit_a"));
    printf("\n  %-14s %.1f kW at most\n", "grid", demo_number(d, "peak_kw"));
    versions(d);
    printf("  %-14s %.0f set points to %.0f chargers, %.0f of %.0f calls refused; "
           "%.0f samples back\n",
           "OCPP", demo_number(d, "set_points"), demo_number(d, "chargers"),
           demo_number(d, "calls_refused"), demo_number(d, "calls"),
           demo_number(d, "samples"));
    printf("  %-14s %.0f requests\n", "Modbus", demo_number(d, "meter_reads"));
}

static void summary_json(const struct demo *d, bool good)
{
    cJSON *o = cJSON_Duplicate(d->report, true);
    char *text;

    if (!o)
        o = cJSON_CreateObject();
    cJSON_AddBoolToObject(o, "good", good);
    cJSON_AddStringToObject(o, "why", d->why);
    cJSON_AddStringToObject(o, "folder", d->folder);
    text = cJSON_Print(o);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(o);
}

void demo_summary(const struct demo *d, bool good)
{
    if (d->json) {
        summary_json(d, good);
        return;
    }
    printf("%s\n", good ? "All sessions were served, no limit was exceeded by control."
                        : d->why);
    figures(d);
    printf("  %-14s %s: site.yaml, journal, history.db, controller.log\n", "files",
           d->folder);
    printf("Next:\n"
           "  chargehand check-config %s/site.yaml\n"
           "  chargehand history export --folder %s --what sessions\n",
           d->folder, d->folder);
}
