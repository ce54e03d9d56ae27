/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated garage as it is built: ten bays of an apartment house on 63 A, with
 * rotated wirings, single-phase chargers, one charger with two connectors, and chargers
 * of both generations of OCPP. */
#include "sim/garage_site.h"

#include <string.h>

enum {
    GRID_A = 63,
    MARGIN_A = 2,
    GARAGE_A = 43,
    MIN_A = 6,
    FALLBACK_A = 6,
    BASE_A = 15,
    GRID = 0,
    GARAGE = 1,
    CIRCUITS = 3 /* and that of the charger with two connectors */
};

/* clang-format off */
const struct garage_charger garage_chargers[GARAGE_CHARGERS] = {
    {"CP-01", "Alder", "Wall 11", "1.RST", 0, false},
    {"CP-02", "Dogwood", "Wall 11 E", NULL, 0, true},
    {"CP-03", "Birch", "Mono 3", "1.NotApplicable", 0, false},
    {"CP-04", "Elm", "Mono 7 E", NULL, 0, true},
    {"CP-05", "Alder", "Wall 11", "1.STR", 0, false},
    {"CP-06", "Dogwood", "Wall 11 E", NULL, 0, true},
    {"CP-07", "Birch", "Mono 7", "1.NotApplicable", 0, false},
    {"CP-08", "Birch", "Mono 3", "1.NotApplicable", 0, false},
    {"CP-09", "Fir", "Twin E", NULL, 20, true},
};
/* clang-format on */

const struct ocpp_schema *garage_speaks(const struct garage_charger *c)
{
    return c->newest ? ocpp_schemas[0] : ocpp_schema_named("");
}

/* clang-format off */
/* The early ones want most, so that all of them are done within the time. */
const struct garage_bay garage_bays[GARAGE_BAYS] = {
    {0, 1, "Bay 1", "L1 L2 L3", 16, 3, 16, 1000, 46},
    {1, 1, "Bay 2", "L2 L3 L1", 16, 3, 16, 1500, 41},
    {2, 1, "Bay 3", "L3", 16, 1, 16, 5000, 10},
    {3, 1, "Bay 4", "L1", 32, 1, 32, 4000, 12},
    {4, 1, "Bay 5", "L2 L3 L1", 16, 1, 16, 3500, 11},
    {5, 1, "Bay 6", "L3 L1 L2", 16, 3, 16, 2500, 36},
    {6, 1, "Bay 7", "L2", 32, 1, 20, 4500, 9},
    {7, 1, "Bay 8", "L1", 16, 1, 16, 5500, 8},
    {8, 1, "Bay 9", "L1 L2 L3", 16, 3, 11, 3000, 29},
    {8, 2, "Bay 10", "L3", 16, 1, 16, 6000, 7},
};
/* clang-format on */

static struct site_circuit circuits[CIRCUITS];
static struct site_connector connectors[GARAGE_BAYS];
static struct site_charger chargers[GARAGE_CHARGERS];
static struct site built;

static void circuit(int v, const char *name, int parent, int limit_a, int margin_a)
{
    circuits[v] = (struct site_circuit){
        .name = name,
        .parent = parent,
        .margin_ma = margin_a * 1000,
        .meter = SITE_NONE,
    };
    for (int p = 0; p < SITE_PHASES; p++)
        circuits[v].limit_ma[p] = limit_a * 1000;
}

static void connector(int i, int circuit_of_it)
{
    const struct garage_bay *b = &garage_bays[i];
    const char *at = b->wiring;

    connectors[i] = (struct site_connector){
        .name = b->name,
        .charger = b->charger,
        .circuit = circuit_of_it,
        .wiring = {SITE_NO_PHASE, SITE_NO_PHASE, SITE_NO_PHASE},
        .min_ma = MIN_A * 1000,
        .max_ma = b->max_a * 1000,
        .step_ma = 100,
        .fallback_ma = FALLBACK_A * 1000,
        .weight = 1,
    };
    for (int p = 0; at; p++) { /* "L2 L3 L1" */
        connectors[i].wiring[p] = (uint8_t)(at[1] - '1');
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
}

const struct site *garage_site(void)
{
    int own = GARAGE;

    if (built.n_circuits)
        return &built;
    circuit(GRID, "grid", SITE_NONE, GRID_A, MARGIN_A);
    circuit(GARAGE, "garage", GRID, GARAGE_A, 0);
    for (int i = 0; i < GARAGE_CHARGERS; i++)
        chargers[i].id = garage_chargers[i].id;
    for (int i = 0; i < GARAGE_BAYS; i++) {
        const struct garage_charger *c = &garage_chargers[garage_bays[i].charger];

        if (c->limit_a && strcmp(circuits[own].name, c->id) != 0)
            circuit(++own, c->id, GARAGE, c->limit_a, 0);
        connector(i, c->limit_a ? own : GARAGE);
    }
    built = (struct site){
        .name = "Simulated garage",
        .voltage_mv = 230000,
        .n_circuits = own + 1,
        .n_connectors = GARAGE_BAYS,
        .n_chargers = GARAGE_CHARGERS,
        .circuits = circuits,
        .connectors = connectors,
        .chargers = chargers,
    };
    return &built;
}

static void write_charger(FILE *to, int charger, const char *folder)
{
    const struct garage_charger *c = &garage_chargers[charger];

    fprintf(to, "- id: %s\n  circuit: garage\n", c->id);
    if (c->limit_a)
        fprintf(to, "  limit: %d\n", c->limit_a);
    fprintf(to, "  password_file: \"%s/keys/%s\"\n  connectors:\n", folder, c->id);
    for (int i = 0; i < GARAGE_BAYS; i++) {
        const struct garage_bay *b = &garage_bays[i];

        if (b->charger != charger)
            continue;
        fprintf(to, "  - name: %s\n    wiring: %s\n    max: %d\n", b->name, b->wiring,
                b->max_a);
        fprintf(to, "    fallback: %d\n", FALLBACK_A);
    }
}

bool garage_site_write(FILE *to, const char *folder, int meter_port, int ocpp_port,
                       int http_port)
{
    fprintf(to,
            "# The simulated garage of `chargehand demo`. It is a site file like any\n"
            "# other; the meter and the chargers behind it live as long as the demo.\n"
            "site:\n  name: Simulated garage\n  voltage: 230\n  policy: equal\n\n"
            "circuits:\n"
            "- name: grid\n  limit: %d\n  margin: %d\n  meter: main\n"
            "  base_load: %d        # A assumed while the meter is lost\n"
            "- name: garage\n  parent: grid\n  limit: %d\n\n",
            GRID_A, MARGIN_A, BASE_A, GARAGE_A);
    fprintf(to,
            "meters:\n- name: main\n  model: %s\n  tcp: 127.0.0.1:%d\n  unit: 1\n"
            "  interval: 1s\n  max_age: 10s\n\nchargers:\n",
            GARAGE_METER, meter_port);
    for (int i = 0; i < GARAGE_CHARGERS; i++)
        write_charger(to, i, folder);
    fprintf(to,
            "\nocpp:\n  listen: 127.0.0.1:%d\n  sample: %ds\n"
            "http:\n  listen: 127.0.0.1:%d\n"
            "history:\n  folder: \"%s\"\n  commit: 2s\n"
            "journal:\n  file: \"%s/journal\"\n",
            ocpp_port, GARAGE_SAMPLE_S, http_port, folder, folder);
    return !ferror(to);
}
