/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the state of the site. */
#include "cmd/view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/view_json.h"
#include "io/clock.h"

enum { BAR = 36, OVER = 4 };    /* cells up to the limit, and beyond it */
enum { NAME = -24, DEPTH = 4 }; /* columns of a name; levels that are indented */

enum ink { PLAIN, BOLD, DIM, RED, GREEN, YELLOW };

struct view {
    FILE *to;
    bool colour;
    int64_t now_s; /* 0 = not told */
};

static void ink(const struct view *v, enum ink i)
{
    static const char *const codes[] = {"0", "1", "2", "31", "32", "33"};

    if (v->colour)
        fprintf(v->to, "\033[%sm", codes[i]);
}

/* "16.5", "120" or "-" in so many columns; stars when it does not fit, as in old times.
 * Below 0: in at most -width columns. */
static void put_number(const struct view *v, bool there, double value, int width)
{
    char text[32] = "-";

    if (there)
        snprintf(text, sizeof text, "%.*f", value >= 99.95 || value <= -9.95 ? 0 : 1,
                 value);
    if (strlen(text) > (size_t)abs(width))
        strcpy(text, "***");
    fprintf(v->to, "%*s", width > 0 ? width : 0, text);
}

/* ---- circuits ---- */

static int cells(double a, double limit)
{
    double n = limit > 0 ? a / limit * BAR : a > 0 ? BAR + OVER : 0;

    return n < 0 ? 0 : n > BAR + OVER ? BAR + OVER : (int)(n + 0.5);
}

/* [====######.......|  ]: base load, cars, free, limit; "!" is above the limit. */
static void put_bar(const struct view *v, double base, double all, double limit)
{
    int full = cells(all, limit), house = cells(base, limit);
    enum ink paint = all > limit ? RED : all > 0.9 * limit ? YELLOW : GREEN;

    if (full == BAR && all < limit) /* not quite is not full */
        full = BAR - 1;
    if (all > limit && full == BAR) /* a little above is above */
        full = BAR + 1;
    fputc('[', v->to);
    ink(v, paint);
    for (int i = 0; i < BAR; i++)
        fputc(i >= full ? '.' : i < house ? '=' : '#', v->to);
    ink(v, PLAIN);
    fputc('|', v->to);
    ink(v, RED);
    for (int i = BAR; i < BAR + OVER; i++)
        fputc(i < full ? '!' : ' ', v->to);
    ink(v, PLAIN);
    fputc(']', v->to);
}

/* What a phase carries: as its meter reads, or else what the cars may draw on top of
 * the base load. */
static bool load_of(const cJSON *c, int p, double *base, double *all, bool *measured)
{
    double granted = 0;
    bool known = view_at(c, "base_a", p, base);

    if (!known)
        *base = 0;
    *measured = !view_false(c, "meter_ok") && view_at(c, "total_a", p, all);
    if (*measured)
        return true;
    known |= view_at(c, "granted_a", p, &granted);
    *all = *base + granted;
    return known;
}

static void draw_phase(const struct view *v, const cJSON *c, int p, int indent)
{
    double base, all, limit = 0, free_a;
    bool measured, known = load_of(c, p, &base, &all, &measured);
    bool limited = view_at(c, "limit_a", p, &limit);

    fprintf(v->to, "%*s  L%d ", indent, "", p + 1);
    put_bar(v, known ? base : 0, known ? all : 0, limited ? limit : 1);
    fputc(' ', v->to);
    put_number(v, known, all, 5);
    fprintf(v->to, " of ");
    put_number(v, limited, limit, -4);
    fprintf(v->to, " A%s", known && !measured ? " at most" : "");
    if (measured && view_at(c, "headroom_a", p, &free_a)) {
        fprintf(v->to, ", %s ", free_a < 0 ? "OVER" : "free");
        put_number(v, true, free_a < 0 ? -free_a : free_a, -4);
    }
    fputc('\n', v->to);
}

static int depth_of(const cJSON *circuits, const cJSON *c)
{
    int depth = 0;

    while (c && depth < DEPTH) {
        const char *parent = view_text(c, "parent");
        const cJSON *up;

        c = NULL;
        cJSON_ArrayForEach(up, circuits)
        {
            if (*parent && strcmp(view_text(up, "name"), parent) == 0)
                c = up;
        }
        depth += c != NULL;
    }
    return depth;
}

static void draw_external(const struct view *v, const cJSON *c, int indent)
{
    double amps = 0, watts = 0, chargers = 0, value;
    bool any = view_number(c, "external_limit_a", &amps);

    any |= view_number(c, "external_power_w", &watts);
    any |= view_number(c, "external_chargers_w", &chargers);
    if (!any)
        return;
    ink(v, YELLOW);
    fprintf(v->to, "%*s  external limit", indent, "");
    if (view_number(c, "external_limit_a", &amps))
        fprintf(v->to, " %.1f A", amps);
    if (watts > 0)
        fprintf(v->to, " %.0f W", watts);
    if (chargers > 0)
        fprintf(v->to, " %.0f W for chargers", chargers);
    if (view_number(c, "external_left_s", &value))
        fprintf(v->to, " for another %.0f s", value);
    ink(v, PLAIN);
    fputc('\n', v->to);
}

static void draw_circuit(const struct view *v, const cJSON *circuits, const cJSON *c)
{
    const char *meter = view_text(c, "meter");
    int indent = depth_of(circuits, c);
    double value;

    fprintf(v->to, "%*s", indent, "");
    ink(v, BOLD);
    view_put(v->to, view_text(c, "name"), NAME);
    ink(v, PLAIN);
    if (view_number(c, "total_w", &value))
        fprintf(v->to, "  %.1f kW", value / 1000);
    if (view_number(c, "power_limit_w", &value))
        fprintf(v->to, " of %.1f kW", value / 1000);
    if (*meter) {
        ink(v, view_false(c, "meter_ok") ? RED : DIM);
        fprintf(v->to, "  meter ");
        view_put(v->to, meter, -16);
        fprintf(v->to, "%s", view_false(c, "meter_ok") ? " LOST" : "");
        ink(v, PLAIN);
    }
    fputc('\n', v->to);
    draw_external(v, c, indent);
    for (int p = 0; p < 3; p++)
        draw_phase(v, c, p, indent);
}

/* Meters that no circuit shows: solar ones, and what is wrong with any. */
static void draw_meter(const struct view *v, const cJSON *m)
{
    bool solar = strcmp(view_text(m, "role"), "solar") == 0, lost = view_false(m, "ok");
    double value;

    if (!solar && !lost)
        return;
    fprintf(v->to, solar ? "solar " : "meter ");
    view_put(v->to, view_text(m, "name"), NAME);
    if (solar && !lost && view_number(m, "power_w", &value))
        fprintf(v->to, "  %.1f kW", value / 1000);
    if (lost) {
        ink(v, RED);
        fprintf(v->to, "  LOST");
        if (view_number(m, "age_s", &value))
            fprintf(v->to, ", last heard %.0f s ago", value);
        ink(v, PLAIN);
    }
    fputc('\n', v->to);
}

/* ---- connectors ---- */

static const char *status_of(const cJSON *c)
{
    const char *status = view_text(c, "status");

    if (view_false(c, "online"))
        return "offline";
    if (strcmp(status, "suspended_ev") == 0)
        return "car pauses";
    if (strcmp(status, "suspended_evse") == 0)
        return "held back";
    return *status ? status : "-";
}

/* "14:35", or "" when nobody knows. */
static const char *until_of(const cJSON *c, int64_t now_s, char out[24])
{
    int64_t s;

    out[0] = '\0';
    if (clock_parse_utc(view_text(c, "why_until"), &s))
        clock_format_local(s, now_s, out);
    return out;
}

/* What is said where a time is known to which it stays so. */
static bool put_until(const struct view *v, const cJSON *c)
{
    const char *reason = view_text(c, "reason");
    double offered = 0;
    char time[24], line[64];

    view_number(c, "offered_a", &offered);
    if (!*until_of(c, v->now_s, time) || offered > 0)
        return false;
    if (strcmp(reason, "waiting") == 0)
        snprintf(line, sizeof line, "waits until %s", time);
    else if (strcmp(reason, "satisfied") == 0)
        snprintf(line, sizeof line, "full, asked %s", time);
    else
        return false;
    view_put(v->to, line, -19);
    return true;
}

static void put_why(const struct view *v, const cJSON *c)
{
    static const struct {
        const char *reason, *text;
    } words[] = {
        {"none", "-"},
        {"max", "its maximum"},
        {"waiting", "waits for room"},
        {"unbalance", "uneven phases"},
        {"paused", "paused"},
        {"mode", "mode"},
        {"satisfied", "takes no more"},
        {"solar", "follows the sun"},
        {"phases", "changes phases"},
        {"ramp", "more soon"},
        {"meter_lost", "meter lost"},
        {"offline", "not connected"},
        {"disobeys", "does not obey"},
        {"external", "limited by others"},
    };
    const char *reason = view_text(c, "reason"), *text = *reason ? reason : "-";
    const char *circuit = view_text(c, "why_circuit"), *mode = view_text(c, "mode");
    char line[128];

    if (put_until(v, c))
        return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].reason, reason) == 0)
            text = words[i].text;
    if (strcmp(reason, "circuit") == 0)
        snprintf(line, sizeof line, "%.90s %s full", *circuit ? circuit : "circuit",
                 view_phase(c, "why_phase"));
    else if (strcmp(reason, "power") == 0)
        snprintf(line, sizeof line, "power of %.90s", *circuit ? circuit : "circuit");
    else if (strcmp(reason, "waiting") == 0 && *circuit)
        snprintf(line, sizeof line, "waits for %.90s %s", circuit,
                 view_phase(c, "why_phase"));
    else if (strcmp(reason, "mode") == 0)
        snprintf(line, sizeof line, "mode %.90s", *mode ? mode : "-");
    else
        snprintf(line, sizeof line, "%s", text);
    view_put(v->to, line, -19);
}

static void draw_connector(const struct view *v, const cJSON *c)
{
    const char *name = view_text(c, "name");
    bool there, session = view_true(c, "session");
    double value = 0;

    view_put(v->to, *name ? name : view_text(c, "cid"), 13);
    fputc(' ', v->to);
    ink(v, view_false(c, "online") || strcmp(view_text(c, "status"), "faulted") == 0
               ? RED
           : session ? GREEN
                     : PLAIN);
    view_put(v->to, status_of(c), 11);
    ink(v, PLAIN);
    there = view_number(c, "offered_a", &value);
    put_number(v, there, value, 6);
    fputc(' ', v->to);
    for (int p = 0; p < 3; p++) {
        there = view_at(c, "current_a", p, &value);
        put_number(v, there, value, 5);
    }
    there = view_number(c, "power_w", &value);
    put_number(v, there, value / 1000, 6);
    there = session && view_number(c, "session_kwh", &value);
    put_number(v, there, value, 6);
    fprintf(v->to, "  ");
    put_why(v, c);
    fputc('\n', v->to);
    if (*view_text(c, "transfer")) {
        fprintf(v->to, "    ");
        view_put(v->to, view_text(c, "transfer"), -76);
        fputc('\n', v->to);
    }
}

static void draw_connectors(const struct view *v, const cJSON *list)
{
    const cJSON *c;

    ink(v, BOLD);
    fprintf(v->to, "%-13s %-11s%6s %5s%5s%5s%6s%6s  %s\n", "connector", "status",
            "gets A", "L1 A", "L2 A", "L3 A", "kW", "kWh", "why");
    ink(v, PLAIN);
    cJSON_ArrayForEach(c, list)
    {
        draw_connector(v, c);
    }
}

/* ---- the whole ---- */

static void draw_head(const struct view *v, const cJSON *state)
{
    const cJSON *site = cJSON_GetObjectItemCaseSensitive(state, "site");
    const char *word = view_text(state, "state"), *name = view_text(state, "name");
    const char *policy = view_text(state, "policy"), *time = view_text(state, "time");
    bool bad = strcmp(word, "overload") == 0 || strcmp(word, "meter_lost") == 0;

    if (cJSON_IsObject(site))
        name = view_text(site, "name");
    ink(v, BOLD);
    ink(v, bad ? RED : strcmp(word, "limiting") == 0 ? YELLOW : GREEN);
    view_answer(v->to, state);
    ink(v, PLAIN);
    fputc('\n', v->to);
    view_put(v->to, *name ? name : "-", NAME);
    fprintf(v->to, ", policy ");
    view_put(v->to, *policy ? policy : "-", -12);
    if (*time) {
        fprintf(v->to, ", ");
        view_put(v->to, time, -24);
    }
    fprintf(v->to, "\n\n");
}

void view_draw(FILE *to, const cJSON *state, bool colour)
{
    const cJSON *circuits = cJSON_GetObjectItemCaseSensitive(state, "circuits");
    const cJSON *meters = cJSON_GetObjectItemCaseSensitive(state, "meters"), *item;
    struct view v = {.to = to, .colour = colour};

    if (!clock_parse_utc(view_text(state, "time"), &v.now_s))
        v.now_s = 0;
    draw_head(&v, state);
    cJSON_ArrayForEach(item, circuits)
    {
        draw_circuit(&v, circuits, item);
    }
    cJSON_ArrayForEach(item, meters)
    {
        draw_meter(&v, item);
    }
    ink(&v, DIM);
    fprintf(to, "  = base load  # cars  | limit\n\n");
    ink(&v, PLAIN);
    draw_connectors(&v, cJSON_GetObjectItemCaseSensitive(state, "connectors"));
}

bool view_may_colour(FILE *to)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(to)) && (!no || !*no) && term && strcmp(term, "dumb") != 0;
}
