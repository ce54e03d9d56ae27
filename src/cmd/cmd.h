/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of the one binary. Each gets argv[0] = its own name. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

/* Exit codes (sysexits.h where it has one). */
enum {
    EXIT_GOOD = 0,
    EXIT_NEGATIVE = 1,
    EXIT_USAGE = 64,
    EXIT_UNAVAILABLE = 69,
    EXIT_BUG = 70,
    EXIT_IO = 74,
    EXIT_PERMISSION = 77,
    EXIT_CONFIG = 78
};

int cmd_meter(int argc, char **argv);

struct command {
    const char *name;
    const char *help; /* one line */
    int (*run)(int argc, char **argv);
};

int cmd_audit(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_ocpp(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_share(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
