/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as text: one line per record, for people to read and for programs to
 * replay. Pure: no file, no clock.
 *
 *   chargehand-journal 1 *f28ab7d0
 *   H utc 2026-11-20T08:00:00Z mono 5000 part 1 version 0.1.0 config 91ab03d2 *..
 *   S site: *..                              the site file, when it is kept here
 *   E 123456 meter 0 i 12300 4000 - v 230100 - - p 3770 changed 123400 *..
 *   O 123456 limit 3 seq 17 ma 16000 lease 900000 phases 1 renewal 0 why ... *..
 *   G 130000 lost 12 *..                     here twelve records are missing
 *
 * The first number is the monotonic clock in ms. "-" is a value that is not there.
 * After the star: the CRC-32 (IEEE 802.3) of all before " *", so that a torn or a
 * flipped record is found. Lines are shorter than JOURNAL_LINE. */
#ifndef IO_JOURNAL_TEXT_H
#define IO_JOURNAL_TEXT_H

#include <stddef.h>
#include "core/event.h"
#include "core/order.h"

enum { JOURNAL_LINE = 512 };

enum journal_kind {
    JOURNAL_BAD,
    JOURNAL_MAGIC,     /* the first line of each part */
    JOURNAL_START,     /* H */
    JOURNAL_SITE,      /* S, a line of the site file */
    JOURNAL_SITE_PART, /* s, a piece of such a line without its newline */
    JOURNAL_EVENT,     /* E */
    JOURNAL_ORDER,     /* O */
    JOURNAL_GAP        /* G */
};

struct journal_start {
    int64_t utc_s;   /* wall clock when this part was begun */
    int64_t mono_ms; /* monotonic clock at the same moment */
    int part;        /* 1 = the controller started here; later ones continue */
    char version[32];
    char config_hash[32];
};

struct journal_record {
    enum journal_kind kind;
    const char *bad; /* JOURNAL_BAD: what is wrong, a constant text */
    struct journal_start start;
    const char *site; /* points into the line */
    struct event event;
    int64_t at_ms; /* JOURNAL_ORDER, JOURNAL_GAP */
    struct order order;
    int64_t lost; /* JOURNAL_GAP: records */
};

/* Each writes a whole line with its newline and a NUL to `out` and returns its length
 * without the NUL; 0 when the struct holds something that is none of its values. */
size_t journal_text_magic(char out[JOURNAL_LINE]);
size_t journal_text_start(char out[JOURNAL_LINE], const struct journal_start *s);
size_t journal_text_event(char out[JOURNAL_LINE], const struct event *e);
size_t journal_text_order(char out[JOURNAL_LINE], int64_t at_ms, const struct order *o);
size_t journal_text_gap(char out[JOURNAL_LINE], int64_t at_ms, int64_t lost);

/* Writes the next piece of a site file as a line and moves *text behind it; 0 at the
 * end of the text. */
size_t journal_text_site(char out[JOURNAL_LINE], const char **text);

/* Takes a line of n bytes (without newline) apart; writes a NUL over the star. What the
 * record does not use of `event` and `order` is zero. */
enum journal_kind journal_text_parse(char *line, size_t n, struct journal_record *r);

uint32_t journal_text_crc(const void *bytes, size_t n);

#endif
