/* SPDX-License-Identifier: Apache-2.0 */
/* The words that people and files use for the core's enumerations. */
#include <string.h>

#include "event.h"
#include "order.h"

static const char *const modes[MODE_COUNT] = {
    [MODE_AUTO] = "auto",         [MODE_OFF] = "off",     [MODE_FAST] = "fast",
    [MODE_MINSOLAR] = "minsolar", [MODE_SOLAR] = "solar",
};

static const char *const kinds[EVENT_KINDS] = {
    [EVENT_TICK] = "tick",       [EVENT_METER] = "meter",
    [EVENT_LINK] = "link",       [EVENT_STATUS] = "status",
    [EVENT_SESSION] = "session", [EVENT_SAMPLE] = "sample",
    [EVENT_ANSWER] = "answer",   [EVENT_WISH] = "wish",
    [EVENT_MODE] = "mode",       [EVENT_PRIORITY] = "priority",
    [EVENT_PAUSE] = "pause",     [EVENT_LIMIT] = "limit",
    [EVENT_CARD] = "card",       [EVENT_CEILING] = "ceiling",
};

static const char *const statuses[STATUS_COUNT] = {
    [STATUS_UNKNOWN] = "unknown",           [STATUS_AVAILABLE] = "available",
    [STATUS_PREPARING] = "preparing",       [STATUS_CHARGING] = "charging",
    [STATUS_SUSPENDED_EV] = "suspended_ev", [STATUS_SUSPENDED_EVSE] = "suspended_evse",
    [STATUS_FINISHING] = "finishing",       [STATUS_RESERVED] = "reserved",
    [STATUS_UNAVAILABLE] = "unavailable",   [STATUS_FAULTED] = "faulted",
};

static const char *const reasons[REASON_COUNT] = {
    [REASON_NONE] = "none",           [REASON_MAX] = "max",
    [REASON_CIRCUIT] = "circuit",     [REASON_POWER] = "power",
    [REASON_WAITING] = "waiting",     [REASON_MODE] = "mode",
    [REASON_SOLAR] = "solar",         [REASON_PAUSED] = "paused",
    [REASON_SATISFIED] = "satisfied", [REASON_METER_LOST] = "meter_lost",
    [REASON_RAMP] = "ramp",           [REASON_OFFLINE] = "offline",
    [REASON_PHASES] = "phases",       [REASON_UNBALANCE] = "unbalance",
    [REASON_DISOBEYS] = "disobeys",   [REASON_EXTERNAL] = "external",
};

static const char *const notices[NOTICE_COUNT] = {
    [NOTICE_METER_LOST] = "meter_lost", [NOTICE_METER_FROZEN] = "meter_frozen",
    [NOTICE_OVER_LIMIT] = "over_limit", [NOTICE_LIMIT_EXTERNAL] = "external_limit",
    [NOTICE_DISOBEYS] = "disobeys",     [NOTICE_CHECK_FAILED] = "check_failed",
};

static const char *const sources[LIMIT_SOURCES] = {
    [LIMIT_REMOTE] = "remote",
    [LIMIT_SILENT] = "silent",
    [LIMIT_SCHEDULE] = "schedule",
    [LIMIT_INPUT] = "input",
};

static const char *const wishers[WISH_SOURCES] = {
    [WISH_PERSON] = "person",
    [WISH_CAR] = "car",
    [WISH_FILE] = "file",
};

const char *mode_name(enum mode m)
{
    return modes[m];
}

int mode_by_name(const char *name)
{
    for (int m = 0; m < MODE_COUNT; m++)
        if (strcmp(modes[m], name) == 0)
            return m;
    return -1;
}

const char *event_kind_name(enum event_kind k)
{
    return kinds[k];
}

const char *status_name(enum connector_status s)
{
    return statuses[s];
}

const char *limit_source_name(enum limit_source s)
{
    return sources[s];
}

const char *reason_name(enum reason r)
{
    return reasons[r];
}

const char *notice_name(enum notice n)
{
    return notices[n];
}

const char *wish_source_name(enum wish_source s)
{
    return wishers[s];
}
