/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand audit: reckons a journal anew and checks the rules of safety on it. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cmd/audit.h"
#include "cmd/cmd.h"
#include "io/log.h"

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: chargehand audit [--json] JOURNAL...\n"
        "\n"
        "Gives the events of a journal to the controller again and compares every\n"
        "order with the recorded one, bit for bit; checks on the recording, with a\n"
        "ledger of its own, that no set point breaks a rule of safety. Several files\n"
        "are given from the oldest on: journal.1 journal. The journal of a running\n"
        "controller can be read, too.\n"
        "\n"
        "  --json   the result as JSON\n"
        "  --help   this text\n"
        "\n"
        "Exit code 0: all is as recorded. 1: a difference, a breach of a rule, or a\n"
        "damaged place; each is told with its line. 74: a file cannot be read.\n");
}

/* Returns the exit code. */
static int audit(struct audit *a, char **files, int n)
{
    for (int i = 0; i < n; i++) {
        int n_kept = a->n_kept;
        long damage = a->found[AUDIT_DAMAGE];
        FILE *f = fopen(files[i], "re");
        int result = f ? audit_stream(a, f, files[i]) : -1, error = errno;

        if (f)
            fclose(f);
        errno = error;
        if (result < 0 && error != EINVAL) {
            log_warn("%s", files[i]);
            return EXIT_IO;
        }
        if (result < 0) { /* then one word is enough */
            a->n_kept = n_kept;
            a->found[AUDIT_DAMAGE] = damage;
            audit_say(a, AUDIT_DAMAGE, 1, "this is no journal");
        }
    }
    return audit_good(a) ? EXIT_GOOD : EXIT_NEGATIVE;
}

int cmd_audit(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct audit a = {0};
    bool json = false;
    int o, code;

    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if (o == 'j') {
            json = true;
        } else {
            usage(o == 'h' ? stdout : stderr);
            return o == 'h' ? EXIT_GOOD : EXIT_USAGE;
        }
    if (optind == argc) {
        fprintf(stderr, "chargehand audit: name a journal\n");
        return EXIT_USAGE;
    }
    code = audit(&a, argv + optind, argc - optind);
    audit_end(&a);
    if (code == EXIT_IO)
        return code;
    if (json)
        audit_print_json(&a, stdout);
    else
        audit_print(&a, stdout);
    return code;
}
