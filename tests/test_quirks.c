/* SPDX-License-Identifier: Apache-2.0 */
/* A conformance suite of a central system: what chargers in the field do, Q1 to Q70,
 * each played by a script (quirks.h). QUIRK=Q10 plays one, and those of its letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "quirks.h"

enum { LAST = 70 };

static int number_of(const struct quirk *q)
{
    return atoi(q->name + 1);
}

static void play(void **state)
{
    const struct quirk *q = *state;

    if (!q->script) {
        print_message("%s: %s: %s\n", q->name, q->what, q->why);
        return;
    }
    quirk_play(q);
}

/* Each number is staged, or has a reason why not. */
static void complete(void **state)
{
    const struct quirk *lists[] = {quirks_profiles, quirks_rest};
    const int n[] = {n_quirks_profiles, n_quirks_rest};
    int last = 0;

    (void)state;
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < n[l]; i++) {
            int number = number_of(&lists[l][i]);

            if (number != last && number != last + 1)
                fail_msg("%s comes after Q%d", lists[l][i].name, last);
            if (!lists[l][i].script && !lists[l][i].why)
                fail_msg("%s: no script and no reason", lists[l][i].name);
            last = number;
        }
    assert_int_equal(last, LAST);
}

static bool wanted(const struct quirk *q, const char *name)
{
    return !name || atoi(name + (*name == 'Q')) == number_of(q);
}

int main(void)
{
    struct CMUnitTest *tests =
        calloc((size_t)(n_quirks_profiles + n_quirks_rest) + 1, sizeof *tests);
    const char *name = getenv("QUIRK");
    size_t n = 0;

    tests[n++] = (struct CMUnitTest){"complete", complete, NULL, NULL, NULL};
    for (int i = 0; i < n_quirks_profiles + n_quirks_rest; i++) {
        const struct quirk *q = i < n_quirks_profiles
                                    ? &quirks_profiles[i]
                                    : &quirks_rest[i - n_quirks_profiles];

        if (wanted(q, name))
            tests[n++] = (struct CMUnitTest){q->name, play, NULL, NULL, (void *)q};
    }
    return _cmocka_run_group_tests("quirks", tests, n, NULL, NULL);
}
