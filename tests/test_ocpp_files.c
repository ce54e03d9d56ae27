/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware and logs: the requests, what their answers and statuses mean, and the
 * addresses. What goes over HTTP is tested in tests/e2e/test/files.test.js. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/log.h"
#include "ocpp_rig.h"
#include "proto/ocpp16.h"

#define NOW "2019-03-01T14:20:00Z"

static void requests(void **state)
{
    static const struct {
        enum ocpp_file what;
        const char *more, *action, *want;
    } rows[] = {
        {OCPP_FIRMWARE, NULL, "UpdateFirmware",
         "{\"retrieveDate\":\"" NOW "\",\"location\":\"http://h/x\"}"},
        {OCPP_FIRMWARE, "{\"retrieveDate\":\"2030-01-01T00:00:00Z\",\"retries\":3}",
         "UpdateFirmware",
         "{\"retrieveDate\":\"2030-01-01T00:00:00Z\",\"retries\":3,"
         "\"location\":\"http://h/x\"}"},
        {OCPP_FIRMWARE,
         "{\"signature\":\"S\",\"signingCertificate\":\"C\",\"retries\":3}",
         "SignedUpdateFirmware",
         "{\"retries\":3,\"requestId\":7,\"firmware\":{\"signingCertificate\":\"C\","
         "\"signature\":\"S\",\"retrieveDateTime\":\"" NOW
         "\",\"location\":\"http://h/x\"}}"},
        {OCPP_DIAGNOSTICS, "{\"startTime\":\"" NOW "\"}", "GetDiagnostics",
         "{\"startTime\":\"" NOW "\",\"location\":\"http://h/x\"}"},
        {OCPP_LOG, "{\"oldestTimestamp\":\"" NOW "\"}", "GetLog",
         "{\"logType\":\"DiagnosticsLog\",\"requestId\":7,\"log\":{"
         "\"oldestTimestamp\":\"" NOW "\",\"remoteLocation\":\"http://h/x\"}}"},
        {OCPP_LOG, "{\"logType\":\"SecurityLog\"}", "GetLog",
         "{\"logType\":\"SecurityLog\",\"requestId\":7,\"log\":{"
         "\"remoteLocation\":\"http://h/x\"}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cJSON *more = rows[i].more ? cJSON_Parse(rows[i].more) : NULL;
        const char *action;
        cJSON *o =
            ocpp16_file_request(rows[i].what, "http://h/x", NOW, 7, more, &action);
        const struct ocpp_message *m =
            ocpp_schema_find(ocpp_schema_named("ocpp1.6"), OCPP_SYSTEM, action);
        char *text = cJSON_PrintUnformatted(o), why[OCPP_WHY];

        assert_string_equal(action, rows[i].action);
        assert_string_equal(text, rows[i].want);
        assert_null(
            ocpp_schema_strict(ocpp_schema_named("ocpp1.6"), m->request, o, why));
        cJSON_Delete(more);
        cJSON_Delete(o);
        free(text);
    }
}

static void meanings(void **state)
{
    static const struct {
        enum ocpp_file what;
        const char *answer;
        bool refused;
    } answers[] = {
        {OCPP_FIRMWARE, "{}", false},
        {OCPP_FIRMWARE, "{\"status\":\"InvalidCertificate\"}", true},
        {OCPP_DIAGNOSTICS, "{}", true}, /* it has none */
        {OCPP_DIAGNOSTICS, "{\"fileName\":\"\"}", true},
        {OCPP_DIAGNOSTICS, "{\"fileName\":\"x\"}", false},
        {OCPP_LOG, "{\"status\":\"Rejected\"}", true},
        {OCPP_LOG, "{\"status\":\"AcceptedCanceled\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        cJSON *o = cJSON_Parse(answers[i].answer);

        assert_int_equal(ocpp_file_refused(answers[i].what, o), answers[i].refused);
        cJSON_Delete(o);
    }
    assert_int_equal(ocpp_file_progress("Downloading"), OCPP_GOES_ON);
    assert_int_equal(ocpp_file_progress("downloaded"), OCPP_MOVED);
    assert_int_equal(ocpp_file_progress("Installed"), OCPP_DONE);
    assert_int_equal(ocpp_file_progress("UploadFailure"), OCPP_FAILED);
    assert_int_equal(ocpp_file_progress("made up"), OCPP_GOES_ON);
}

#define TOKEN "0123456789abcdef0123456789abcdef"

static void addresses(void **state)
{
    static const struct {
        const char *path;
        bool good;
    } rows[] = {
        {"/files/" TOKEN, true},
        {"/files/" TOKEN "/", true},
        {"/files/" TOKEN "/fw.bin", true},
        {"/files/" TOKEN "x", false},
        {"/files/" TOKEN "0", false},
        {"/files/0123", false},
        {"/files/", false},
        {"/file/" TOKEN, false},
        {"//files/" TOKEN, false},
        {"", false},
        {"/files/../" TOKEN, false},
    };
    char token[OCPP_TOKEN];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ocpp_http_token(rows[i].path, token) != rows[i].good)
            fail_msg("%s", rows[i].path);
    assert_true(ocpp_http_token(rows[2].path, token));
    assert_string_equal(token, TOKEN);
}

/* ---- as a whole */

static enum ocpp_outcome outcome;
static char said[OCPP_WHY];

static void done(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    (void)arg;
    (void)note;
    outcome = o;
    snprintf(said, sizeof said, "%s", text);
}

static void begin(struct rig *r, enum ocpp_file what, const char *name)
{
    outcome = (enum ocpp_outcome) - 1;
    ocpp_files_begin(r->p, what, name, NULL, done, NULL);
}

static struct rig *rig_with_folder(char dir[])
{
    struct rig *r = rig_new(1);
    char path[96];
    FILE *f;

    strcpy(dir, "/tmp/chargehand-files.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fw.bin", dir);
    f = fopen(path, "w");
    fputs("12345", f);
    fclose(f);
    r->conf.ocpp.files = dir;
    rig_up(r);
    strcpy(r->p->base, "http://10.0.0.1:8887");
    return r;
}

static void end(struct rig *r, const char *dir)
{
    char path[96];

    snprintf(path, sizeof path, "%s/fw.bin", dir);
    unlink(path);
    rmdir(dir);
    rig_free(r);
}

/* A charger tells by the number of a question what it speaks of. */
static void numbers(void **state)
{
    char dir[32];
    struct rig *r;
    int32_t id[2];

    (void)state;
    r = rig_with_folder(dir);
    for (int i = 0; i < 2; i++) {
        const char *text;

        begin(r, OCPP_LOG, "");
        text = strstr(rig_expect(r, "GetLog"), "\"requestId\":");
        assert_non_null(text);
        id[i] = (int32_t)strtol(text + strlen("\"requestId\":"), NULL, 10);
        rig_answer(r, "{\"status\":\"Accepted\"}");
        assert_int_equal(outcome, OCPP_ANSWERED);
    }
    assert_true(id[0] >= OCPP_OUR_REQUESTS);
    assert_int_not_equal(id[0], id[1]);
    end(r, dir);
}

static void a_life(void **state)
{
    char dir[32], text[96], want[128];
    struct rig *r = rig_with_folder(dir);

    (void)state;
    begin(r, OCPP_FIRMWARE, "fw.bin");
    snprintf(want, sizeof want, "\"http://10.0.0.1:8887/files/%s/fw.bin\"",
             r->p->transfer->token);
    assert_non_null(strstr(rig_expect(r, "UpdateFirmware"), want));
    begin(r, OCPP_LOG, ""); /* one after the other */
    assert_int_equal(outcome, OCPP_BAD_CALL);
    assert_string_equal(said, "another one is being asked for");
    rig_answer(r, "{}");
    assert_int_equal(outcome, OCPP_ANSWERED);
    ocpp_files_text(r->p, text, sizeof text);
    assert_string_equal(text, "firmware fw.bin: asked for");
    rig_call(r, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}", "{}");
    assert_true(*r->p->transfer->token);
    rig_call(r, "FirmwareStatusNotification", "{\"status\":\"Downloaded\"}", "{}");
    assert_false(*r->p->transfer->token);
    ocpp_files_text(r->p, text, sizeof text);
    assert_string_equal(text, "firmware fw.bin: Downloaded");
    rig_call(r, "FirmwareStatusNotification", "{\"status\":\"Installed\"}", "{}");
    ocpp_files_text(r->p, text, sizeof text);
    assert_string_equal(text, "");

    begin(r, OCPP_LOG, "");
    rig_expect(r, "GetLog");
    rig_error(r, "NotImplemented");
    assert_int_equal(outcome, OCPP_CALL_ERROR);
    assert_true(r->p->transfer->over);
    assert_false(*r->p->transfer->token);

    begin(r, OCPP_DIAGNOSTICS, "");
    rig_expect(r, "GetDiagnostics");
    rig_answer(r, "{\"fileName\":\"x\"}");
    snprintf(want, sizeof want, "%s/CP-01-20190301T142005Z-diagnostics", dir);
    assert_string_equal(r->p->transfer->path, want);
    rig_wait(r, 1000 * (OCPP_FILE_LOG_S - 1));
    assert_true(*r->p->transfer->token);
    rig_wait(r, 2000);
    assert_false(*r->p->transfer->token);
    end(r, dir);
}

#define CSR                                                                            \
    "-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\\n-----END CERTIFICATE "               \
    "REQUEST-----\\n"

/* A controller was killed while a log came in. */
static void left_over(void **state)
{
    static const struct {
        const char *name;
        bool stays;
    } rows[] = {
        {"CP-01-20261126T170000Z-log.part", false},
        {"CP-01-20261126T170000Z-diagnostics.part", false},
        {"CP-01-20261126T170000Z-log", true},
        {"fw.part", true},
        {"the-log.part", true},
    };
    char dir[32], path[96];
    struct rig *r = rig_with_folder(dir);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, rows[i].name);
        fclose(fopen(path, "w"));
    }
    ocpp_files_clean("/nowhere");
    ocpp_files_clean(dir);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, rows[i].name);
        assert_int_equal(unlink(path) == 0, rows[i].stays);
    }
    end(r, dir);
}

static void certificates(void **state)
{
    static const char good[] = "{\"csr\":\"" CSR "\"}";
    char dir[32], path[96], text[160] = "";
    struct rig *r = rig_with_folder(dir);
    FILE *f;

    (void)state;
    snprintf(path, sizeof path, "%s/CP-01-certificate.csr", dir);
    rig_call(r, "SignCertificate", "{\"csr\":\"x\"}", "{\"status\":\"Rejected\"}");
    rig_call(r, "SignCertificate",
             "{\"csr\":\"-----BEGIN PRIVATE KEY-----\\nCERTIFICATE REQUEST-----\"}",
             "{\"status\":\"Rejected\"}");
    assert_int_not_equal(access(path, F_OK), 0);
    for (int i = 0; i < 2; i++) { /* a new one replaces it, but not at once */
        rig_call(r, "SignCertificate", good, "{\"status\":\"Accepted\"}");
        rig_call(r, "SignCertificate", good, "{\"status\":\"Rejected\"}");
        rig_wait(r, 10000);
    }
    f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_string_equal(text, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                              "-----END CERTIFICATE REQUEST-----\n");
    unlink(path);
    r->conf.ocpp.files = "/nowhere";
    rig_call(r, "SignCertificate", good, "{\"status\":\"Rejected\"}");
    r->conf.ocpp.files = NULL;
    rig_call(r, "SignCertificate", good, "{\"status\":\"Rejected\"}");
    end(r, dir);
}

static int n_security;

static void news(void *arg, const char *level, const char *code, const char *who,
                 const char *text)
{
    (void)arg;
    (void)level;
    (void)who;
    (void)text;
    n_security += strcmp(code, "security") == 0;
}

/* A charger may tell events as fast as it likes: not all of them go to the disk. */
static void many_events(void **state)
{
    struct rig *r = rig_new(1);
    char json[64];

    (void)state;
    rig_up(r);
    r->w.hooks.news = news;
    n_security = 0;
    for (int i = 0; i < 3; i++)
        rig_call(r, "SecurityEventNotification", "{\"type\":\"A\"}", "{}");
    assert_int_equal(n_security, 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(json, sizeof json, "{\"type\":\"%c\"}", 'A' + i % 2);
        rig_call(r, "SecurityEventNotification", json, "{}");
    }
    assert_int_equal(n_security, 20);
    rig_wait(r, 61000);
    rig_call(r, "SecurityEventNotification", "{\"type\":\"A\"}", "{}");
    assert_int_equal(n_security, 21);
    rig_free(r);
}

/* With --verbose each message is logged, but for passwords, in either direction. */
static void no_password_in_logs(void **state)
{
    static const char *const calls[][3] = {
        {"ChangeConfiguration", "{\"key\":\"AuthorizationKey\",\"value\":\"S3CRET\"}",
         "{\"status\":\"Accepted\"}"},
        {"DataTransfer", "{\"vendorId\":\"BasicAuthPassword\",\"data\":\"S3CRET\"}",
         "{\"status\":\"Accepted\"}"},
        {"GetConfiguration", "{\"key\":[\"AuthorizationKey\"]}",
         "{\"configurationKey\":[{\"key\":\"AuthorizationKey\",\"readonly\":false,"
         "\"value\":\"S3CRET\"}]}"},
    };
    struct rig *r = rig_new(1);
    FILE *log = tmpfile();
    char text[8192] = "";
    int before = dup(2);

    (void)state;
    rig_up(r);
    rig_settle(r, "Accepted");
    dup2(fileno(log), 2);
    log_set_level(LOG_LEVEL_DEBUG);
    for (int i = 0; i < 3; i++) {
        cJSON *payload = cJSON_Parse(calls[i][1]);

        ocpp_peer_ask(r->p, calls[i][0], payload, done, NULL);
        cJSON_Delete(payload);
        rig_expect(r, calls[i][0]);
        rig_answer(r, calls[i][2]);
        rig_settle(r, "Accepted");
    }
    log_set_level(LOG_LEVEL_INFO);
    dup2(before, 2);
    close(before);
    rewind(log);
    assert_true(fread(text, 1, sizeof text - 1, log) > 0);
    fclose(log);
    assert_non_null(strstr(text, "> (a password)"));
    assert_non_null(strstr(text, "< (a password)"));
    assert_null(strstr(text, "S3CRET"));
    rig_free(r);
}

static void cannot_be(void **state)
{
    char dir[32];
    struct rig *r = rig_with_folder(dir);
    char long_name[200];

    (void)state;
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i < 6; i++) {
        const char *names[] = {"", "../fw.bin", "nothing", ".", "a\nb", long_name};

        begin(r, OCPP_FIRMWARE, names[i]);
        assert_int_equal(outcome, OCPP_BAD_CALL);
    }
    r->conf.ocpp.files = NULL;
    begin(r, OCPP_LOG, "");
    assert_string_equal(
        said, "the site file names no folder for firmware and logs: ocpp.files");
    ocpp_peer_down(r->p);
    begin(r, OCPP_LOG, "");
    assert_int_equal(outcome, OCPP_AWAY);
    end(r, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),     cmocka_unit_test(meanings),
        cmocka_unit_test(addresses),    cmocka_unit_test(numbers),
        cmocka_unit_test(a_life),       cmocka_unit_test(cannot_be),
        cmocka_unit_test(certificates), cmocka_unit_test(no_password_in_logs),
        cmocka_unit_test(many_events),  cmocka_unit_test(left_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
