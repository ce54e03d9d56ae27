/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the example weeks. Times are UTC; what people do follows their local time. */
#include "sim/generate.h"

#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "sim/rng.h"

enum { DAY_S = 86400, HOUR_S = 3600, DAYS = 7, MOST_ROWS = 20000, MOST_USES = 4000 };

/* Monday, 0:00 local time, in UTC. */
#define APARTMENT_S INT64_C(1768172400) /* 2026-01-11T23:00:00Z, Berlin */
#define DEPOT_S INT64_C(1776031200)     /* 2026-04-12T22:00:00Z, Amsterdam */

/* ---- loads: a profile by hour, noise, and things switched on and off */

struct use { /* something is on */
    int64_t from_s, to_s;
    uint8_t phases; /* mask */
    int da;         /* tenths of an ampere on each of them */
};

struct row {
    int64_t at_s;
    int series, number;
    int da[3];
};

struct series {
    const char *name;
    const int *by_hour; /* 24 values, tenths of an ampere */
    int percent[3];     /* of it on L1 L2 L3 */
    int every_s;        /* between rows */
    int noise_da;       /* size of its random steps */
    int least_da;
    struct use *uses;
    int n_uses;
};

struct table {
    struct row *rows;
    int n;
};

static bool add_use(struct series *s, int64_t from_s, int64_t lasts_s, uint8_t phases,
                    int da)
{
    if (s->n_uses == MOST_USES)
        return false;
    s->uses[s->n_uses++] = (struct use){from_s, from_s + lasts_s, phases, da};
    return true;
}

/* Between the values of this hour and the next. */
static int profile(const int by_hour[24], int64_t second)
{
    int hour = (int)(second / HOUR_S % 24), part = (int)(second % HOUR_S);

    return by_hour[hour] + (by_hour[(hour + 1) % 24] - by_hour[hour]) * part / HOUR_S;
}

static void add_row(struct table *t, const struct series *s, int series, int64_t week_s,
                    int64_t at_s, const int noise_da[3])
{
    struct row *r = &t->rows[t->n];

    if (t->n == MOST_ROWS)
        return;
    *r = (struct row){.at_s = at_s, .series = series, .number = t->n++};
    for (int p = 0; p < 3; p++) {
        r->da[p] =
            profile(s->by_hour, at_s - week_s) * s->percent[p] / 100 + noise_da[p];
        for (int u = 0; u < s->n_uses; u++)
            if (s->uses[u].phases >> p & 1 && s->uses[u].from_s <= at_s &&
                at_s < s->uses[u].to_s)
                r->da[p] += s->uses[u].da;
        if (r->da[p] < s->least_da)
            r->da[p] = s->least_da;
    }
}

static int by_second(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

/* Rows at regular times, and one whenever something is switched. */
static bool add_series(struct table *t, const struct series *s, int series,
                       int64_t week_s, struct sim_rng *rng)
{
    int regular = DAYS * DAY_S / s->every_s, n = 0, noise_da[3] = {0};
    int64_t *times = malloc(((size_t)regular + 2 * (size_t)s->n_uses) * sizeof *times);

    if (!times)
        return false;
    for (int i = 0; i < regular; i++)
        times[n++] = week_s + (int64_t)i * s->every_s;
    for (int u = 0; u < s->n_uses; u++) {
        times[n++] = s->uses[u].from_s;
        times[n++] = s->uses[u].to_s;
    }
    qsort(times, (size_t)n, sizeof *times, by_second);
    for (int i = 0; i < n; i++) {
        if (times[i] >= week_s + DAYS * DAY_S || (i && times[i] == times[i - 1]))
            continue;
        if ((times[i] - week_s) % s->every_s == 0)
            for (int p = 0; p < 3; p++)
                noise_da[p] = noise_da[p] * 7 / 8 +
                              (int)sim_rng_between(rng, -s->noise_da, s->noise_da);
        add_row(t, s, series, week_s, times[i], noise_da);
    }
    free(times);
    return true;
}

static int by_time(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    return a->at_s != b->at_s ? (a->at_s < b->at_s ? -1 : 1) : a->number - b->number;
}

static void print_amps(FILE *to, int da)
{
    fprintf(to, ",%s%d.%d", da < 0 ? "-" : "", abs(da) / 10, abs(da) % 10);
}

static void print_loads(FILE *to, struct table *t, const struct series *all)
{
    char utc[21];

    qsort(t->rows, (size_t)t->n, sizeof *t->rows, by_time);
    fputs("time,circuit,l1_a,l2_a,l3_a\n", to);
    for (int i = 0; i < t->n; i++) {
        const struct row *r = &t->rows[i];

        fprintf(to, "%s,%s", clock_format_utc(r->at_s, utc), all[r->series].name);
        for (int p = 0; p < 3; p++)
            print_amps(to, r->da[p]);
        fputc('\n', to);
    }
}

static bool write_loads(FILE *to, struct series *all, int n, int64_t week_s,
                        struct sim_rng *rng)
{
    struct table t = {malloc(MOST_ROWS * sizeof *t.rows), 0};
    bool good = t.rows != NULL;

    for (int i = 0; i < n && good; i++)
        good = add_series(&t, &all[i], i, week_s, rng);
    if (good)
        print_loads(to, &t, all);
    free(t.rows);
    return good;
}

/* A second in a range of local hours of a day, given in tenths of an hour. */
static int64_t at(struct sim_rng *r, int64_t day_s, int from_dh, int to_dh)
{
    return day_s + sim_rng_between(r, from_dh * 360, to_dh * 360);
}

static bool chance(struct sim_rng *r, int percent)
{
    return sim_rng_between(r, 1, 100) <= percent;
}

static uint8_t a_phase(struct sim_rng *r)
{
    return (uint8_t)(1 << sim_rng_between(r, 0, 2));
}

/* ---- the flats */

static void use_flats(struct series *s, struct sim_rng *r)
{
    for (int day = 0; day < DAYS; day++) {
        int64_t day_s = APARTMENT_S + day * DAY_S;
        int washing = day >= 5 ? 12 : 7;

        for (int i = 0; i < 30; i++) /* kettles and pans, 8 .. 10 A, 2 .. 6 min */
            add_use(s, at(r, day_s, 60, 225), sim_rng_between(r, 120, 360), a_phase(r),
                    (int)sim_rng_between(r, 80, 100));
        for (int i = 0; i < 9; i++) /* ovens around the evening, 10 .. 14 A */
            add_use(s, at(r, day_s, 165, 200), sim_rng_between(r, 900, 3000),
                    a_phase(r), (int)sim_rng_between(r, 100, 140));
        for (int i = 0; i < washing; i++) /* heating of washing machines, 9 A */
            add_use(s, at(r, day_s, 75, 210), sim_rng_between(r, 600, 1500), a_phase(r),
                    90);
        for (int i = 0; i < 40; i++) /* the lift, three phases, half a minute */
            add_use(s, at(r, day_s, 60, 230), 30, 7, 60);
    }
}

static bool apartment_loads(uint64_t seed, FILE *to)
{
    /* mean of a phase on a winter day, 18 flats with stairs, pumps and heating */
    static const int flats[24] = {42, 36, 33, 32, 34, 45,  78,  96,  90,  78,  74, 80,
                                  92, 84, 76, 78, 92, 124, 152, 158, 138, 112, 84, 58};
    struct sim_rng rng = sim_rng_stream(seed, 1);
    struct series grid = {.name = "grid",
                          .by_hour = flats,
                          .percent = {112, 96, 92},
                          .every_s = 150,
                          .noise_da = 7,
                          .least_da = 15,
                          .uses = malloc(MOST_USES * sizeof *grid.uses)};
    bool good = grid.uses != NULL;

    if (good) {
        use_flats(&grid, &rng);
        good = write_loads(to, &grid, 1, APARTMENT_S, &rng);
    }
    free(grid.uses);
    return good;
}

/* ---- the depot */

static void use_hall(struct series *s, struct sim_rng *r)
{
    int64_t t = DEPOT_S + 300;

    while (t < DEPOT_S + DAYS * DAY_S) { /* the cold store's compressor */
        int64_t on_s = sim_rng_between(r, 420, 840);

        add_use(s, t, on_s, 7, 180);
        t += on_s + sim_rng_between(r, 600, 1500);
    }
    for (int day = 0; day < DAYS - 1; day++)
        for (int i = 0; i < 12; i++) /* fork lifts' chargers */
            add_use(s, at(r, DEPOT_S + day * DAY_S, 50, 210),
                    sim_rng_between(r, 1200, 5400), a_phase(r), 65);
}

static void use_wash(struct series *s, struct sim_rng *r)
{
    for (int day = 0; day < DAYS - 1; day++)
        for (int i = 0; i < 34; i++) { /* brushes and pumps, then the dryer */
            int64_t from_s = DEPOT_S + day * DAY_S + 6 * HOUR_S + i * 1560 +
                             sim_rng_between(r, 0, 700);
            int64_t brush_s = sim_rng_between(r, 150, 270);

            add_use(s, from_s, brush_s, 7, (int)sim_rng_between(r, 120, 160));
            add_use(s, from_s + brush_s, sim_rng_between(r, 70, 130), 7,
                    (int)sim_rng_between(r, 230, 290));
        }
}

/* Clouds take away a part of the sun for some minutes. */
static void use_roof(struct series *s, struct sim_rng *r)
{
    for (int day = 0; day < DAYS; day++) {
        int clouds = (int)sim_rng_between(r, 2, 26);

        for (int i = 0; i < clouds; i++) {
            int64_t from_s = at(r, DEPOT_S + day * DAY_S, 80, 190);
            int hour = (int)((from_s - DEPOT_S) / HOUR_S % 24);
            int middle = hour < 13 ? hour - 7 : 19 - hour; /* 1 .. 6 */

            add_use(s, from_s, sim_rng_between(r, 90, 1200), 7,
                    (int)sim_rng_between(r, 20, 70) * middle);
        }
    }
}

/* A roof gives nothing by night and never draws. */
static void roof_not_above_zero(struct table *t, int series)
{
    for (int i = 0; i < t->n; i++)
        for (int p = 0; p < 3; p++)
            if (t->rows[i].series == series && t->rows[i].da[p] > 0)
                t->rows[i].da[p] = 0;
}

static bool depot_loads(uint64_t seed, FILE *to)
{
    static const int hall[24] = {120, 115, 112, 115, 150, 230, 300, 340,
                                 350, 355, 350, 340, 320, 335, 345, 340,
                                 330, 330, 310, 270, 230, 190, 160, 135};
    static const int wash[24] = {8,  8,  8,  8,  8,  12, 30, 30, 30, 30, 30, 30,
                                 30, 30, 30, 30, 30, 30, 30, 30, 20, 12, 8,  8};
    static const int roof[24] = {0,    0,    0,    0,    0,    0,    0,    -60,
                                 -210, -400, -590, -740, -830, -860, -820, -730,
                                 -590, -410, -220, -70,  0,    0,    0,    0};
    enum { N = 3, ROOF = 2 };
    struct series all[N] = {
        {"transformer", hall, {104, 98, 98}, 450, 6, 60, NULL, 0},
        {"feeder-c", wash, {100, 100, 100}, 7200, 0, 5, NULL, 0},
        {"roof", roof, {100, 100, 100}, 450, 0, -1200, NULL, 0},
    };
    struct sim_rng rng = sim_rng_stream(seed, 2);
    struct table t = {malloc(MOST_ROWS * sizeof *t.rows), 0};
    bool good = t.rows != NULL;

    for (int i = 0; i < N && good; i++) {
        all[i].uses = malloc(MOST_USES * sizeof *all[i].uses);
        good = all[i].uses != NULL;
    }
    if (good) {
        use_hall(&all[0], &rng);
        use_wash(&all[1], &rng);
        use_roof(&all[ROOF], &rng);
    }
    for (int i = 0; i < N && good; i++)
        good = add_series(&t, &all[i], i, DEPOT_S, &rng);
    if (good) {
        roof_not_above_zero(&t, ROOF);
        print_loads(to, &t, all);
    }
    for (int i = 0; i < N; i++)
        free(all[i].uses);
    free(t.rows);
    return good;
}

/* ---- sessions */

struct car_kind {
    const char *max_a;
    int phases;
};

struct stay {
    int64_t from_s, to_s;
    int wh;
};

/* To whole minutes, as chargers' clocks are rarely better. */
static void print_stay(FILE *to, const char *id, const struct stay *s,
                       const struct car_kind *car, int tag)
{
    char from[21], until[21];

    clock_format_utc(s->from_s / 60 * 60, from);
    clock_format_utc(s->to_s / 60 * 60, until);
    fprintf(to, "%s,%s,%s,%d.%03d,%s,%d,04C0FFEE%04d\n", id, from, until, s->wh / 1000,
            s->wh % 1000, car->max_a, car->phases, tag);
}

/* Small ones are more frequent than large ones. */
static int energy_wh(struct sim_rng *r, int least_wh, int most_wh)
{
    int64_t a = sim_rng_between(r, least_wh, most_wh);
    int64_t b = sim_rng_between(r, least_wh, most_wh);

    return (int)(a < b ? a : b);
}

static bool apartment_sessions(uint64_t seed, FILE *to)
{
    static const struct car_kind cars[10] = {{"16", 3}, {"16", 1}, {"16", 3}, {"16", 2},
                                             {"16", 3}, {"16", 1}, {"16", 3}, {"16", 3},
                                             {"16", 1}, {"32", 1}};
    char id[16];

    fputs("connector,arrival,departure,energy_kwh,max_current_a,phases,id_tag\n", to);
    for (int bay = 0; bay < 10; bay++) {
        struct sim_rng r = sim_rng_stream(seed, 100 + (uint64_t)bay);

        snprintf(id, sizeof id, "CP-%02d", bay + 1);
        for (int day = 0; day < DAYS - 1; day++) {
            int64_t day_s = APARTMENT_S + day * DAY_S;
            bool nurse = bay == 7, weekend = day >= 5 && !nurse;
            struct stay s;

            if (nurse) { /* at noon for a while, too */
                s = (struct stay){at(&r, day_s, 118, 126), at(&r, day_s, 138, 146),
                                  energy_wh(&r, 4000, 12000)};
                print_stay(to, id, &s, &cars[bay], bay + 1);
            }
            s = (struct stay){
                at(&r, day_s, weekend ? 120 : 165, weekend ? 190 : 205),
                at(&r, day_s + DAY_S, 64, weekend ? 90 : 82),
                energy_wh(&r, 3000, cars[bay].phases == 3 ? 42000 : 20000)};
            if (chance(&r, nurse ? 100 : 72))
                print_stay(to, id, &s, &cars[bay], bay + 1);
        }
    }
    return true;
}

/* Monday to Saturday in the evening; the vans of feeder B come late; four go out a
 * second time after noon. */
static void depot_van(FILE *to, const char *id, int van, uint64_t seed)
{
    static const struct car_kind kinds[] = {{"16", 3}, {"16", 3}, {"32", 3}, {"16", 3},
                                            {"32", 1}, {"16", 3}, {"32", 3}};
    const struct car_kind *car = &kinds[van % 7];
    struct sim_rng r = sim_rng_stream(seed, 200 + (uint64_t)van);
    bool late = van >= 14 && van < 28, noon = van < 4;

    if (van >= 28 && strcmp(car->max_a, "32") == 0)
        car = &kinds[0];
    for (int day = 0; day < DAYS - 1; day++) {
        int64_t day_s = DEPOT_S + day * DAY_S;
        struct stay s;

        if (noon) {
            s = (struct stay){at(&r, day_s, 112, 120), at(&r, day_s, 131, 138),
                              energy_wh(&r, 8000, 24000)};
            print_stay(to, id, &s, car, 100 + van);
        }
        s = (struct stay){
            at(&r, day_s, late ? 205 : 165, late ? 225 : 195),
            at(&r, day_s + DAY_S, 45, 58),
            (int)sim_rng_between(&r, 14000, car->phases == 3 ? 62000 : 40000)};
        if (chance(&r, 93))
            print_stay(to, id, &s, car, 100 + van);
    }
}

static bool depot_sessions(uint64_t seed, FILE *to)
{
    static const int places[] = {14, 14, 12};
    char id[16];
    int van = 0;

    fputs("connector,arrival,departure,energy_kwh,max_current_a,phases,id_tag\n", to);
    for (int feeder = 0; feeder < 3; feeder++)
        for (int i = 0; i < places[feeder]; i++, van++) {
            snprintf(id, sizeof id, "%c%02d", "ABC"[feeder], i + 1);
            depot_van(to, id, van, seed);
        }
    return true;
}

const struct sim_week sim_weeks[] = {
    {"apartment", apartment_sessions, apartment_loads},
    {"depot", depot_sessions, depot_loads},
    {NULL, NULL, NULL},
};
