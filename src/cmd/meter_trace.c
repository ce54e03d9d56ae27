/* SPDX-License-Identifier: Apache-2.0 */
/* chargehand meter trace: every frame of one reading, with what it means. */
#include "cmd/meter_trace.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/meter.h"
#include "cmd/meter_relay.h"
#include "io/clock.h"

static const char help[] =
    "usage: chargehand meter trace --tcp HOST[:PORT] | --rtu DEVICE[:BAUD[:8N1]] |\n"
    "           --rtutcp HOST:PORT  --model NAME [--unit N] [options]\n\n"
    "Reads one meter once and shows every frame that is sent and that comes, when, "
    "its\n"
    "bytes, what they mean and where they differ from what was to be expected; at "
    "last,\n"
    "what the registers mean. To be sent to who helps you.\n\n"
    "  --tcp, --rtu, --rtutcp, --model, --unit, --timeout, --invert\n"
    "              as with `chargehand meter read`\n"
    "  --json      a JSON object per line\n\n"
    "Exit codes as with `chargehand meter read`.\n";

struct trace {
    const struct meter_options *o;
    enum framing framing;
    int timeout_ms;
    bool asked; /* q is waiting for its answer */
    struct frame_request q;
    int64_t asked_ms;
    bool judged; /* what has come so far has been explained */
    uint8_t came[2 * FRAME_ANSWER_MAX];
    int n_came;
};

/* A moment with bytes, or a text. */
static void line(const struct trace *t, int64_t t_ms, const char *what,
                 const uint8_t *bytes, int n, const char *text)
{
    enum { ROW = 20 };
    char hex[3 * 2 * FRAME_ANSWER_MAX + 1] = "";

    for (int i = 0; i < n && i < 2 * FRAME_ANSWER_MAX; i++)
        sprintf(hex + 3 * i, i < n - 1 ? "%02x " : "%02x", bytes[i]);
    if (t->o->json) {
        cJSON *j = cJSON_CreateObject();
        char *out;

        cJSON_AddNumberToObject(j, "t_s", (double)t_ms / 1000);
        cJSON_AddStringToObject(j, "what", what);
        if (n)
            cJSON_AddStringToObject(j, "bytes", hex);
        if (text)
            cJSON_AddStringToObject(j, "text", text);
        out = cJSON_PrintUnformatted(j);
        puts(out ? out : "{}");
        free(out);
        cJSON_Delete(j);
    } else if (text) {
        printf("%18s%s\n", "", text);
    } else {
        printf("%9.3f %*s", (double)t_ms / 1000, n ? -6 : 0, what);
        for (int i = 0; i < n; i += ROW)
            printf("%s  %.*s\n", i ? "                " : "", 3 * ROW - 1, hex + 3 * i);
        if (n == 0)
            printf("\n");
    }
    fflush(stdout);
}

/* ---- what passes ---- */

/* Explains what has come to the last request, or that nothing has. */
static void judge(struct trace *t, int64_t t_ms)
{
    char text[400], more[480];
    int64_t waited_ms = t_ms - t->asked_ms;

    if (!t->asked || t->judged)
        return;
    t->judged = true;
    if (t->n_came == 0) {
        snprintf(more, sizeof more, "nothing came within %lld ms",
                 (long long)waited_ms);
    } else {
        trace_answer_text(t->framing, &t->q, t->came, t->n_came, text, sizeof text);
        snprintf(more, sizeof more, "after %lld ms%s: %s", (long long)waited_ms,
                 waited_ms > t->timeout_ms ? " (too late, the time-out is shorter)"
                                           : "",
                 text);
    }
    line(t, t_ms, "meaning", NULL, 0, more);
}

static void sent(struct trace *t, const uint8_t *bytes, int n, int64_t t_ms)
{
    char text[100];

    judge(t, t_ms);
    line(t, t_ms, "sent", bytes, n, NULL);
    t->asked = trace_request(t->framing, bytes, n, &t->q);
    t->asked_ms = t_ms;
    t->judged = false;
    t->n_came = 0;
    if (t->asked)
        line(t, t_ms, "meaning", NULL, 0, trace_request_text(&t->q, text, sizeof text));
}

static void came(struct trace *t, const uint8_t *bytes, int n, int64_t t_ms)
{
    struct frame_answer a;

    line(t, t_ms, "came", bytes, n, NULL);
    if (!t->asked || t->judged) {
        line(t, t_ms, "meaning", NULL, 0,
             t->asked ? "more than was asked for, or a late answer"
                      : "nobody has asked for that");
        return;
    }
    if (n > (int)sizeof t->came - t->n_came)
        n = (int)sizeof t->came - t->n_came;
    memcpy(t->came + t->n_came, bytes, (size_t)n);
    t->n_came += n;
    if (frame_decode(t->framing, &t->q, t->came, t->n_came, &a) != FRAME_MORE)
        judge(t, t_ms);
}

static void passed(void *arg, enum relay_event event, const uint8_t *bytes, int n,
                   int64_t t_ms)
{
    struct trace *t = arg;

    if (event == RELAY_SENT) {
        sent(t, bytes, n, t_ms);
    } else if (event == RELAY_CAME) {
        came(t, bytes, n, t_ms);
    } else {
        judge(t, t_ms);
        line(t, t_ms, "closed", NULL, 0, "the device has closed the connection");
    }
}

/* ---- what the registers mean ---- */

static const struct {
    const char *unit;
    double divisor;
} units[QUANTITY_COUNT] = {
    [QUANTITY_V] = {"V", 1000},       [QUANTITY_I] = {"A", 1000},
    [QUANTITY_PP] = {"W", 1},         [QUANTITY_P] = {"W", 1},
    [QUANTITY_HZ] = {"Hz", 1000},     [QUANTITY_E_IMP] = {"kWh", 1000},
    [QUANTITY_E_EXP] = {"kWh", 1000}, [QUANTITY_PV_P] = {"W", 1},
    [QUANTITY_BAT_P] = {"W", 1},      [QUANTITY_SOC] = {"%", 10},
    [QUANTITY_INTERNAL] = {"", 1},
};

static void value_text(const struct point *pt, const uint16_t *words,
                       const uint16_t *sf, char *text, size_t size)
{
    double raw, v;

    if (!decode_raw(pt, words, &raw)) {
        snprintf(text, size, "not available, or no number");
        return;
    }
    v = number_scale(raw, pt->x, pt->unit_exp + (sf ? (int16_t)*sf : 0));
    snprintf(text, size, "%.12g -> %.7g %s%s", raw, v / units[pt->quantity].divisor,
             units[pt->quantity].unit, pt->n_mul ? ", times a ratio" : "");
}

static void print_point(const struct trace *t, const struct plan *p,
                        const struct point *pt, int at, int offset, const char *name)
{
    int width = value_type_width(pt->type);
    const uint16_t *words = plan_words(p, pt->fc, at + offset, width);
    const uint16_t *sf = pt->sf >= 0 ? plan_words(p, pt->fc, pt->sf + offset, 1) : NULL;
    char text[200], value[120], hex[24] = "";

    if (!words)
        return;
    for (int i = 0; i < width; i++)
        sprintf(hex + 5 * i, "%04x ", words[i]);
    value_text(pt, words, sf, value, sizeof value);
    snprintf(text, sizeof text, "%-7s %d/%-6d %s %s%s", name, pt->fc, at + offset,
             value_type_name(pt->type), hex, value);
    if (t->o->json)
        line(t, 0, "register", NULL, 0, text);
    else
        printf("  %s\n", text);
}

static void print_registers(const struct trace *t, const struct meter_poll *m)
{
    const struct plan *p = meter_poll_plan(m);
    int offset = 0, model = meter_poll_model(m, &offset);
    const struct definition *d = meter_poll_definition(m);
    char name[24];
    bool any = false;

    if (model)
        d = definition_model(d, model);
    for (int i = 0; p && i < p->n_blocks && !any; i++)
        any = p->blocks[i].valid;
    if (!any || !d)
        return;
    if (!t->o->json)
        printf("\nWhat the registers mean (point, function/register, type, words, "
               "number -> value):\n");
    for (int i = 0; i < d->n_points; i++)
        for (int k = 0; k < d->points[i].n && d->points[i].at[0] >= 0; k++) {
            snprintf(name, sizeof name, d->points[i].n > 1 ? "%s%d" : "%s",
                     d->points[i].name, k + 1);
            print_point(t, p, &d->points[i], d->points[i].at[k], offset, name);
        }
}

/* ---- all of it ---- */

/* The line speaks to the relay, people want to hear of the device. */
static void result_text(const struct modbus_line *l, const char *there,
                        const char *told, char *text, size_t size)
{
    const char *here = modbus_line_name(l), *at = strstr(told, here);

    if (at)
        snprintf(text, size, "%.*s%s%s", (int)(at - told), told, there,
                 at + strlen(here));
    else
        snprintf(text, size, "%s", told);
}

/* Reads; listens on for late answers when there was none. */
static enum poll_result read_through(struct trace *t, struct meter_poll *m,
                                     struct modbus_line *l, struct relay *relay,
                                     struct poll_reading *reading)
{
    enum poll_result result = POLL_LOST;
    int64_t end_ms;

    meter_until_signal(l);
    if (modbus_line_open(l, 3000) == LINE_OK) {
        meter_poll_reset(m);
        modbus_line_wait(l, clock_ms() + meter_poll_definition(m)->bus.connect_ms);
        result = meter_try_read(m, l, reading);
    }
    if (result == POLL_NONE)
        modbus_line_wait(l, clock_ms() + 2 * t->timeout_ms);
    meter_until_signal(NULL);
    modbus_line_close(l);
    end_ms = relay_now_ms(relay);
    relay_free(relay);
    judge(t, end_ms);
    return result;
}

static int trace_read(struct trace *t, struct meter_poll *m, struct modbus_line *l,
                      struct relay *relay, const char *there)
{
    struct poll_reading reading;
    enum poll_result result = read_through(t, m, l, relay, &reading);
    char text[1000] = "a plausible reading";

    if (result == POLL_STOPPED)
        snprintf(text, sizeof text, "interrupted");
    else if (result != POLL_READING)
        result_text(l, there, meter_poll_text(m), text, sizeof text);
    if (!t->o->json)
        printf("\nResult: %s\n", text);
    if (result == POLL_READING && !t->o->json)
        meter_print_reading(&reading.r, meter_poll_definition(m)->phases);
    if (t->o->json)
        line(t, 0, "result", NULL, 0, text);
    return meter_exit_code(result);
}

static int trace(struct trace *t, struct meter_poll *m)
{
    struct line_address here;
    char err[300] = "", there[300], time[21];
    struct relay *relay;
    struct modbus_line *l;
    int result = EXIT_UNAVAILABLE;

    meter_address_text(&t->o->address, there, sizeof there);
    if (!t->o->json)
        printf("%s, unit %d at %s, %s, chargehand %s\n", meter_poll_definition(m)->id,
               meter_poll_unit(m), there, clock_format_utc(clock_utc_s(), time),
               PACKAGE_VERSION);
    relay = relay_new(&t->o->address, 3000, &here, passed, t, err, sizeof err);
    l = relay ? modbus_line_new(&here, err, sizeof err) : NULL;
    if (l)
        result = trace_read(t, m, l, relay, there);
    else
        fprintf(stderr, "chargehand meter: %s\n", err);
    if (l)
        print_registers(t, m);
    else
        relay_free(relay);
    modbus_line_free(l);
    return result;
}

int meter_trace(int argc, char **argv)
{
    struct meter_options o;
    struct trace t = {.o = &o};
    struct meter_poll *m;
    int result = meter_parse_options(&o, argc, argv, help, true);

    if (result >= 0)
        return result;
    m = meter_open_poll(&o);
    if (!m)
        return EXIT_CONFIG;
    t.framing = o.address.transport == TRANSPORT_TCP ? FRAMING_MBAP : FRAMING_RTU;
    t.timeout_ms = meter_poll_definition(m)->bus.timeout_ms;
    result = trace(&t, m);
    meter_poll_free(m);
    return result;
}
