/* SPDX-License-Identifier: Apache-2.0 */
/* What is said when: the broker is played by this file, which takes the place of
 * src/io/mqtt.c, and time is a number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log.h"
#include "io/mqtt_site.h"
#include "mqtt_fixture.h"

/* ---- the broker ---- */

enum { SAID_MAX = 2000 };

static struct {
    char topic[160], *payload;
    bool retain;
} said[SAID_MAX];
static int n_said;
static bool connected;
static unsigned births;
static int room; /* messages it takes before it is busy */

bool mqtt_publish(struct mqtt *m, const char *topic, const char *payload, bool retain)
{
    (void)m;
    if (!connected || room-- <= 0)
        return false;
    assert_true(n_said < SAID_MAX);
    snprintf(said[n_said].topic, sizeof said[n_said].topic, "%s", topic);
    said[n_said].payload = strdup(payload);
    said[n_said].retain = retain;
    n_said++;
    return true;
}

unsigned mqtt_births(const struct mqtt *m)
{
    (void)m;
    return births;
}

bool mqtt_connected(const struct mqtt *m)
{
    (void)m;
    return connected;
}

static void listen_anew(void)
{
    for (int i = 0; i < n_said; i++)
        free(said[i].payload);
    n_said = 0;
    room = SAID_MAX;
}

/* How often something was said there; *last is the last payload. */
static int heard(const char *topic, const char **last)
{
    int n = 0;

    for (int i = 0; i < n_said; i++) {
        if (strcmp(said[i].topic, topic) != 0)
            continue;
        n++;
        if (last)
            *last = said[i].payload;
    }
    return n;
}

static int heard_discovery(void)
{
    int n = 0;

    for (int i = 0; i < n_said; i++)
        n += strncmp(said[i].topic, "homeassistant/device/", 21) == 0;
    return n;
}

#define SITE "chargehand/site/main/"
#define BAY "chargehand/connector/CP-01_1/"
#define LIMIT SITE "set/external_limit"

struct desk {
    struct fixture f;
    struct mqtt_site *ms;
};

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof *d);

    fixture_init(&d->f);
    listen_anew();
    connected = true;
    births = 1;
    d->ms = mqtt_site_new(&d->f.conf, NULL, NULL);
    *state = d;
    return d->ms ? 0 : -1;
}

static int teardown(void **state)
{
    struct desk *d = *state;

    mqtt_site_free(d->ms);
    free(d);
    listen_anew();
    return 0;
}

/* One second later. */
static void tick(struct desk *d)
{
    d->f.snap.now_ms += 1000;
    d->f.snap.utc_s++;
    mqtt_site_tell(d->ms, &d->f.snap);
}

/* Everything has been said once. */
static void settle(struct desk *d)
{
    mqtt_site_tell(d->ms, &d->f.snap);
    listen_anew();
}

static void test_first(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;

    connected = false;
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(n_said, 0);
    connected = true;
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(heard("chargehand/info", NULL), 1);
    assert_int_equal(heard_discovery(), 1 + FIXTURE_CONNECTORS);
    assert_int_equal(heard(SITE "state", NULL), 1);
    assert_int_equal(heard(SITE "status", NULL), 1);
    assert_int_equal(heard(BAY "availability", &last), 1);
    assert_string_equal(last, "online");
    assert_int_equal(heard(BAY "state", NULL), 1);
    assert_int_equal(heard(BAY "status", NULL), 1);
    assert_int_equal(n_said, 4 + 4 * FIXTURE_CONNECTORS);
    for (int i = 0; i < n_said; i++) {
        size_t n = strlen(said[i].topic);
        bool state_topic = n > 6 && strcmp(said[i].topic + n - 6, "/state") == 0;

        if (said[i].retain == state_topic)
            fail_msg("%s: retained: %d", said[i].topic, said[i].retain);
    }
    /* the site comes first: the connectors refer to it */
    assert_string_equal(said[1].topic,
                        "homeassistant/device/chargehand/chargehand_main/config");
}

static void test_interval(void **state)
{
    struct desk *d = *state;

    settle(d);
    for (int i = 0; i < 9; i++)
        tick(d);
    assert_int_equal(n_said, 0);
    d->f.snap.now_ms -= 100; /* a call that is a little early still counts */
    tick(d);
    assert_int_equal(heard(SITE "state", NULL), 1);
    assert_int_equal(heard(BAY "state", NULL), 1);
    assert_int_equal(heard(SITE "status", NULL), 0);
    for (int i = 0; i < 100; i++)
        tick(d);
    assert_int_equal(heard(BAY "state", NULL), 11);
    assert_int_equal(heard_discovery(), 0);
}

/* What is worth a message at once, and what is not. */
static void test_changes(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;

    settle(d);
    d->f.connectors[0].v.measured_ma[1] += 900;
    d->f.circuits[0].v.total_ma[0] -= 900;
    d->f.circuits[0].v.total_w += 200;
    tick(d);
    assert_int_equal(n_said, 0);
    d->f.connectors[0].v.measured_ma[1] += 200;
    tick(d);
    assert_int_equal(heard(BAY "state", NULL), 1);
    assert_int_equal(n_said, 1);
    d->f.circuits[0].v.total_ma[0] -= 200;
    tick(d);
    assert_int_equal(heard(SITE "state", NULL), 1);
    d->f.connectors[0].v.offered_ma = 6000;
    tick(d);
    assert_int_equal(heard(BAY "state", NULL), 2);
    d->f.connectors[0].v.paused = true;
    tick(d);
    assert_int_equal(heard(BAY "status", &last), 1);
    assert_non_null(strstr(last, "\"paused\":true"));
    d->f.circuits[0].v.meter_ok = false;
    d->f.snap.state = "meter_lost";
    tick(d);
    assert_int_equal(heard(SITE "status", &last), 1);
    assert_non_null(strstr(last, "\"meter_ok\":false"));
    d->f.connectors[0].v.online = false;
    tick(d);
    assert_int_equal(heard(BAY "availability", &last), 1);
    assert_string_equal(last, "offline");
}

/* The two clocks never agree to the second: the end of a reason is told again only when
 * it is another one. */
static void test_until_is_steady(void **state)
{
    struct desk *d = *state;
    struct snap_connector *bay = &d->f.connectors[0];
    const char *last = NULL;
    int64_t was_s = bay->why_until_utc_s;

    settle(d);
    for (int i = 0; i < 5; i++) {
        bay->why_until_utc_s = was_s + i % 3 - 1;
        tick(d);
    }
    assert_int_equal(heard(BAY "status", NULL), 0);
    bay->why_until_utc_s = was_s + 60;
    tick(d);
    assert_int_equal(heard(BAY "status", &last), 1);
    assert_non_null(strstr(last, "\"why_until\":\"2026-11-01T15:11:00Z\""));
    bay->why_until_utc_s = 0;
    tick(d);
    assert_int_equal(heard(BAY "status", &last), 2);
    assert_non_null(strstr(last, "\"why_until\":null"));
}

/* Counts grow all the time: they wait for the interval, unless the status changes. */
static void test_energy(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;

    settle(d);
    for (int i = 0; i < 9; i++) {
        d->f.connectors[0].v.energy_wh += 3;
        d->f.connectors[0].session_wh += 3;
        d->f.meters[0].import_wh += 5;
        tick(d);
    }
    assert_int_equal(heard(BAY "status", NULL), 0);
    assert_int_equal(heard(SITE "status", NULL), 0);
    tick(d);
    assert_int_equal(heard(BAY "status", &last), 1);
    assert_non_null(strstr(last, "\"energy_kwh\":1234.594"));
    assert_int_equal(heard(SITE "status", &last), 1);
    assert_non_null(strstr(last, "\"energy_import_kwh\":987654.366"));
    d->f.connectors[0].v.energy_wh += 7;
    d->f.connectors[0].v.status = STATUS_FINISHING;
    tick(d);
    assert_int_equal(heard(BAY "status", &last), 2);
    assert_non_null(strstr(last, "\"energy_kwh\":1234.601"));
    assert_non_null(strstr(last, "\"status\":\"finishing\""));
}

/* A step back by noise is held, a new meter is told, an unknown count is null. */
static void test_energy_back(void **state)
{
    static const struct {
        const char *what;
        int64_t wh;
        const char *said;
    } cases[] = {
        {"rounding of another message", 1234000, "\"energy_kwh\":1234.567"},
        {"grows again", 1234600, "\"energy_kwh\":1234.6"},
        {"not known", EVENT_NO_ENERGY, "\"energy_kwh\":null"},
        {"a new meter", 12, "\"energy_kwh\":0.012"},
    };
    struct desk *d = *state;
    const char *last = NULL;

    settle(d);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        d->f.connectors[0].v.energy_wh = cases[i].wh;
        d->f.connectors[0].v.priority ^= 1; /* so that it is said at once */
        tick(d);
        heard(BAY "status", &last);
        if (!last || !strstr(last, cases[i].said))
            fail_msg("%s: expected %s in %s", cases[i].what, cases[i].said, last);
    }
    /* also over a new connection */
    d->f.connectors[0].v.energy_wh = 11;
    births++;
    tick(d);
    heard(BAY "status", &last);
    assert_non_null(strstr(last, "\"energy_kwh\":0.012"));
}

static void test_birth(void **state)
{
    struct desk *d = *state;

    settle(d);
    births++;
    tick(d);
    assert_int_equal(n_said, 4 + 4 * FIXTURE_CONNECTORS);
}

static void test_home_assistant_starts(void **state)
{
    struct desk *d = *state;
    struct mqtt_command m;
    int64_t begin_ms;

    settle(d);
    begin_ms = d->f.snap.now_ms;
    assert_false(mqtt_site_command(d->ms, "homeassistant/status", "online", true,
                                   begin_ms, &m)); /* an old one */
    assert_false(mqtt_site_command(d->ms, "homeassistant/status", "offline", false,
                                   begin_ms, &m));
    for (int i = 0; i < 5; i++)
        tick(d);
    assert_int_equal(n_said, 0);
    begin_ms = d->f.snap.now_ms;
    assert_false(mqtt_site_command(d->ms, "homeassistant/status", "online", false,
                                   begin_ms, &m));
    d->f.snap.now_ms = begin_ms + 499;
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(n_said, 0);
    d->f.snap.now_ms = begin_ms + 3000;
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(n_said, 4 + 4 * FIXTURE_CONNECTORS);
    tick(d);
    assert_int_equal(n_said, 4 + 4 * FIXTURE_CONNECTORS);
}

static void test_device_changes(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;

    settle(d);
    d->f.connectors[1].vendor = "KEBA";
    d->f.connectors[1].model = "P30";
    tick(d);
    assert_int_equal(heard_discovery(), 1);
    assert_int_equal(
        heard("homeassistant/device/chargehand/chargehand_main_CP-02_1/config", &last),
        1);
    assert_non_null(strstr(last, "\"mf\":\"KEBA\""));
    tick(d);
    assert_int_equal(heard_discovery(), 1);
}

static void test_without_home_assistant(void **state)
{
    struct desk *d = *state;

    d->f.conf.mqtt.homeassistant = false;
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(heard_discovery(), 0);
    assert_int_equal(heard(BAY "status", NULL), 1);
    assert_int_equal(heard(BAY "availability", NULL), 1);
}

/* What a busy broker does not take is said later, nothing is lost. */
static void test_busy(void **state)
{
    struct desk *d = *state;

    for (int n = 0; n < 4 + 4 * FIXTURE_CONNECTORS; n++) {
        births++;
        listen_anew();
        room = n;
        tick(d);
        assert_int_equal(n_said, n);
        room = SAID_MAX;
        tick(d);
        tick(d);
        assert_int_equal(heard(SITE "status", NULL), 1);
        assert_int_equal(heard(BAY "availability", NULL), 1);
        assert_int_equal(heard(BAY "status", NULL), 1);
        assert_int_equal(heard(BAY "state", NULL), 1);
        assert_true(heard_discovery() >= 1 + FIXTURE_CONNECTORS);
    }
}

/* A hundred connectors are not said all in one breath. */
static void test_many(void **state)
{
    enum { N = 100 };
    struct desk *d = *state;
    struct snap_connector *many = calloc(N, sizeof *many);
    char(*cids)[24] = calloc(N, sizeof *cids);

    for (int i = 0; i < N; i++) {
        many[i] = d->f.connectors[1];
        snprintf(cids[i], sizeof cids[i], "CP-%03d_1", i);
        many[i].cid = cids[i];
    }
    d->f.snap.connectors = many;
    d->f.snap.n_connectors = N;
    tick(d);
    assert_in_range(heard_discovery(), 10, 30);
    for (int i = 0; i < 9; i++)
        tick(d);
    assert_int_equal(heard_discovery(), 1 + N);
    free(many);
    free(cids);
}

/* ---- what removed connectors leave behind ---- */

static void new_site(struct desk *d, const char *folder)
{
    mqtt_site_free(d->ms);
    d->ms = mqtt_site_new(&d->f.conf, NULL, folder);
    listen_anew();
}

static void test_removed(void **state)
{
    struct desk *d = *state;
    const char *last = "?";
    char folder[] = "/tmp/chargehand-test-XXXXXX", path[64];

    assert_non_null(mkdtemp(folder));
    new_site(d, folder);
    mqtt_site_tell(d->ms, &d->f.snap);
    d->f.snap.n_connectors = 2; /* the third one goes, and with it a restart */
    new_site(d, folder);
    mqtt_site_tell(d->ms, &d->f.snap);
    for (int i = 0; i < n_said; i++)
        if (said[i].payload[0] == '\0')
            assert_non_null(strstr(said[i].topic, "KC_3__1_"));
    assert_int_equal(n_said, 4 + 4 * 2 + 3);
    new_site(d, folder); /* it is done: no second time */
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(n_said, 4 + 4 * 2);

    /* and while it runs: another charger takes the second place */
    listen_anew();
    d->f.connectors[1].cid = "CP-99_1";
    tick(d);
    assert_int_equal(heard("chargehand/connector/CP-02_1/status", &last), 1);
    assert_string_equal(last, "");
    assert_int_equal(
        heard("homeassistant/device/chargehand/chargehand_main_CP-02_1/config", &last),
        1);
    assert_string_equal(last, "");
    assert_int_equal(heard("chargehand/connector/CP-99_1/status", &last), 1);
    assert_string_not_equal(last, "");

    /* and with discovery turned off nothing of it stays */
    d->f.conf.mqtt.homeassistant = false;
    listen_anew();
    mqtt_site_reload(d->ms, &d->f.conf);
    tick(d);
    assert_int_equal(heard_discovery(), 3);
    heard("homeassistant/device/chargehand/chargehand_main/config", &last);
    assert_string_equal(last, "");

    snprintf(path, sizeof path, "%s/mqtt-topics", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A folder that cannot be used, a file with rubbish: it works all the same. */
static void test_bad_folder(void **state)
{
    struct desk *d = *state;
    char folder[] = "/tmp/chargehand-test-XXXXXX", path[64];
    FILE *f;

    new_site(d, "/nonexistent/folder");
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(n_said, 4 + 4 * FIXTURE_CONNECTORS);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/mqtt-topics", folder);
    f = fopen(path, "w");
    fprintf(f, "\n#\na/+/b\n");
    for (int i = 0; i < 1000; i++)
        fputc('x', f);
    fprintf(f, "\nold/topic\nno line end");
    fclose(f);
    new_site(d, folder);
    mqtt_site_tell(d->ms, &d->f.snap);
    assert_int_equal(heard("old/topic", NULL), 1);
    for (int i = 0; i < n_said; i++)
        assert_null(strpbrk(said[i].topic, "+#"));
    unlink(path);
    rmdir(folder);
}

/* ---- commands ---- */

static void test_commands(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;
    struct mqtt_command m;

    assert_true(mqtt_site_command(d->ms, BAY "set/mode", "fast", false, 5000, &m));
    assert_int_equal(m.what, MQTT_MODE);
    assert_int_equal(m.mode, MODE_FAST);
    assert_int_equal(heard("chargehand/result", &last), 1);
    assert_string_equal(last, "{\"topic\":\"" BAY "set/mode\",\"ok\":true,"
                              "\"error\":null,\"value\":\"fast\"}");
    assert_false(mqtt_site_command(d->ms, LIMIT, "20", true, 5000, &m));
    heard("chargehand/result", &last);
    assert_string_equal(last, "{\"topic\":\"" LIMIT "\",\"ok\":false,\"error\":\"" LIMIT
                              ": a retained message is no command; send it without "
                              "retain\",\"value\":\"20\"}");
    assert_false(mqtt_site_command(d->ms, LIMIT, "2000", false, 5000, &m));
    heard("chargehand/result", &last);
    assert_non_null(strstr(last, "allowed are 0 to 63 A"));
    assert_int_equal(n_said, 3);
    for (int i = 0; i < n_said; i++)
        assert_false(said[i].retain);
}

static void test_events(void **state)
{
    struct desk *d = *state;
    const char *last = NULL;

    mqtt_site_event(d->ms, 1793545200, "warning", "meter", "main", "silent");
    mqtt_site_event(d->ms, 1793545201, "info", "meter", "main", "back");
    assert_int_equal(heard("chargehand/event", &last), 2);
    assert_non_null(strstr(last, "\"id\":2"));
    assert_false(said[0].retain);
}

int main(void)
{
#define DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        DESK(test_first),          DESK(test_interval),
        DESK(test_changes),        DESK(test_until_is_steady),
        DESK(test_energy),         DESK(test_energy_back),
        DESK(test_birth),          DESK(test_home_assistant_starts),
        DESK(test_device_changes), DESK(test_without_home_assistant),
        DESK(test_busy),           DESK(test_many),
        DESK(test_removed),        DESK(test_bad_folder),
        DESK(test_commands),       DESK(test_events),
    };

    log_set_level(LOG_LEVEL_ERROR); /* refusals are the subject here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
