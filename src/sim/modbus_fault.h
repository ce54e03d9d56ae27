/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which a simulated meter misbehaves, and when. */
#ifndef SIM_MODBUS_FAULT_H
#define SIM_MODBUS_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum modbus_fault {
    MODBUS_FAULT_NONE,
    /* answers */
    MODBUS_FAULT_SILENT,    /* takes requests, does not answer */
    MODBUS_FAULT_EXCEPTION, /* arg = exception code */
    MODBUS_FAULT_DELAY,     /* arg = milliseconds before each answer */
    MODBUS_FAULT_TRICKLE,   /* one byte a segment, arg = milliseconds between two */
    MODBUS_FAULT_TWICE,     /* the answer two times, in one segment */
    MODBUS_FAULT_BEFORE,    /* the answer before and this one, in one segment */
    MODBUS_FAULT_WRONG_UNIT,
    MODBUS_FAULT_WRONG_ID, /* a transaction id that nobody asked for (TCP) */
    MODBUS_FAULT_CRC,      /* a wrong check sum (RTU) */
    MODBUS_FAULT_ECHO,     /* first the request itself, as some adapters do (RTU) */
    MODBUS_FAULT_HANG_UP,  /* closes the connection instead of answering */
    MODBUS_FAULT_MAX_REGS, /* exception 2 to more than arg registers at a time */
    MODBUS_FAULT_FULL,     /* all registers are 0xFFFF */
    MODBUS_FAULT_ZERO,     /* all registers are 0 */
    /* values */
    MODBUS_FAULT_NAN,     /* "not available" everywhere */
    MODBUS_FAULT_WORDS,   /* the words of each value in the other order */
    MODBUS_FAULT_FROZEN,  /* the same values for ever */
    MODBUS_FAULT_COUNTER, /* energies are 0 */
    MODBUS_FAULT_WRAP,    /* energies begin anew after 655.36 kWh */
    MODBUS_FAULT_SIGN,    /* currents and powers the other way round */
    MODBUS_FAULT_FACTOR,  /* currents and powers arg times too high */
    /* connections */
    MODBUS_FAULT_REFUSE,     /* nobody listens, connections end */
    MODBUS_FAULT_CLOSE,      /* accepts and closes */
    MODBUS_FAULT_ONE_CLIENT, /* refuses more than one */
    MODBUS_FAULT_GARBAGE,    /* says something before it is asked */
    MODBUS_FAULT_COUNT
};

struct modbus_fault_rule {
    enum modbus_fault fault;
    int arg;
    int count;              /* how many answers; -1 = no end */
    int every;              /* only each so many-th answer; 0, 1 = all */
    int64_t from_ms, to_ms; /* since the start; 0, 0 = always */
    int seen;               /* the simulation's own: answers passed */
};

enum { MODBUS_FAULT_RULES = 16 };

struct modbus_faults {
    struct modbus_fault_rule rules[MODBUS_FAULT_RULES];
    int n;
};

/* KIND[=ARG][@1/N][@FROM-TO]: "late=1500", "silent@60-660", "exception=6@1/10"; seconds
 * since the start. False and a reason in err. */
bool modbus_fault_parse(const char *text, struct modbus_fault_rule *r, char *err,
                        size_t size);
/* Whether there is such a fault where a server speaks RTU frames (else Modbus TCP), and
 * listens for connections; else a reason in err. */
bool modbus_fault_suits(enum modbus_fault f, bool rtu, bool listens, char *err,
                        size_t size);
/* All kinds, a line each, for a help text. */
const char *modbus_fault_help(int i, char *line, size_t size); /* NULL = no more */

/* False = no room. */
bool modbus_faults_add(struct modbus_faults *f, const struct modbus_fault_rule *r);

/* What holds now: arg[kind] = its argument, or -1 = does not hold. `answers`: this is
 * asked for one more answer, which counts. */
void modbus_faults_now(struct modbus_faults *f, int64_t since_ms, bool answers,
                       int arg[MODBUS_FAULT_COUNT]);

#endif
