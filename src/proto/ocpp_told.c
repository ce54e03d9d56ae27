/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as numbers, and what the answers and reports of chargers mean. */
#include "proto/ocpp_told.h"
#include "proto/ocpp_field.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

int32_t ocpp_period_limit(int32_t ma, bool watts, int32_t voltage_mv, int phases)
{
    if (ma <= 0)
        return 0;
    if (watts)
        return (int32_t)((int64_t)ma * voltage_mv * phases / 1000000);
    return ma / 100;
}

/* Tenths with at most one digit and no ".0": multipleOf 0.1 in the schema. */
static void write_limit(char out[16], bool watts, int32_t limit)
{
    if (watts)
        snprintf(out, 16, "%d", (int)limit);
    else if (limit % 10 == 0)
        snprintf(out, 16, "%d", (int)(limit / 10));
    else
        snprintf(out, 16, "%d.%d", (int)(limit / 10), (int)(limit % 10));
}

const char *ocpp_kind_word(enum ocpp_kind k)
{
    return k == OCPP_RELATIVE ? "Relative" : "Absolute";
}

void ocpp_write_periods(char *out, const struct ocpp_profile *p)
{
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        char limit[16], phases[56] = "";

        if (i == 0 && p->phases > 0 && p->phase > 0)
            snprintf(phases, sizeof phases, ",\"numberPhases\":%d,\"phaseToUse\":%d",
                     p->phases, p->phase);
        else if (i == 0 && p->phases > 0)
            snprintf(phases, sizeof phases, ",\"numberPhases\":%d", p->phases);
        write_limit(limit, p->watts, p->period[i].limit);
        n += snprintf(out + n, OCPP_PERIODS_TEXT - (size_t)n,
                      "%s{\"startPeriod\":%d,\"limit\":%s%s}", i ? "," : "",
                      (int)p->period[i].start_s, limit, phases);
    }
}

enum ocpp_verdict ocpp_verdict_result(const cJSON *payload)
{
    const cJSON *info = cJSON_GetObjectItemCaseSensitive(payload, "statusInfo");
    char status[24], reason[24];

    ocpp_get_text(payload, "status", status, sizeof status);
    ocpp_get_text(info, "reasonCode", reason, sizeof reason);
    if (strcasecmp(status, "Accepted") == 0)
        return OCPP_ACCEPTED;
    if (strcasecmp(status, "Rejected") == 0)
        return strcasecmp(reason, "TxNotFound") == 0 ||
                       strcasecmp(reason, "UnknownTxId") == 0
                   ? OCPP_NO_TX
                   : OCPP_REFUSED;
    if (strcasecmp(status, "NotSupported") == 0)
        return OCPP_UNSUPPORTED;
    return OCPP_UNCLEAR;
}

enum ocpp_verdict ocpp_verdict_error(const char *code)
{
    static const struct {
        const char *code;
        enum ocpp_verdict verdict;
    } codes[] = {
        {"NotSupported", OCPP_UNSUPPORTED},
        {"NotImplemented", OCPP_UNSUPPORTED},
        {"FormationViolation", OCPP_REFUSED},
        {"FormatViolation", OCPP_REFUSED},
        {"PropertyConstraintViolation", OCPP_REFUSED},
        {"OccurenceConstraintViolation", OCPP_REFUSED},
        {"OccurrenceConstraintViolation", OCPP_REFUSED},
        {"TypeConstraintViolation", OCPP_REFUSED},
        {"SecurityError", OCPP_REFUSED},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcasecmp(codes[i].code, code) == 0)
            return codes[i].verdict;
    return OCPP_UNCLEAR;
}

void ocpp_config_init(struct ocpp_config *c)
{
    *c = (struct ocpp_config){.max_level = -1,
                              .max_periods = -1,
                              .max_profiles = -1,
                              .connectors = -1,
                              .smart_there = -1,
                              .smart = -1,
                              .one_phase = -1,
                              .change_milli = -1,
                              .outside = -1,
                              .sample_s = -1,
                              .aligned_s = -1,
                              .heartbeat_s = -1,
                              .ping_s = -1,
                              .per_get = -1,
                              .bytes_get = -1,
                              .per_set = -1,
                              .bytes_set = -1,
                              .list_max = -1,
                              .list_per = -1,
                              .list_bytes = -1};
}

bool ocpp_config_chooses(const struct ocpp_config *c, int connector)
{
    uint64_t bit = connector <= OCPP_PLACES ? (uint64_t)1 << (connector - 1) : 0;

    return c->choice_told & bit ? c->chooses & bit : c->all_choose;
}

/* The next word of a comma-separated list, without blanks; NULL at its end. */
static const char *next_word(const char **list, size_t *len)
{
    const char *word;

    *list += strspn(*list, ", \t");
    if (!**list)
        return NULL;
    word = *list;
    *len = strcspn(word, ",");
    *list += *len;
    while (*len > 0 && (word[*len - 1] == ' ' || word[*len - 1] == '\t'))
        --*len;
    return word;
}

static bool has_word(const char *list, const char *wanted, size_t wanted_len)
{
    const char *word;
    size_t len;

    while ((word = next_word(&list, &len)))
        if (len == wanted_len && strncasecmp(word, wanted, len) == 0)
            return true;
    return false;
}

bool ocpp_list_has(const char *list, const char *wanted)
{
    const char *word;
    size_t len;

    while ((word = next_word(&wanted, &len)))
        if (!has_word(list, word, len))
            return false;
    return true;
}

bool ocpp_file_refused(enum ocpp_file what, const cJSON *answer)
{
    const char *status =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "status"));
    const char *name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "fileName"));

    if (status)
        return strncasecmp(status, "Accepted", 8) != 0;
    return what == OCPP_DIAGNOSTICS && (!name || !*name); /* it has nothing to send */
}

enum ocpp_progress ocpp_file_progress(const char *word)
{
    static const struct {
        const char *word;
        enum ocpp_progress is;
    } words[] = {
        {"Downloaded", OCPP_MOVED},
        {"SignatureVerified", OCPP_MOVED},
        {"Installing", OCPP_MOVED},
        {"InstallScheduled", OCPP_MOVED},
        {"InstallRebooting", OCPP_MOVED},
        {"Installed", OCPP_DONE},
        {"Uploaded", OCPP_DONE},
        {"DownloadFailed", OCPP_FAILED},
        {"InstallationFailed", OCPP_FAILED},
        {"InstallVerificationFailed", OCPP_FAILED},
        {"InvalidSignature", OCPP_FAILED},
        {"UploadFailed", OCPP_FAILED},
        {"UploadFailure", OCPP_FAILED},
        {"BadMessage", OCPP_FAILED},
        {"NotSupportedOperation", OCPP_FAILED},
        {"PermissionDenied", OCPP_FAILED},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].word, word) == 0)
            return words[i].is;
    return OCPP_GOES_ON;
}
