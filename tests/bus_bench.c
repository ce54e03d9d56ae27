/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char temporary[300];

static void wake(void *arg)
{
    struct bench *b = arg;

    pthread_mutex_lock(&b->lock);
    b->wake = true;
    pthread_cond_signal(&b->woken);
    pthread_mutex_unlock(&b->lock);
}

void bench_init(struct bench *b)
{
    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->woken, NULL);
    b->inbox = inbox_new(1000, wake, b);
    b->c.meters = b->conf;
    b->c.site.circuits = &b->circuit;
    b->c.site.n_circuits = 1;
    b->circuit.meter = 0;
}

struct conf_meter *bench_add(struct bench *b, const char *model, int port)
{
    static const char *const names[BENCH_METERS] = {"main", "second", "third",
                                                    "fourth"};
    struct conf_meter *m = &b->conf[b->c.site.n_meters];

    *m = (struct conf_meter){.name = names[b->c.site.n_meters],
                             .model = model,
                             .transport = TRANSPORT_TCP,
                             .host = "127.0.0.1",
                             .port = port,
                             .unit = -1,
                             .interval_ms = 20,
                             .max_age_ms = 60000};
    b->c.site.n_meters++;
    return m;
}

void bench_start(struct bench *b)
{
    b->buses = buses_new(&b->c, b->inbox);
    assert_non_null(b->buses);
}

void bench_stop(struct bench *b)
{
    buses_free(b->buses);
    inbox_free(b->inbox);
    pthread_cond_destroy(&b->woken);
    pthread_mutex_destroy(&b->lock);
}

static int meter_named(const struct bench *b, const char *name)
{
    for (int i = 0; i < b->c.site.n_meters; i++)
        if (strcmp(b->conf[i].name, name) == 0)
            return i;
    fail_msg("a trouble of \"%s\"", name);
    return -1;
}

static void take(struct bench *b, const struct inbox_item *item)
{
    struct seen *s;

    if (item->kind == INBOX_EVENT) {
        assert_int_equal(item->event.kind, EVENT_METER);
        s = &b->seen[item->event.who];
        assert_true(s->readings == 0 || item->event.at_ms >= s->last.at_ms);
        assert_true(item->event.meter.changed_ms <= item->event.at_ms);
        assert_in_range(clock_ms() - item->event.at_ms, 0, BENCH_DEADLINE_S * 1000);
        s->last = item->event;
        if (b->check)
            b->check(&item->event.meter);
    } else if (item->kind == INBOX_METER) {
        s = &b->seen[item->reading.meter];
        memcpy(s->p_phase_w, item->reading.p_phase_w, sizeof s->p_phase_w);
        s->hz_mhz = item->reading.hz_mhz;
        s->import_wh = item->reading.import_wh;
        s->export_wh = item->reading.export_wh;
        s->readings++; /* the pair is whole */
    } else {
        assert_int_equal(item->kind, INBOX_TROUBLE);
        assert_string_equal(item->trouble.code, "meter");
        s = &b->seen[meter_named(b, item->trouble.who)];
        if (item->trouble.begins && s->begins < BENCH_TEXTS)
            strcpy(s->text[s->begins], item->trouble.text);
        s->begins += item->trouble.begins;
        s->ends += !item->trouble.begins;
    }
}

void bench_next(struct bench *b)
{
    struct inbox_item item;
    struct timespec t;

    pthread_mutex_lock(&b->lock);
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 1;
    while (!b->wake && pthread_cond_timedwait(&b->woken, &b->lock, &t) != ETIMEDOUT)
        ;
    b->wake = false;
    pthread_mutex_unlock(&b->lock);
    while (inbox_take(b->inbox, &item))
        take(b, &item);
}

struct modbus_server *bench_server(const char *model, int unit, int port)
{
    char err[2000];
    struct modbus_server *s = modbus_server_new(model, unit, port, err, sizeof err);

    if (!s)
        fail_msg("%s", err);
    return s;
}

const int32_t some_ma[3] = {10000, 4000, -2000};
const int32_t other_ma[3] = {16000, -5000, 1000};

bool bench_reads(const struct bench *b, int meter, const int32_t i_ma[3])
{
    return memcmp(b->seen[meter].last.meter.i_ma, i_ma, 3 * sizeof i_ma[0]) == 0;
}

static void write_model(const char *id, const char *bus)
{
    char path[400];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.yaml", temporary, id);
    f = fopen(path, "w");
    assert_non_null(f);
    fprintf(
        f,
        "format: 1\nid: %s\nname: X\nkind: meter\nbus: {unit: 1, %s}\n"
        "limits: {max_regs: 6}\ndefaults: {fc: 4, type: f32}\n"
        "fast: [v, i, pp, e_imp]\npoints:\n"
        "  v: {at: [0, 2, 4]}\n  i: {at: [6, 8, 10], sign: pp}\n"
        "  pp: {at: [12, 14, 16]}\n  e_imp: {at: 72, counter: true, optional: true}\n",
        id, bus);
    fclose(f);
}

int bench_set_up(void **state)
{
    const char *srcdir = getenv("srcdir");
    char env[700];

    (void)state;
    snprintf(temporary, sizeof temporary, "%s/chargehand-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(temporary))
        return -1;
    snprintf(env, sizeof env, "%s:%s/meters", temporary, srcdir ? srcdir : ".");
    write_model("quick", "timeout_ms: 150, gap_ms: 0");
    write_model("patient", "timeout_ms: 20000");
    return setenv("CHARGEHAND_METERS", env, 1);
}

int bench_tear_down(void **state)
{
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s/quick.yaml", temporary);
    unlink(path);
    snprintf(path, sizeof path, "%s/patient.yaml", temporary);
    unlink(path);
    return rmdir(temporary);
}
