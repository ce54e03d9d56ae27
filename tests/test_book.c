/* SPDX-License-Identifier: Apache-2.0 */
/* The book of sessions: the energy that it makes of what registers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "run/book.h"

enum { BEGIN_S = 1800000000, NONE = -1 };

/* A connector of 16 A: 11 kW. */
static struct site_connector site_connector = {.max_ma = 16000};
static struct conf_charger charger = {.id = "CP-01", .n = 1};
static struct conf_connector connector = {.number = 1, .cid = "CP-01_1"};
static const struct config conf = {
    .price_cents = 40,
    .site = {.n_connectors = 1,
             .n_chargers = 1,
             .connectors = &site_connector,
             .voltage_mv = 230000},
    .chargers = &charger,
    .connectors = &connector,
};

static int64_t told_wh; /* of the session of the last tell() */

static bool tell(struct book *b, struct ocpp_session s)
{
    return book_session(b, &s, &told_wh);
}

static void energy(void **state)
{
    static const struct {
        const char *what;
        int64_t begin_wh; /* NONE: not told */
        struct {
            int64_t after_s, wh;
        } values[6]; /* up to the one at 0 s */
        int64_t energy_wh;
    } rows[] = {
        {"a register that rises", 5000, {{60, 5100}, {120, 5200}}, 200},
        {"no value at the begin: from the first one on",
         NONE,
         {{60, 5100}, {120, 5200}},
         100},
        {"whole kWh", 5000, {{60, 5000}, {120, 6000}}, 1000},
        {"reset to 0 under way", 5000, {{60, 5100}, {120, 0}, {180, 100}}, 200},
        {"a 0 between good values",
         900000,
         {{60, 900100}, {120, 0}, {180, 900200}, {240, 900300}},
         200},
        {"two of them",
         900000,
         {{60, 900100}, {70, 0}, {80, 0}, {90, 900200}, {100, 900210}},
         110},
        {"0 at the begin of a register that is not",
         0,
         {{60, 900100}, {120, 900200}},
         100},
        {"hours without a connection", 5000, {{7200, 25000}}, 20000},
        {"more than can have flowed in an hour",
         5000,
         {{3600, 30000}, {3660, 30100}},
         100},
        {"our clock was put back",
         5000,
         {{60, 5100}, {-3600, 5200}, {-3540, 5300}},
         300},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct book *b = book_new(&conf, NULL, BEGIN_S);

        assert_non_null(b);
        tell(b, (struct ocpp_session){.begins = true,
                                      .transaction = book_next_transaction(b),
                                      .utc_s = BEGIN_S,
                                      .register_wh = rows[i].begin_wh == NONE
                                                         ? EVENT_NO_ENERGY
                                                         : rows[i].begin_wh});
        for (int k = 0; k < 6 && rows[i].values[k].after_s; k++)
            book_energy(b, 0, rows[i].values[k].wh,
                        BEGIN_S + rows[i].values[k].after_s);
        if (book_at(b, 0)->energy_wh != rows[i].energy_wh)
            fail_msg("%s: %lld Wh, not %lld", rows[i].what,
                     (long long)book_at(b, 0)->energy_wh, (long long)rows[i].energy_wh);
        book_free(b);
    }
}

/* Its last value comes with its end. */
static void the_end_counts(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);

    (void)state;
    assert_non_null(b);
    tell(b, (struct ocpp_session){
                .begins = true, .transaction = 7, .utc_s = BEGIN_S, .register_wh = 10});
    assert_true(book_at(b, 0)->active);
    tell(b, (struct ocpp_session){
                .transaction = 7, .utc_s = BEGIN_S + 3600, .register_wh = 8010});
    assert_false(book_at(b, 0)->active);
    assert_int_equal(book_at(b, 0)->energy_wh, 8000);
    book_free(b);
}

/* Transactions that have names instead of ids: none is taken for another. */
static void names(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session first = {.begins = true,
                                 .transaction = 7,
                                 .name = "a",
                                 .utc_s = BEGIN_S,
                                 .register_wh = 1000};
    struct ocpp_session next = {.begins = true,
                                .resumed = true,
                                .nameless = true,
                                .transaction = 8,
                                .name = "b",
                                .utc_s = BEGIN_S + 700,
                                .register_wh = 3000};
    struct ocpp_session end = {.late = true,
                               .transaction = -1,
                               .name = "a",
                               .utc_s = BEGIN_S + 600,
                               .register_wh = 2900};

    (void)state;
    assert_true(tell(b, first));
    assert_int_equal(book_open(b, 0, "a"), 7);
    assert_int_equal(book_open(b, 0, "b"), 0);
    assert_true(tell(b, next));
    assert_int_equal(book_at(b, 0)->transaction, 8);
    assert_true(tell(b, end));
    assert_int_equal(told_wh, 1900);
    assert_true(book_at(b, 0)->active);
    end.name[0] = 'c';
    assert_false(tell(b, end));
    /* one that was begun by a version that kept no names gets its own */
    next.transaction = first.transaction = 9;
    first.name[0] = '\0';
    assert_true(tell(b, first));
    assert_int_equal(book_open(b, 0, "b"), 9);
    assert_true(tell(b, next));
    assert_int_equal(book_at(b, 0)->transaction, 9);
    assert_string_equal(book_at(b, 0)->name, "b");
    book_free(b);
}

/* A charger that restarts says nothing of an end, or says it late: nothing is lost. */
static void a_reboot_loses_nothing(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session begins = {
        .begins = true, .transaction = 7, .utc_s = BEGIN_S, .register_wh = 1000};
    struct ocpp_session over = {.transaction = 7,
                                .utc_s = BEGIN_S + 700,
                                .register_wh = EVENT_NO_ENERGY,
                                .reason = "Reboot"};
    struct ocpp_session late = {.late = true,
                                .transaction = 7,
                                .utc_s = BEGIN_S + 650,
                                .register_wh = 2900,
                                .reason = "PowerLoss"};

    (void)state;
    assert_true(tell(b, begins));
    book_energy(b, 0, 2500, BEGIN_S + 600);
    assert_true(tell(b, over));
    assert_int_equal(told_wh, 1500);
    assert_true(tell(b, late)); /* the true end */
    assert_int_equal(told_wh, 1900);
    assert_false(book_at(b, 0)->active);

    /* ... also when the next one has begun before it comes */
    begins.transaction = 8;
    begins.utc_s += 1000;
    begins.register_wh = 2900;
    assert_true(tell(b, begins));
    over.transaction = 8;
    over.utc_s = BEGIN_S + 1100;
    assert_true(tell(b, over));
    begins.transaction = 9;
    begins.utc_s = BEGIN_S + 1200;
    begins.register_wh = 3300;
    assert_true(tell(b, begins));
    late.transaction = 8;
    late.utc_s = BEGIN_S + 1150;
    late.register_wh = 3300;
    assert_true(tell(b, late));
    assert_int_equal(told_wh, 400);
    assert_true(book_at(b, 0)->active);
    assert_int_equal(book_at(b, 0)->transaction, 9);
    late.transaction = 7777; /* nobody's */
    assert_false(tell(b, late));
    assert_true(book_at(b, 0)->active);
    book_free(b);
}

/* Its charger has forgotten it while we were away, and says that nobody is there. */
static void vacant(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session begins = {
        .begins = true, .transaction = 7, .utc_s = BEGIN_S, .register_wh = 1000};
    struct ocpp_session late = {.late = true,
                                .transaction = 7,
                                .utc_s = BEGIN_S + 650,
                                .register_wh = 2900,
                                .reason = "PowerLoss"};

    (void)state;
    assert_true(tell(b, begins));
    for (int s = 700; s < 760; s++)
        assert_false(book_vacant(b, 0, true, BEGIN_S + s));
    assert_false(book_vacant(b, 0, false, BEGIN_S + 760)); /* it was not so */
    for (int s = 800; s < 860; s++)
        assert_false(book_vacant(b, 0, true, BEGIN_S + s));
    assert_true(book_at(b, 0)->active);
    assert_true(book_vacant(b, 0, true, BEGIN_S + 860));
    assert_false(book_at(b, 0)->active);
    assert_false(book_vacant(b, 0, true, BEGIN_S + 861));
    assert_true(tell(b, late)); /* the true end all the same */
    assert_int_equal(told_wh, 1900);
    book_free(b);
}

/* A StartTransaction whose answer was lost, because we were: no energy counts twice. */
static void told_again(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session s = {.begins = true,
                             .transaction = 7,
                             .tag = "T",
                             .utc_s = BEGIN_S,
                             .register_wh = 1000};

    (void)state;
    assert_true(tell(b, s));
    book_energy(b, 0, 1500, BEGIN_S + 60);
    s.transaction = 8;
    assert_true(tell(b, s));
    book_energy(b, 0, 1600, BEGIN_S + 70);
    assert_int_equal(book_at(b, 0)->transaction, 8);
    assert_int_equal(book_at(b, 0)->energy_wh, 600);
    s = (struct ocpp_session){.late = true,
                              .transaction = 7,
                              .utc_s = BEGIN_S + 80,
                              .register_wh = EVENT_NO_ENERGY};
    assert_true(tell(b, s));
    assert_int_equal(told_wh, 0);
    book_free(b);
}

/* Chargers that name no transaction go on with the one that is open. */
static void nameless(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session s = {.begins = true, .transaction = 7, .utc_s = BEGIN_S};

    (void)state;
    assert_true(tell(b, s));
    s = (struct ocpp_session){
        .begins = true, .resumed = true, .nameless = true, .transaction = 8};
    assert_true(tell(b, s));
    assert_int_equal(book_at(b, 0)->transaction, 7);
    s.nameless = false; /* it has another name: another one */
    assert_true(tell(b, s));
    assert_int_equal(book_at(b, 0)->transaction, 8);
    book_free(b);
}

/* Told later: the first tag that may charge is the session's. */
static void whose_it_is(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    struct ocpp_session s = {.begins = true, .transaction = 7, .utc_s = BEGIN_S};
    struct ocpp_session told = {.tagged = true, .transaction = 7, .refused = true};

    (void)state;
    strcpy(told.tag, "X");
    assert_false(tell(b, told)); /* there is none */
    assert_true(tell(b, s));
    assert_true(tell(b, told));
    assert_true(book_at(b, 0)->refused);
    told.refused = false;
    strcpy(told.tag, "123456789012345678901234567890123456");
    assert_true(tell(b, told));
    assert_string_equal(book_at(b, 0)->tag, told.tag);
    assert_false(book_at(b, 0)->refused);
    strcpy(told.tag, "ANNA");
    assert_false(tell(b, told));
    strcpy(s.tag, "ANNA");
    s.begins = false;
    assert_true(tell(b, s)); /* another one ends it */
    assert_string_equal(book_at(b, 0)->tag, "123456789012345678901234567890123456");

    s.begins = true;
    s.transaction = 8;
    *s.tag = '\0';
    assert_true(tell(b, s));
    s.begins = false;
    strcpy(s.tag, "BERT"); /* nobody else was told */
    assert_true(tell(b, s));
    assert_string_equal(book_at(b, 0)->tag, "BERT");
    book_free(b);
}

/* New after each restart, and never where the ids of others are. */
static void ids(void **state)
{
    struct book *b = book_new(&conf, NULL, BEGIN_S);
    int32_t first = book_next_transaction(b);

    (void)state;
    tell(b, (struct ocpp_session){.begins = true, .transaction = INT32_MAX});
    assert_int_equal(book_next_transaction(b), first + 1);
    book_free(b);
    b = book_new(&conf, NULL, BEGIN_S + 10);
    assert_true(book_next_transaction(b) > first + 1);
    book_free(b);
}

/* What a session may have at most: told once, again when more was allowed. */
static void enough(void **state)
{
    static const struct {
        const char *what;
        struct conf_most most;
        int64_t wh, after_s;
        const char *text; /* NULL: not yet */
    } rows[] = {
        {"nothing said", {0}, 100000, 86400, NULL},
        {"energy, not yet", {.wh = 20000}, 19999, 60, NULL},
        {"energy", {.wh = 20000}, 20000, 60, "its 20 kWh"},
        {"time, not yet", {.s = 7200}, 1, 7199, NULL},
        {"time", {.s = 7200}, 1, 7200, "its 2 hours"},
        {"money, not yet", {.milli = 5000}, 12499, 60, NULL},
        {"money", {.milli = 5000}, 12500, 60, "what it may cost, 5.00"},
        {"the first of them", {.wh = 30000, .milli = 5000}, 12500, 60, "what it may"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct book *b = book_new(&conf, NULL, BEGIN_S);
        const char *is;
        char text[48];

        book_most(b, 0, &rows[i].most); /* before the car came */
        tell(b,
             (struct ocpp_session){.begins = true, .transaction = 7, .utc_s = BEGIN_S});
        book_energy(b, 0, 0, BEGIN_S);
        for (int64_t wh = 1000; wh < rows[i].wh; wh += 1000)
            book_energy(b, 0, wh, BEGIN_S);
        book_energy(b, 0, rows[i].wh, BEGIN_S);
        is = book_enough(b, 0, BEGIN_S + rows[i].after_s, text);
        if (!is != !rows[i].text || (is && !strstr(is, rows[i].text)))
            fail_msg("%s: %s", rows[i].what, is ? is : "nothing");
        assert_null(book_enough(b, 0, BEGIN_S + rows[i].after_s, text));
        if (is) {
            book_most(b, 0, &rows[i].most);
            assert_non_null(book_enough(b, 0, BEGIN_S + rows[i].after_s, text));
        }
        tell(b, (struct ocpp_session){.transaction = 7,
                                      .utc_s = BEGIN_S + 9,
                                      .register_wh = EVENT_NO_ENERGY});
        assert_int_equal(book_at(b, 0)->most.wh, 0); /* not for the next one */
        book_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy),      cmocka_unit_test(the_end_counts),
        cmocka_unit_test(names),       cmocka_unit_test(a_reboot_loses_nothing),
        cmocka_unit_test(told_again),  cmocka_unit_test(nameless),
        cmocka_unit_test(whose_it_is), cmocka_unit_test(ids),
        cmocka_unit_test(enough),      cmocka_unit_test(vacant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
