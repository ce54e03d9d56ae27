/* SPDX-License-Identifier: Apache-2.0 */
/* One charger that sends malformed frames or connects again and again: the others do
 * not notice, and nothing leaks. With both versions of OCPP; compressed where that may
 * be. MALFORMED= and RECONNECTS= tell how many, SEED= which frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ocpp_socket.h"
#include "sim/rng.h"

static int number_of(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text ? atoi(text) : otherwise;
}

#define OCPP201                                                                        \
    "Sec-WebSocket-Protocol: ocpp2.0.1\r\n"                                            \
    "Sec-WebSocket-Extensions: permessage-deflate\r\n"

static const struct speech {
    const char *name, *headers, *good[10]; /* up to NULL */
} old = {"1.6",
         OCPP16,
         {
             "[2,\"1\",\"Heartbeat\",{}]",
             "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\","
             "\"chargePointModel\":\"M\"}]",
             "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":"
             "\"NoError\",\"status\":\"Charging\"}]",
             "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{"
             "\"timestamp\":\"2026-01-01T00:00:00Z\",\"sampledValue\":[{\"value\":"
             "\"1\"}]}]}]",
             "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"t\","
             "\"meterStart\":0,\"timestamp\":\"2026-01-01T00:00:00Z\"}]",
             "[3,\"1\",{\"status\":\"Accepted\"}]",
             "[4,\"1\",\"GenericError\",\"\",{}]",
         }},
  new = {"2.0.1",
         OCPP201,
         {
             "[2,\"1\",\"Heartbeat\",{}]",
             "[2,\"1\",\"BootNotification\",{\"reason\":\"PowerUp\","
             "\"chargingStation\":{\"vendorName\":\"V\",\"model\":\"M\"}}]",
             "[2,\"1\",\"StatusNotification\",{\"evseId\":1,\"connectorId\":1,"
             "\"connectorStatus\":\"Occupied\",\"timestamp\":"
             "\"2026-01-01T00:00:00Z\"}]",
             "[2,\"1\",\"MeterValues\",{\"evseId\":1,\"meterValue\":[{\"timestamp\":"
             "\"2026-01-01T00:00:00Z\",\"sampledValue\":[{\"value\":1.5}]}]}]",
             "[2,\"1\",\"TransactionEvent\",{\"eventType\":\"Started\",\"seqNo\":0,"
             "\"timestamp\":\"2026-01-01T00:00:00Z\",\"triggerReason\":"
             "\"Authorized\",\"transactionInfo\":{\"transactionId\":\"t\"},"
             "\"evse\":{\"id\":1}}]",
             "[2,\"1\",\"NotifyReport\",{\"requestId\":1,\"generatedAt\":"
             "\"2026-01-01T00:00:00Z\",\"seqNo\":0,\"reportData\":[{\"component\":{"
             "\"name\":\"EVSE\",\"evse\":{\"id\":1}},\"variable\":{\"name\":"
             "\"Power\"},\"variableAttribute\":[{\"value\":\"1\"}]}]}]",
             "[3,\"1\",{\"status\":\"Accepted\"}]",
             "[4,\"1\",\"GenericError\",\"\",{}]",
             "[6,\"1\",\"Heartbeat\",{}]",
         }};

static int open_as(struct rig *r, const struct speech *s, const char *path)
{
    char head[512];
    int fd = dial(r);

    ask(fd, path, s->headers, head);
    assert_non_null(strstr(head, "HTTP/1.1 101"));
    return fd;
}

/* Waits until the server has taken in all of it: until it answers this, or hangs up.
 * False = it has. */
static bool all_heard(int fd, long *bytes)
{
    static const char text[] = "[2,\"sync\",\"Heartbeat\",{}]";
    char come[8192] = "";
    size_t n = 0;

    try_frame(fd, 0x81, text, sizeof text - 1);
    for (;;) {
        ssize_t got = recv(fd, come + n, sizeof come - 1 - n, 0);

        if (got <= 0) {
            assert_true(got == 0 || errno == ECONNRESET); /* else it says nothing */
            return false;
        }
        *bytes += got;
        n += (size_t)got;
        if (memmem(come, n, "[3,\"sync\"", 9))
            return true;
        if (n > sizeof come / 2) {
            memmove(come, come + n - 16, 16); /* its start may be at the end */
            n = 16;
        }
    }
}

static size_t below(struct sim_rng *rng, size_t n)
{
    return (size_t)sim_rng_next(rng) % n;
}

/* A message with some bytes changed, left out, or made many; now and then the frame
 * itself is wrong: true. */
static bool malform(struct sim_rng *rng, const struct speech *s, int fd)
{
    size_t n_good = 0, n;
    const char *from;
    unsigned char text[512], first = 0x81;

    while (s->good[n_good])
        n_good++;
    from = s->good[below(rng, n_good)];
    n = strlen(from);
    memcpy(text, from, n);
    for (size_t i = 1 + below(rng, 4); i > 0 && n > 1; i--) {
        size_t at = below(rng, n);

        switch (below(rng, 4)) {
        case 0:
            text[at] = (unsigned char)below(rng, 256);
            break;
        case 1:
            n = at;
            break;
        case 2:
            text[at] = (unsigned char)"[]{}\",:0\\"[below(rng, 9)];
            break;
        default:
            memset(text + at, text[at], n - at);
        }
    }
    if (below(rng, 50) == 0) /* opcodes, fragments, reserved bits */
        first = (unsigned char)below(rng, 256);
    try_frame(fd, first, text, n);
    return first != 0x81;
}

static void malformed_frames(void **state)
{
    const struct speech *s = *state;
    int count = number_of("MALFORMED", 20000), bad, other;
    struct sim_rng rng = {(uint64_t)number_of("SEED", 1)};
    struct rig *r = rig_new();
    long bytes = 0, hung_up = 0;

    print_message("OCPP %s: %d frames, SEED=%d\n", s->name, count,
                  number_of("SEED", 1));
    rig_start(r);
    other = open_as(r, s, "/RDAM%20123");
    bad = open_as(r, s, "/CP-01");
    for (int i = 0; i < count; i++) {
        bool wrong = malform(&rng, s, bad), there = true;

        if (wrong)
            shutdown(bad, SHUT_WR); /* what it waits for may never come */
        if (wrong || i % 50 == 49)
            there = all_heard(bad, &bytes);
        hung_up += !there && !wrong;
        if (wrong || !there) {
            close(bad);
            bad = open_as(r, s, "/CP-01");
        }
        if (i % 100 == 0) {
            put_text(other, "[2,\"1\",\"Heartbeat\",{}]");
            expect_answer(other, "[3,\"1\",{\"currentTime\":");
        }
    }
    put_text(other, "[2,\"1\",\"Heartbeat\",{}]");
    expect_answer(other, "[3,\"1\",{\"currentTime\":");
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < r->n_events; i++) /* it never lost its link */
        assert_false(r->events[i].kind == EVENT_LINK && r->events[i].who == 2 &&
                     !r->events[i].link.up);
    pthread_mutex_unlock(&r->lock);
    print_message("%ld bytes came back, %ld times it hung up\n", bytes, hung_up);
    assert_true(bytes > 20L * count); /* they were heard */
    close(bad);
    close(other);
    rig_free(r);
}

/* Without a word, after a word, or by throwing out its last connection. */
static void reconnect(struct rig *r, const struct speech *s, int i, int *last)
{
    int fd = open_as(r, s, "/CP-01");

    if (i % 3) {
        put_text(fd, "[2,\"1\",\"Heartbeat\",{}]");
        expect_answer(fd, "[3,\"1\",");
    }
    if (i % 2) {
        close(fd);
        return;
    }
    if (*last >= 0)
        close(*last);
    *last = fd;
}

static void reconnects(void **state)
{
    enum { WARM = 100 };
    const struct speech *s = *state;
    int count = number_of("RECONNECTS", 1000), last = -1;
    struct rig *r = rig_new();
    size_t before = 0, after;

    rig_start(r);
    for (int i = 0; i < WARM + count; i++) {
        if (i == WARM)
            before = mallinfo2().uordblks;
        reconnect(r, s, i, &last);
    }
    after = mallinfo2().uordblks;
    print_message("OCPP %s: %d times: %ld bytes more\n", s->name, count,
                  (long)(after - before));
    /* with sanitizers it is they who look */
    assert_true(before == 0 || after < before + 65536);
    close(last);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(malformed_frames, (void *)&old),
        cmocka_unit_test_prestate(malformed_frames, (void *)&new),
        cmocka_unit_test_prestate(reconnects, (void *)&old),
        cmocka_unit_test_prestate(reconnects, (void *)&new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
