/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal view, and the commands status and history as their users call them. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/cmd.h"
#include "cmd/ocpp.h"
#include "cmd/view.h"
#include "cmd/view_json.h"
#include "history_help.h"
#include "io/clock.h"
#include "io/http.h"

static const char sample[] =
    "{\"site\": \"lindenhof\", \"name\": \"Lindenhof 12\", \"policy\": \"equal\","
    " \"state\": \"limiting\", \"time\": \"2026-11-20T12:34:56Z\","
    "\"circuits\": ["
    "{\"name\": \"grid\", \"parent\": null, \"limit_a\": [63, 63, 63],"
    " \"base_a\": [12.3, 4, -2], \"granted_a\": [30, 48, 16],"
    " \"total_a\": [41.2, 62.9, 65.1], \"total_w\": 24300,"
    " \"headroom_a\": [21.8, 0.1, -2.1], \"meter\": \"main\", \"meter_ok\": true,"
    " \"external_limit_a\": null, \"power_limit_w\": 40000},"
    "{\"name\": \"garage\", \"parent\": \"grid\", \"limit_a\": [50, 50, 50],"
    " \"base_a\": [0, 0, 0], \"granted_a\": [30, 50, 0],"
    " \"total_a\": [null, null, null], \"headroom_a\": [20, 0, 50], \"meter\": null,"
    " \"meter_ok\": true, \"external_limit_a\": 50, \"external_left_s\": 240}],"
    "\"meters\": [{\"name\": \"main\", \"role\": \"circuit\", \"ok\": true},"
    " {\"name\": \"roof\", \"role\": \"solar\", \"ok\": true, \"power_w\": 4200},"
    " {\"name\": \"shed\", \"role\": \"circuit\", \"ok\": false, \"age_s\": 34}],"
    "\"connectors\": ["
    "{\"cid\": \"CP-01_1\", \"name\": \"Bay 1\", \"status\": \"charging\","
    " \"online\": true, \"session\": true, \"offered_a\": 16,"
    " \"current_a\": [15.8, 15.9, 15.7], \"power_w\": 10900, \"session_kwh\": 4.213,"
    " \"reason\": \"max\", \"why_circuit\": null, \"why_phase\": null},"
    "{\"cid\": \"CP-02_1\", \"name\": \"Bay 2 M\xc3\xbcller\","
    " \"status\": \"suspended_evse\", \"online\": true, \"session\": true,"
    " \"offered_a\": 9.6, \"current_a\": [9.4, null, null], \"power_w\": 2160,"
    " \"session_kwh\": 112.2, \"reason\": \"circuit\", \"why_circuit\": \"garage\","
    " \"why_phase\": \"L2\"},"
    "{\"cid\": \"CP-03_1\", \"name\": \"A very long name\", \"status\": \"available\","
    " \"online\": false, \"session\": false, \"offered_a\": 0, \"current_a\": null,"
    " \"power_w\": null, \"session_kwh\": null, \"reason\": \"offline\"},"
    "{\"cid\": \"CP-04_1\"},"
    "{\"name\": \"Bay 5\", \"session\": true, \"offered_a\": 0,"
    " \"reason\": \"waiting\", \"why_circuit\": \"grid\", \"why_phase\": \"L1\","
    " \"why_until\": \"2026-11-20T12:40:00Z\"},"
    "{\"name\": \"Bay 6\", \"session\": true, \"offered_a\": 0,"
    " \"reason\": \"waiting\", \"why_circuit\": \"grid\", \"why_phase\": \"L1\"},"
    "{\"name\": \"Bay 7\", \"session\": true, \"offered_a\": 0,"
    " \"reason\": \"satisfied\", \"why_until\": \"2026-11-20T23:10:00Z\"},"
    "{\"name\": \"Bay 8\", \"session\": true, \"offered_a\": 9.5,"
    " \"reason\": \"satisfied\", \"why_until\": \"2026-11-20T12:50:00Z\"}]}";

static const char picture[] =
    "Limiting 3 of 6 cars: grid L1 is full until 13:40\n"
    "Lindenhof 12, policy equal, 2026-11-20T12:34:56Z\n"
    "\n"
    "grid  24.3 kW of 40.0 kW  meter main\n"
    "  L1 [=======#################............|    ]  41.2 of 63.0 A, free 21.8\n"
    "  L2 [==#################################.|    ]  62.9 of 63.0 A, free 0.1\n"
    "  L3 [####################################|!   ]  65.1 of 63.0 A, OVER 2.1\n"
    " garage\n"
    "   external limit 50.0 A for another 240 s\n"
    "   L1 [######################..............|    ]  30.0 of 50.0 A at most\n"
    "   L2 [####################################|    ]  50.0 of 50.0 A at most\n"
    "   L3 [....................................|    ]   0.0 of 50.0 A at most\n"
    "solar roof  4.2 kW\n"
    "meter shed  LOST, last heard 34 s ago\n"
    "  = base load  # cars  | limit\n"
    "\n"
    "connector     status     gets A  L1 A L2 A L3 A    kW   kWh  why\n"
    "Bay 1         charging     16.0  15.8 15.9 15.7  10.9   4.2  its maximum\n"
    "Bay 2 M\xc3\xbcller  held back     9.6   9.4    -    -   2.2   112  garage L2 "
    "full\n"
    "A very long ~ offline       0.0     -    -    -     -     -  not connected\n"
    "CP-04_1       -               -     -    -    -     -     -  -\n"
    "Bay 5         -             0.0     -    -    -     -     -  waits until 13:40\n"
    "Bay 6         -             0.0     -    -    -     -     -  waits for grid L1\n"
    "Bay 7         -             0.0     -    -    -     -     -  full, asked 00:10\n"
    "Bay 8         -             9.5     -    -    -     -     -  takes no more\n";

static char *drawn;

static const char *draw(const cJSON *state, bool colour)
{
    size_t n;
    FILE *to;

    free(drawn);
    drawn = NULL;
    to = open_memstream(&drawn, &n);
    view_draw(to, state, colour);
    fclose(to);
    return drawn;
}

static void it_looks_as_it_should(void **state)
{
    cJSON *doc = cJSON_Parse(sample);

    (void)state;
    assert_non_null(doc);
    assert_string_equal(draw(doc, false), picture);
    assert_non_null(strstr(draw(doc, true), "\033["));
    cJSON_Delete(doc);
}

static void the_first_line_answers(void **state)
{
#define CAR(reason, circuit, phase)                                                    \
    "{\"session\": true, \"reason\": \"" reason "\", \"why_circuit\": " circuit        \
    ", \"why_phase\": " phase "}"
    static const struct {
        const char *what, *json, *answer;
    } cases[] = {
        {"nothing known", "{}", "Not limiting: nobody is charging"},
        {"starting", "{\"state\": \"starting\"}",
         "Starting: waiting for meters and chargers"},
        {"one car, content",
         "{\"state\": \"normal\", \"connectors\": [" CAR("max", "null", "null") "]}",
         "Not limiting: every car gets what it can take"},
        {"the most frequent cause",
         "{\"connectors\": [" CAR("circuit", "\"a\"", "\"L1\"") "," CAR(
             "circuit", "\"b\"", "\"L3\"") "," CAR("circuit", "\"b\"", "\"L3\"") "]}",
         "Limiting 3 of 3 cars: b L3 is full"},
        {"a phase as a number", "{\"connectors\": [" CAR("circuit", "\"a\"", "1") "]}",
         "Limiting 1 of 1 car: a L2 is full"},
        {"power", "{\"connectors\": [" CAR("power", "\"a\"", "null") "]}",
         "Limiting 1 of 1 car: a has reached its power limit"},
        {"unbalance", "{\"connectors\": [" CAR("unbalance", "\"a\"", "\"L2\"") "]}",
         "Limiting 1 of 1 car: a may have no more on L2 alone"},
        {"waiting, nothing told",
         "{\"connectors\": [" CAR("waiting", "null", "null") "]}",
         "Limiting 1 of 1 car: the minimum current does not fit now"},
        {"a meter", "{\"connectors\": [" CAR("meter_lost", "\"a\"", "null") "]}",
         "Limiting 1 of 1 car: the meter of a is lost"},
        {"nobody there is not limited",
         "{\"connectors\": [{\"session\": false, \"reason\": \"circuit\"}]}",
         "Not limiting: nobody is charging"},
        {"overload",
         "{\"state\": \"overload\", \"circuits\": [{\"name\": \"a\", \"limit_a\": 16,"
         " \"total_a\": [1, 17, 3]}, {\"name\": \"grid\", \"limit_a\": [63, 63, 63],"
         " \"total_a\": [1, 2, 66.14]}]}",
         "OVERLOAD: grid L3 draws 66.1 of 63.0 A"},
        {"overload, no figures", "{\"state\": \"overload\"}", "OVERLOAD"},
        {"meters lost",
         "{\"state\": \"meter_lost\", \"meters\": [{\"name\": \"a\", \"ok\": false},"
         "{\"name\": \"b\", \"ok\": true}, {\"name\": \"c\", \"ok\": false},"
         "{\"name\": \"d\", \"ok\": false}]}",
         "METER LOST: a, c and 1 more"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *doc = cJSON_Parse(cases[i].json);

        print_message("%s\n", cases[i].what);
        assert_non_null(doc);
        draw(doc, false);
        drawn[strcspn(drawn, "\n")] = '\0';
        assert_string_equal(drawn, cases[i].answer);
        cJSON_Delete(doc);
    }
}

/* ---- documents that lack something, or are odd ---- */

static uint64_t rnd_state;

static uint64_t rnd(void)
{
    rnd_state ^= rnd_state << 13;
    rnd_state ^= rnd_state >> 7;
    rnd_state ^= rnd_state << 17;
    return rnd_state;
}

static cJSON *odd_value(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "-1",
        "1e300",
        "-1e300",
        "123456789.5",
        "[]",
        "{}",
        "\"\"",
        "\"a text that is longer than any column of any table could ever be\"",
        "[1,\"x\",null]",
        "\"\\u001b[31m\\u0007\\u009b\"",
        "99999999"};

    return cJSON_Parse(texts[rnd() % (sizeof texts / sizeof *texts)]);
}

/* Changes or removes some of what is in there. */
static void spoil(cJSON *o, int one_in)
{
    for (cJSON *item = o->child, *next; item; item = next) {
        next = item->next;
        if (rnd() % (unsigned)one_in)
            spoil(item, one_in);
        else if (rnd() % 2 && item->string)
            cJSON_DeleteItemFromObjectCaseSensitive(o, item->string);
        else if (item->string)
            cJSON_ReplaceItemInObjectCaseSensitive(o, item->string, odd_value());
    }
}

static void assert_harmless(const char *text)
{
    int columns = 0, lines = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n') {
            if (columns > 80)
                print_message("%s", text);
            assert_true(columns <= 80);
            columns = -1;
            lines++;
        } else {
            assert_true(*p >= 0x20 && *p != 0x7f);
        }
        columns += (*p & 0xc0) != 0x80;
    }
    assert_true(lines >= 4);
}

static void odd_documents_are_harmless(void **state)
{
    const char *seed = getenv("SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);

    (void)state;
    print_message("seed %" PRIu64 " (SEED=... repeats it)\n", first);
    rnd_state = first | 1;
    for (int i = 0; i < 3000; i++) {
        cJSON *doc = cJSON_Parse(sample);

        spoil(doc, 2 + i % 30);
        assert_harmless(draw(doc, false));
        cJSON_Delete(doc);
    }
    assert_harmless(draw(NULL, false));
}

static void texts_of_others_do_nothing_to_the_terminal(void **state)
{
    static const struct {
        const char *text;
        int width;
        const char *out;
    } cases[] = {
        {"bay", 5, "bay  "},
        {"bay", 3, "bay"},
        {"a long one", 5, "a lo~"},
        {"bay", -5, "bay"},
        {"a long one", -5, "a lo~"},
        {"\xc3\xbc\xc3\xbc\xc3\xbc", 3, "\xc3\xbc\xc3\xbc\xc3\xbc"},
        {"\xc3\xbc\xc3\xbc\xc3\xbc", 2, "\xc3\xbc~"},
        {"\033[2J", 4, "?[2J"},
        {"a\nb\rc\x7f", 6, "a?b?c?"},
        {"\xc2\x9b", -5, "?"},       /* the one-byte CSI */
        {"\xc3", -5, "?"},           /* cut short */
        {"\xff\xe2\x82", -5, "???"}, /* no UTF-8 */
        {"\xe2\x82\xac", 2, "\xe2\x82\xac "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = NULL;
        size_t n;
        FILE *to = open_memstream(&out, &n);

        view_put(to, cases[i].text, cases[i].width);
        fclose(to);
        assert_string_equal(out, cases[i].out);
        free(out);
    }
}

/* ---- the commands, as a user calls them ---- */

static struct {
    struct loop *loop;
    const char *text;
} server;

static char *give_state(void *arg)
{
    (void)arg;
    return server.text ? strdup(server.text) : NULL;
}

static int64_t give_tick(void *arg)
{
    (void)arg;
    return clock_ms();
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void *serve(void *arg)
{
    loop_run(arg, stop, arg);
    return NULL;
}

static char out[65536];

/* Runs the program; what it says on both streams is in `out`. Returns its code. */
static int chargehand(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int chargehand(const char *format, ...)
{
    char command[600];
    int n = snprintf(command, sizeof command, "./chargehand "), status;
    va_list args;
    FILE *from;
    size_t got;

    va_start(args, format);
    n += vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    snprintf(command + n, sizeof command - (size_t)n, " 2>&1");
    from = popen(command, "r");
    assert_non_null(from);
    got = fread(out, 1, sizeof out - 1, from);
    out[got] = '\0';
    status = pclose(from);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void status_asks_the_controller(void **state)
{
    struct http_hooks hooks = {.state = give_state, .tick_ms = give_tick};
    static const char *const no_states[] = {"[]", "no json", NULL};
    struct http *h;
    pthread_t thread;
    int port;

    (void)state;
    for (int i = 0; i < 4; i++) {
        server.loop = loop_new();
        h = http_new(server.loop, "127.0.0.1", 0, &hooks);
        assert_non_null(h);
        port = http_port(h);
        server.text = i < 3 ? no_states[i] : sample;
        pthread_create(&thread, NULL, serve, server.loop);
        if (i < 3) {
            assert_int_equal(chargehand("status --http 127.0.0.1:%d", port),
                             EXIT_UNAVAILABLE);
            assert_memory_equal(out, "chargehand status: ", 19);
        } else {
            assert_int_equal(chargehand("status --http 127.0.0.1:%d", port), EXIT_GOOD);
            assert_string_equal(out, picture); /* no terminal: no colours */
            assert_int_equal(chargehand("status --json --http localhost:%d", port),
                             EXIT_GOOD);
            assert_memory_equal(out, sample, strlen(sample));
            assert_string_equal(out + strlen(sample), "\n");
        }
        loop_wake(server.loop);
        pthread_join(thread, NULL);
        http_free(h);
        loop_free(server.loop);
    }
    assert_int_equal(chargehand("status --http 127.0.0.1:%d", port), EXIT_UNAVAILABLE);
    assert_non_null(strstr(out, "no controller answers"));
    assert_non_null(strstr(out, "Connection refused"));
    assert_int_equal(chargehand("status --watch --http 127.0.0.1:%d", port),
                     EXIT_UNAVAILABLE);
}

static void history_is_exported(void **state)
{
    struct history *h;

    help_setup(state);
    h = history_new(help_folder, 1, 0, NULL);
    help_meter(h, 1551450000, "main", 5000);
    history_free(h);
    assert_int_equal(
        chargehand("history export --what meters --folder %s", help_folder), EXIT_GOOD);
    assert_non_null(strstr(out, "\n2019-03-01T14:20:00Z,main,5,,-3,"));
    assert_int_equal(chargehand("history export --what meters --folder %s --json"
                                " --from 2019-03-01T14:20:01Z",
                                help_folder),
                     EXIT_GOOD);
    assert_string_equal(out, "[]\n");
    assert_int_equal(chargehand("history export --what meters --folder %s"
                                " --from 2019-03-01 --to 2019-03-02",
                                help_folder),
                     EXIT_GOOD);
    assert_non_null(strstr(out, ",main,"));
    assert_int_equal(
        chargehand("history export --what sessions --folder %s/no", help_folder),
        EXIT_IO);
    assert_non_null(strstr(out, "No such file"));
    help_teardown(state);
}

static void misuse_is_told(void **state)
{
    static const struct {
        const char *arguments;
        int code;
        const char *says;
    } cases[] = {
        {"status --help", EXIT_GOOD, "usage: chargehand status"},
        {"status now", EXIT_USAGE, "usage: chargehand status"},
        {"status --quickly", EXIT_USAGE, "usage: chargehand status"},
        {"status --http nonsense:", EXIT_UNAVAILABLE, "is no HOST:PORT"},
        {"history --help", EXIT_GOOD, "usage: chargehand history"},
        {"history", EXIT_USAGE, "usage: chargehand history"},
        {"history import", EXIT_USAGE, "usage: chargehand history"},
        {"history export", EXIT_USAGE, "say what to export"},
        {"history export --what cars", EXIT_USAGE, "no history of cars"},
        {"history export --what loads --from noon", EXIT_USAGE, "noon"},
        {"history export --what loads --to 2019-13-01", EXIT_USAGE, "2019-13-01"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].arguments);
        assert_int_equal(chargehand("%s", cases[i].arguments), cases[i].code);
        assert_non_null(strstr(out, cases[i].says));
    }
}

static int teardown(void **state)
{
    (void)state;
    free(drawn);
    return 0;
}

/* ---- chargehand ocpp list */

static void list_of_chargers(void **state)
{
    static const char json[] =
        "[{\"id\":\"CP-01\",\"connected\":true,\"version\":\"0.9\",\"vendor\":\"V\","
        "\"model\":\"M\",\"firmware\":\"1\\u001b[31m\",\"habits\":\"tx=1\",\"record\":{"
        "\"note\":"
        "\"beware\",\"sample_s\":60,\"fixed\":[\"sample_s\",\"measurands\",5]},"
        "\"troubles\":[\"is odd\"],\"problems\":[\"EVSE Tripped is "
        "true\"],\"external\":["
        "{\"source\":\"EMS\",\"connector\":1,\"limit_a\":8.5,\"until\":"
        "\"2099-01-01T00:00:00Z\"},{\"source\":\"SO\",\"connector\":0}],\"reserved\":"
        "null,\"transfer\":{\"what\":\"log\","
        "\"file\":\"F\",\"status\":\"Uploading\",\"bytes\":1,\"of_bytes\":2},"
        "\"connectors\":[{\"number\":1,\"status\":\"available\",\"reserved\":{\"id\":5,"
        "\"tag\":\"01234567-89ab-cdef-0123-456789abcdef\",\"until\":\"2099-01-01T00:00:"
        "00Z\"}}]},"
        "{\"id\":\"CP-02\",\"connected\":false,\"connectors\":[]}]";
    static const char want[] =
        "charger          on  model                    firmware       connectors\n"
        "CP-01            yes V M                      1?[31m         1:available\n"
        "    tx=1 ocpp=0.9\n"
        "    cannot be changed: sample_s 60, measurands\n"
        "    note: beware\n"
        "    connector 1 is reserved for 01234567-89ab-cdef-0123-456789abcdef until "
        "2099-01-01T00:00:00Z\n"
        "    log F: Uploading, 1 of 2 bytes\n"
        "    limited by others (EMS) on connector 1 to 8.5 A until "
        "2099-01-01T00:00:00Z\n"
        "    limited by others (SO)\n"
        "    is odd\n"
        "    EVSE Tripped is true\n"
        "CP-02            no  -                        -             \n";
    cJSON *list = cJSON_Parse(json);
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    ocpp_show_list(to, list);
    fclose(to);
    cJSON_Delete(list);
    assert_string_equal(text, want);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_of_chargers),
        cmocka_unit_test(it_looks_as_it_should),
        cmocka_unit_test(the_first_line_answers),
        cmocka_unit_test(odd_documents_are_harmless),
        cmocka_unit_test(texts_of_others_do_nothing_to_the_terminal),
        cmocka_unit_test(status_asks_the_controller),
        cmocka_unit_test(history_is_exported),
        cmocka_unit_test(misuse_is_told),
    };

    setenv("TZ", "CET-1", 1); /* times are told as local ones */
    return cmocka_run_group_tests(tests, NULL, teardown);
}
