/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as text: one line per record, for people to read and for programs to
 * replay. Pure: no file, no clock.
 *
 *   chargehand-journal 2 *f28ab7d0
 *   H utc 2026-11-20T08:00:00Z mono 5000 part 1 begun start after - version ... *..
 *   S circuit 0 name "grid" parent -1 limit_ma 63000,63000,63000 ... *..
 *   K connector 3 status 5 told_ma 16000 ... *..
 *   B *..
 *   E 123456 meter 0 i 12300 4000 - v 230100 - - p 3770 changed 123400 *..
 *   O 123456 limit 3 seq 17 ma 16000 lease 900000 phases 1 renewal 0 why ... *..
 *   G 130000 lost 12 *..                     here twelve records are missing
 *
 * A *part* begins with its head: H, the site (S) and the controller's memory (K) as
 * journal_image.h has them, and B where they are complete. From there on everything
 * follows from the events. The first number of E, O and G is the monotonic clock in ms.
 * "-" is a value that is not there.
 *
 * After the star: the CRC-32 (IEEE 802.3) of all before " *", begun with the CRC of the
 * line before (with 0 in the first line of a file and of a start). So a line that is
 * torn or changed is found, and so is one that is missing, doubled or moved. Lines are
 * shorter than JOURNAL_LINE. */
#ifndef IO_JOURNAL_TEXT_H
#define IO_JOURNAL_TEXT_H

#include <stddef.h>
#include "core/event.h"
#include "core/order.h"

enum {
    JOURNAL_LINE = 512,
    JOURNAL_SEAL = 10,                             /* " *" and eight digits */
    JOURNAL_BODY = JOURNAL_LINE - JOURNAL_SEAL - 2 /* a line up to its star, at most */
};

enum journal_kind {
    JOURNAL_BAD,
    JOURNAL_TORN,  /* cut off by a crash, and closed by the start after it */
    JOURNAL_MAGIC, /* the first line */
    JOURNAL_HEAD,  /* H */
    JOURNAL_IMAGE, /* S, K */
    JOURNAL_BEGIN, /* B */
    JOURNAL_EVENT, /* E */
    JOURNAL_ORDER, /* O */
    JOURNAL_GAP    /* G */
};

/* Why a part begins. */
enum journal_begun {
    BEGUN_START,  /* the controller started here */
    BEGUN_FILE,   /* the file before was full, or somebody took it away */
    BEGUN_HOUR,   /* once an hour, in the same file */
    BEGUN_RELOAD, /* the configuration is another from here on */
    BEGUN_GAP,    /* records were lost */
    BEGUN_COUNT
};

struct journal_start {
    int64_t utc_s;   /* wall clock when this part was begun */
    int64_t mono_ms; /* monotonic clock at the same moment */
    int part;        /* 1 = the controller started here; later ones continue */
    enum journal_begun begun;
    char after[9]; /* BEGUN_FILE: the CRC of the last line before; "" = of none */
    char version[32];
    char config_hash[32];
};

struct journal_record {
    enum journal_kind kind;
    const char *bad; /* JOURNAL_BAD: what is wrong, a constant text */
    struct journal_start start;
    const char *image; /* the line up to its star */
    struct event event;
    int64_t at_ms; /* JOURNAL_ORDER, JOURNAL_GAP */
    struct order order;
    int64_t lost; /* JOURNAL_GAP: records */
};

#define JOURNAL_TORN_END " (torn)" /* what is put behind a torn line */

/* Each writes a line up to its star and a NUL to `out` and returns its length; 0 when
 * the struct holds something that is none of its values. */
size_t journal_text_magic(char out[JOURNAL_LINE]);
size_t journal_text_start(char out[JOURNAL_LINE], const struct journal_start *s);
size_t journal_text_begin(char out[JOURNAL_LINE]);
size_t journal_text_event(char out[JOURNAL_LINE], const struct event *e);
size_t journal_text_order(char out[JOURNAL_LINE], int64_t at_ms, const struct order *o);
size_t journal_text_gap(char out[JOURNAL_LINE], int64_t at_ms, int64_t lost);

/* Puts star, checksum, newline and NUL behind a line of n bytes, which has room; the
 * CRC goes on from *crc and is left there. Returns the new length. */
size_t journal_text_seal(char *line, size_t n, uint32_t *crc);

/* Takes a line of n bytes (without newline) apart; writes a NUL over the star. *crc is
 * that of the line before, and becomes that of this one. What the record does not use
 * of `event` and `order` is zero. */
enum journal_kind journal_text_parse(char *line, size_t n, uint32_t *crc,
                                     struct journal_record *r);

/* Goes on from `crc`, 0 at the beginning. */
uint32_t journal_text_crc(uint32_t crc, const void *bytes, size_t n);

const char *journal_begun_name(enum journal_begun b);

#endif
