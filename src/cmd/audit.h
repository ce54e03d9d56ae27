/* SPDX-License-Identifier: Apache-2.0 */
/* Inside `chargehand audit`: audit.c (options), audit_say.c (what was found),
 * audit_step.c (reckons the recording anew), audit_ledger.c (the safety rules),
 * audit_room.c (what the wires carry, for the ledger). */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

#include "io/journal.h"

enum audit_kind {
    AUDIT_NOTE,       /* worth to be known, no fault */
    AUDIT_DIFFERENCE, /* this program decides otherwise than what is recorded */
    AUDIT_BREACH,     /* a rule of safety is broken */
    AUDIT_DAMAGE      /* the recording cannot be used there */
};

enum { AUDIT_KEPT = 20 }; /* findings that are told one by one */

struct audit_finding {
    enum audit_kind kind;
    const char *file;
    long line;
    char text[480];
};

struct ledger;

struct audit {
    const char *file;
    /* what was found */
    long parts, events, orders, skipped, torn, gaps;
    int64_t lost;
    long found[AUDIT_DAMAGE + 1];
    struct audit_finding kept[AUDIT_KEPT];
    int n_kept;
    /* the part that is reckoned, image NULL = none */
    struct journal_start start;
    struct journal_image *image;
    struct order *expected;
    size_t n_expected, n_seen; /* orders of the step under way */
    bool in_step;
    struct event event;
    long event_line;
    struct ledger *ledger;
    uint32_t crc; /* of the file before */
};

/* Audits a journal, and goes on with what follows it. 0, or -1 when it cannot be read
 * or is none (errno). `name` is borrowed. */
int audit_stream(struct audit *a, FILE *f, const char *name);
void audit_end(struct audit *a);

bool audit_good(const struct audit *a);
void audit_print(const struct audit *a, FILE *to);
void audit_print_json(const struct audit *a, FILE *to);
void audit_say(struct audit *a, enum audit_kind kind, long line, const char *format,
               ...) __attribute__((format(printf, 4, 5)));
/* "2026-11-20 08:00:00.123 (5123 ms)" */
void audit_time(const struct audit *a, int64_t at_ms, char out[64]);

/* ---- the ledger: keeps an account of its own of what each connector may draw ---- */

/* `k` tells what is known at the beginning. NULL = no memory. `breach` is called once
 * for each breach of a rule. */
struct ledger *ledger_new(const struct site *s, const struct control *k, int64_t now_ms,
                          void (*breach)(void *arg, const char *text), void *arg);
void ledger_free(struct ledger *l);
void ledger_event(struct ledger *l, const struct event *e);
void ledger_order(struct ledger *l, const struct order *o);
void ledger_step_end(struct ledger *l);

#endif
