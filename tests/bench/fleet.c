/* SPDX-License-Identifier: Apache-2.0 */
/* Many chargers on one thread. */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/clock.h"
#include "place.h"

enum { LATE_S = 30, RETRY_S = 2 };

/* ---- what they say ---- */

static void call(struct bay *b, const char *action, const char *payload)
{
    char text[1300];
    int n = snprintf(text, sizeof text, "[2,\"%u\",\"%s\",%s]", ++b->calls, action,
                     payload);

    wire_send(&b->wire, text, (size_t)n);
    b->called_s = now_s();
}

static void boot(struct bay *b)
{
    call(b, "BootNotification",
         b->fleet->modern
             ? "{\"reason\":\"PowerUp\",\"chargingStation\":{\"vendorName\":\"Bench\","
               "\"model\":\"Load\",\"serialNumber\":\"1\",\"firmwareVersion\":\"1\"}}"
             : "{\"chargePointVendor\":\"Bench\",\"chargePointModel\":\"Load\","
               "\"chargePointSerialNumber\":\"1\",\"firmwareVersion\":\"1\"}");
}

static const char *moment(char text[21])
{
    return clock_format_utc(clock_utc_s(), text);
}

static void status(struct bay *b)
{
    char payload[160], now[21];

    if (b->fleet->modern)
        snprintf(payload, sizeof payload,
                 "{\"evseId\":1,\"connectorId\":1,\"timestamp\":\"%s\","
                 "\"connectorStatus\":\"%s\"}",
                 moment(now), b->charges ? "Occupied" : "Available");
    else
        snprintf(payload, sizeof payload,
                 "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"%s\"}",
                 b->charges ? "Charging" : "Available");
    call(b, "StatusNotification", payload);
}

/* A transaction begins, or with samples goes on, as 2.0.1 has it. */
static void tx_event(struct bay *b, const char *type, const char *samples)
{
    char payload[1100], now[21];

    snprintf(payload, sizeof payload,
             "{\"eventType\":\"%s\",\"timestamp\":\"%s\",\"triggerReason\":"
             "\"MeterValuePeriodic\",\"seqNo\":%u,\"evse\":{\"id\":1},"
             "\"transactionInfo\":{\"transactionId\":\"%s\",\"chargingState\":"
             "\"Charging\"}%s}",
             type, moment(now), b->calls, b->path, samples);
    call(b, "TransactionEvent", payload);
}

static void start(struct bay *b)
{
    if (b->fleet->modern) {
        tx_event(b, "Started",
                 ",\"idToken\":{\"idToken\":\"tag\",\"type\":\"Central\"}");
        b->transaction = 1;
    } else {
        call(b, "StartTransaction",
             "{\"connectorId\":1,\"idTag\":\"tag\",\"meterStart\":0,\"timestamp\":"
             "\"2026-01-01T00:00:00Z\"}");
    }
}

/* Five samples. */
static void meter_values(struct bay *b)
{
    char samples[800], payload[900], now[21];
    double a = b->charges ? b->limit_a : 0;

    if (b->fleet->modern)
        snprintf(
            samples, sizeof samples,
            "\"meterValue\":[{\"timestamp\":\"%s\",\"sampledValue\":["
            "{\"value\":%.1f,\"context\":\"Sample.Periodic\",\"measurand\":"
            "\"Current.Import\",\"phase\":\"L1\",\"unitOfMeasure\":{\"unit\":\"A\"}},"
            "{\"value\":%.1f,\"context\":\"Sample.Periodic\",\"measurand\":"
            "\"Current.Import\",\"phase\":\"L2\",\"unitOfMeasure\":{\"unit\":\"A\"}},"
            "{\"value\":%.1f,\"context\":\"Sample.Periodic\",\"measurand\":"
            "\"Current.Import\",\"phase\":\"L3\",\"unitOfMeasure\":{\"unit\":\"A\"}},"
            "{\"value\":%.0f,\"context\":\"Sample.Periodic\",\"measurand\":"
            "\"Power.Active.Import\",\"unitOfMeasure\":{\"unit\":\"W\"}},"
            "{\"value\":%u,\"context\":\"Sample.Periodic\",\"measurand\":"
            "\"Energy.Active.Import.Register\",\"unitOfMeasure\":{\"unit\":\"Wh\"}}]}]",
            moment(now), a, a, a, 690 * a, 1000 + b->calls);
    else
        snprintf(samples, sizeof samples,
                 "\"meterValue\":[{\"timestamp\":\"%s\",\"sampledValue\":["
                 "{\"value\":\"%.1f\",\"context\":\"Sample.Periodic\",\"measurand\":"
                 "\"Current.Import\",\"phase\":\"L1\",\"unit\":\"A\"},"
                 "{\"value\":\"%.1f\",\"context\":\"Sample.Periodic\",\"measurand\":"
                 "\"Current.Import\",\"phase\":\"L2\",\"unit\":\"A\"},"
                 "{\"value\":\"%.1f\",\"context\":\"Sample.Periodic\",\"measurand\":"
                 "\"Current.Import\",\"phase\":\"L3\",\"unit\":\"A\"},"
                 "{\"value\":\"%.0f\",\"context\":\"Sample.Periodic\",\"measurand\":"
                 "\"Power.Active.Import\",\"unit\":\"W\"},"
                 "{\"value\":\"%u\",\"context\":\"Sample.Periodic\",\"measurand\":"
                 "\"Energy.Active.Import.Register\",\"unit\":\"Wh\"}]}]",
                 moment(now), a, a, a, 690 * a, 1000 + b->calls);
    if (b->fleet->modern && b->transaction) {
        snprintf(payload, sizeof payload, ",%s", samples);
        tx_event(b, "Updated", payload);
        return;
    }
    if (b->fleet->modern)
        snprintf(payload, sizeof payload, "{\"evseId\":1,%s}", samples);
    else if (b->transaction)
        snprintf(payload, sizeof payload, "{\"connectorId\":1,\"transactionId\":%d,%s}",
                 b->transaction, samples);
    else
        snprintf(payload, sizeof payload, "{\"connectorId\":1,%s}", samples);
    call(b, "MeterValues", payload);
}

/* ---- what they hear ---- */

/* The id of a call, or of an answer, as a text of *len. */
static const char *id_of(const char *text, size_t *len)
{
    const char *id = strchr(text, '"'), *end = id ? strchr(id + 1, '"') : NULL;

    *len = end ? (size_t)(end - id - 1) : 0;
    return end ? id + 1 : NULL;
}

static void obey(struct bay *b, const char *text)
{
    const char *limit = strstr(text, "\"limit\":");

    if (limit) {
        b->limit_a = atof(limit + 8);
        b->told_s = now_s();
    }
}

/* What it says to a call; most of them are just accepted. */
static const char *said(const char *text)
{
    static const char keys[] =
        "{\"configurationKey\":[{\"key\":\"ChargeProfileMaxStackLevel\",\"readonly\":"
        "true,\"value\":\"8\"},{\"key\":\"ChargingScheduleAllowedChargingRateUnit\","
        "\"readonly\":true,\"value\":\"Current\"}]}";
    static const char variables[] =
        "{\"getVariableResult\":[{\"attributeStatus\":\"Accepted\",\"attributeValue\":"
        "\"8\",\"component\":{\"name\":\"SmartChargingCtrlr\"},\"variable\":{"
        "\"name\":\"ProfileStackLevel\"}},{\"attributeStatus\":\"Accepted\","
        "\"attributeValue\":\"A\",\"component\":{\"name\":\"SmartChargingCtrlr\"},"
        "\"variable\":{\"name\":\"RateUnit\"}}]}";
    static const char set[] =
        "{\"setVariableResult\":[{\"attributeStatus\":\"Accepted\",\"component\":{"
        "\"name\":\"SampledDataCtrlr\"},\"variable\":{\"name\":"
        "\"TxUpdatedInterval\"}}]}";

    if (strstr(text, "\"GetConfiguration\""))
        return keys;
    if (strstr(text, "\"GetVariables\""))
        return variables;
    if (strstr(text, "\"SetVariables\""))
        return set;
    return strstr(text, "\"GetBaseReport\"") ? "{\"status\":\"NotSupported\"}"
                                             : "{\"status\":\"Accepted\"}";
}

static void answer(struct bay *b, const char *text)
{
    size_t len;
    const char *id = id_of(text, &len);
    char reply[768];
    int n;

    if (!id)
        return;
    if (strstr(text, "\"SetChargingProfile\""))
        obey(b, text);
    n = snprintf(reply, sizeof reply, "[3,\"%.*s\",%s]", (int)len, id, said(text));
    wire_send(&b->wire, reply, (size_t)n);
}

/* What a charger does after its last call was answered: what belongs to its start, then
 * what its benchmark wants. */
static void go_on(struct bay *b, const char *text)
{
    const char *id = strstr(text, "\"transactionId\":");

    if (id)
        b->transaction = atoi(id + 16);
    if (!b->booted) {
        b->booted = true;
        b->fleet->n_booted++;
        status(b);
    } else if (b->charges && !b->transaction) {
        start(b);
    } else if (b->fleet->closed_loop) {
        if (b->calls % 2)
            meter_values(b);
        else
            call(b, "Heartbeat", "{}");
    } else if (b->beat_s == 0 && b->fleet->period_s > 0) {
        double now = now_s(), at = (double)(b - b->fleet->bays) / b->fleet->n;

        b->beat_s = now + b->fleet->period_s * at;
        b->sample_s = b->beat_s + b->fleet->period_s / 2;
    }
}

static void on_text(struct wire *w, const char *text, size_t len)
{
    struct bay *b = w->owner;
    double took;

    (void)len;
    if (text[1] == '2') {
        answer(b, text);
        return;
    }
    took = now_s() - b->called_s;
    b->called_s = 0;
    b->fleet->answers++;
    if (text[1] != '3')
        b->fleet->refused++;
    if (took > b->fleet->worst_s)
        b->fleet->worst_s = took;
    go_on(b, text);
}

/* ---- their lives ---- */

void fleet_init(struct fleet *f, int n, int port, SSL_CTX *ctx, bool charging)
{
    *f = (struct fleet){.bays = calloc((size_t)n, sizeof *f->bays),
                        .n = n,
                        .port = port,
                        .ctx = ctx,
                        .epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (!f->bays || f->epoll < 0)
        abort();
    for (int i = 0; i < n; i++) {
        f->bays[i].fleet = f;
        f->bays[i].wire.owner = &f->bays[i];
        f->bays[i].charges = charging && i % 3 == 0;
        snprintf(f->bays[i].path, sizeof f->bays[i].path, "CP-%d", i);
    }
}

/* Out again: tries anew after a while that is another one for each. */
static void out(struct bay *b, bool was_in)
{
    b->fleet->lost += was_in;
    b->fleet->n_booted -= b->booted;
    b->booted = false;
    b->beat_s = b->sample_s = b->called_s = 0;
    b->retry_s = now_s() + RETRY_S * (0.5 + (double)(rand() % 1000) / 1000);
}

static void care(struct bay *b, double now)
{
    struct fleet *f = b->fleet;

    if (b->wire.state == WIRE_OFF) {
        if (now >= b->retry_s &&
            !wire_dial(&b->wire, f->epoll, f->port, b->path,
                       f->modern ? "ocpp2.0.1" : "ocpp1.6", f->ctx))
            out(b, false);
        return;
    }
    if (b->called_s > 0) {
        f->late += now - b->called_s > LATE_S;
        return;
    }
    if (b->wire.state == WIRE_OPEN && !b->booted) {
        boot(b);
    } else if (b->beat_s > 0 && now >= b->beat_s) {
        b->beat_s += f->period_s;
        call(b, "Heartbeat", "{}");
    } else if (b->sample_s > 0 && now >= b->sample_s) {
        b->sample_s += f->period_s;
        meter_values(b);
    }
}

void fleet_run(struct fleet *f, int wait_ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(f->epoll, events, 256, wait_ms);
    double now;

    for (int i = 0; i < n; i++) {
        struct wire *w = events[i].data.ptr;
        struct bay *b = w->owner;
        bool was_in = w->state == WIRE_OPEN;

        if (!wire_ready(w, on_text))
            out(b, was_in);
        else if (!was_in && w->state == WIRE_OPEN)
            boot(b);
    }
    if (f->closed_loop && f->n_booted == f->n)
        return; /* answers drive it, not the clock */
    now = now_s();
    for (int i = 0; i < f->n; i++)
        care(&f->bays[i], now);
}

double fleet_amps(const struct fleet *f)
{
    double sum = 0;

    for (int i = 0; i < f->n; i++)
        if (f->bays[i].charges && f->bays[i].transaction)
            sum += f->bays[i].limit_a;
    return sum;
}

void fleet_free(struct fleet *f)
{
    for (int i = 0; i < f->n; i++) {
        wire_close(&f->bays[i].wire);
        free(f->bays[i].wire.in);
        free(f->bays[i].wire.out);
    }
    close(f->epoll);
    free(f->bays);
}
