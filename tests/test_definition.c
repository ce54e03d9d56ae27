/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of meter definitions: what it takes and, rule by rule, what it refuses and
 * with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "meter/definition.h"
#include "meter/vector.h"

#define HEAD "format: 1\nid: x\nname: X\nkind: meter\n"
#define POINTS                                                                         \
    "points:\n"                                                                        \
    "  v: {at: [0, 1, 2]}\n"                                                           \
    "  i: {at: [3, 4, 5], sign: pp}\n"                                                 \
    "  pp: {at: [6, 7, 8], type: i16}\n"

static const struct {
    const char *what, *text, *errors;
} cases[] = {
    {"a sound one", HEAD POINTS, ""},
    {"rule 1: unknown key, with the nearest one", HEAD "limit: {max_regs: 5}\n" POINTS,
     "f:5:1: unknown key \"limit\" in the file, did you mean \"limits\"?\n"},
    {"rule 1: unknown key in a point", HEAD "points:\n  v: {at: [0, 1, 2], unti: V}\n",
     "f:6:22: unknown key \"unti\" in point \"v\", did you mean \"unit\"?\n"},
    {"rule 1: a key twice", HEAD "id: y\n" POINTS,
     "f:5:1: the key \"id\" is there twice\n"},
    {"rule 1: a point twice", HEAD POINTS "  v: {at: [9, 10, 11]}\n",
     "f:9:3: the key \"v\" is there twice\n"},
    {"rule 1: id is not the file's name",
     "format: 1\nid: y\nname: X\nkind: meter\n" POINTS,
     "f:2:5: \"id\" must be \"x\", as the file is named\n"},
    {"rule 1: another format", "format: 2\nid: x\nname: X\nkind: meter\n" POINTS,
     "f:1:9: \"format\" must be from 1 to 1\n"},
    {"rule 2: max_regs beyond what Modbus carries",
     HEAD "limits: {max_regs: 126}\n" POINTS,
     "f:5:20: \"max_regs\" must be from 1 to 125\n"},
    {"rule 2: a value wider than max_regs",
     HEAD "limits: {max_regs: 1}\ndefaults: {type: i32}\n"
          "points:\n  pp: {at: [6, 8, 10]}\n  i: {at: [0, 2, 4]}\n",
     "f:8:3: \"pp\" needs 2 registers in one request, max_regs is 1\n"
     "f:9:3: \"i\" needs 2 registers in one request, max_regs is 1\n"},
    {"rule 2: beyond the last register", HEAD "points:\n  p: {at: 65535, type: i32}\n",
     "f:6:11: \"at\" of \"p\" goes beyond register 65535\n"},
    {"rule 2: address too high", HEAD "points:\n  p: {at: 65536}\n",
     "f:6:11: \"at\" must be from 0 to 65535\n"},
    {"rule 2: function code", HEAD "defaults: {fc: 6}\n" POINTS,
     "f:5:16: \"fc\" must be from 3 to 4\n"},
    {"rule 3: not one address per phase", HEAD "points:\n  v: {at: [0, 1]}\n",
     "f:6:11: \"at\" of \"v\" must be 3 addresses, one per phase; here are 2\n"},
    {"rule 3: one address for three phases", HEAD "points:\n  v: {at: 0}\n",
     "f:6:11: \"at\" of \"v\" must be 3 addresses, one per phase; here is 1\n"},
    {"rule 3: points overlap in part", HEAD POINTS "  p: {at: 8, type: i32}\n",
     "f:9:3: \"p\" at register 8 overlaps \"pp\" at 8\n"},
    {"a point that is a list", HEAD "points:\n  v: [0, 1, 2]\n",
     "f:6:6: a point is written {at: 12, ...}\n"},
    {"rule 4: factor 0", HEAD "points:\n  p: {at: 0, x: 0}\n",
     "f:6:17: \"x\" must not be 0\n"},
    {"rule 4: unit of another quantity", HEAD "points:\n  p: {at: 0, unit: A}\n",
     "f:6:20: \"unit\" of \"p\" must be one of W kW MW\n"},
    {"rule 4: sign names no point",
     HEAD "points:\n  i: {at: [0, 1, 2], sign: pq}\n  pp: {at: [3, 4, 5]}\n",
     "f:6:28: \"sign\" names no point: \"pq\", did you mean \"pp\"?\n"},
    {"rule 4: sum of a sum",
     HEAD POINTS "  p: {sum: q}\n  q: {sum: p, internal: true}\n",
     "f:9:3: \"sum\" of \"p\": it must be a total of registers\n"
     "f:10:3: \"sum\" of \"q\": it must be a total of registers\n"},
    {"rule 4: a factor that multiplies itself",
     HEAD POINTS "  ct: {at: 20, mul: ct, internal: true}\n",
     "f:9:3: \"mul\" of \"ct\": \"ct\" must be one plain register of its own\n"},
    {"rule 4: scale factor too far for one request",
     HEAD "limits: {max_regs: 20}\n" POINTS "  p: {at: 30, sf: 60}\n",
     "f:10:3: \"p\" with its scale factor needs 31 registers in one request, max_regs "
     "is 20\n"},
    {"rule 4: an unknown point", HEAD POINTS "  hx: {at: 20}\n",
     "f:9:3: unknown point \"hx\" (one of ours needs internal: true), did you mean "
     "\"hz\"?\n"},
    {"rule 4: neither register nor sum", HEAD POINTS "  p: {x: 0.1}\n",
     "f:9:3: \"p\" needs either \"at\" or \"sum\"\n"},
    {"rule 6: a meter without direction", HEAD "points:\n  i: {at: [0, 1, 2]}\n",
     "f:1:1: a meter needs \"i\" and \"pp\", or limits: {direction: none} when it "
     "cannot tell import from export on each phase\n"},
    {"rule 6: ... that says so",
     HEAD "limits: {direction: none}\npoints:\n  i: {at: [0, 1, 2]}\n", ""},
    {"rule 6: an inverter without power",
     "format: 1\nid: x\nname: X\nkind: inverter\npoints:\n  i: {at: [0, 1, 2]}\n",
     "f:1:1: an inverter needs \"p\"\n"},
    {"rule 7: a probe of no point", HEAD POINTS "probe: {point: hz, ok: [49, 51]}\n",
     "f:9:16: \"probe\" needs a point of this file, like v1\n"},
    {"rule 7: a test without values", HEAD POINTS "test:\n- regs: {0: 1}\n",
     "f:10:3: a test needs both \"regs\" and \"want\"\n"},
    {"rule 7: a test of an unknown value",
     HEAD POINTS "test:\n- regs: {0: 1}\n  want: {v4: 1}\n",
     "f:11:10: \"want\" knows v1 i1 p1 (power of phase 1) p hz e_imp e_exp, not "
     "\"v4\"\n"},
    {"rule 7: a word that is none",
     HEAD POINTS "test:\n- regs: {0: 70000}\n  want: {v1: 1}\n",
     "f:10:13: \"regs\" must be from 0 to 65535\n"},
    {"rule 9: no octal numbers", HEAD "points:\n  p: {at: 010}\n",
     "f:6:11: \"at\" must be a whole number (12 or 0x0C)\n"},
    {"rule 9: a number in quotes is a text", HEAD "points:\n  p: {at: \"10\"}\n",
     "f:6:11: \"at\" must be a whole number (12 or 0x0C)\n"},
    {"rule 9: no exponents", HEAD "points:\n  p: {at: 1, x: 1e-3}\n",
     "f:6:17: \"x\" must be a number like 230.1, of at most 12 digits\n"},
    {"rule 9: yes is not true", HEAD "points:\n  p: {at: 1, optional: yes}\n",
     "f:6:24: \"optional\" must be true or false\n"},
    {"rule 9: serial line", HEAD "bus: {serial: 9600 8X1}\n" POINTS,
     "f:5:15: \"serial\" must be like: 9600 8N1\n"},
    {"rule 9: an upside-down range", HEAD "points:\n  p: {at: 1, ok: [9, 1]}\n",
     "f:6:18: \"ok\" must be [lowest, highest]\n"},
    {"rule 10: anchors", HEAD "points: &a\n  p: {at: 1}\n",
     "f:5:9: anchors (&) are not allowed here\n"},
    {"rule 10: aliases", HEAD "points: *a\n",
     "f:5:9: aliases (*) are not allowed here\n"},
    {"rule 10: tags", HEAD "points: !!map {p: {at: 1}}\n",
     "f:5:9: tags (!) are not allowed here\n"},
    {"rule 10: merge keys", HEAD "points: {<<: {at: 1}}\n",
     "f:5:10: merge keys (<<) are not allowed here\n"},
    {"rule 10: two documents", HEAD POINTS "---\na: 1\n",
     "f:9:1: one file holds one definition\n"},
    {"rule 10: nested too deep", "a: [[[[[[[[[[[[[1]]]]]]]]]]]]]\n",
     "f:1:16: nested too deep\n"},
    {"no YAML", "id: [1, 2\nname: x\n",
     "f:2:5: not YAML: did not find expected ',' or ']'\n"},
    {"nothing", "", "f:1:1: the file is empty\n"},
    {"a list", "- 1\n", "f:1:1: the file must be key: value lines\n"},
    {"a word of a list", HEAD "defaults: {type: f23}\n" POINTS,
     "f:5:18: \"type\" must be one of u16 i16 u32 i32 u64 i64 f32 f64\n"},
    {"SunSpec without models", HEAD "sunspec: {base: 40000}\n",
     "f:5:1: \"sunspec\" needs \"use\": the numbers of the models to look for\n"},
    {"SunSpec with points of its own", HEAD "sunspec: {use: 203}\n" POINTS,
     "f:1:1: with \"sunspec\" the points come from its models\n"},
    {"a SunSpec point outside its model",
     HEAD "sunspec_model: {ids: [203], len: 5}\n" POINTS,
     "f:7:3: \"v\" at 0 is not inside the model (2 to 6)\n"
     "f:7:3: \"v\" at 1 is not inside the model (2 to 6)\n"
     "f:9:3: \"pp\" at 7 is not inside the model (2 to 6)\n"
     "f:9:3: \"pp\" at 8 is not inside the model (2 to 6)\n"},
    {"several errors at once", "format: 1\nid: x\nkind: metre\nbus: {unit: 300}\n",
     "f:1:1: \"name\" is missing: maker and models\n"
     "f:3:7: \"kind\" must be one of meter inverter, did you mean \"meter\"?\n"
     "f:4:13: \"unit\" must be from 0 to 247\n"},
};

static void test_errors(void **state)
{
    static struct meter_errors e;
    char text[8000];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct definition *d;

        memset(&e, 0, sizeof e);
        e.file = "f";
        d = definition_parse(cases[i].text, strlen(cases[i].text), "x", &e);
        meter_errors_text(&e, text, sizeof text);
        if (strcmp(text, cases[i].errors) != 0)
            print_error("%s\n", cases[i].what);
        assert_string_equal(text, cases[i].errors);
        assert_int_equal(d == NULL, e.n > 0);
        definition_free(d);
    }
}

/* The limits on what a stranger's file can make us do. */
static void test_limits(void **state)
{
    static struct meter_errors e = {.file = "f"};
    size_t n = DEF_MAX_BYTES + 1;
    char *text = malloc(n);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', n);
    assert_null(definition_parse(text, n, NULL, &e));
    assert_string_equal(e.list[0].text, "the file is larger than 262144 bytes");
    memset(&e, 0, sizeof e);
    for (size_t i = 0; i < n - 2; i += 2)
        memcpy(text + i, i ? "1," : " [", 2);
    assert_null(definition_parse(text, n - 1, NULL, &e));
    assert_string_equal(e.list[0].text, "the file has too many parts");
    free(text);
}

/* Every text that is cut short must be refused or taken, and leak nothing. */
static void test_truncated(void **state)
{
    static const char text[] =
        HEAD "bus: {via: [tcp], serial: 9600 8N1}\n" POINTS
             "probe: {point: v1, ok: [80, 300]}\ntest:\n- regs: {0: [1, 2]}\n"
             "  want: {v1: 1, v2: null}\nsources: [\"a\"]\n";

    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        static struct meter_errors e;

        memset(&e, 0, sizeof e);
        struct definition *d = definition_parse(text, n, NULL, &e);

        assert_int_equal(d == NULL, e.n > 0);
        definition_free(d);
    }
}

static void test_fields(void **state)
{
    static struct meter_errors e = {.file = "f"};
    static const char text[] =
        HEAD "bus: {via: [tcp, rtutcp], unit: 7, serial: 19200 8E2, port: 1502,\n"
             "  gap_ms: 30, timeout_ms: 900, connect_ms: 2000, max_conn: 1}\n"
             "limits: {max_regs: 40, max_gap: 3}\n"
             "defaults: {fc: 4, type: i32, order: ws, na: abb}\n"
             "points:\n"
             "  i: {at: [0x10, 0x12, 0x14], x: -0.001, unit: A}\n"
             "  pp: {at: [32, 34, 36], minus: [42, 44, 46], unit: kW, ok: [-5, 5]}\n"
             "  e_imp: {at: 50, type: u64, order: be, fc: 3, na: [0, 0xFFFF]}\n"
             "invert: pp\n";
    struct definition *d = definition_parse(text, strlen(text), "x", &e);
    const struct point *p;

    (void)state;
    assert_non_null(d);
    assert_true(d->bus.tcp && d->bus.rtutcp && !d->bus.rtu);
    assert_int_equal(d->bus.unit, 7);
    assert_int_equal(d->bus.baud, 19200);
    assert_int_equal(d->bus.parity, 'E');
    assert_int_equal(d->bus.stop_bits, 2);
    assert_int_equal(d->bus.port, 1502);
    assert_int_equal(d->bus.connect_ms, 2000);
    assert_int_equal(d->max_regs, 40);
    p = &d->points[d->by_quantity[QUANTITY_I]];
    assert_int_equal(p->at[2], 0x14);
    assert_int_equal(p->x.m, -1);
    assert_int_equal(p->x.e, -3);
    assert_int_equal(p->order, WORDS_WS);
    assert_int_equal(p->pace, PACE_FAST);
    p = &d->points[d->by_quantity[QUANTITY_PP]];
    assert_int_equal(p->minus[1], 44);
    assert_int_equal(p->unit_exp, 3);
    assert_true(p->ok_max == 5000);
    assert_true(d->invert[QUANTITY_PP] && !d->invert[QUANTITY_P]);
    p = &d->points[d->by_quantity[QUANTITY_E_IMP]];
    assert_int_equal(p->fc, 3);
    assert_int_equal(p->n_na_raw, 2);
    assert_int_equal(p->pace, PACE_SLOW);
    definition_free(d);
}

/* A test vector that does not hold says where and what it got. */
static void test_vector_fails(void **state)
{
    static struct meter_errors e = {.file = "f"};
    static const char text[] =
        HEAD POINTS "test:\n- regs: {0: 230, 3: 5}\n"
                    "  want: {v1: 231, i1: null, p1: 0, hz: 50}\n";
    struct definition *d = definition_parse(text, strlen(text), "x", &e);
    char out[1000];

    (void)state;
    assert_non_null(d);
    assert_false(vector_run(d, &d->vectors[0], &e));
    assert_string_equal(meter_errors_text(&e, out, sizeof out),
                        "f:11:14: test: v gives 230.000\n"
                        "f:11:23: test: i gives 5.000\n"
                        "f:11:40: test: hz gives no value\n");
    definition_free(d);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t m;
        int e;
    } table[] = {
        {"0", true, 0, 0},           {"12", true, 12, 0},
        {"0x1F", true, 31, 0},       {"-0.001", true, -1, -3},
        {"230.10", true, 23010, -2}, {"012", false, 0, 0},
        {"00.1", false, 0, 0},       {"1.", false, 0, 0},
        {".5", false, 0, 0},         {"1e3", false, 0, 0},
        {"", false, 0, 0},           {"-", false, 0, 0},
        {"0x", false, 0, 0},         {"1.2.3", false, 0, 0},
        {"inf", false, 0, 0},        {"nan", false, 0, 0},
        {"1_000", false, 0, 0},      {"1234567890123", false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct decimal d = {0, 0};

        assert_int_equal(number_decimal(table[i].text, &d), table[i].good);
        assert_true(!table[i].good || (d.m == table[i].m && d.e == table[i].e));
    }
    int64_t v;
    assert_true(number_integer("9223372036854775807", &v));
    assert_false(number_integer("9223372036854775808", &v));
    assert_false(number_integer("-1", &v));
    assert_true(number_scale(2301, (struct decimal){1, -1}, 3) == 230100);
    assert_true(number_scale(16, (struct decimal){-25, -1}, 0) == -40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_vector_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
