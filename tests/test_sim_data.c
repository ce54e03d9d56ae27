/* SPDX-License-Identifier: Apache-2.0 */
/* The example weeks in data/ are what the generator makes, and what data/README.md
 * promises of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/generate.h"
#include "sim/recording.h"

static void path_of(char *path, size_t room, const char *week, const char *file)
{
    const char *dir = getenv("srcdir");

    snprintf(path, room, "%s/data/%s-week/%s", dir ? dir : ".", week, file);
}

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "r");
    char *text = malloc(1 << 20);

    if (!f)
        fail_msg("cannot read %s", path);
    assert_non_null(text);
    *n = fread(text, 1, 1 << 20, f);
    fclose(f);
    return text;
}

static void compare(const char *week, const char *file,
                    bool (*make)(uint64_t seed, FILE *to))
{
    char path[512], *kept, *made = NULL;
    size_t n_kept, n_made;
    FILE *to = open_memstream(&made, &n_made);

    path_of(path, sizeof path, week, file);
    print_message("%s\n", path);
    assert_true(make(SIM_WEEK_SEED, to));
    fclose(to);
    kept = slurp(path, &n_kept);
    assert_int_equal(n_kept, n_made);
    assert_memory_equal(kept, made, n_made);
    assert_true(n_kept < 300000);
    free(kept);
    free(made);
}

static void test_same_bytes(void **state)
{
    (void)state;
    for (const struct sim_week *w = sim_weeks; w->name; w++) {
        compare(w->name, "sessions.csv", w->sessions);
        compare(w->name, "loads.csv", w->loads);
    }
}

static void test_another_seed(void **state)
{
    (void)state;
    for (const struct sim_week *w = sim_weeks; w->name; w++) {
        char *text[2] = {NULL, NULL};
        size_t n[2];

        for (int i = 0; i < 2; i++) {
            FILE *to = open_memstream(&text[i], &n[i]);

            assert_true(w->loads(SIM_WEEK_SEED + (uint64_t)i, to));
            fclose(to);
        }
        assert_true(n[0] != n[1] || memcmp(text[0], text[1], n[0]) != 0);
        free(text[0]);
        free(text[1]);
    }
}

/* CP-07 -> 6; A01, B01, C01 -> 0, 14, 28 */
static int find_connector(void *arg, const char *name)
{
    int n = atoi(name + (name[0] == 'C' && name[1] == 'P' ? 3 : 1));

    (void)arg;
    if (name[1] != 'P' && name[0] > 'A')
        n += name[0] == 'B' ? 14 : 28;
    return n - 1;
}

static int find_circuit(void *arg, const char *name, int *meter)
{
    static const char *const known[] = {"grid", "transformer", "feeder-c", "roof"};

    (void)arg;
    *meter = strcmp(name, "roof") == 0 ? 0 : SITE_NONE;
    for (int i = 0; i < 4; i++)
        if (strcmp(name, known[i]) == 0)
            return i;
    return SIM_UNKNOWN;
}

static const struct sim_names names = {NULL, find_connector, find_circuit};

static void test_what_the_readme_says(void **state)
{
    static const struct {
        const char *week;
        int sessions, connectors;
        int64_t energy_wh;
        int32_t most_ma[4]; /* per circuit, on any phase */
    } cases[] = {
        {"apartment", 54, 10, 613840, {56600, 0, 0, 0}},
        {"depot", 243, 40, 8450964, {0, 72300, 32000, 0}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_sessions s;
        struct sim_loads l;
        char path[512], *told = NULL;
        size_t n;
        FILE *to = open_memstream(&told, &n);
        int64_t energy_wh = 0;
        int32_t most_ma[4] = {0};

        print_message("%s\n", cases[i].week);
        path_of(path, sizeof path, cases[i].week, "sessions.csv");
        assert_true(sim_sessions_read(path, &names, &s, to));
        path_of(path, sizeof path, cases[i].week, "loads.csv");
        assert_true(sim_loads_read(path, &names, &l, to));
        fclose(to);
        assert_string_equal(told, ""); /* no overlaps either */
        assert_int_equal(s.n, cases[i].sessions);
        for (int k = 0; k < s.n; k++) {
            energy_wh += s.list[k].energy_wh;
            assert_in_range(s.list[k].connector, 0, cases[i].connectors - 1);
        }
        for (int k = 0; k < l.n; k++)
            for (int p = 0; p < SITE_PHASES; p++)
                if (l.list[k].i_ma[p] > most_ma[l.list[k].circuit])
                    most_ma[l.list[k].circuit] = l.list[k].i_ma[p];
        assert_int_equal(energy_wh, cases[i].energy_wh);
        assert_memory_equal(most_ma, cases[i].most_ma, sizeof most_ma);
        free(s.list);
        free(l.list);
        free(told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_another_seed),
        cmocka_unit_test(test_what_the_readme_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
