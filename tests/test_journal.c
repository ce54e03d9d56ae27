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
#include "policy.h"

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
        e->wish.source = (enum wish_source)below(WISH_SOURCES);
        e->wish.min_ma = below(2) ? 0 : any_i32();
        e->wish.max_ma = below(2) ? 0 : any_i32();
        break;
    case EVENT_CEILING:
        e->ceiling.limit_ma = any_i32();
        e->ceiling.power_w = any_i32();
        e->ceiling.whole_ma = any_i32();
        e->ceiling.whole_w = any_i32();
        e->ceiling.until_ms = any_i64();
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
        assert_int_equal(a->wish.source, b->wish.source);
        assert_int_equal(a->wish.min_ma, b->wish.min_ma);
        assert_int_equal(a->wish.max_ma, b->wish.max_ma);
        break;
    case EVENT_CEILING:
        assert_int_equal(a->ceiling.limit_ma, b->ceiling.limit_ma);
        assert_int_equal(a->ceiling.power_w, b->ceiling.power_w);
        assert_int_equal(a->ceiling.whole_ma, b->ceiling.whole_ma);
        assert_int_equal(a->ceiling.whole_w, b->ceiling.whole_w);
        assert_true(a->ceiling.until_ms == b->ceiling.until_ms);
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
    int headers, whole, events, orders, bads, torn;
    long first_bad;
    int64_t lost;
    uint32_t crc;
    char what[80];
    struct journal_start start;
    char site[80];
    struct event event[4096];
    struct order order[4096];
    int64_t order_ms[4096];
};

static void saw_begin(void *arg, long line, const struct journal_start *s,
                      struct journal_image *image)
{
    struct seen *seen = arg;

    assert_true(line > 0);
    seen->start = *s;
    seen->whole += image != NULL;
    seen->headers++;
    if (image)
        snprintf(seen->site, sizeof seen->site, "%s", journal_image_site(image)->name);
    journal_image_free(image);
}

static void saw_torn(void *arg, long line)
{
    struct seen *seen = arg;

    assert_true(line > 0);
    seen->torn++;
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
    struct journal_reader r = {.arg = seen,
                               .begin = saw_begin,
                               .event = saw_event,
                               .order = saw_order,
                               .gap = saw_gap,
                               .torn = saw_torn,
                               .bad = saw_bad};
    long result;
    int error;

    memset(seen, 0, sizeof *seen);
    result = journal_read(f, &r);
    seen->crc = r.crc;
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

/* ---- a journal of a small site ---- */

static const struct site_circuit circuits[] = {{.name = "grid",
                                                .parent = SITE_NONE,
                                                .limit_ma = {32000, 32000, 32000},
                                                .meter = SITE_NONE}};
static const struct site_connector connectors[] = {
    {.name = "Bay \"1\" 100 %", .wiring = {0, 1, 2}, .max_ma = 16000, .step_ma = 100}};
static const struct site_charger chargers[] = {{NULL}};
static struct site site = {.name = "Österstraße 7",
                           .voltage_mv = 230000,
                           .lease_ms = 60000,
                           .n_circuits = 1,
                           .n_connectors = 1,
                           .n_chargers = 1,
                           .circuits = circuits,
                           .connectors = connectors,
                           .chargers = chargers};
static struct control *control;

static struct journal_header header = {.utc_s = 1795161600,
                                       .mono_ms = 5000,
                                       .version = "0.1.0",
                                       .config_hash = "0123456789abcdef",
                                       .site = &site};

static struct journal *begun(const char *file, int64_t max_bytes)
{
    struct journal *j = journal_open(file, max_bytes, NULL, NULL);

    assert_non_null(j);
    assert_true(journal_due(j));
    journal_head(j, &header);
    assert_false(journal_due(j));
    return j;
}

/* ---- tests ---- */

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
    assert_string_equal(line, "E 123456 meter 0 i 12300 4000 - v 230100 - - p 3770 "
                              "changed 123400");
    journal_text_order(line, 123456, &o);
    assert_string_equal(
        line, "O 123456 limit 3 seq 17 ma 16000 lease 900000 phases 1 renewal 0 "
              "insist 0 why circuit 1 L2 until 654321");
    assert_true(journal_text_crc(0, "123456789", 9) ==
                0xcbf43926u); /* the usual check */
}

static void random_records_come_back_the_same(void **state)
{
    enum { ROUNDS = 200 };
    static struct event events[ROUNDS * EVENT_KINDS];
    static struct order orders[ROUNDS * 3];
    struct journal *j = begun(path, 0);
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

static void the_head_comes_back(void **state)
{
    struct journal_header h = header;
    struct journal *j;

    (void)state;
    h.version = "0.1.0 with a space";
    j = journal_open(path, 0, NULL, NULL);
    journal_head(j, &h);
    journal_close(j);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.headers, 1);
    assert_int_equal(seen.whole, 1);
    assert_true(seen.start.utc_s == 1795161600);
    assert_true(seen.start.mono_ms == 5000);
    assert_int_equal(seen.start.part, 1);
    assert_int_equal(seen.start.begun, BEGUN_START);
    assert_string_equal(seen.start.after, "");
    assert_string_equal(seen.start.version, "0.1.0_with_a_space");
    assert_string_equal(seen.start.config_hash, "0123456789abcdef");
    assert_string_equal(seen.site, "Österstraße 7");
}

/* What is read from an image makes the same image. */
struct lines {
    char text[65536];
    size_t n;
};

static void keep_line(void *arg, const char *line, size_t n)
{
    struct lines *l = arg;

    assert_true(l->n + n + 2 < sizeof l->text);
    memcpy(l->text + l->n, line, n);
    l->n += n;
    l->text[l->n++] = '\n';
    l->text[l->n] = '\0';
}

static void an_image_makes_the_same_image(void **state)
{
    static struct lines a, b;
    struct journal_image *m = journal_image_new();
    struct event e = {.kind = EVENT_LINK, .at_ms = INT32_MAX, .link = {true, false}};
    struct order out[16];
    char copy[sizeof a.text], *rest = copy, *line;

    (void)state;
    control_step(control, &e, out);
    a.n = b.n = 0;
    journal_image_write(&site, control, keep_line, &a);
    strcpy(copy, a.text);
    while ((line = strsep(&rest, "\n")) && *line)
        assert_null(journal_image_take(m, line));
    assert_null(journal_image_end(m));
    assert_string_equal(journal_image_site(m)->connectors[0].name, "Bay \"1\" 100 %");
    assert_null(journal_image_site(m)->chargers[0].id);
    assert_ptr_equal(journal_image_site(m)->policy, site.policy);
    journal_image_write(journal_image_site(m), journal_image_control(m), keep_line, &b);
    assert_string_equal(a.text, b.text);
    journal_image_free(m);
}

/* Members of another build's memory that this one lacks cannot be told from zeros. */
static void an_image_of_another_build_is_refused(void **state)
{
    static struct lines a;
    char *line, *rest = a.text, *layout;
    struct journal_image *m = journal_image_new();

    (void)state;
    a.n = 0;
    journal_image_write(&site, control, keep_line, &a);
    layout = strsep(&rest, "\n");
    assert_ptr_equal(strstr(layout, "S layout "), layout);
    while ((line = strsep(&rest, "\n")) && *line) /* it told none yet */
        assert_null(journal_image_take(m, line));
    assert_non_null(strstr(journal_image_end(m), "another build"));
    journal_image_free(m);
    m = journal_image_new();
    layout[strlen(layout) - 1] ^= 1;
    assert_non_null(strstr(journal_image_take(m, layout), "another build"));
    journal_image_free(m);
}

static void an_image_that_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *what, *lines[4];
    } cases[] = {
        {"nothing", {NULL}},
        {"no value", {"S policy"}},
        {"an unknown policy", {"S policy \"chaos\""}},
        {"a text without quotes", {"S policy equal"}},
        {"an unknown thing", {"S roof 0 area 3"}},
        {"an unknown member", {"S site 0 colour 3"}},
        {"a member without value", {"S site 0 lease_ms"}},
        {"not a number", {"S site 0 lease_ms 5x"}},
        {"a number too large", {"S site 0 lease_ms 5000000000"}},
        {"two numbers for one", {"S site 0 lease_ms 5,6"}},
        {"an index", {"S site 1 lease_ms 5"}},
        {"a negative index", {"S site -1 lease_ms 5"}},
        {"too many circuits", {"S site 0 n_circuits 40000", "S circuit 0 margin_ma 1"}},
        {"no circuit", {"S site 0 n_circuits 0", "S circuit 0 margin_ma 1"}},
        {"a size that comes late",
         {"S site 0 n_circuits 1", "S circuit 0 margin_ma 1", "S site 0 n_circuits 2"}},
        {"one number for three", {"S site 0 n_circuits 1", "S circuit 0 limit_ma 1"}},
        {"no site", {"K control 0 steps 1"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct journal_image *m = journal_image_new();
        const char *fault = NULL;

        print_message("%s\n", cases[i].what);
        for (int l = 0; !fault && cases[i].lines[l]; l++)
            fault = journal_image_take(m, cases[i].lines[l]);
        if (!fault)
            fault = journal_image_end(m);
        assert_non_null(fault);
        journal_image_free(m);
    }
}

/* Writes a small journal and returns its text. */
static size_t small_journal(char *text, size_t size)
{
    struct journal *j = begun(path, 0);
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
        /* the end may be missing, for it may not have been written; else it is told */
        if (m > n || memcmp(hurt, text, m) != 0)
            assert_true(seen.bads + seen.torn > 0);
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
    assert_int_equal(seen.torn, 0);
    for (size_t cut = last + 1; cut < n - 1; cut++) {
        assert_int_equal(read_text(text, cut, &seen), 0);
        assert_int_equal(seen.torn, 1);
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
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.torn, 1);
    assert_int_equal(seen.whole, 2);
    assert_int_equal(seen.events, 8);
    assert_int_equal(seen.orders, 7);
}

static void a_start_of_one_line_is_torn(void **state)
{
    char text[4096 + 64];
    size_t n = small_journal(text, 4096), first = strcspn(text, "\n") + 1;

    (void)state;
    memmove(text + first, text, n);
    assert_int_equal(read_text(text, n + first, &seen), 0);
    assert_int_equal(seen.torn, 1);
    assert_int_equal(seen.orders, 4);
}

static void a_torn_line_where_nothing_starts_is_bad(void **state)
{
    char text[4096], hurt[4096 + 16];
    size_t n = small_journal(text, sizeof text), at = n / 2;

    (void)state;
    memcpy(hurt, text, at);
    memcpy(hurt + at, JOURNAL_TORN_END "\n", 8);
    memcpy(hurt + at + 8, text + at, n - at);
    assert_true(read_text(hurt, n + 8, &seen) >= 1);
}

/* Power cuts can leave a long tail of zeros. */
static void a_tail_of_zeros_is_a_torn_line(void **state)
{
    static char text[4096 + 5000];
    size_t n = small_journal(text, 4096);
    FILE *f;

    (void)state;
    assert_int_equal(read_text(text, n + 4000, &seen), 0);
    assert_int_equal(seen.torn, 1);
    assert_int_equal(seen.orders, 4);
    f = fopen(path, "a");
    fwrite(text + n, 1, 4000, f);
    fclose(f);
    small_journal(text, 4096);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.torn, 1);
    assert_int_equal(seen.orders, 8);
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
        {"another version", "chargehand-journal 1"},
        {"a header without time",
         "H utc now mono 1 part 1 begun start after - version - config -"},
        {"an empty body", ""},
    };
    char line[JOURNAL_LINE];
    struct journal_record rec;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t crc = 7, before = 7;
        size_t n = strlen(strcpy(line, cases[i].body));

        n = journal_text_seal(line, n, &crc) - 1;
        print_message("%s\n", cases[i].what);
        assert_int_equal(journal_text_parse(line, n, &before, &rec), JOURNAL_BAD);
        assert_true(before == crc);
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

/* As the controller does it: an event, and once a second the rest. */
static void second(struct journal *j, int64_t at_ms)
{
    struct event e = {.kind = EVENT_TICK, .who = SITE_NONE, .at_ms = at_ms};
    struct journal_header h = header;

    journal_event(j, &e);
    journal_flush(j);
    h.utc_s += (at_ms - h.mono_ms) / 1000;
    h.mono_ms = at_ms;
    if (journal_due(j))
        journal_head(j, &h);
}

static void a_large_file_is_turned_over(void **state)
{
    struct journal *j = begun(path, 20000);
    struct stat st;
    char crc[9];
    int parts;

    (void)state;
    for (int i = 0; i < 3000; i++)
        second(j, 6000 + i * 1000);
    journal_close(j);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 22000);
    assert_int_equal(stat(older, &st), 0);
    assert_true(st.st_size < 22000);
    assert_int_equal(read_path(older, &seen), 0);
    assert_int_equal(seen.headers, 1);
    assert_int_equal(seen.whole, 1);
    parts = seen.start.part;
    int64_t last_ms = seen.event[seen.events - 1].at_ms;
    snprintf(crc, sizeof crc, "%08" PRIx32, seen.crc);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.whole, 1);
    assert_int_equal(seen.start.part, parts + 1);
    assert_int_equal(seen.start.begun, BEGUN_FILE);
    assert_string_equal(seen.start.after, crc);
    assert_true(seen.event[0].at_ms == last_ms + 1000); /* nothing between is lost */
}

/* The bound is smaller than a head: no head after head. */
static void a_tiny_bound_does_not_fill_the_disk_with_heads(void **state)
{
    struct journal *j = begun(path, 100);
    struct stat st;

    (void)state;
    for (int i = 0; i < 200; i++)
        second(j, 6000 + i * 1000);
    journal_close(j);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 10000);
    assert_int_equal(read_path(path, &seen), 0);
    assert_true(seen.start.part < 20);
}

static void an_hour_begins_a_part(void **state)
{
    struct journal *j = begun(path, 0);

    (void)state;
    for (int i = 0; i < 4000; i++)
        second(j, 6000 + i * 1000);
    journal_close(j);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.whole, 2);
    assert_int_equal(seen.start.begun, BEGUN_HOUR);
    assert_int_equal(seen.events, 4000);
}

static void a_reload_begins_a_part(void **state)
{
    struct journal *j = begun(path, 0);
    struct journal_header h = header;

    (void)state;
    h.reload = true;
    h.config_hash = "fedcba9876543210";
    journal_head(j, &h);
    second(j, 6000);
    journal_close(j);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.whole, 2);
    assert_int_equal(seen.start.part, 2);
    assert_int_equal(seen.start.begun, BEGUN_RELOAD);
    assert_string_equal(seen.start.config_hash, "fedcba9876543210");
}

/* A controller with much in its memory: the head is larger than the buffer. */
static void a_large_head_is_whole(void **state)
{
    enum { N = 2000 };
    struct site_connector *many = calloc(N, sizeof *many);
    struct site large = site;
    struct journal_header h = header;
    struct journal *j = journal_open(path, 0, NULL, NULL);

    (void)state;
    for (int i = 0; i < N; i++)
        many[i] = connectors[0];
    large.connectors = many;
    large.n_connectors = N;
    h.site = &large;
    h.control = control_init(malloc(control_size(&large)), &large, 0, 0);
    journal_head(j, &h);
    assert_int_equal(journal_lost(j), 0);
    journal_close(j);
    assert_int_equal(read_path(path, &seen), 0);
    assert_int_equal(seen.whole, 1);
    free((void *)(uintptr_t)h.control);
    free(many);
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
    struct journal *j = journal_open("/dev/full", 1000, tell, &told);

    (void)state;
    for (int i = 0; i < 20000; i++)
        second(j, 6000 + i * 1000);
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
    char folder[64], file[80];

    (void)state;
    snprintf(folder, sizeof folder, "%s/later", dir);
    snprintf(file, sizeof file, "%s/j", folder);
    j = journal_open(file, 0, tell, &told);
    second(j, 6000);
    second(j, 7000);
    assert_int_equal(told.begins, 1);
    assert_int_equal(mkdir(folder, 0700), 0);
    second(j, 8000);
    second(j, 9000);
    assert_int_equal(told.ends, 1);
    journal_flush(j);
    assert_int_equal(read_path(file, &seen), 0);
    assert_int_equal(seen.whole, 1);
    assert_int_equal(seen.start.begun, BEGUN_START);
    assert_int_equal(seen.lost, 3);
    assert_int_equal(seen.events, 1);
    assert_int_equal(unlink(file), 0); /* somebody removes it: it is made anew */
    second(j, 10000);
    second(j, 11000);
    journal_close(j);
    assert_int_equal(told.begins, 1);
    assert_int_equal(read_path(file, &seen), 0);
    assert_int_equal(seen.events, 1);
    assert_int_equal(seen.start.part, 2);
    assert_int_equal(seen.start.begun, BEGUN_FILE);
    unlink(file);
    rmdir(folder);
}

/* In a child: the file may not grow over 8 kB for a while, as on a full disk. */
static int full_for_a_while(void)
{
    struct rlimit none, tight;
    struct told told = {0};
    struct journal *j = journal_open(path, 0, tell, &told);
    int64_t lost;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &none);
    tight = none;
    tight.rlim_cur = 8192 + 7;
    journal_head(j, &header);
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 20000; i++)
        second(j, 6000 + i);
    if (told.begins != 1 || told.ends != 0 || journal_lost(j) == 0)
        return 1;
    setrlimit(RLIMIT_FSIZE, &none);
    lost = journal_lost(j);
    second(j, 30000); /* lost, too, and then the gap is told and a head follows */
    if (told.ends != 1 || journal_lost(j) != lost + 1)
        return 2;
    second(j, 31000);
    journal_close(j);
    if (read_path(path, &seen) != 0 || seen.torn != 0)
        return 3;
    if (seen.lost != lost + 1 || seen.events + seen.lost != 20002)
        return 4;
    return seen.whole == 2 && seen.start.begun == BEGUN_GAP ? 0 : 5;
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
    site.policy = policies[0];
    control = control_init(malloc(control_size(&site)), &site, 5000, 5000);
    header.control = control;
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
    free(control);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_read_as_people_expect),
        cmocka_unit_test_teardown(random_records_come_back_the_same, clean),
        cmocka_unit_test_teardown(the_head_comes_back, clean),
        cmocka_unit_test(an_image_makes_the_same_image),
        cmocka_unit_test(an_image_of_another_build_is_refused),
        cmocka_unit_test(an_image_that_is_wrong_is_refused),
        cmocka_unit_test_teardown(every_flipped_bit_is_told_with_its_line, clean),
        cmocka_unit_test_teardown(damage_of_any_kind_invents_nothing, clean),
        cmocka_unit_test_teardown(a_torn_last_line_costs_itself_only, clean),
        cmocka_unit_test_teardown(a_restart_goes_on_behind_a_torn_line, clean),
        cmocka_unit_test_teardown(a_start_of_one_line_is_torn, clean),
        cmocka_unit_test_teardown(a_torn_line_where_nothing_starts_is_bad, clean),
        cmocka_unit_test_teardown(a_tail_of_zeros_is_a_torn_line, clean),
        cmocka_unit_test(lines_that_are_whole_but_wrong_are_told),
        cmocka_unit_test(what_is_no_value_is_not_written),
        cmocka_unit_test(something_else_is_no_journal),
        cmocka_unit_test_teardown(a_large_file_is_turned_over, clean),
        cmocka_unit_test_teardown(a_tiny_bound_does_not_fill_the_disk_with_heads,
                                  clean),
        cmocka_unit_test_teardown(an_hour_begins_a_part, clean),
        cmocka_unit_test_teardown(a_reload_begins_a_part, clean),
        cmocka_unit_test_teardown(a_large_head_is_whole, clean),
        cmocka_unit_test(a_full_device_is_told_once),
        cmocka_unit_test(a_missing_folder_may_come_later),
        cmocka_unit_test_teardown(after_a_full_disk_the_gap_is_told, clean),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
