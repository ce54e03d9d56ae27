/* SPDX-License-Identifier: Apache-2.0 */
/* Words and numbers of the journal's lines, both ways. */
#include "io/journal_code.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/event.h"

void code_put(struct coder *c, const char *text)
{
    size_t len = strlen(text);

    if (c->failed || c->n + len + 1 >= c->room) {
        c->failed = true;
        return;
    }
    if (c->n)
        c->out[c->n++] = ' ';
    memcpy(c->out + c->n, text, len);
    c->n += len;
}

/* The next word into buf; words are separated by exactly one space. */
static bool take(struct coder *c, char *buf, size_t size)
{
    size_t len = strcspn(c->in, " ");

    if (c->failed || len == 0 || len >= size) {
        c->failed = true;
        return false;
    }
    memcpy(buf, c->in, len);
    buf[len] = '\0';
    c->in += len;
    if (*c->in == ' ')
        c->in++;
    return true;
}

void code_word(struct coder *c, const char *word)
{
    char buf[32];

    if (c->failed)
        return;
    if (!c->reading)
        code_put(c, word);
    else if (take(c, buf, sizeof buf) && strcmp(buf, word) != 0)
        c->failed = true;
}

static bool number(const char *text, int64_t *value)
{
    bool minus = *text == '-';
    const char *p = text + minus;
    int64_t v = 0; /* counted downwards: the lowest number has no positive twin */

    if (!*p)
        return false;
    for (; *p; p++)
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, *p - '0', &v))
            return false;
    if (!minus && __builtin_sub_overflow(0, v, &v))
        return false;
    *value = v;
    return true;
}

/* A number from min to max; `none` is written as "-". */
void code_number(struct coder *c, int64_t *v, int64_t min, int64_t max, int64_t none)
{
    char buf[24];

    if (c->failed)
        return;
    if (c->reading) {
        if (!take(c, buf, sizeof buf))
            return;
        if (strcmp(buf, "-") == 0)
            *v = none;
        else if (!number(buf, v) || *v < min || *v > max)
            c->failed = true;
    } else if (*v == none) {
        code_put(c, "-");
    } else if (*v < min || *v > max) {
        c->failed = true;
    } else {
        snprintf(buf, sizeof buf, "%" PRId64, *v);
        code_put(c, buf);
    }
}

void code_i32(struct coder *c, int32_t *v)
{
    int64_t wide = *v;

    code_number(c, &wide, INT32_MIN, INT32_MAX, EVENT_NO_VALUE);
    *v = (int32_t)wide;
}

void code_u32(struct coder *c, uint32_t *v)
{
    int64_t wide = *v;

    code_number(c, &wide, 0, UINT32_MAX, -1);
    if (wide < 0)
        c->failed = true;
    *v = (uint32_t)wide;
}

void code_i8(struct coder *c, int8_t *v)
{
    int64_t wide = *v;

    code_number(c, &wide, INT8_MIN + 1, INT8_MAX, INT8_MIN);
    *v = (int8_t)wide;
}

void code_i64(struct coder *c, int64_t *v)
{
    code_number(c, v, INT64_MIN, INT64_MAX, EVENT_NO_ENERGY);
}

void code_who(struct coder *c, int32_t *v)
{
    int64_t wide = *v;

    code_number(c, &wide, 0, INT32_MAX, SITE_NONE);
    *v = (int32_t)wide;
}

void code_phases(struct coder *c, const char *word, int32_t v[SITE_PHASES])
{
    code_word(c, word);
    for (int p = 0; p < SITE_PHASES; p++)
        code_i32(c, &v[p]);
}

void code_bool(struct coder *c, bool *v)
{
    int64_t wide = *v;

    code_number(c, &wide, 0, 1, -1);
    if (wide < 0)
        c->failed = true;
    *v = wide > 0;
}

/* One of `count` names; the number of it comes back. */
int code_name(struct coder *c, int value, const char *(*name)(int), int count)
{
    char buf[32];

    if (c->failed)
        return value;
    if (!c->reading) {
        if (value < 0 || value >= count)
            c->failed = true;
        else
            code_put(c, name(value));
        return value;
    }
    if (take(c, buf, sizeof buf))
        for (int i = 0; i < count; i++)
            if (strcmp(buf, name(i)) == 0)
                return i;
    c->failed = true;
    return 0;
}

/* A word of free choice, "-" when empty. */
void code_token(struct coder *c, char *text, size_t size)
{
    if (c->failed)
        return;
    if (!c->reading) {
        if (strchr(text, ' ') || strchr(text, '\n'))
            c->failed = true;
        else
            code_put(c, *text ? text : "-");
    } else if (take(c, text, size) && strcmp(text, "-") == 0) {
        *text = '\0';
    }
}
