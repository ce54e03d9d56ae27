/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated charger in tests. */
#include "station_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct station *station_alone(struct loop *loop, uint64_t seed)
{
    struct station_setup u = {
        .schema = ocpp_schemas[0],
        .lws = loop_lws(loop),
        .host = "127.0.0.1",
        .identity = "S",
        .vendor = "Fir",
        .model = "Twin E",
        .firmware = "1.0",
        .phase_switch = true,
        .voltage_mv = 230000,
        .rng = sim_rng_stream(seed, 1),
        .n_bays = 2,
        .bay = {{7, 6000, 32000, 1}, {1, 6000, 16000, 1}},
    };
    struct station *s = station_new(&u, 0);

    assert_non_null(s);
    return s;
}

cJSON *station_ask(struct station *s, const char *action, const char *payload)
{
    const struct ocpp_message *m = ocpp_schema_find(s->u.schema, OCPP_SYSTEM, action);
    const struct station_verb *v = s->dialect->verbs;
    cJSON *o = cJSON_Parse(payload), *answer;
    char why[OCPP_WHY];

    if (ocpp_schema_strict(s->u.schema, m->request, o, why))
        fail_msg("%s: %s: %s", action, why, payload);
    while (strcmp(v->action, action) != 0)
        v++;
    answer = v->answer(s, o, 0);
    cJSON_Delete(o);
    if (ocpp_schema_strict(s->u.schema, m->answer, answer, why))
        fail_msg("the answer to %s: %s: %s", action, why, payload);
    return answer;
}
