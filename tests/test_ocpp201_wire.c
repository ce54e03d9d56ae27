/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP 2.0.1 on real sockets: what is answered to what cannot be read or has no sense,
 * in the words of its part 4; and stations of 2.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "ocpp_socket.h"
#include "proto/ocpp_schema.h"

static int open_as(struct rig *r, const char *offers, const char *want)
{
    char head[512], line[128];
    int fd = dial(r);

    snprintf(line, sizeof line, "Sec-WebSocket-Protocol: %s\r\n", offers);
    ask(fd, "/CP-01", line, head);
    assert_non_null(strstr(head, "HTTP/1.1 101"));
    snprintf(line, sizeof line, "Sec-WebSocket-Protocol: %s\r\n", want);
    assert_non_null(strstr(head, line));
    return fd;
}

/* Each frame, and the start of what it is answered with; "" = nothing. */
static void errors(void **state)
{
#define ERROR(id, code) "[4,\"" id "\",\"" code "\",\""
#define ID36 "123456789-123456789-123456789-123456"
    static const struct {
        const char *what, *frame, *want;
    } rows[] = {
        {"garbage", "hello", ERROR("-1", "RpcFrameworkError")},
        {"nothing", "", ERROR("-1", "RpcFrameworkError")},
        {"no list", "{}", ERROR("-1", "RpcFrameworkError")},
        {"an empty one", "[]", ERROR("-1", "RpcFrameworkError")},
        {"no id", "[2]", ERROR("-1", "RpcFrameworkError")},
        {"an id that is none", "[2,{},\"Heartbeat\",{}]",
         ERROR("-1", "RpcFrameworkError")},
        {"a longer one than standard", "[2,\"" ID36 "x\",\"Heartbeat\",{}]",
         "[3,\"" ID36 "x\",{\"currentTime\""},
        {"one of three times that", "[2,\"" ID36 ID36 ID36 ID36 "\",\"Heartbeat\",{}]",
         ERROR("-1", "RpcFrameworkError")},
        {"no action", "[2,\"a\"]", ERROR("a", "RpcFrameworkError")},
        {"cut off", "[2,\"a\",\"Heartbeat\",{", ERROR("a", "RpcFrameworkError")},
        {"an answer that cannot be read is not answered", "[3,\"a\",{", ""},
        {"nor is an error", "[4,\"a\"", ""},
        {"nor one of 2.1", "[5,\"a\",", ""},
        {"nor what wants no answer", "[6,\"a\",", ""},
        {"an answer to nothing", "[3,\"a\",{}]", ""},
        {"an error of nothing", "[4,\"-1\",\"RpcFrameworkError\",\"\",{}]", ""},
        {"a type unheard of", "[9,\"a\",{}]", ERROR("a", "MessageTypeNotSupported")},
        {"type 0", "[0,\"a\",\"Heartbeat\",{}]", ERROR("a", "MessageTypeNotSupported")},
        {"one below it", "[-1,\"a\"]", ERROR("a", "MessageTypeNotSupported")},
        {"half of a type", "[2.5,\"a\",\"Heartbeat\",{}]",
         ERROR("a", "MessageTypeNotSupported")},
        {"one without an id", "[9]", ERROR("-1", "MessageTypeNotSupported")},
        {"CALLRESULTERROR of 2.1", "[5,\"a\",\"FormatViolation\",\"\",{}]",
         ERROR("a", "MessageTypeNotSupported")},
        {"SEND of 2.1", "[6,\"a\",\"NotifyPeriodicEventStream\",{}]",
         ERROR("a", "MessageTypeNotSupported")},
        {"an action unheard of", "[2,\"a\",\"MakeTea\",{}]",
         ERROR("a", "NotImplemented")},
        {"a payload that is none", "[2,\"a\",\"Heartbeat\",3]",
         ERROR("a", "FormatViolation")},
        {"nothing in it", "[2,\"a\",\"StatusNotification\",{}]",
         ERROR("a", "OccurrenceConstraintViolation")},
        {"another type in it",
         "[2,\"a\",\"StatusNotification\",{\"evseId\":{},\"connectorStatus\":"
         "\"Occupied\",\"connectorId\":1,\"timestamp\":\"2019-03-01T14:20:00Z\"}]",
         ERROR("a", "TypeConstraintViolation")},
        {"no EVSE can have this number",
         "[2,\"a\",\"StatusNotification\",{\"evseId\":-1,\"connectorStatus\":"
         "\"Occupied\",\"connectorId\":1,\"timestamp\":\"2019-03-01T14:20:00Z\"}]",
         ERROR("a", "PropertyConstraintViolation")},
        {"quotes in an id", "[2,\"a\\\"b\",\"MakeTea\",{}]",
         ERROR("a\\\"b", "NotImplemented")},
    };
    struct rig *r = rig_new();
    int fd;

    (void)state;
    rig_start(r);
    fd = open_as(r, "ocpp2.0.1", "ocpp2.0.1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[4096];

        put_text(fd, rows[i].frame);
        put_text(fd, "[2,\"next\",\"Heartbeat\",{}]");
        do
            assert_int_equal(get_frame(fd, text), 0x81);
        while (text[1] == '2');
        if (*rows[i].want) {
            if (strncmp(text, rows[i].want, strlen(rows[i].want)) != 0)
                fail_msg("%s: %s", rows[i].what, text);
            expect_answer(fd, "[3,\"next\",{\"currentTime\"");
        } else if (strncmp(text, "[3,\"next\"", 9) != 0) {
            fail_msg("%s: %s", rows[i].what, text);
        }
    }
    close(fd);
    rig_free(r);
}

/* A station of 2.1 falls back to 2.0.1, in whatever order it offers them. */
static void falls_back(void **state)
{
    static const char *const offers[] = {
        "ocpp2.1, ocpp2.0.1", "ocpp2.1,ocpp2.0.1,ocpp1.6", "ocpp2.0.1, ocpp2.1"};
    struct rig *r = rig_new();

    (void)state;
    rig_start(r);
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        int fd = open_as(r, offers[i], "ocpp2.0.1");

        put_text(fd, "[2,\"1\",\"BootNotification\",{\"chargingStation\":{\"model\":"
                     "\"M\",\"vendorName\":\"V\"},\"reason\":\"PowerUp\"}]");
        expect_answer(fd, "[3,\"1\",{\"currentTime\":");
        put_text(fd, "[2,\"2\",\"NotifyPriorityCharging\",{\"transactionId\":\"a\","
                     "\"activated\":true}]");
        expect_answer(fd, ERROR("2", "NotImplemented"));
        close(fd);
    }
    rig_free(r);
}

/* One that speaks nothing else is turned away, and told what to set. */
static void turned_away(void **state)
{
    struct rig *r = rig_new();
    char head[512];
    int fd;

    (void)state;
    rig_start(r);
    for (int i = 0; i < 2; i++) {
        fd = dial(r);
        ask(fd, "/CP-01", "Sec-WebSocket-Protocol: ocpp2.1\r\n", head);
        assert_non_null(strstr(head, "HTTP/1.1 101"));
        assert_null(strstr(head, "Sec-WebSocket-Protocol"));
        expect_close(fd, 1002);
        close(fd);
    }
    rig_troubles(r, 1);
    assert_int_equal(r->n_told, 1);
    assert_string_equal(r->told, "CP-01: turned away: offers no subprotocol that is "
                                 "spoken here: set it to " OCPP_SPOKEN);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(falls_back),
        cmocka_unit_test(turned_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
