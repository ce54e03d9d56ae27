/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of misbehaving. */
#include "sim/modbus_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
    const char *name, *arg, *help;
    int least, most, usual; /* of the argument; usual -1: it must be given */
} kinds[MODBUS_FAULT_COUNT] = {
    [MODBUS_FAULT_SILENT] = {"silent", NULL, "does not answer", 0, 0, 0},
    [MODBUS_FAULT_EXCEPTION] = {"exception", "N", "answers with that exception", 1, 255,
                                -1},
    [MODBUS_FAULT_DELAY] = {"late", "MS", "answers so much later", 0, 600000, -1},
    [MODBUS_FAULT_TRICKLE] = {"bytes", "MS", "sends single bytes, MS (1) apart", 0,
                              1000, 1},
    [MODBUS_FAULT_TWICE] = {"twice", NULL, "sends each answer two times", 0, 0, 0},
    [MODBUS_FAULT_BEFORE] = {"before", NULL, "sends the answer before once more, first",
                             0, 0, 0},
    [MODBUS_FAULT_WRONG_UNIT] = {"unit", NULL, "answers as another unit", 0, 0, 0},
    [MODBUS_FAULT_WRONG_ID] = {"id", NULL, "a wrong transaction id (TCP)", 0, 0, 0},
    [MODBUS_FAULT_CRC] = {"crc", NULL, "a wrong check sum (serial frames)", 0, 0, 0},
    [MODBUS_FAULT_ECHO] = {"echo", NULL, "first sends the request back (serial frames)",
                           0, 0, 0},
    [MODBUS_FAULT_HANG_UP] = {"hang-up", NULL, "closes instead of answering", 0, 0, 0},
    [MODBUS_FAULT_MAX_REGS] = {"max-regs", "N", "exception 2 to more registers than N",
                               0, 125, -1},
    [MODBUS_FAULT_FULL] = {"full", NULL, "all registers are 0xFFFF", 0, 0, 0},
    [MODBUS_FAULT_ZERO] = {"zero", NULL, "all registers are 0", 0, 0, 0},
    [MODBUS_FAULT_NAN] = {"nan", NULL, "no value is available", 0, 0, 0},
    [MODBUS_FAULT_WORDS] = {"words", NULL, "the words of each value swapped", 0, 0, 0},
    [MODBUS_FAULT_FROZEN] = {"frozen", NULL, "values do not change any more", 0, 0, 0},
    [MODBUS_FAULT_COUNTER] = {"counter", NULL, "the energy counters are 0", 0, 0, 0},
    [MODBUS_FAULT_WRAP] = {"wrap", NULL,
                           "the energy counters begin anew after 655.36 kWh", 0, 0, 0},
    [MODBUS_FAULT_SIGN] = {"sign", NULL, "currents and powers the other way round", 0,
                           0, 0},
    [MODBUS_FAULT_FACTOR] = {"factor", "N", "currents and powers N times too high", 1,
                             1000, -1},
    [MODBUS_FAULT_REFUSE] = {"refuse", NULL,
                             "refuses connections, ends those there are", 0, 0, 0},
    [MODBUS_FAULT_CLOSE] = {"close", NULL, "accepts connections and closes them", 0, 0,
                            0},
    [MODBUS_FAULT_ONE_CLIENT] = {"one-client", NULL, "refuses a second connection", 0,
                                 0, 0},
    [MODBUS_FAULT_GARBAGE] = {"garbage", NULL, "sends something unasked at first", 0, 0,
                              0},
};

const char *modbus_fault_help(int i, char *line, size_t size)
{
    const struct kind *k = &kinds[i + 1];
    char word[32];

    if (i + 1 >= MODBUS_FAULT_COUNT)
        return NULL;
    snprintf(word, sizeof word, "%s%s%s", k->name, k->arg ? "=" : "",
             k->arg ? k->arg : "");
    snprintf(line, size, "  %-14s %s\n", word, k->help);
    return line;
}

bool modbus_fault_suits(enum modbus_fault f, bool rtu, bool listens, char *err,
                        size_t size)
{
    const char *needs = NULL;

    if ((f == MODBUS_FAULT_CRC || f == MODBUS_FAULT_ECHO) && !rtu)
        needs = "serial frames";
    if (f == MODBUS_FAULT_WRONG_ID && rtu)
        needs = "Modbus TCP";
    if (f >= MODBUS_FAULT_REFUSE && !listens)
        needs = "TCP connections";
    if (needs)
        snprintf(err, size, "the fault '%s' needs %s", kinds[f].name, needs);
    return !needs;
}

static enum modbus_fault find(const char *text, size_t n)
{
    for (int i = 1; i < MODBUS_FAULT_COUNT; i++)
        if (strlen(kinds[i].name) == n && strncmp(kinds[i].name, text, n) == 0)
            return (enum modbus_fault)i;
    return MODBUS_FAULT_NONE;
}

/* "1/10", or seconds "60-90". */
static bool parse_when(const char *text, struct modbus_fault_rule *r, int *length)
{
    double from, to;

    if (sscanf(text, "1/%9d%n", &r->every, length) == 1 && *length > 0)
        return r->every > 0;
    if (sscanf(text, "%lf-%lf%n", &from, &to, length) != 2 || !(from >= 0) ||
        !(to > from) || to > 1e8)
        return false;
    r->from_ms = (int64_t)(from * 1000);
    r->to_ms = (int64_t)(to * 1000);
    return true;
}

bool modbus_fault_parse(const char *text, struct modbus_fault_rule *r, char *err,
                        size_t size)
{
    size_t n = strcspn(text, "=@");
    const struct kind *k;
    char *end = (char *)text + n;

    *r = (struct modbus_fault_rule){.fault = find(text, n), .count = -1};
    k = &kinds[r->fault];
    r->arg = k->usual;
    if (!k->name) {
        snprintf(err, size, "there is no fault '%.*s'", (int)n, text);
        return false;
    }
    if (*end == '=')
        r->arg = k->arg ? (int)strtol(end + 1, &end, 10) : -1;
    if (r->arg < k->least || r->arg > k->most || (*end && *end != '@')) {
        snprintf(err, size,
                 k->arg ? "'%s': %s needs a number from %d to %d"
                        : "'%s': %s takes no number",
                 text, k->name, k->least, k->most);
        return false;
    }
    while (*end == '@') {
        int length = 0;

        if (!parse_when(end + 1, r, &length))
            break;
        end += 1 + length;
    }
    if (*end)
        snprintf(err, size, "'%s': a time is @FROM-TO in seconds, a part @1/N", text);
    return !*end;
}

bool modbus_faults_add(struct modbus_faults *f, const struct modbus_fault_rule *r)
{
    if (f->n == MODBUS_FAULT_RULES)
        return false;
    f->rules[f->n++] = *r;
    return true;
}

static bool holds(struct modbus_fault_rule *r, int64_t since_ms, bool answers)
{
    if (r->to_ms && (since_ms < r->from_ms || since_ms >= r->to_ms))
        return false;
    if (r->every > 1) {
        r->seen += answers;
        if (!answers || r->seen % r->every)
            return false;
    }
    if (r->count == 0)
        return false;
    if (r->count > 0 && answers)
        r->count--;
    return true;
}

void modbus_faults_now(struct modbus_faults *f, int64_t since_ms, bool answers,
                       int arg[MODBUS_FAULT_COUNT])
{
    for (int i = 0; i < MODBUS_FAULT_COUNT; i++)
        arg[i] = -1;
    for (int i = 0; i < f->n; i++)
        if (holds(&f->rules[i], since_ms, answers))
            arg[f->rules[i].fault] = f->rules[i].arg;
}
