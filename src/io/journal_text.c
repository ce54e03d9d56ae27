/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's lines, written and read by the same description of each record. */
#include "io/journal_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/clock.h"
#include "io/journal_code.h"

#define MAGIC "chargehand-journal 2"

uint32_t journal_text_crc(uint32_t crc, const void *bytes, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *p = bytes;

    crc = ~crc;
    while (n--) {
        crc ^= *p++;
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}

#define NAMER(function, tag)                                                           \
    static const char *function##_of(int i)                                            \
    {                                                                                  \
        return function((enum tag)i);                                                  \
    }
NAMER(event_kind_name, event_kind)
NAMER(status_name, connector_status)
NAMER(limit_source_name, limit_source)
NAMER(wish_source_name, wish_source)
NAMER(mode_name, mode)
NAMER(reason_name, reason)
NAMER(notice_name, notice)

static const char *answer_of(int i)
{
    static const char *const names[] = {"accepted", "rejected", "none"};

    return names[i];
}

static const char *order_kind_of(int i)
{
    static const char *const names[] = {"limit", "sample", "notice"};

    return names[i];
}

const char *journal_begun_name(enum journal_begun b)
{
    static const char *const names[] = {"start", "file", "hour", "reload", "gap"};

    return names[b];
}
NAMER(journal_begun_name, journal_begun)

/* A mode, or none. */
static const char *card_mode_of(int i)
{
    return i == MODE_COUNT ? "-" : mode_name((enum mode)i);
}

static const char *edge_of(int i)
{
    return i ? "begins" : "ends";
}

static const char *phase_of(int i) /* from SITE_NONE + 1 on */
{
    static const char *const names[] = {"-", "L1", "L2", "L3"};

    return names[i];
}

/* ---- the records ---- */

static void code_meter(struct coder *c, struct event_meter *m)
{
    code_phases(c, "i", m->i_ma);
    code_phases(c, "v", m->v_mv);
    code_word(c, "p");
    code_i32(c, &m->p_w);
    code_word(c, "changed");
    code_i64(c, &m->changed_ms);
}

static void code_sample(struct coder *c, struct event_sample *s)
{
    code_phases(c, "i", s->i_ma);
    code_word(c, "p");
    code_i32(c, &s->p_w);
    code_word(c, "energy");
    code_i64(c, &s->energy_wh);
}

static void code_flags(struct coder *c, const char *a, bool *va, const char *b,
                       bool *vb)
{
    code_word(c, a);
    code_bool(c, va);
    code_word(c, b);
    code_bool(c, vb);
}

static void code_answer(struct coder *c, struct event_answer *a)
{
    code_word(c, "seq");
    code_u32(c, &a->seq);
    a->answer = (enum answer)code_name(c, (int)a->answer, answer_of, ANSWER_NONE + 1);
}

/* A value with an end: the end is INT64_MAX where there is none. */
static void code_until(struct coder *c, const char *what, int32_t *v, const char *until,
                       int64_t *until_ms)
{
    code_word(c, what);
    code_i32(c, v);
    code_word(c, until);
    code_number(c, until_ms, INT64_MIN, INT64_MAX, INT64_MAX);
}

/* Those of MQTT in amperes alone are written as by the first version. */
static void code_limit(struct coder *c, struct event_limit *l)
{
    code_until(c, "ma", &l->limit_ma, "until", &l->until_ms);
    if (c->reading ? !*c->in
                   : l->source == LIMIT_REMOTE && !l->power_w && !l->chargers_w)
        return;
    code_word(c, "from");
    l->source = (enum limit_source)code_name(c, (int)l->source, limit_source_name_of,
                                             LIMIT_SOURCES);
    code_word(c, "w");
    code_i32(c, &l->power_w);
    code_word(c, "chargers");
    code_i32(c, &l->chargers_w);
}

/* Those of persons are written as by the first version. */
static void code_wish(struct coder *c, struct event_wish *w)
{
    code_until(c, "wh", &w->energy_wh, "departs", &w->departs_ms);
    if (c->reading ? !*c->in : w->source == WISH_PERSON && !w->min_ma && !w->max_ma)
        return;
    code_word(c, "from");
    w->source = (enum wish_source)code_name(c, (int)w->source, wish_source_name_of,
                                            WISH_SOURCES);
    code_word(c, "min");
    code_i32(c, &w->min_ma);
    code_word(c, "max");
    code_i32(c, &w->max_ma);
}

static void code_event(struct coder *c, struct event *e)
{
    code_i64(c, &e->at_ms);
    e->kind =
        (enum event_kind)code_name(c, (int)e->kind, event_kind_name_of, EVENT_KINDS);
    code_who(c, &e->who);
    if (c->failed)
        return;
    switch (e->kind) {
    case EVENT_METER:
        code_meter(c, &e->meter);
        break;
    case EVENT_LINK:
        code_flags(c, "up", &e->link.up, "boot", &e->link.boot);
        break;
    case EVENT_STATUS:
        e->status = (enum connector_status)code_name(c, (int)e->status, status_name_of,
                                                     STATUS_COUNT);
        break;
    case EVENT_SESSION:
        code_flags(c, "active", &e->session.active, "resumed", &e->session.resumed);
        break;
    case EVENT_SAMPLE:
        code_sample(c, &e->sample);
        break;
    case EVENT_ANSWER:
        code_answer(c, &e->answer);
        break;
    case EVENT_WISH:
        code_wish(c, &e->wish);
        break;
    case EVENT_MODE:
        e->mode = (enum mode)code_name(c, (int)e->mode, mode_name_of, MODE_COUNT);
        break;
    case EVENT_PRIORITY:
        code_i32(c, &e->priority);
        break;
    case EVENT_PAUSE:
        code_bool(c, &e->pause);
        break;
    case EVENT_LIMIT:
        code_limit(c, &e->limit);
        break;
    case EVENT_CARD:
        e->card.mode =
            (enum mode)code_name(c, (int)e->card.mode, card_mode_of, MODE_COUNT + 1);
        code_word(c, "priority");
        code_i32(c, &e->card.priority);
        code_word(c, "ma");
        code_i32(c, &e->card.max_ma);
        break;
    case EVENT_CEILING:
        code_until(c, "ma", &e->ceiling.limit_ma, "until", &e->ceiling.until_ms);
        code_word(c, "w");
        code_i32(c, &e->ceiling.power_w);
        code_word(c, "whole");
        code_i32(c, &e->ceiling.whole_ma);
        code_i32(c, &e->ceiling.whole_w);
        break;
    case EVENT_TICK:
    case EVENT_KINDS:
        break;
    }
}

static void code_why(struct coder *c, struct why *w)
{
    int64_t circuit = w->circuit;

    code_word(c, "why");
    w->reason = (enum reason)code_name(c, (int)w->reason, reason_name_of, REASON_COUNT);
    code_number(c, &circuit, 0, INT16_MAX, SITE_NONE);
    w->circuit = (int16_t)circuit;
    w->phase = (int8_t)(code_name(c, w->phase + 1, phase_of, SITE_PHASES + 1) - 1);
    code_word(c, "until");
    code_number(c, &w->until_ms, 0, INT64_MAX, -1);
}

static void code_order(struct coder *c, int64_t *at_ms, struct order *o)
{
    int64_t phases = o->n_phases;

    code_i64(c, at_ms);
    o->kind =
        (enum order_kind)code_name(c, (int)o->kind, order_kind_of, ORDER_NOTICE + 1);
    code_who(c, &o->who);
    if (c->failed)
        return;
    if (o->kind == ORDER_LIMIT) {
        code_word(c, "seq");
        code_u32(c, &o->seq);
        code_word(c, "ma");
        code_i32(c, &o->limit_ma);
        code_word(c, "lease");
        code_i32(c, &o->lease_ms);
        code_word(c, "phases");
        code_number(c, &phases, 1, SITE_PHASES, 0);
        o->n_phases = (int8_t)phases;
        code_word(c, "renewal");
        code_bool(c, &o->renewal);
        code_word(c, "insist");
        code_i8(c, &o->insist);
        code_why(c, &o->why);
    } else if (o->kind == ORDER_NOTICE) {
        o->notice =
            (enum notice)code_name(c, (int)o->notice, notice_name_of, NOTICE_COUNT);
        o->begins = code_name(c, o->begins, edge_of, 2);
    }
}

static void code_start(struct coder *c, struct journal_start *s)
{
    char time[24] = "";
    int64_t part = s->part;

    code_word(c, "utc");
    if (!c->reading)
        clock_format_utc(s->utc_s, time);
    code_token(c, time, sizeof time);
    if (c->reading && !c->failed && !clock_parse_utc(time, &s->utc_s))
        c->failed = true;
    code_word(c, "mono");
    code_i64(c, &s->mono_ms);
    code_word(c, "part");
    code_number(c, &part, 1, INT32_MAX, -1);
    s->part = (int)part;
    code_word(c, "begun");
    s->begun = (enum journal_begun)code_name(c, (int)s->begun, journal_begun_name_of,
                                             BEGUN_COUNT);
    code_word(c, "after");
    code_token(c, s->after, sizeof s->after);
    code_word(c, "version");
    code_token(c, s->version, sizeof s->version);
    code_word(c, "config");
    code_token(c, s->config_hash, sizeof s->config_hash);
}

static void code_gap(struct coder *c, int64_t *at_ms, int64_t *lost)
{
    code_i64(c, at_ms);
    code_word(c, "lost");
    code_number(c, lost, 0, INT64_MAX, -1);
}

/* ---- nothing is missing ----
 *
 * An initialiser without names has to have one value for each member. When one of these
 * does not compile, the new member is for the record above, too. */

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wmissing-field-initializers"
__attribute__((unused)) static void whole(void)
{
    static const struct why why = {0, 0, 0, 0};

    (void)sizeof((struct order){0, 0, 0, 0, 0, 0, 0, 0, why, 0, 0});
    (void)sizeof((struct event_meter){{0}, {0}, 0, 0});
    (void)sizeof((struct event_link){0, 0});
    (void)sizeof((struct event_session){0, 0});
    (void)sizeof((struct event_sample){{0}, 0, 0});
    (void)sizeof((struct event_answer){0, 0});
    (void)sizeof((struct event_wish){0, 0, 0, 0, 0});
    (void)sizeof((struct event_ceiling){0, 0, 0, 0, 0});
    (void)sizeof((struct event_card){0, 0, 0});
    (void)sizeof((struct event_limit){0, 0, 0, 0, 0});
}
#pragma GCC diagnostic pop

/* ---- whole lines ---- */

static size_t done(struct coder *c)
{
    if (c->failed)
        return 0;
    c->out[c->n] = '\0';
    return c->n;
}

size_t journal_text_seal(char *line, size_t n, uint32_t *crc)
{
    *crc = journal_text_crc(*crc, line, n);
    return n + (size_t)snprintf(line + n, JOURNAL_SEAL + 2, " *%08" PRIx32 "\n", *crc);
}

size_t journal_text_magic(char out[JOURNAL_LINE])
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};

    code_put(&c, MAGIC);
    return done(&c);
}

size_t journal_text_start(char out[JOURNAL_LINE], const struct journal_start *s)
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};
    struct journal_start copy = *s;

    code_put(&c, "H");
    code_start(&c, &copy);
    return done(&c);
}

size_t journal_text_begin(char out[JOURNAL_LINE])
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};

    code_put(&c, "B");
    return done(&c);
}

size_t journal_text_event(char out[JOURNAL_LINE], const struct event *e)
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};
    struct event copy = *e;

    code_put(&c, "E");
    code_event(&c, &copy);
    return done(&c);
}

size_t journal_text_order(char out[JOURNAL_LINE], int64_t at_ms, const struct order *o)
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};
    struct order copy = *o;

    code_put(&c, "O");
    code_order(&c, &at_ms, &copy);
    return done(&c);
}

size_t journal_text_gap(char out[JOURNAL_LINE], int64_t at_ms, int64_t lost)
{
    struct coder c = {.out = out, .room = JOURNAL_BODY};

    code_put(&c, "G");
    code_gap(&c, &at_ms, &lost);
    return done(&c);
}

/* The checksum at the end of the line, whether it fits or not. */
static bool told_crc(const char *line, size_t n, uint32_t *crc)
{
    uint32_t value = 0;

    if (n < JOURNAL_SEAL || memcmp(line + n - JOURNAL_SEAL, " *", 2) != 0)
        return false;
    for (const char *p = line + n - 8; p < line + n; p++) {
        if (*p >= '0' && *p <= '9')
            value = value << 4 | (uint32_t)(*p - '0');
        else if (*p >= 'a' && *p <= 'f') /* not A: one bit away */
            value = value << 4 | (uint32_t)(*p - 'a' + 10);
        else
            return false;
    }
    *crc = value;
    return true;
}

/* The checksum is there and right. Cuts it off. */
static bool unseal(char *line, size_t n, uint32_t *crc)
{
    uint32_t told, before = *crc;

    if (!told_crc(line, n, &told))
        return false;
    *crc = told; /* the line behind a bad one can be good */
    if (n == strlen(MAGIC) + JOURNAL_SEAL && memcmp(line, MAGIC, strlen(MAGIC)) == 0)
        before = 0;
    if (journal_text_crc(before, line, n - JOURNAL_SEAL) != told)
        return false;
    line[n - JOURNAL_SEAL] = '\0';
    return strlen(line) == n - JOURNAL_SEAL;
}

static enum journal_kind parse_body(char kind, struct coder *c,
                                    struct journal_record *r)
{
    switch (kind) {
    case 'E':
        code_event(c, &r->event);
        return JOURNAL_EVENT;
    case 'O':
        code_order(c, &r->at_ms, &r->order);
        return JOURNAL_ORDER;
    case 'H':
        code_start(c, &r->start);
        return JOURNAL_HEAD;
    case 'G':
        code_gap(c, &r->at_ms, &r->lost);
        return JOURNAL_GAP;
    case 'S':
    case 'K':
        r->image = c->in - 2;
        c->in = "";
        return JOURNAL_IMAGE;
    default:
        c->failed = true;
        return JOURNAL_BAD;
    }
}

static bool ends_torn(const char *line, size_t n)
{
    size_t len = strlen(JOURNAL_TORN_END);

    return n >= len && memcmp(line + n - len, JOURNAL_TORN_END, len) == 0;
}

enum journal_kind journal_text_parse(char *line, size_t n, uint32_t *crc,
                                     struct journal_record *r)
{
    struct coder c = {.reading = true};

    memset(r, 0, sizeof *r);
    if (ends_torn(line, n))
        return r->kind = JOURNAL_TORN;
    if (!unseal(line, n, crc)) {
        r->bad = "damaged, or a line before it is missing";
        return r->kind;
    }
    if (strcmp(line, MAGIC) == 0)
        return r->kind = JOURNAL_MAGIC;
    if (strcmp(line, "B") == 0)
        return r->kind = JOURNAL_BEGIN;
    if (line[0] && line[1] == ' ') {
        c.in = line + 2;
        r->kind = parse_body(line[0], &c, r);
    }
    if (!r->kind || c.failed || *c.in) {
        memset(r, 0, sizeof *r);
        r->bad = "whole, but not a record of this version";
    }
    return r->kind;
}
