/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand replay --generate WEEK DIR: writes an example week anew; for developers.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/replay.h"
#include "io/log.h"
#include "sim/generate.h"

static bool write_file(const char *dir, const char *name,
                       bool (*make)(uint64_t seed, FILE *to))
{
    char *path;
    FILE *f = NULL;
    bool good = false;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return false;
    f = fopen(path, "w");
    if (f) {
        good = make(SIM_WEEK_SEED, f) && !ferror(f);
        good = fclose(f) == 0 && good;
    }
    if (!good)
        log_warn("%s", path);
    free(path);
    return good;
}

int replay_generate(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: chargehand replay --generate apartment|depot DIR\n");
        return EXIT_USAGE;
    }
    for (const struct sim_week *w = sim_weeks; w->name; w++)
        if (strcmp(w->name, argv[2]) == 0)
            return write_file(argv[3], "sessions.csv", w->sessions) &&
                           write_file(argv[3], "loads.csv", w->loads)
                       ? EXIT_GOOD
                       : EXIT_IO;
    fprintf(stderr, "chargehand replay: there is no week '%s'\n", argv[2]);
    return EXIT_USAGE;
}
