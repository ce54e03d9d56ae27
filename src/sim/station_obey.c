/* SPDX-License-Identifier: Apache-2.0 */
/* How a simulated charger takes the calls of its central system, as far as both
 * generations do: their shape is checked by the table of the version (ocpp_schema.h),
 * then they are answered by the dialect. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "sim/station_state.h"

/* ---- profiles */

static enum sim_kind kind_of(const char *word)
{
    if (strcmp(word, "Absolute") == 0)
        return SIM_ABSOLUTE;
    return strcmp(word, "Relative") == 0 ? SIM_RELATIVE : SIM_RECURRING;
}

bool station_read_profile(const cJSON *o, int number, struct sim_profile *p)
{
    const char *every = payload_text(o, "recurrencyKind");

    *p = (struct sim_profile){
        .connector = number,
        .level = payload_int(o, "stackLevel", 0),
        .kind = kind_of(payload_text(o, "chargingProfileKind")),
        .every_s = every && strcmp(every, "Weekly") == 0 ? 7 * 86400 : 86400,
        .valid_from_s = payload_time_s(o, "validFrom"),
        .valid_to_s = payload_time_s(o, "validTo"),
    };
    return p->level >= 0 && p->level <= SIM_PROFILE_LEVELS &&
           (p->kind != SIM_RECURRING || every);
}

static int32_t tenths(const cJSON *o, const char *name)
{
    const cJSON *v = payload_get(o, name);

    return v ? (int32_t)lround(v->valuedouble * 10) : -1;
}

bool station_read_schedule(const cJSON *o, struct sim_schedule *c)
{
    const cJSON *item;

    *c = (struct sim_schedule){
        .id = payload_int(o, "id", 0),
        .start_s = payload_time_s(o, "startSchedule"),
        .duration_s = payload_int(o, "duration", -1),
        .watts = payload_is(o, "chargingRateUnit", "W"),
        .min_tenths = tenths(o, "minChargingRate"),
    };
    cJSON_ArrayForEach(item, payload_get(o, "chargingSchedulePeriod"))
    {
        struct sim_period *to = &c->period[c->n];

        if (c->n == SIM_PROFILE_PERIODS)
            return false;
        *to = (struct sim_period){
            .from_s = payload_int(item, "startPeriod", 0),
            .tenths = tenths(item, "limit"),
            .phases = payload_int(item, "numberPhases", 0),
            .phase = payload_int(item, "phaseToUse", 0),
        };
        if (to->tenths < 0 || to->phases < 0 || to->phases > 3 ||
            (c->n == 0 ? to->from_s != 0 : to->from_s <= to[-1].from_s))
            return false;
        c->n++;
    }
    return c->n > 0;
}

/* ---- calls */

static const struct station_verb *find(const struct station *s, const char *action)
{
    const struct station_verb *v = s->dialect->verbs;

    while (v->action && strcmp(v->action, action) != 0)
        v++;
    return v->action ? v : NULL;
}

/* NULL when the call is as it should be; else the code of its CALLERROR. */
static const char *fault_of(const struct station *s, const char *action,
                            const cJSON *payload, char why[OCPP_WHY])
{
    const struct ocpp_message *m = ocpp_schema_find(s->u.schema, OCPP_SYSTEM, action);

    snprintf(why, OCPP_WHY, "%.60s is not known", action);
    if (!m || !find(s, action))
        return "NotImplemented";
    if (cJSON_IsNull(payload) && !m->request->name)
        return NULL;
    return ocpp_schema_strict(s->u.schema, m->request, payload, why);
}

/* What leaves us has to be good, too. */
static void check_answer(struct station *s, const char *action, const cJSON *answer)
{
    const struct ocpp_message *m = ocpp_schema_find(s->u.schema, OCPP_SYSTEM, action);
    char why[OCPP_WHY];

    if (!ocpp_schema_strict(s->u.schema, m->answer, answer, why))
        return;
    log_warnx("%s: our answer to %s is wrong: %s", s->u.identity, action, why);
    s->counts.wrong++;
}

static bool is_refusal(const cJSON *answer)
{
    const char *word = payload_text(answer, "status");

    return word && (strcmp(word, "Rejected") == 0 || strncmp(word, "Not", 3) == 0);
}

void station_obey(void *station, const char *id, const char *action,
                  const cJSON *payload)
{
    struct station *s = station;
    int32_t answer_ms = station_between(s, s->u.answer_max_ms / 8, s->u.answer_max_ms);
    char why[OCPP_WHY];
    const char *fault = fault_of(s, action, payload, why);
    const struct station_verb *verb = find(s, action);
    cJSON *answer;
    bool refusal;

    s->counts.calls++;
    s->now_ms = clock_ms();
    if (fault) {
        s->counts.faulty += strcmp(fault, "NotImplemented") != 0;
        log_warnx("%s: %s is wrong: %s (%s)", s->u.identity, action, why, fault);
        ocpp_client_refuse(s->client, id, fault, why);
        return;
    }
    answer = verb->answer(s, payload, answer_ms);
    refusal = !answer || is_refusal(answer);
    s->counts.refused += refusal;
    if (answer) {
        check_answer(s, action, answer);
        ocpp_client_answer(s->client, id, answer, answer_ms);
    } else {
        ocpp_client_refuse(s->client, id, "PropertyConstraintViolation",
                           "there is no such connector");
    }
    if (!refusal && verb->after)
        verb->after(s, payload);
}
