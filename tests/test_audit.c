/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand audit: sound recordings pass, whatever happened in them; a decision that
 * was changed and a rule that was broken are found. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "audit_world.h"
#include "cmd/audit.h"

static char dir[] = "/tmp/chargehand-audit-XXXXXX";
static char path[64], older[80];
static uint64_t seed;

static void audit_path(struct audit *a, const char *file)
{
    FILE *f = fopen(file, "r");

    assert_non_null(f);
    assert_int_equal(audit_stream(a, f, file), 0);
    fclose(f);
}

static void assert_good(struct audit *a)
{
    audit_end(a);
    if (!audit_good(a))
        audit_print(a, stderr);
    assert_true(audit_good(a));
}

static struct aw *world(uint64_t of, int64_t max_bytes)
{
    struct aw *w = malloc(sizeof *w);

    unlink(path);
    unlink(older);
    aw_init(w, of);
    w->journal = journal_open(path, max_bytes, NULL, NULL);
    return w;
}

static void end_world(struct aw *w)
{
    aw_free(w);
    free(w);
}

/* ---- sound recordings ---- */

/* Worlds in which something was wrong once. */
static const uint64_t odd_seeds[] = {
    1019, /* a set point raised by an old target while the meter was over its limit */
};

static void what_was_recorded_is_decided_again(void **state)
{
    enum { ODD = sizeof odd_seeds / sizeof *odd_seeds };
    long events = 0, orders = 0;

    (void)state;
    for (uint64_t i = 0; i < ODD + 40; i++) {
        uint64_t s = i < ODD ? odd_seeds[i] : seed + i;
        struct aw *w = world(s, 0);
        struct audit a = {0};

        w->quiet = i >= ODD && i % 4 == 0;
        aw_run(w, 4000);
        events += w->events;
        orders += w->n_orders;
        journal_close(w->journal);
        w->journal = NULL;
        audit_path(&a, path);
        if (!audit_good(&a)) {
            print_message("seed %" PRIu64 "\n", s);
            if (getenv("KEEP"))
                rename(path, getenv("KEEP"));
        }
        assert_good(&a);
        assert_int_equal(a.events, w->events);
        assert_int_equal(a.orders, w->n_orders);
        assert_int_equal(a.parts, 2); /* the second hour */
        assert_int_equal(a.skipped, 0);
        end_world(w);
    }
    print_message("%ld events, %ld orders\n", events, orders);
}

/* The newest two files of many, each of which must stand alone, too. */
static void a_ring_of_files_is_reckoned_over_its_seam(void **state)
{
    struct aw *w = world(seed, 200000);
    struct audit both = {0}, one = {0};
    struct stat st;
    long parts;

    (void)state;
    aw_run(w, 12000);
    journal_close(w->journal);
    w->journal = NULL;
    assert_int_equal(stat(older, &st), 0);
    assert_true(st.st_size < 300000);
    audit_path(&both, older);
    parts = both.parts;
    audit_path(&both, path);
    assert_true(both.parts > parts);
    assert_good(&both);
    assert_int_equal(both.skipped, 0);
    audit_path(&one, path);
    assert_good(&one);
    assert_int_equal(one.skipped, 0);
    assert_true(one.events > 0 && one.events < both.events);
    end_world(w);
}

/* The state at a part's beginning is compared with what was reckoned up to there. */
static void a_memory_that_has_changed_between_parts_is_found(void **state)
{
    struct aw *w = world(seed, 0);
    struct audit a = {0};
    struct event odd = {.kind = EVENT_PRIORITY, .priority = 3};
    struct order out[256];

    (void)state;
    aw_run(w, 100);
    odd.at_ms = w->now_ms;
    control_step(w->control, &odd, out); /* past the journal */
    aw_run(w, 3700);
    journal_close(w->journal);
    w->journal = NULL;
    audit_path(&a, path);
    audit_end(&a);
    assert_true(a.found[AUDIT_DIFFERENCE] > 0);
    end_world(w);
}

static void reload_and_restart_are_survived(void **state)
{
    struct aw *w = world(seed + 1, 0);
    struct audit a = {0};

    (void)state;
    aw_run(w, 500);
    aw_reload(w);
    aw_run(w, 500);
    journal_close(w->journal);
    w->journal = journal_open(path, 0, NULL, NULL);
    aw_restart(w);
    aw_run(w, 500);
    aw_reload(w);
    aw_run(w, 500);
    journal_close(w->journal);
    w->journal = NULL;
    audit_path(&a, path);
    assert_good(&a);
    assert_int_equal(a.parts, 4);
    assert_int_equal(a.events, w->events);
    assert_int_equal(a.orders, w->n_orders);
    end_world(w);
}

/* ---- bent recordings ---- */

/* What is changed in the n-th order that fits. */
struct bend {
    const char *what;
    bool (*fits)(const struct order *o, struct aw *w);
    void (*change)(struct order *o, struct aw *w);
    bool drop, always; /* the order is left out; all that fit */
    const char *says;  /* in the text of a breach; NULL = a difference only */
    struct aw *w;
    int left;
    long bent;
};

static bool limit(const struct order *o, struct aw *w)
{
    (void)w;
    return o->kind == ORDER_LIMIT;
}

static bool charging(const struct order *o, struct aw *w)
{
    (void)w;
    return o->kind == ORDER_LIMIT && o->limit_ma > 0;
}

static bool cut(const struct order *o, struct aw *w)
{
    struct connector_view v;

    if (o->kind != ORDER_LIMIT)
        return false;
    control_connector(w->control, o->who, &v);
    return v.exposure_ma > o->limit_ma;
}

static bool renewal(const struct order *o, struct aw *w)
{
    (void)w;
    return o->kind == ORDER_LIMIT && o->renewal;
}

static bool notice(const struct order *o, struct aw *w)
{
    (void)w;
    return o->kind == ORDER_NOTICE;
}

static void one_more(struct order *o, struct aw *w)
{
    (void)w;
    o->limit_ma += w->connectors[o->who].step_ma;
    if (o->limit_ma > w->connectors[o->who].max_ma)
        o->limit_ma -= 2 * w->connectors[o->who].step_ma;
    if (o->limit_ma < w->connectors[o->who].min_ma)
        o->limit_ma = w->connectors[o->who].min_ma;
}

static void too_much(struct order *o, struct aw *w)
{
    o->limit_ma = w->connectors[o->who].max_ma + 100;
}

static void too_little(struct order *o, struct aw *w)
{
    o->limit_ma = w->connectors[o->who].min_ma - 100;
}

static void the_maximum(struct order *o, struct aw *w)
{
    o->limit_ma = w->connectors[o->who].max_ma;
}

static void long_lease(struct order *o, struct aw *w)
{
    (void)w;
    o->lease_ms *= 2;
}

static void odd_number(struct order *o, struct aw *w)
{
    (void)w;
    o->seq += 7;
}

static void other_reason(struct order *o, struct aw *w)
{
    (void)w;
    o->why.reason = (enum reason)((o->why.reason + 1) % REASON_COUNT);
}

static bool bend(void *arg, const struct event *e, struct order *o)
{
    struct bend *b = arg;

    (void)e;
    if (!b->fits(o, b->w) || (!b->always && (b->left < 0 || b->left-- > 0)))
        return true;
    b->bent++;
    if (b->change)
        b->change(o, b->w);
    return !b->drop;
}

static bool has_breach(const struct audit *a, const char *text)
{
    for (int i = 0; i < a->n_kept; i++)
        if (a->kept[i].kind == AUDIT_BREACH && strstr(a->kept[i].text, text))
            return true;
    return false;
}

static const struct bend bends[] = {
    {.what = "one step more", .fits = charging, .change = one_more},
    {.what = "another reason", .fits = limit, .change = other_reason},
    {.what = "an order left out", .fits = limit, .drop = true},
    {.what = "a notice left out", .fits = notice, .drop = true},
    {.what = "above the maximum",
     .fits = charging,
     .change = too_much,
     .says = "its maximum is"},
    {.what = "below the minimum",
     .fits = charging,
     .change = too_little,
     .says = "between 0 and its minimum"},
    {.what = "a long lease",
     .fits = charging,
     .change = long_lease,
     .says = "a lease of"},
    {.what = "an odd number",
     .fits = limit,
     .change = odd_number,
     .says = "after number"},
    {.what = "as much as it can",
     .fits = charging,
     .change = the_maximum,
     .always = true,
     .says = "may then carry"},
    {.what = "never lowered",
     .fits = cut,
     .drop = true,
     .always = true,
     .says = "leaves"},
    {.what = "never renewed",
     .fits = renewal,
     .drop = true,
     .always = true,
     .says = "was not renewed"},
};

static void a_bent_decision_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bends / sizeof *bends; i++) {
        int found = 0;

        /* some need a world in which it matters */
        for (uint64_t s = 0; s < 6 || (found == 0 && s < 60); s++) {
            struct aw *w = world(seed + s, 0);
            struct bend b = bends[i];
            struct audit a = {0};

            w->quiet = true;
            b.w = w;
            b.left = (int)s * 3;
            w->bend = bend;
            w->bend_arg = &b;
            aw_run(w, 2400);
            journal_close(w->journal);
            w->journal = NULL;
            audit_path(&a, path);
            audit_end(&a);
            assert_true(!b.bent || a.found[AUDIT_DIFFERENCE] > 0);
            assert_int_equal(a.found[AUDIT_DAMAGE], 0);
            found += b.says ? has_breach(&a, b.says) : b.bent > 0;
            end_world(w);
        }
        print_message("%s: found in %d worlds\n", bends[i].what, found);
        assert_true(found > 0);
    }
}

/* ---- the ledger by itself: two connectors on 20 A ---- */

static const struct site_circuit two_circuits[] = {{.name = "grid",
                                                    .parent = SITE_NONE,
                                                    .limit_ma = {20000, 20000, 20000},
                                                    .meter = SITE_NONE}};
#define TWO(n)                                                                         \
    {                                                                                  \
        .name = n, .wiring = {0, 1, 2}, .min_ma = 6000, .max_ma = 16000,               \
        .step_ma = 100, .weight = 1                                                    \
    }
static const struct site_connector two_connectors[] = {TWO("a"), TWO("b")};
static const struct site_charger two_chargers[] = {{"A"}};

struct act {
    int64_t at_s;
    int32_t who, ma;      /* an order ... */
    enum answer answer;   /* ... and what becomes of it, 1 s later */
    bool decrease_behind; /* a second order in the same step: the other one, to 0 */
};

static void count(void *arg, const char *text)
{
    int *n = arg;

    ++*n;
    print_message("    %s\n", text);
}

enum { T0_S = 10 };

static void order_in_ledger(struct ledger *l, uint32_t seq, int who, int32_t ma)
{
    struct order o = {.kind = ORDER_LIMIT, .who = who, .seq = seq, .limit_ma = ma};

    o.lease_ms = 60000;
    ledger_order(l, &o);
}

static void the_ledger_knows_the_rules(void **state)
{
    static const struct {
        const char *what;
        struct act act[5];
        int breaches;
    } cases[] = {
        {"both fit", {{1, 0, 10000, 0, 0}, {3, 1, 10000, 0, 0}}, 0},
        {"they do not", {{1, 0, 10000, 0, 0}, {3, 1, 10100, 0, 0}}, 3},
        {"a decrease that is not confirmed",
         {{1, 0, 16000, 0, 0}, {20, 0, 6000, ANSWER_NONE, 0}, {40, 1, 10000, 0, 0}},
         3},
        {"a decrease that was refused",
         {{1, 0, 16000, 0, 0}, {20, 0, 6000, ANSWER_REJECTED, 0}, {40, 1, 10000, 0, 0}},
         3},
        {"a decrease that has not had its time",
         {{1, 0, 16000, 0, 0}, {20, 0, 6000, 0, 0}, {25, 1, 10000, 0, 0}},
         3},
        {"a decrease that has",
         {{1, 0, 16000, 0, 0}, {20, 0, 6000, 0, 0}, {28, 1, 10000, 0, 0}},
         0},
        {"a lease that has ended",
         {{1, 0, 16000, ANSWER_NONE, 0}, {62, 1, 10000, 0, 0}},
         0},
        {"a lease that may not have",
         {{1, 0, 16000, ANSWER_NONE, 0}, {60, 1, 10000, 0, 0}},
         3},
        {"lowered behind a raise", {{1, 1, 6000, 0, 0}, {20, 0, 10000, 0, true}}, 1},
    };
    struct site site = {.name = "two",
                        .voltage_mv = 230000,
                        .lease_ms = 60000,
                        .settle_ms = 6000,
                        .n_circuits = 1,
                        .n_connectors = 2,
                        .n_chargers = 1,
                        .circuits = two_circuits,
                        .connectors = two_connectors,
                        .chargers = two_chargers};
    void *mem = malloc(control_size(&site));
    struct control *k = control_init(mem, &site, 0, 0);
    struct order out[32];
    struct event up = {.kind = EVENT_LINK, .link = {true, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int breaches = 0;
        uint32_t seq = 0;
        struct ledger *l = ledger_new(&site, k, 0, count, &breaches);
        struct event tick = {.kind = EVENT_TICK};

        print_message("%s\n", cases[i].what);
        ledger_event(l, &up);
        for (int c = 0; c < 2; c++) { /* both hold 0 for sure */
            struct event accepted = {.kind = EVENT_ANSWER, .who = c};

            order_in_ledger(l, ++seq, c, 0);
            accepted.answer.seq = seq;
            ledger_event(l, &accepted);
        }
        tick.at_ms = T0_S * 1000;
        ledger_event(l, &tick);
        ledger_step_end(l);
        for (const struct act *x = cases[i].act; x->at_s; x++) {
            struct event answer = {.at_ms = (T0_S + x->at_s) * 1000 + 1000,
                                   .kind = EVENT_ANSWER,
                                   .who = x->who,
                                   .answer = {seq + 1, x->answer}};

            tick.at_ms = (T0_S + x->at_s) * 1000;
            ledger_event(l, &tick);
            order_in_ledger(l, ++seq, x->who, x->ma);
            if (x->decrease_behind)
                order_in_ledger(l, ++seq, !x->who, 0);
            ledger_step_end(l);
            ledger_event(l, &answer);
            ledger_step_end(l);
        }
        assert_int_equal(breaches, cases[i].breaches);
        ledger_free(l);
    }
    (void)out;
    free(mem);
}

static int setup(void **state)
{
    const char *text = getenv("SEED");

    (void)state;
    seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %" PRIu64 " (SEED=... repeats it)\n", seed);
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/journal", dir);
    snprintf(older, sizeof older, "%s.1", path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(older);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_knows_the_rules),
        cmocka_unit_test(what_was_recorded_is_decided_again),
        cmocka_unit_test(a_ring_of_files_is_reckoned_over_its_seam),
        cmocka_unit_test(a_memory_that_has_changed_between_parts_is_found),
        cmocka_unit_test(reload_and_restart_are_survived),
        cmocka_unit_test(a_bent_decision_is_found),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
