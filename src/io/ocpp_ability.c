/* SPDX-License-Identifier: Apache-2.0 */
/* The capability record of a charger as words, and back. */
#include "io/ocpp_ability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const txs[] = {"1", "0", "no", NULL};
static const char *const others[] = {"1",   "steps",       "endless",
                                     "max", "max-endless", NULL};
static const char *const kinds[] = {"absolute", "relative", NULL};
static const char *const units[] = {"A", "W", NULL};
static const char *const zeros[] = {"unknown", "pauses", "ends", "draws", NULL};
static const char *const steps[] = {"unknown", "0.1", "1", NULL};
static const char *const keeps[] = {"unknown", "yes", "no", NULL};
static const char *const truths[] = {"no", "yes", NULL};
static const char *const values[] = {"current", "currents", "offered", "power",
                                     "energy",  "voltage",  NULL};

void ocpp_ability_init(struct ocpp_ability *a)
{
    memset(a, 0, sizeof *a); /* records are compared byte for byte */
    a->tx = OCPP_FORM_TX_1;
    a->other = OCPP_FORM_DEFAULT_1;
    a->ping_s = -1;
}

/* ---- writing */

static void write_values(unsigned mask, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; values[i]; i++)
        if (mask & 1u << i && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", values[i]);
}

void ocpp_ability_write(const struct ocpp_ability *a, char out[OCPP_ABILITY_TEXT])
{
    char list[64], ping[24] = "", probed[64] = "", version[16] = "";

    write_values(a->values, list, sizeof list);
    if (a->ping_s >= 0)
        snprintf(ping, sizeof ping, " ping=%d", (int)a->ping_s);
    if (*a->version)
        snprintf(version, sizeof version, " ocpp=%s", a->version);
    if (a->keeps || a->boots || a->delay_s)
        snprintf(probed, sizeof probed, " keeps=%s boots=%s delay=%d", keeps[a->keeps],
                 keeps[a->boots], (int)a->delay_s);
    snprintf(
        out, OCPP_ABILITY_TEXT,
        "tx=%s%s default=%s%s kind=%s%s unit=%s zero=%s step=%s trigger=%s%s%s%s%s%s",
        txs[a->tx_no ? 2 : a->tx - OCPP_FORM_TX_1], a->tx_ok ? "!" : "",
        others[a->other - OCPP_FORM_DEFAULT_1], a->other_ok ? "!" : "",
        kinds[a->relative], a->kind_ok ? "!" : "", units[a->watts], zeros[a->zero],
        steps[a->step_ma >= 1000 ? 2 : a->step_ma > 0], truths[!a->no_trigger], version,
        probed, ping, *list ? " values=" : "", list);
}

/* ---- reading */

static int choice(const char *word, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], word) == 0)
            return i;
    return -1;
}

/* "1!" was accepted once; a person writes "1". */
static bool cut_proof(char *word)
{
    size_t n = strlen(word);

    if (n == 0 || word[n - 1] != '!')
        return false;
    word[n - 1] = '\0';
    return true;
}

static int take_tx(struct ocpp_ability *a, char *word)
{
    bool ok = cut_proof(word);
    int i = choice(word, txs);

    a->tx_ok = ok;
    a->tx_no = i == 2;
    a->tx = i == 1 ? OCPP_FORM_TX_0 : OCPP_FORM_TX_1;
    return i;
}

static int take_default(struct ocpp_ability *a, char *word)
{
    bool ok = cut_proof(word);
    int i = choice(word, others);

    a->other_ok = ok;
    a->other = (enum ocpp_form)(OCPP_FORM_DEFAULT_1 + i);
    return i;
}

static int take_kind(struct ocpp_ability *a, char *word)
{
    bool ok = cut_proof(word);
    int i = choice(word, kinds);

    a->kind_ok = ok;
    a->relative = i == 1;
    return i;
}

static int take_unit(struct ocpp_ability *a, char *word)
{
    int i = choice(word, units);

    a->watts = i == 1;
    return i;
}

static int take_zero(struct ocpp_ability *a, char *word)
{
    int i = choice(word, zeros);

    a->zero = (enum ocpp_zero)(i < 0 ? 0 : i);
    return i;
}

static int take_step(struct ocpp_ability *a, char *word)
{
    int i = choice(word, steps);

    a->step_ma = i == 2 ? 1000 : i == 1 ? 100 : 0;
    return i;
}

static int take_trigger(struct ocpp_ability *a, char *word)
{
    int i = choice(word, truths);

    a->no_trigger = i == 0;
    return i;
}

static int take_ping(struct ocpp_ability *a, char *word)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (!*word || *end || n < 0 || n > 3600)
        return -1;
    a->ping_s = (int32_t)n;
    return 0;
}

static int take_keeps(struct ocpp_ability *a, char *word)
{
    int i = choice(word, keeps);

    a->keeps = (enum ocpp_keeps)(i < 0 ? 0 : i);
    return i;
}

static int take_boots(struct ocpp_ability *a, char *word)
{
    int i = choice(word, keeps);

    a->boots = (enum ocpp_keeps)(i < 0 ? 0 : i);
    return i;
}

static int take_delay(struct ocpp_ability *a, char *word)
{
    char *end;
    long n = strtol(word, &end, 10);

    if (!*word || *end || n < 0 || n > 3600)
        return -1;
    a->delay_s = (int32_t)n;
    return 0;
}

static int take_version(struct ocpp_ability *a, char *word)
{
    if (!*word || strlen(word) >= sizeof a->version)
        return -1;
    strcpy(a->version, word);
    return 0;
}

static int take_values(struct ocpp_ability *a, char *word)
{
    char *rest = word, *one;

    a->values = 0;
    while ((one = strsep(&rest, ","))) {
        int i = choice(one, values);

        if (i < 0)
            return -1;
        a->values |= 1u << i;
    }
    return 0;
}

static const struct {
    const char *name, *may;
    int (*take)(struct ocpp_ability *a, char *word); /* below 0: not known */
} words_of[] = {
    {"tx", "1, 0 or no", take_tx},
    {"default", "1, steps, endless, max or max-endless", take_default},
    {"kind", "absolute or relative", take_kind},
    {"unit", "A or W", take_unit},
    {"zero", "unknown, pauses, ends or draws", take_zero},
    {"step", "unknown, 0.1 or 1", take_step},
    {"trigger", "yes or no", take_trigger},
    {"ping", "seconds from 0 to 3600", take_ping},
    {"keeps", "unknown, yes or no", take_keeps},
    {"boots", "unknown, yes or no", take_boots},
    {"delay", "seconds from 0 to 3600", take_delay},
    {"ocpp", "a version", take_version},
    {"values", "a list of meter values", take_values},
};
enum { N_WORDS = sizeof words_of / sizeof *words_of };

static bool take(struct ocpp_ability *a, char *word, char why[OCPP_ABILITY_WHY])
{
    char *value = strchr(word, '=');

    if (value)
        *value++ = '\0';
    for (int i = 0; value && i < N_WORDS; i++) {
        if (strcmp(words_of[i].name, word) != 0)
            continue;
        if (words_of[i].take(a, value) >= 0)
            return true;
        snprintf(why, OCPP_ABILITY_WHY, "%s is %s", word, words_of[i].may);
        return false;
    }
    snprintf(why, OCPP_ABILITY_WHY,
             "'%.40s' is none of tx=, default=, kind=, unit=, zero=, step=, trigger=, "
             "ping=",
             word);
    return false;
}

bool ocpp_ability_read(struct ocpp_ability *a, const char *words,
                       char why[OCPP_ABILITY_WHY])
{
    struct ocpp_ability next = *a;
    char text[OCPP_ABILITY_TEXT + 64], *rest = text, *word;

    if (strlen(words) >= sizeof text) {
        snprintf(why, OCPP_ABILITY_WHY, "too long");
        return false;
    }
    strcpy(text, words);
    while ((word = strsep(&rest, " \t")))
        if (*word && !take(&next, word, why))
            return false;
    *a = next;
    return true;
}
