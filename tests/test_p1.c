/* SPDX-License-Identifier: Apache-2.0 */
/* Telegrams of the P1 port: whole, in single bytes, damaged, between garbage; what they
 * tell in the Netherlands, Belgium and Sweden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/p1.h"

#define NO EVENT_NO_VALUE

/* The example of the DSMR 5.0.2 P1 companion standard. Its printed check sum is not
 * that of the text beside it; this is. */
static const char example[] =
    "/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(101209113020W)\r\n"
    "0-0:96.1.1(4B384547303034303436333935353037)\r\n1-0:1.8.1(123456.789*kWh)\r\n"
    "1-0:1.8.2(123456.789*kWh)\r\n1-0:2.8.1(123456.789*kWh)\r\n"
    "1-0:2.8.2(123456.789*kWh)\r\n0-0:96.14.0(0002)\r\n1-0:1.7.0(01.193*kW)\r\n"
    "1-0:2.7.0(00.000*kW)\r\n0-0:96.7.21(00004)\r\n0-0:96.7.9(00002)\r\n"
    "1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)"
    "(0000000301*s)\r\n1-0:32.32.0(00002)\r\n1-0:52.32.0(00001)\r\n"
    "1-0:72.32.0(00000)\r\n1-0:32.36.0(00000)\r\n1-0:52.36.0(00003)\r\n"
    "1-0:72.36.0(00000)\r\n0-0:96.13.0(303132333435363738393A3B3C3D3E3F30313233343536"
    "3738393A3B3C3D3E3F303132333435363738393A3B3C3D3E3F303132333435363738393A3B3C3D3E"
    "3F303132333435363738393A3B3C3D3E3F)\r\n1-0:32.7.0(220.1*V)\r\n"
    "1-0:52.7.0(220.2*V)\r\n1-0:72.7.0(220.3*V)\r\n1-0:31.7.0(001*A)\r\n"
    "1-0:51.7.0(002*A)\r\n1-0:71.7.0(003*A)\r\n1-0:21.7.0(01.111*kW)\r\n"
    "1-0:41.7.0(02.222*kW)\r\n1-0:61.7.0(03.333*kW)\r\n1-0:22.7.0(04.444*kW)\r\n"
    "1-0:42.7.0(05.555*kW)\r\n1-0:62.7.0(06.666*kW)\r\n0-1:24.1.0(003)\r\n"
    "0-1:96.1.0(3232323241424344313233343536373839)\r\n"
    "0-1:24.2.1(101209112500W)(12785.123*m3)\r\n!E47C\r\n";

static struct meter_reading read_last; /* from the last good telegram */

/* Feeds it all; the last thing that was complete, and how many good ones there were. */
static enum p1_result feed(struct p1 *p, const char *bytes, size_t n, size_t step,
                           int *good)
{
    enum p1_result result, last = P1_MORE;

    *good = 0;
    for (size_t at = 0; at < n;) {
        size_t most = n - at < step ? n - at : step;
        size_t took = p1_feed(p, bytes + at, most, &result);

        assert_in_range(took, 1, most);
        at += took;
        *good += result == P1_TELEGRAM;
        if (result == P1_TELEGRAM)
            p1_parse(p->text, &read_last);
        if (result != P1_MORE)
            last = result;
    }
    return last;
}

static void test_sum(void **state)
{
    (void)state;
    assert_int_equal(p1_sum("123456789", 9), 0xBB3D); /* CRC-16/ARC */
}

static void test_example(void **state)
{
    static struct p1 p;
    struct meter_reading r;
    int good;

    (void)state;
    for (size_t step = 1; step < sizeof example; step = step * 2 + 1) {
        assert_int_equal(feed(&p, example, sizeof example - 1, step, &good),
                         P1_TELEGRAM);
        assert_int_equal(good, 1);
        r = read_last;
        assert_int_equal(r.v_mv[0], 220100);
        assert_int_equal(r.v_mv[2], 220300);
        assert_int_equal(r.p_phase_w[0], -3333);
        assert_int_equal(r.i_ma[0], -15143); /* from power and voltage: exported */
        assert_int_equal(r.p_w, 1193);
        assert_int_equal(r.import_wh, 246913578);
        assert_int_equal(r.export_wh, 246913578);
    }
}

/* No telegram in which one bit has changed is taken for good. */
static void test_every_bit(void **state)
{
    static struct p1 p;
    char damaged[sizeof example];
    size_t n = sizeof example - 3; /* the line's end does not count */
    int good, total = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        memcpy(damaged, example, sizeof example);
        damaged[bit / 8] = (char)(damaged[bit / 8] ^ 1 << bit % 8);
        feed(&p, damaged, sizeof example - 1, 64, &good);
        total += good;
    }
    /* but for the letters of the sum, where small ones say the same */
    assert_int_equal(total, 2);
}

static void test_broken(void **state)
{
    static const struct {
        const char *what, *bytes;
        enum p1_result last;
        int good;
    } table[] = {
        {"nothing", "", P1_MORE, 0},
        {"garbage", "1-0:1.7.0(01.193*kW)\r\n!1234\r\n", P1_MORE, 0},
        {"the shortest", "/!28DC", P1_TELEGRAM, 1},
        {"wrong sum", "/!28DD", P1_BAD_SUM, 0},
        {"an old meter's", "/ISk5\r\n!\r\n", P1_NO_SUM, 0},
        {"a sum of three digits", "/!28D\r\n", P1_BAD_SUM, 0},
        {"no digits", "/!xyz", P1_NO_SUM, 0},
        {"two of them", "/!28DC\r\n/!28DC\r\n", P1_TELEGRAM, 2},
        {"cut off, then one", "/ISk5\r\n1-0:32/!28DC\r\n", P1_TELEGRAM, 1},
        {"cut off in its sum", "/!28/!28DC", P1_TELEGRAM, 1},
        {"garbage between", "/!28DC\xff\xfe!12\r\nxx/!28DCx", P1_TELEGRAM, 2},
        {"after a wrong sum", "/!28DD\r\n/!28DC", P1_TELEGRAM, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t step = 1; step < 9; step++) {
            static struct p1 p;
            int good;
            enum p1_result last;

            memset(&p, 0, sizeof p);
            last = feed(&p, table[i].bytes, strlen(table[i].bytes), step, &good);
            if (last != table[i].last || good != table[i].good)
                fail_msg("%s, %zu at a time: %d, %d good", table[i].what, step, last,
                         good);
        }
}

static void test_too_long(void **state)
{
    static struct p1 p;
    static char endless[3 * P1_MAX];
    int good;

    (void)state;
    memset(endless, 'x', sizeof endless);
    endless[0] = '/';
    assert_int_equal(feed(&p, endless, sizeof endless, 1000, &good), P1_TOO_LONG);
    assert_int_equal(good, 0);
    assert_int_equal(feed(&p, "/!28DC", 6, 6, &good), P1_TELEGRAM);
    assert_int_equal(feed(&p, "/a\0b!", 5, 5, &good), P1_BAD_SUM);
}

/* clang-format off */
static const struct {
    const char *what, *text;
    int32_t v_mv[3], i_ma[3], p_phase_w[3], p_w;
    int64_t import_wh, export_wh;
} tells[] = {
    {"Netherlands, three phases: whole amperes",
     "/KFM5\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(004426.000*kWh)\r\n1-0:1.8.2(000399.000*kWh)\r\n"
     "1-0:2.8.1(000002.444*kWh)\r\n1-0:2.8.2(000000.000*kWh)\r\n1-0:1.7.0(01.610*kW)\r\n"
     "1-0:2.7.0(00.000*kW)\r\n1-0:32.7.0(230.0*V)\r\n1-0:52.7.0(230.0*V)\r\n"
     "1-0:72.7.0(230.0*V)\r\n1-0:31.7.0(006*A)\r\n1-0:51.7.0(002*A)\r\n1-0:71.7.0(001*A)\r\n"
     "1-0:21.7.0(01.495*kW)\r\n1-0:41.7.0(00.000*kW)\r\n1-0:61.7.0(00.230*kW)\r\n"
     "1-0:22.7.0(00.000*kW)\r\n1-0:42.7.0(00.345*kW)\r\n1-0:62.7.0(00.000*kW)\r\n",
     {230000, 230000, 230000}, {6500, -1500, 1000}, {1495, -345, 230}, 1610,
     4825000, 2444},
    {"Belgium, three phases, the sun shines",
     "/FLU5\\253769484_A\r\n\r\n0-0:96.1.4(50217)\r\n1-0:1.8.1(000661.701*kWh)\r\n"
     "1-0:1.8.2(000776.784*kWh)\r\n1-0:2.8.1(000990.699*kWh)\r\n1-0:2.8.2(000423.681*kWh)\r\n"
     "1-0:1.7.0(00.000*kW)\r\n1-0:2.7.0(00.134*kW)\r\n1-0:21.7.0(00.000*kW)\r\n"
     "1-0:41.7.0(00.000*kW)\r\n1-0:61.7.0(00.438*kW)\r\n1-0:22.7.0(00.440*kW)\r\n"
     "1-0:42.7.0(00.002*kW)\r\n1-0:62.7.0(00.000*kW)\r\n1-0:32.7.0(236.9*V)\r\n"
     "1-0:52.7.0(240.8*V)\r\n1-0:72.7.0(239.9*V)\r\n1-0:31.7.0(002.09*A)\r\n"
     "1-0:51.7.0(000.91*A)\r\n1-0:71.7.0(002.03*A)\r\n",
     {236900, 240800, 239900}, {-1857, 910, 2030}, {-440, -2, 438}, -134,
     1438485, 1414380},
    {"one phase, which is all of it",
     "/FLU5\r\n1-0:1.7.0(00.524*kW)\r\n1-0:2.7.0(00.000*kW)\r\n1-0:32.7.0(231.6*V)\r\n"
     "1-0:31.7.0(002.72*A)\r\n",
     {231600, NO, NO}, {2720, NO, NO}, {524, NO, NO}, 524,
     EVENT_NO_ENERGY, EVENT_NO_ENERGY},
    {"Sweden: one count for all tariffs",
     "/ELL5\r\n1-0:1.8.0(00003778.093*kWh)\r\n1-0:2.8.0(00000000.000*kWh)\r\n"
     "1-0:1.7.0(0001.999*kW)\r\n1-0:2.7.0(0000.000*kW)\r\n1-0:21.7.0(0000.279*kW)\r\n"
     "1-0:41.7.0(0000.807*kW)\r\n1-0:61.7.0(0000.912*kW)\r\n1-0:32.7.0(235.2*V)\r\n"
     "1-0:52.7.0(235.9*V)\r\n1-0:72.7.0(237.0*V)\r\n1-0:31.7.0(002.0*A)\r\n"
     "1-0:51.7.0(003.6*A)\r\n1-0:71.7.0(003.9*A)\r\n",
     {235200, 235900, 237000}, {2000, 3600, 3900}, {279, 807, 912}, 1999, 3778093, 0},
    {"no voltage: the currents as told",
     "/XMX5\r\n1-0:31.7.0(005*A)\r\n1-0:51.7.0(004*A)\r\n1-0:71.7.0(016*A)\r\n"
     "1-0:21.7.0(01.111*kW)\r\n1-0:22.7.0(00.000*kW)\r\n1-0:41.7.0(00.000*kW)\r\n"
     "1-0:42.7.0(00.900*kW)\r\n",
     {NO, NO, NO}, {5000, -4000, 16000}, {1111, -900, NO}, NO,
     EVENT_NO_ENERGY, EVENT_NO_ENERGY},
    {"what is no number, or in another unit, is no value",
     "/XMX5\r\n1-0:31.7.0(*A)\r\n1-0:51.7.0(1e3*A)\r\n1-0:71.7.0(1.2.3*A)\r\n"
     "1-0:21.7.0(0-1*kW)\r\n1-0:41.7.0(00.500*W)\r\n1-0:61.7.0(12345678901234*kW)\r\n"
     "1-0:32.7.0(230*V\r\n1-0:52.7.0 230*V)\r\n1-0:72.7.0()\r\n1-0:1.7.0(00.5*kW)\r\n",
     {NO, NO, NO}, {NO, NO, NO}, {NO, NO, NO}, 500, EVENT_NO_ENERGY, EVENT_NO_ENERGY},
    {"too much is not little",
     "/XMX5\r\n1-0:21.7.0(999999999*kW)\r\n1-0:32.7.0(230*V)\r\n",
     {230000, NO, NO}, {INT32_MAX, NO, NO}, {INT32_MAX, NO, NO}, NO,
     EVENT_NO_ENERGY, EVENT_NO_ENERGY},
};
/* clang-format on */

static void test_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tells / sizeof tells[0]; i++) {
        struct meter_reading r;
        bool same;

        assert_true(p1_parse(tells[i].text, &r));
        same = memcmp(r.v_mv, tells[i].v_mv, sizeof r.v_mv) == 0 &&
               memcmp(r.i_ma, tells[i].i_ma, sizeof r.i_ma) == 0 &&
               memcmp(r.p_phase_w, tells[i].p_phase_w, sizeof r.p_phase_w) == 0 &&
               r.p_w == tells[i].p_w && r.import_wh == tells[i].import_wh &&
               r.export_wh == tells[i].export_wh;
        if (!same)
            fail_msg("%s: %d %d %d mA, %d %d %d W, %d W, %lld Wh", tells[i].what,
                     r.i_ma[0], r.i_ma[1], r.i_ma[2], r.p_phase_w[0], r.p_phase_w[1],
                     r.p_phase_w[2], r.p_w, (long long)r.import_wh);
    }
    struct meter_reading r;
    assert_false(p1_parse("/XMX5\r\n0-1:24.2.1(101209112500W)(12785.123*m3)\r\n!", &r));
    assert_false(p1_parse("", &r));
}

static void test_current(void **state)
{
    static const struct {
        const char *what;
        int32_t told_ma, p_w, v_mv, want;
    } table[] = {
        {"finer than told", 4000, 1012, 230000, 4400},
        {"rounded up by the meter: the safe side", 5000, 1035, 230000, 5000},
        {"reactive", 9000, 230, 230000, 9000},
        {"exported", 4000, -1012, 230000, -4400},
        {"exported, below half an ampere", 0, -100, 230000, -434},
        {"not clearly exported", 10000, -200, 230000, 10000},
        {"no power", 4000, NO, 230000, 4000},
        {"no current", NO, 1012, 230000, 4400},
        {"neither", NO, NO, 230000, NO},
        {"no voltage", 4000, -1012, NO, -4000},
        {"only power", NO, 1012, NO, NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int32_t ma = p1_current(table[i].told_ma, table[i].p_w, table[i].v_mv);

        if (ma != table[i].want)
            fail_msg("%s: %d", table[i].what, ma);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),       cmocka_unit_test(test_example),
        cmocka_unit_test(test_every_bit), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_too_long),  cmocka_unit_test(test_tells),
        cmocka_unit_test(test_current),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
