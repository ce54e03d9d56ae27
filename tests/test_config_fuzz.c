/* SPDX-License-Identifier: Apache-2.0 */
/* Site files with random damage: never a crash, always a configuration or an error
 * with a place; and the n-th allocation fails, for every n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/safety.h"
#include "config_util.h"

enum { RUNS = 2000, ROOM = 40000 };

/* ---- allocations that fail (the linker puts these in front of the real ones) */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static int fail_at; /* 0 = never; else counts down */

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

/* ---- random damage */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static const char *const pieces[] = {
    ":",
    ": ",
    "- ",
    "\n",
    "\t",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!x ",
    "\"",
    "'",
    "#",
    ",",
    "|\n",
    ">\n",
    "%",
    "@",
    "---",
    "...",
    "<<: ",
    "nan",
    "-1",
    "1e9",
    "0x10",
    "~",
    "null",
    "\xff",
    "\xc3",
    "\r",
    "\x01",
    "999999999999999999999",
    "L1 ",
    "unknown",
    "name: grid\n",
    "parent: garage\n",
    "- id: CP-01\n",
    "limit: 0\n",
    "  limit: 5\n",
    "connectors:\n",
    "  - {}\n",
    "? ",
    "adopt: true\n",
    "ocpp:\n",
    "tags: [a, a]\n",
    "\xef\xbb\xbf",
};

static void insert(char *text, size_t at, const char *piece)
{
    size_t n = strlen(piece), size = strlen(text);

    if (size + n + 1 >= ROOM)
        return;
    memmove(text + at + n, text + at, size - at + 1);
    memcpy(text + at, piece, n);
}

static void cut(char *text, size_t at, size_t n)
{
    size_t size = strlen(text);

    if (at + n > size)
        n = size - at;
    memmove(text + at, text + at + n, size - at - n + 1);
}

static size_t line_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static void move_line(char *text, size_t from, size_t to)
{
    char line[300];
    size_t start = line_start(text, from), n = strcspn(text + start, "\n") + 1;

    if (n >= sizeof line || start + n > strlen(text))
        return;
    memcpy(line, text + start, n);
    line[n] = '\0';
    if (below(2))
        cut(text, start, n);
    insert(text, line_start(text, to < strlen(text) ? to : 0), line);
}

static void damage(char *text)
{
    uint32_t n = 1 + below(4);

    while (n-- > 0 && *text) {
        uint32_t size = (uint32_t)strlen(text);
        size_t at = below(size);

        switch (below(6)) {
        case 0:
            cut(text, at, 1 + below(3));
            break;
        case 1:
            insert(text, at, pieces[below(sizeof pieces / sizeof *pieces)]);
            break;
        case 2:
            text[at] = (char)(1 + below(255));
            break;
        case 3:
            move_line(text, at, below(size));
            break;
        case 4:
            cut(text, line_start(text, at),
                strcspn(text + line_start(text, at), "\n") + 1);
            break;
        default:
            if (below(8) == 0)
                text[at] = '\0';
            else
                insert(text, at, "  ");
        }
    }
}

static void check_good(const struct config *c, const char *text)
{
    struct conf_safety *x = calloc((size_t)c->site.n_circuits, sizeof *x);

    if (site_fault(&c->site) || !c->site_id || !c->site.name)
        fail_msg("a faulty site from:\n%s", text);
    for (int i = 0; i < c->site.n_connectors; i++)
        if (!c->connectors[i].cid || !c->connectors[i].name)
            fail_msg("a connector without a name from:\n%s", text);
    conf_safety(&c->site, x);
    free(x);
}

static void check_errors(const struct conf_errors *e, bool good, const char *text)
{
    int errors = 0, lines = 2;

    for (const char *p = text; *p; p++)
        lines += *p == '\n' || *p == '\r' || (unsigned char)*p == 0xc2 ||
                 (unsigned char)*p == 0xe2; /* NEL, LS, PS break lines in YAML, too */
    for (int i = 0; i < e->n; i++) {
        errors += !e->list[i].warning;
        if (e->list[i].line < 1 || e->list[i].line > lines || e->list[i].col < 1 ||
            !*e->list[i].text)
            fail_msg("%d:%d: %s, in:\n%s", e->list[i].line, e->list[i].col,
                     e->list[i].text, text);
        if (i > 0 && e->list[i].line < e->list[i - 1].line)
            fail_msg("not sorted:\n%s", text);
    }
    if (good != (errors == 0))
        fail_msg("%d errors, but %s:\n%s", errors, good ? "taken" : "refused", text);
}

static void random_damage(void **state)
{
    static const char *const names[] = {"apartment.yaml", "home.yaml", "depot.yaml",
                                        "caltech.yaml"};
    int good = 0;
    (void)state;

    for (uint32_t run = 0; run < RUNS; run++) {
        char *example = util_example(names[run % 4]), *text = calloc(1, ROOM);
        struct conf_errors errors = {0};

        seed = 1000 + run;
        strcpy(text, example);
        damage(text);
        struct config *c = config_load(util_write("site.yaml", text), NULL, &errors);
        check_errors(&errors, c != NULL, text);
        if (c)
            check_good(c, text);
        good += c != NULL;
        config_free(c);
        conf_errors_free(&errors);
        free(text);
        free(example);
    }
    print_message("seeds 1000 to %d: %d of %d files still good\n", 1000 + RUNS - 1,
                  good, RUNS);
    assert_in_range(good, RUNS / 20, RUNS * 19 / 20); /* both kinds are exercised */
}

static void random_overrides(void **state)
{
    static const char *const keys[] = {"site.policy",
                                       "circuits.grid.limit",
                                       "circuits.garage.parent",
                                       "chargers.CP-01.id",
                                       "chargers.1.connectors",
                                       "ocpp.tags",
                                       "mqtt"};
    (void)state;

    for (uint32_t run = 0; run < 500; run++) {
        char text[400];
        const char *set[] = {text, NULL};
        struct conf_errors errors = {0};

        seed = 5000 + run;
        snprintf(text, sizeof text, "%s=%s%s", keys[below(7)], pieces[below(40)],
                 pieces[below(40)]);
        if (below(3) == 0)
            damage(text);
        struct config *c =
            config_load(util_example_path("apartment.yaml"), set, &errors);
        if (!c && errors.n == 0)
            fail_msg("nothing said about %s", text);
        config_free(c);
        conf_errors_free(&errors);
    }
}

static void no_memory(void **state)
{
    static const char bad[] = GOOD "  circuit: gird\n- id: CP-01\nsit:\n"
                                   "ocpp:\n  tags: [a, b]\n";
    const char *set[] = {"site.name=x", "site.voltage=231", NULL};
    const char *path = util_write("site.yaml", bad);
    struct config *c = NULL;
    int n = 0;
    (void)state;

    do { /* a file with errors: they are counted even when they cannot be kept */
        struct conf_errors errors = {0};
        fail_at = ++n;
        assert_null(config_load(path, set, &errors));
        if (fail_at > 0)
            n = 0;
        fail_at = 0;
        conf_errors_free(&errors);
    } while (n > 0);
    for (n = 1; !c; n++) {
        struct conf_errors errors = {0};
        fail_at = n;
        c = config_load(util_example_path("depot.yaml"), set, &errors);
        bool failed = fail_at == 0;
        fail_at = 0;
        assert_int_equal(c == NULL, failed);
        conf_errors_free(&errors);
    }
    assert_true(n > 5);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_damage),
        cmocka_unit_test(random_overrides),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, util_make_folder, util_remove_folder);
}
