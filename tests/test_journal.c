/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what is written is read back the same, damage is found with its line. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/journal.h"

static char dir[] = "/tmp/chargehand-journal-XXXXXX";
static char path[64], older[80];

/* ---- random records ---- */

static uint64_t rnd_state;

static uint64_t rnd(void)
{
    rnd_state ^= rnd_state << 13;
    rnd_state ^= rnd_state >> 7;
    rnd_state ^= rnd_state << 17;
    return rnd_state;
}

static int below(int n)
{
    return (int)(rnd() % (uint64_t)n);
}

static int32_t any_i32(void)
{
    static const int32_t edges[] = {
        0, 1, -1, INT32_MAX, INT32_MIN, INT32_MIN + 1, 16000, -5000};

    return below(3) ? (int32_t)rnd() : edges[below(8)];
}

static int64_t any_i64(void)
{
    static const int64_t edges[] = {0, -1, INT64_MAX, INT64_MIN, INT64_MIN + 1};

    return below(3) ? (int64_t)rnd() : edges[below(5)];
}

static void any_phases(int32_t v[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        v[p] = any_i32();
}

static void any_event(struct event *e, int kind)
{
    memset(e, 0, sizeof *e);
    e->at_ms = any_i64();
    e->kind = (enum event_kind)kind;
    e->who = below(5) ? below(1000) : SITE_NONE;
    switch (e->kind) {
    case EVENT_METER:
        any_phases(e->meter.i_ma);
        any_phases(e->meter.v_mv);
        e->meter.p_w = any_i32();
        e->meter.changed_ms = any_i64();
        break;
    case EVENT_LINK:
        e->link.up = below(2);
        e->link.boot = below(2);
        break;
    case EVENT_STATUS:
        e->status = (enum connector_status)below(STATUS_COUNT);
        break;
    case EVENT_SESSION:
        e->session.active = below(2);
        e->session.resumed = below(2);
        break;
    case EVENT_SAMPLE:
        any_phases(e->sample.i_ma);
        e->sample.p_w = any_i32();
        e->sample.energy_wh = any_i64();
        break;
    case EVENT_ANSWER:
        e->answer.seq = (uint32_t)rnd();
        e->answer.answer = (enum answer)below(ANSWER_NONE + 1);
        break;
    case EVENT_WISH:
        e->wish.energy_wh = any_i32();
        e->wish.departs_ms = any_i64();
        break;
    case EVENT_MODE:
        e->mode = (enum mode)below(MODE_COUNT);
        break;
    case EVENT_PRIORITY:
        e->priority = any_i32();
        break;
    case EVENT_PAUSE:
        e->pause = below(2);
        break;
    case EVENT_LIMIT:
        e->limit.limit_ma = any_i32();
        e->limit.until_ms = any_i64();
        e->limit.source = (enum limit_source)below(LIMIT_SOURCES);
        e->limit.power_w = below(2) ? 0 : any_i32();
        e->limit.chargers_w = below(2) ? 0 : any_i32();
        break;
    case EVENT_CARD:
        e->card.mode = (enum mode)below(MODE_COUNT + 1);
        e->card.priority = any_i32();
        e->card.max_ma = any_i32();
        break;
    case EVENT_TICK:
    case EVENT_KINDS:
        break;
    }
}

static void any_order(struct order *o, int kind)
{
    memset(o, 0, sizeof *o);
    o->kind = (enum order_kind)kind;
    o->who = below(1000);
    if (o->kind == ORDER_LIMIT) {
        o->seq = (uint32_t)rnd();
        o->limit_ma = any_i32();
        o->lease_ms = any_i32();
        o->n_phases = (int8_t)below(SITE_PHASES + 1);
        o->renewal = below(2);
        o->insist = (int8_t)below(4);
        o->why.reason = (enum reason)below(REASON_COUNT);
        o->why.circuit = (int16_t)(below(3) ? below(INT16_MAX + 1) : SITE_NONE);
        o->why.phase = (int8_t)(below(SITE_PHASES + 1) - 1);
        o->why.until_ms = below(3) ? (int64_t)(rnd() >> 1) : -1;
    } else if (o->kind == ORDER_NOTICE) {
        o->notice = (enum notice)below(NOTICE_COUNT);
        o->begins = below(2);
    }
}

static void same_phases(const int32_t a[SITE_PHASES], const int32_t b[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        assert_int_equal(a[p], b[p]);
}

static void same_event(const struct event *a, const struct event *b)
{
    assert_true(a->at_ms == b->at_ms);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->who, b->who);
    switch (a->kind) {
    case EVENT_METER:
        same_phases(a->meter.i_ma, b->meter.i_ma);
        same_phases(a->meter.v_mv, b->meter.v_mv);
        assert_int_equal(a->meter.p_w, b->meter.p_w);
        assert_true(a->meter.changed_ms == b->meter.changed_ms);
        break;
    case EVENT_LINK:
        assert_int_equal(a->link.up, b->link.up);
        assert_int_equal(a->link.boot, b->link.boot);
        break;
    case EVENT_STATUS:
        assert_int_equal(a->status, b->status);
        break;
    case EVENT_SESSION:
        assert_int_equal(a->session.active, b->session.active);
        assert_int_equal(a->session.resumed, b->session.resumed);
        break;
    case EVENT_SAMPLE:
        same_phases(a->sample.i_ma, b->sample.i_ma);
        assert_int_equal(a->sample.p_w, b->sample.p_w);
        assert_true(a->sample.energy_wh == b->sample.energy_wh);
        break;
    case EVENT_ANSWER:
        assert_true(a->answer.seq == b->answer.seq);
        assert_int_equal(a->answer.answer, b->answer.answer);
        break;
    case EVENT_WISH:
        assert_int_equal(a->wish.energy_wh, b->wish.energy_wh);
        assert_true(a->wish.departs_ms == b->wish.departs_ms);
        break;
    case EVENT_MODE:
        assert_int_equal(a->mode, b->mode);
        break;
    case EVENT_PRIORITY:
        assert_int_equal(a->priority, b->priority);
        break;
    case EVENT_PAUSE:
        assert_int_equal(a->pause, b->pause);
        break;
    case EVENT_LIMIT:
        assert_int_equal(a->limit.limit_ma, b->limit.limit_ma);
        assert_true(a->limit.until_ms == b->limit.until_ms);
        assert_int_equal(a->limit.source, b->limit.source);
        assert_int_equal(a->limit.power_w, b->limit.power_w);
        assert_int_equal(a->limit.chargers_w, b->limit.chargers_w);
        break;
    case EVENT_CARD:
        assert_int_equal(a->card.mode, b->card.mode);
        assert_int_equal(a->card.priority, b->card.priority);
        assert_int_equal(a->card.max_ma, b->card.max_ma);
        break;
    case EVENT_TICK:
    case EVENT_KINDS:
        break;
    }
}

static void same_order(const struct order *a, const struct order *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->who, b->who);
    assert_true(a->seq == b->seq);
    assert_int_equal(a->limit_ma, b->limit_ma);
    assert_int_equal(a->lease_ms, b->lease_ms);
    assert_int_equal(a->n_phases, b->n_phases);
    assert_int_equal(a->renewal, b->renewal);
    assert_int_equal(a->insist, b->insist);
    assert_int_equal(a->why.reason, b->why.reason);
    assert_int_equal(a->why.circuit, b->why.circuit);
    assert_int_equal(a->why.phase, b->why.phase);
    assert_true(a->why.until_ms == b->why.until_ms);
    assert_int_equal(a->notice, b->notice);
    assert_int_equal(a->begins, b->begins);
}

static void seed_from_environment(void)
{
    const char *text = getenv("SEED");

    rnd_state = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    rnd_state |= 1;
    printf("seed %" PRIu64 " (SEED=... repeats it)\n", rnd_state);
}

/* ---- what a reader saw ---- */

struct seen {
    int headers, events, orders, bads;
    long first_bad;
    int64_t lost;
    char what[80];
    struct journal_start start;
    char site[2048];
    int part_of_header[16];
    struct event event[4096];
    struct order order[4096];
    int64_t order_ms[4096];
};

static void saw_header(void *arg, const struct journal_start *s, const char *site)
{
    struct seen *seen = arg;

    seen->start = *s;
    snprintf(seen->site, sizeof seen->site, "%s", site);
    if (seen->headers < 16)
        seen->part_of_header[seen->headers] = s->part;
    seen->headers++;
}

static void saw_event(void *arg, long line, const struct event *e)
{
    struct seen *seen = arg;

    assert_true(line > 0);
    if (seen->events < 4096)
        seen->event[seen->events] = *e;
    seen->events++;
}

static void saw_order(void *arg, long line, int64_t at_ms, const struct order *o)
{
    struct seen *seen = arg;

    assert_true(line > 0);
    if (seen->orders < 4096) {
        seen->order_ms[seen->orders] = at_ms;
        seen->order[seen->orders] = *o;
    }
    seen->orders++;
}

static void saw_gap(void *arg, long line, int64_t at_ms, int64_t lost)
{
    struct seen *seen = arg;

    (void)at_ms;
    assert_true(line > 0);
    seen->lost += lost;
}

static void saw_bad(void *arg, long line, const char *what)
{
    struct seen *seen = arg;

    if (!seen->bads++) {
        seen->first_bad = line;
        snprintf(seen->what, sizeof seen->what, "%s", what);
    }
}

static long read_stream(FILE *f, struct seen *seen)
{
    struct journal_reader r = {seen,      saw_header, saw_event,
                               saw_order, saw_gap,    saw_bad};
    long result;
    int error;

    memset(seen, 0, sizeof *seen);
    result = journal_read(f, &r);
    error = errno;
    fclose(f);
    errno = error;
    return result;
}

static long read_path(const char *from, struct seen *seen)
{
    FILE *f = fopen(from, "r");

    assert_non_null(f);
    return read_stream(f, seen);
}

static long read_text(const char *text, size_t n, struct seen *seen)
{
    FILE *f = fmemopen((void *)(uintptr_t)text, n, "r");

    assert_non_null(f);
    return read_stream(f, seen);
}

static struct seen seen;

static const struct journal_header header = {.utc_s = 1795161600,
                                             .mono_ms = 5000,
                                             .version = "0.1.0",
                                             .config_hash = "0123456789abcdef",
                                             .site = "site:\n  name: A\n"};

/* ---- tests ---- */

/* The line is `body` and a checksum. */
static void assert_body(char *line, const char *body)
{
    size_t n = strlen(line);

    assert_int_equal(n, strlen(body) + 11);
    line[n - 11] = '\0';
    assert_string_equal(line, body);
}

static void lines_read_as_people_expect(void **state)
{
    struct event e = {.at_ms = 123456, .kind = EVENT_METER, .who = 0};
    struct order o = {.kind = ORDER_LIMIT, .who = 3, .seq = 17, .limit_ma = 16000};
    char line[JOURNAL_LINE];

    (void)state;
    e.meter = (struct event_meter){{12300, 4000, EVENT_NO_VALUE},
                                   {230100, EVENT_NO_VALUE, EVENT_NO_VALUE},
                                   3770,
                                   123400};
    o.lease_ms = 900000;
    o.n_phases = 1;
    o.why = (struct why){REASON_CIRCUIT, 1, 1, 654321};
    journal_text_event(line, &e);
    assert_body(line, "E 123456 meter 0 i 12300 4000 - v 230100 - - p 3770 "
                      "changed 123400");
    journal_text_order(line, 123456, &o);
    assert_body(line, "O 123456 limit 3 seq 17 ma 16000 lease 900000 phases 1 "
                      "renewal 0 insist 0 why circuit 1 L2 until 654321");
    assert_true(journal_text_crc("123456789", 9) == 0xcbf43926u); /* the usual check */
}

static void random_records_come_back_the_same(void **state)
{
    enum { ROUNDS = 200 };
    static struct event events[ROUNDS * EVENT_KINDS];
    static struct order orders[ROUNDS * 3];
    struct journal *j = journal_open(path, 0, &header, NULL, NULL);
    int ne = 0, no = 0;

    (void)state;
    seed_from_environment();
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < EVENT_KINDS; k++) {
            any_event(&events[ne], k);
            journal_event(j, &events[ne++]);
        }
        for (int k = 0; k < 3; k++) {
            any_order(&orders[no], k);
            journal_order(j, 1000 + no, &orders[no]);
            no++;
        }
    }
    assert_int_equal(journal_lost(j), 0);
    journal_close(j);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.headers, 1);
    assert_int_equal(seen.events, ne);
    assert_int_equal(seen.orders, no);
    for (int i = 0; i < ne; i++)
        same_event(&events[i], &seen.event[i]);
    for (int i = 0; i < no; i++) {
        same_order(&orders[i], &seen.order[i]);
        assert_true(seen.order_ms[i] == 1000 + i);
    }
}

static void the_header_comes_back(void **state)
{
    char site[1500];
    struct journal_header h = header;

    (void)state;
    memset(site, 'x', sizeof site); /* a long line, a short one, and no last newline */
    strcpy(site + 1000, "\n\nname: Österstraße");
    h.site = site;
    h.version = "0.1.0 with a space";
    journal_close(journal_open(path, 0, &h, NULL, NULL));
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.headers, 1);
    assert_true(seen.start.utc_s == 1795161600);
    assert_true(seen.start.mono_ms == 5000);
    assert_int_equal(seen.start.part, 1);
    assert_string_equal(seen.start.version, "0.1.0_with_a_space");
    assert_string_equal(seen.start.config_hash, "0123456789abcdef");
    assert_string_equal(seen.site, site);
}

/* Writes a small journal and returns its text. */
static size_t small_journal(char *text, size_t size)
{
    struct journal *j = journal_open(path, 0, &header, NULL, NULL);
    struct event e = {.kind = EVENT_METER};
    struct order o = {.kind = ORDER_LIMIT, .limit_ma = 16000};
    FILE *f;
    size_t n;

    for (int i = 0; i < 4; i++) {
        e.at_ms = 1000 * i;
        journal_event(j, &e);
        journal_order(j, e.at_ms, &o);
    }
    journal_close(j);
    f = fopen(path, "r");
    n = fread(text, 1, size, f);
    fclose(f);
    return n;
}

static void every_flipped_bit_is_told_with_its_line(void **state)
{
    char text[4096];
    size_t n = small_journal(text, sizeof text);
    long line = 1;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            assert_true(read_text(text, n, &seen) >= 1);
            assert_int_equal(seen.first_bad, line);
            assert_true(seen.events + seen.orders >= 6); /* the rest is read */
            text[i] ^= (char)(1 << bit);
        }
        line += text[i] == '\n';
    }
}

/* Bytes changed, removed, doubled at random: never a crash, never a record that was not
 * written, and what is behind the damage is read. */
static void damage_of_any_kind_invents_nothing(void **state)
{
    static char text[4096], hurt[8192];
    size_t n = small_journal(text, sizeof text);

    (void)state;
    seed_from_environment();
    for (int round = 0; round < 3000; round++) {
        size_t at = (size_t)below((int)n), len = (size_t)below((int)(n - at)) % 60;
        size_t m = n;

        memcpy(hurt, text, n);
        if (round % 3 == 0) {
            for (size_t i = 0; i < len; i++)
                hurt[at + i] = (char)rnd();
        } else if (round % 3 == 1) {
            memmove(hurt + at, hurt + at + len, n - at - len);
            m = n - len;
        } else {
            memmove(hurt + at + len, hurt + at, n - at);
            m = n + len;
        }
        read_text(hurt, m, &seen);
        /* whole lines may be gone or doubled, but each is one that was written */
        for (int i = 0; i < seen.events; i++)
            assert_true(seen.event[i].kind == EVENT_METER &&
                        seen.event[i].at_ms % 1000 == 0 && seen.event[i].at_ms <= 3000);
        for (int i = 0; i < seen.orders; i++)
            assert_int_equal(seen.order[i].limit_ma, 16000);
    }
}

static void a_torn_last_line_costs_itself_only(void **state)
{
    char text[4096];
    size_t n = small_journal(text, sizeof text), last = n - 1;

    (void)state;
    while (text[last - 1] != '\n')
        last--;
    assert_int_equal(read_text(text, n - 1, &seen),
                     0); /* only the newline is missing */
    assert_int_equal(seen.orders, 4);
    for (size_t cut = last + 1; cut < n - 1; cut++) {
        assert_int_equal(read_text(text, cut, &seen), 1);
        assert_string_equal(seen.what, "the last line is torn");
        assert_int_equal(seen.events, 4);
        assert_int_equal(seen.orders, 3);
    }
}

static void a_restart_goes_on_behind_a_torn_line(void **state)
{
    char text[4096];
    size_t n = small_journal(text, sizeof text);

    (void)state;
    assert_int_equal(truncate(path, (off_t)n - 5), 0);
    small_journal(text, sizeof text);
    assert_int_equal(read_path(path, &seen), 1);
    assert_int_equal(seen.headers, 2);
    assert_int_equal(seen.events, 8);
    assert_int_equal(seen.orders, 7);
}

static void lines_that_are_whole_but_wrong_are_told(void **state)
{
    static const struct {
        const char *what, *body;
    } cases[] = {
        {"an unknown record", "X 1 tick -"},
        {"an unknown event", "E 1 earthquake 0"},
        {"a word too many", "E 1 tick - now"},
        {"a value missing", "E 1 status 3"},
        {"an unknown status", "E 1 status 3 asleep"},
        {"a number too large", "E 1 priority 3 2147483648"},
        {"not a number", "E 1 priority 3 4x"},
        {"two spaces", "E 1  tick -"},
        {"no clock", "E - meter"},
        {"a truth that is none", "E 1 pause 3 2"},
        {"a truth that is missing", "E 1 pause 3 -"},
        {"a sequence below 0", "E 1 answer 3 seq -1 accepted"},
        {"a sequence not there", "E 1 answer 3 seq - accepted"},
        {"an index below 0", "E 1 tick -7"},
        {"a phase that is none", "O 1 limit 3 seq 1 ma 0 lease 0 phases - renewal 0 "
                                 "insist 0 why max - L4 until -"},
        {"an end before the beginning", "O 1 limit 3 seq 1 ma 0 lease 0 phases - "
                                        "renewal 0 insist 0 why max - L1 until -2"},
        {"four phases", "O 1 limit 3 seq 1 ma 0 lease 0 phases 4 renewal 0 insist 0 "
                        "why max - L1 until -"},
        {"a card with a mode that is none", "E 1 card 3 sunny priority - ma -"},
        {"a later version", "chargehand-journal 2"},
        {"a header without time", "H utc now mono 1 part 1 version - config -"},
        {"an empty body", ""},
    };
    char line[JOURNAL_LINE];
    struct journal_record rec;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = snprintf(line, sizeof line, "%s *%08" PRIx32, cases[i].body,
                         journal_text_crc(cases[i].body, strlen(cases[i].body)));
        print_message("%s\n", cases[i].what);
        assert_int_equal(journal_text_parse(line, (size_t)n, &rec), JOURNAL_BAD);
        assert_non_null(rec.bad);
    }
}

static void what_is_no_value_is_not_written(void **state)
{
    struct event e = {.kind = EVENT_STATUS, .status = (enum connector_status)99};
    struct order o = {.kind = ORDER_LIMIT, .why = {REASON_MAX, SITE_NONE, 7}};
    char line[JOURNAL_LINE];

    (void)state;
    assert_int_equal(journal_text_event(line, &e), 0);
    assert_int_equal(journal_text_order(line, 1, &o), 0);
}

static void something_else_is_no_journal(void **state)
{
    char text[] = "time,circuit,l1_a\n2019-03-01T00:00:00Z,grid,1\n";

    (void)state;
    assert_int_equal(read_text(text, sizeof text - 1, &seen), -1);
    assert_int_equal(errno, EINVAL);
}

static void a_large_file_is_turned_over(void **state)
{
    struct journal *j = journal_open(path, 2000, &header, NULL, NULL);
    struct event e = {.kind = EVENT_TICK, .who = SITE_NONE};
    struct stat st;
    int parts;

    (void)state;
    for (int i = 0; i < 500; i++) {
        e.at_ms = 6000 + i * 1000;
        journal_event(j, &e);
        if (i % 10 == 9)
            journal_flush(j);
    }
    journal_close(j);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 3000);
    assert_int_equal(read_path(older, &seen), 0);
    assert_int_equal(seen.headers, 1);
    parts = seen.start.part;
    int64_t last_ms = seen.event[seen.events - 1].at_ms;
    assert_string_equal(seen.site, header.site);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.start.part, parts + 1);
    assert_true(seen.start.utc_s - header.utc_s ==
                (seen.start.mono_ms - header.mono_ms) / 1000);
    assert_true(seen.event[0].at_ms == last_ms + 1000); /* nothing between is lost */
}

struct told {
    int begins, ends;
    char text[200];
};

static void tell(void *arg, bool begins, const char *text)
{
    struct told *t = arg;

    if (begins)
        t->begins++;
    else
        t->ends++;
    snprintf(t->text, sizeof t->text, "%s", text);
}

static void a_full_device_is_told_once(void **state)
{
    struct told told = {0};
    struct journal *j = journal_open("/dev/full", 1000, &header, tell, &told);
    struct event e = {.kind = EVENT_TICK, .who = SITE_NONE};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        journal_event(j, &e);
        if (i % 100 == 0)
            journal_flush(j);
    }
    assert_int_equal(told.begins, 1);
    assert_non_null(strstr(told.text, "/dev/full"));
    assert_non_null(strstr(told.text, strerror(ENOSPC)));
    assert_true(journal_lost(j) > 0); /* the buffer is bounded */
    journal_close(j);
    assert_int_equal(told.ends, 0);
}

static void a_missing_folder_may_come_later(void **state)
{
    struct told told = {0};
    struct journal *j;
    struct event e = {.kind = EVENT_TICK, .who = SITE_NONE};
    char folder[64], file[80];

    (void)state;
    snprintf(folder, sizeof folder, "%s/later", dir);
    snprintf(file, sizeof file, "%s/j", folder);
    j = journal_open(file, 0, &header, tell, &told);
    journal_event(j, &e);
    journal_flush(j);
    assert_int_equal(told.begins, 1);
    assert_int_equal(mkdir(folder, 0700), 0);
    journal_flush(j);
    assert_int_equal(told.ends, 1);
    assert_int_equal(unlink(file), 0); /* somebody removes it: it is made anew */
    journal_event(j, &e);
    journal_close(j);
    assert_int_equal(told.begins, 1);
    assert_int_equal(read_path(file, &seen), 0);
    assert_int_equal(seen.events, 1);
    assert_int_equal(seen.start.part, 2);
    unlink(file);
    rmdir(folder);
}

/* In a child: the file may not grow over 4 kB for a while, as on a full disk. */
static int full_for_a_while(void)
{
    struct rlimit none, tight;
    struct told told = {0};
    struct event e = {.kind = EVENT_TICK, .who = SITE_NONE};
    struct journal *j = journal_open(path, 0, &header, tell, &told);

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &none);
    tight = none;
    tight.rlim_cur = 4096 + 7;
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 20000; i++) {
        e.at_ms = i;
        journal_event(j, &e);
        if (i % 1000 == 0)
            journal_flush(j);
    }
    if (told.begins != 1 || told.ends != 0 || journal_lost(j) == 0)
        return 1;
    setrlimit(RLIMIT_FSIZE, &none);
    journal_flush(j);
    if (told.ends != 1)
        return 2;
    e.at_ms = 30000;
    journal_event(j, &e);
    int64_t lost = journal_lost(j);
    journal_close(j);
    if (read_path(path, &seen) != 0)
        return 3;
    if (seen.lost != lost || seen.events + lost != 20001)
        return 4;
    return 0;
}

static void after_a_full_disk_the_gap_is_told(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(full_for_a_while());
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/journal", dir);
    snprintf(older, sizeof older, "%s.1", path);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unlink(path);
    unlink(older);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_read_as_people_expect),
        cmocka_unit_test_teardown(random_records_come_back_the_same, clean),
        cmocka_unit_test_teardown(the_header_comes_back, clean),
        cmocka_unit_test_teardown(every_flipped_bit_is_told_with_its_line, clean),
        cmocka_unit_test_teardown(damage_of_any_kind_invents_nothing, clean),
        cmocka_unit_test_teardown(a_torn_last_line_costs_itself_only, clean),
        cmocka_unit_test_teardown(a_restart_goes_on_behind_a_torn_line, clean),
        cmocka_unit_test(lines_that_are_whole_but_wrong_are_told),
        cmocka_unit_test(what_is_no_value_is_not_written),
        cmocka_unit_test(something_else_is_no_journal),
        cmocka_unit_test_teardown(a_large_file_is_turned_over, clean),
        cmocka_unit_test(a_full_device_is_told_once),
        cmocka_unit_test(a_missing_folder_may_come_later),
        cmocka_unit_test_teardown(after_a_full_disk_the_gap_is_told, clean),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
