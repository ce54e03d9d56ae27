/* SPDX-License-Identifier: Apache-2.0 */
/* One sentence: is it limiting, and why. */
#include <string.h>

#include "cmd/view.h"
#include "cmd/view_json.h"
#include "io/clock.h"

enum { NAME = -24, METERS = 2 }; /* columns of a name; meters told by name */

/* Reasons by which a car gets less than it could take. */
static bool is_held_back(const cJSON *connector)
{
    static const char *const reasons[] = {"circuit",    "power", "waiting", "unbalance",
                                          "meter_lost", "ramp",  "external"};
    const char *reason = view_text(connector, "reason");

    if (!view_true(connector, "session"))
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reason, reasons[i]) == 0)
            return true;
    return false;
}

static bool same_cause(const cJSON *a, const cJSON *b)
{
    return strcmp(view_text(a, "reason"), view_text(b, "reason")) == 0 &&
           strcmp(view_text(a, "why_circuit"), view_text(b, "why_circuit")) == 0 &&
           strcmp(view_phase(a, "why_phase"), view_phase(b, "why_phase")) == 0;
}

struct held {
    int cars, held;
    const cJSON *most; /* one of those with the most frequent cause */
};

static struct held count_held(const cJSON *connectors)
{
    struct held h = {0, 0, NULL};
    const cJSON *a, *b;
    int most = 0;

    cJSON_ArrayForEach(a, connectors)
    {
        int same = 0;

        h.cars += view_true(a, "session");
        if (!is_held_back(a))
            continue;
        h.held++;
        cJSON_ArrayForEach(b, connectors)
        {
            same += is_held_back(b) && same_cause(a, b);
        }
        if (same > most) {
            most = same;
            h.most = a;
        }
    }
    return h;
}

static void put_cause(FILE *to, const cJSON *c)
{
    const char *reason = view_text(c, "reason"), *circuit = view_text(c, "why_circuit");
    const char *phase = view_phase(c, "why_phase");

    if (strcmp(reason, "meter_lost") == 0) {
        fprintf(to, "the meter of ");
        view_put(to, *circuit ? circuit : "a circuit", NAME);
        fprintf(to, " is lost");
    } else if (strcmp(reason, "power") == 0) {
        view_put(to, *circuit ? circuit : "a circuit", NAME);
        fprintf(to, " has reached its power limit");
    } else if (strcmp(reason, "unbalance") == 0) {
        view_put(to, *circuit ? circuit : "a circuit", NAME);
        fprintf(to, " may have no more on%s%s alone", *phase ? " " : " one phase",
                phase);
    } else if (strcmp(reason, "external") == 0) {
        fprintf(to, "others limit the charger of ");
        view_put(to, view_text(c, "name"), NAME);
    } else if (strcmp(reason, "ramp") == 0) {
        fprintf(to, "room is being made, more will follow");
    } else if (*circuit) {
        view_put(to, circuit, NAME);
        fprintf(to, "%s%s is full", *phase ? " " : "", phase);
    } else {
        fprintf(to, "the minimum current does not fit now");
    }
}

/* Only a cause that ends by itself has an end, and a car that rests. */
static void put_until(FILE *to, const cJSON *c, const cJSON *state)
{
    int64_t until_s, now_s;
    char time[24];

    if (clock_parse_utc(view_text(c, "why_until"), &until_s) &&
        clock_parse_utc(view_text(state, "time"), &now_s))
        fprintf(to, " until %s", clock_format_local(until_s, now_s, time));
}

static void put_held(FILE *to, const struct held *h, const cJSON *state)
{
    if (h->held == 0) {
        fprintf(to, h->cars ? "Not limiting: every car gets what it can take"
                            : "Not limiting: nobody is charging");
        return;
    }
    fprintf(to, "Limiting %d of %d car%s: ", h->held, h->cars, h->cars == 1 ? "" : "s");
    put_cause(to, h->most);
    put_until(to, h->most, state);
}

/* The phase that is furthest above its limit. */
static void put_overload(FILE *to, const cJSON *circuits)
{
    double total, limit, worst = 0, worst_total = 0, worst_limit = 0;
    const char *name = NULL;
    const cJSON *c;
    int phase = 0;

    cJSON_ArrayForEach(c, circuits)
    {
        for (int p = 0; p < 3; p++)
            if (view_at(c, "total_a", p, &total) && view_at(c, "limit_a", p, &limit) &&
                total - limit > worst) {
                worst = total - limit;
                worst_total = total;
                worst_limit = limit;
                name = view_text(c, "name");
                phase = p + 1;
            }
    }
    fprintf(to, "OVERLOAD");
    if (!name)
        return;
    fprintf(to, ": ");
    view_put(to, name, NAME);
    fprintf(to, " L%d draws %.1f of %.1f A", phase, worst_total, worst_limit);
}

static void put_lost_meters(FILE *to, const cJSON *meters)
{
    const cJSON *m;
    int n = 0;

    fprintf(to, "METER LOST");
    cJSON_ArrayForEach(m, meters)
    {
        if (!view_false(m, "ok") || ++n > METERS)
            continue;
        fputs(n == 1 ? ": " : ", ", to);
        view_put(to, view_text(m, "name"), NAME);
    }
    if (n > METERS)
        fprintf(to, " and %d more", n - METERS);
}

void view_answer(FILE *to, const cJSON *state)
{
    const cJSON *circuits = cJSON_GetObjectItemCaseSensitive(state, "circuits");
    const char *word = view_text(state, "state");
    struct held h = count_held(cJSON_GetObjectItemCaseSensitive(state, "connectors"));

    if (strcmp(word, "overload") == 0)
        put_overload(to, circuits);
    else if (strcmp(word, "meter_lost") == 0)
        put_lost_meters(to, cJSON_GetObjectItemCaseSensitive(state, "meters"));
    else if (strcmp(word, "starting") == 0)
        fprintf(to, "Starting: waiting for meters and chargers");
    else
        put_held(to, &h, state);
}
