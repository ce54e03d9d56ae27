/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a payload by the table of its version. */
#include "proto/ocpp_schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ocpp_field.h"
#include "proto/ocpp_frame.h"

enum { PATH = 80 };

struct check {
    const struct ocpp_schema *s;
    char path[PATH]; /* of the object looked at: "" or "a.b." */
    char *why;
};

static int by_action(const void *key, const void *message)
{
    return strcmp(key, ((const struct ocpp_message *)message)->action);
}

const struct ocpp_message *ocpp_schema_find(const struct ocpp_schema *s,
                                            enum ocpp_asker asker, const char *action)
{
    const struct ocpp_table *t = asker == OCPP_SYSTEM ? s->ours : s->theirs;

    return bsearch(action, t->messages, (size_t)t->n, sizeof *t->messages, by_action);
}

__attribute__((format(printf, 4, 5))) static const char *
fault(struct check *c, const char *code, const char *field, const char *what, ...)
{
    char text[200], all[OCPP_WHY];
    va_list args;

    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    snprintf(all, sizeof all, "%s%.40s: %.190s", c->path, field, text);
    ocpp_text_copy(c->why, OCPP_WHY, all); /* names and values come from outside */
    return code;
}

/* ---- one value */

static const char *check_number(struct check *c, const struct ocpp_field *f,
                                const cJSON *v)
{
    int32_t hi = f->hi ? f->hi : INT32_MAX;
    double d = v->valuedouble;

    if (!cJSON_IsNumber(v))
        return fault(c, c->s->type, f->name, "is no number");
    if (d < f->lo || d > hi)
        return fault(c, c->s->value, f->name, "%.15g is not in %d to %d", d, f->lo, hi);
    if (f->type == OCPP_INT && d != floor(d))
        return fault(c, c->s->type, f->name, "%.15g is no whole number", d);
    if (f->type == OCPP_TENTHS && fabs(d * 10 - round(d * 10)) > 1e-6)
        return fault(c, c->s->value, f->name, "%.15g is no multiple of 0.1", d);
    return NULL;
}

static bool is_word(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words; n && (at = strstr(at, word)); at++)
        if (at > words && at[-1] == '|' && at[n] == '|' && !strchr(word, '|'))
            return true;
    return false;
}

static int two(const char *digits)
{
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* On the calendar and the clock; "2019-03-01T14:20:00". */
static bool is_moment(const char *t)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = two(t) * 100 + two(t + 2), month = two(t + 5), day = two(t + 8);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap) && two(t + 11) < 24 &&
           two(t + 14) < 60 && two(t + 17) < 60;
}

/* "2019-03-01T14:20:00Z", a fraction and "+01:00" allowed. 9 stands for a digit. */
static bool is_time(const char *text)
{
    const char *start = text;

    for (const char *p = "9999-99-99T99:99:99"; *p; p++, text++)
        if (*p == '9' ? *text < '0' || *text > '9' : *text != *p)
            return false;
    if (!is_moment(start))
        return false;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (strcmp(text, "Z") == 0)
        return true;
    return (*text == '+' || *text == '-') && strlen(text) == 6 && text[3] == ':' &&
           strspn(text + 1, "0123456789:") == 5 &&
           strspn(text + 4, "0123456789") == 2 && two(text + 1) < 24 &&
           two(text + 4) < 60;
}

/* A scheme, and nothing that would have to be written as %20. */
static bool is_uri(const char *text)
{
    const char *colon = strstr(text, "://");

    if (!colon || colon == text || !colon[3])
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
            return false;
    return true;
}

static int32_t characters(const char *text)
{
    int32_t n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* "|Hard|Soft|" for people: "Hard, Soft". */
static const char *listed(const char *words, char out[OCPP_WHY])
{
    size_t n = 0;

    for (words++; *words && n + 3 < OCPP_WHY; words++) {
        out[n++] = *words == '|' ? ',' : *words;
        if (*words == '|')
            out[n++] = ' ';
    }
    out[n > 2 ? n - 2 : 0] = '\0';
    return out;
}

static const char *check_text(struct check *c, const struct ocpp_field *f,
                              const cJSON *v)
{
    const char *text = v->valuestring;
    char words[OCPP_WHY];

    if (!cJSON_IsString(v))
        return fault(c, c->s->type, f->name, "is no text");
    if (f->type == OCPP_WORD && !is_word(f->words, text))
        return fault(c, c->s->value, f->name, "'%.40s' is none of %s", text,
                     listed(f->words, words));
    if (f->type == OCPP_TIME && !is_time(text))
        return fault(c, c->s->value, f->name,
                     "'%.40s' is no time like 2019-03-01T14:20:00Z", text);
    if (f->type == OCPP_URI && !is_uri(text))
        return fault(c, c->s->value, f->name, "'%.40s' is no address like http://...",
                     text);
    if (f->most && characters(text) > f->most)
        return fault(c, c->s->value, f->name, "is longer than %d characters", f->most);
    return NULL;
}

/* ---- lists and objects */

static const char *check_object(struct check *c, const struct ocpp_field *fields,
                                const cJSON *v);

static const char *check_sub(struct check *c, const struct ocpp_field *f,
                             const cJSON *v)
{
    size_t n = strlen(c->path);
    const char *code;

    if (!cJSON_IsObject(v))
        return fault(c, c->s->type, f->name, "is no object");
    snprintf(c->path + n, sizeof c->path - n, "%s.", f->name);
    code = check_object(c, f->sub, v);
    c->path[n] = '\0';
    return code;
}

static const char *check_item(struct check *c, const struct ocpp_field *f,
                              const cJSON *v)
{
    struct ocpp_field one = *f;

    one.lo = INT32_MIN;
    one.hi = 0;
    switch (f->type) {
    case OCPP_INTS:
        one.type = OCPP_INT;
        return check_number(c, &one, v);
    case OCPP_WORDS:
        one.type = OCPP_WORD;
        return check_text(c, &one, v);
    case OCPP_TEXTS:
        return check_text(c, f, v);
    default:
        return check_sub(c, f, v);
    }
}

static const char *check_list(struct check *c, const struct ocpp_field *f,
                              const cJSON *v)
{
    const char *code = NULL;
    const cJSON *item;
    int n = 0;

    if (!cJSON_IsArray(v))
        return fault(c, c->s->type, f->name, "is no list");
    for (item = v->child; item && !code; item = item->next, n++)
        code = check_item(c, f, item);
    if (!code && n < f->lo)
        return fault(c, c->s->missing, f->name, n ? "has too few of them" : "is empty");
    if (!code && f->hi && n > f->hi)
        return fault(c, c->s->missing, f->name, "has more than %d of them", f->hi);
    return code;
}

static const char *check_field(struct check *c, const struct ocpp_field *f,
                               const cJSON *v)
{
    switch (f->type) {
    case OCPP_INT:
    case OCPP_TENTHS:
        return check_number(c, f, v);
    case OCPP_NUMBER:
        return cJSON_IsNumber(v) ? NULL : fault(c, c->s->type, f->name, "is no number");
    case OCPP_ANY:
        return NULL;
    case OCPP_BOOL:
        return cJSON_IsBool(v) ? NULL
                               : fault(c, c->s->type, f->name, "is not true or false");
    case OCPP_TEXT:
    case OCPP_WORD:
    case OCPP_TIME:
    case OCPP_URI:
        return check_text(c, f, v);
    case OCPP_OBJECT:
        return check_sub(c, f, v);
    default:
        break;
    }
    return check_list(c, f, v);
}

static const struct ocpp_field *find(const struct ocpp_field *f, const char *name)
{
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f->name ? f : NULL;
}

/* What is in it besides is its vendor's affair. */
static const char *check_custom(struct check *c, const cJSON *v)
{
    static const struct ocpp_field vendor = {"customData.vendorId", OCPP_TEXT,
                                             .most = 255};
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(v, "vendorId");

    if (!cJSON_IsObject(v))
        return fault(c, c->s->type, "customData", "is no object");
    return id ? check_text(c, &vendor, id)
              : fault(c, c->s->missing, vendor.name, "is missing");
}

static const char *check_object(struct check *c, const struct ocpp_field *fields,
                                const cJSON *v)
{
    const char *code = NULL;
    const cJSON *item;

    for (item = v->child; item && !code; item = item->next) {
        const struct ocpp_field *f = find(fields, item->string);

        if (!f && c->s->custom && strcmp(item->string, "customData") == 0)
            code = check_custom(c, item);
        else if (!f)
            code = fault(c, c->s->formation, item->string, "there is no such field");
        else if (cJSON_GetObjectItemCaseSensitive(v, f->name) != item)
            code = fault(c, c->s->formation, f->name, "is there twice");
        else
            code = check_field(c, f, item);
    }
    for (const struct ocpp_field *f = fields; f->name && !code; f++)
        if (f->need && !cJSON_GetObjectItemCaseSensitive(v, f->name))
            code = fault(c, c->s->missing, f->name, "is missing");
    return code;
}

const char *ocpp_schema_strict(const struct ocpp_schema *s,
                               const struct ocpp_field *fields, const cJSON *object,
                               char why[OCPP_WHY])
{
    struct check c = {.s = s, .why = why};

    why[0] = '\0';
    if (!cJSON_IsObject(object))
        return fault(&c, s->formation, "payload", "is no object");
    return check_object(&c, fields, object);
}

/* ---- what chargers send */

/* Can it be taken for what it should be? */
static bool is_like(const struct ocpp_field *f, const cJSON *v)
{
    int64_t milli;

    switch (f->type) {
    case OCPP_INT:
    case OCPP_TENTHS:
    case OCPP_NUMBER:
        return ocpp_milli(v, &milli);
    case OCPP_OBJECT:
        return cJSON_IsObject(v);
    case OCPP_TEXTS:
    case OCPP_OBJECTS:
    case OCPP_INTS:
    case OCPP_WORDS:
        return cJSON_IsArray(v);
    default:
        return cJSON_IsString(v) || cJSON_IsNumber(v) || cJSON_IsBool(v);
    }
}

const char *ocpp_schema_lenient(const struct ocpp_schema *s,
                                const struct ocpp_field *fields, const cJSON *object,
                                char why[OCPP_WHY])
{
    struct check c = {.s = s, .why = why};

    why[0] = '\0';
    for (const struct ocpp_field *f = fields; f->name; f++) {
        const cJSON *v;

        if (f->need != OCPP_VITAL)
            continue;
        v = cJSON_GetObjectItemCaseSensitive(object, f->name);
        if (!v || cJSON_IsNull(v))
            return fault(&c, s->missing, f->name, "is missing");
        if (!is_like(f, v))
            return fault(&c, s->type, f->name, "is of another type");
        if (cJSON_IsString(v) && !*v->valuestring)
            return fault(&c, s->value, f->name, "is empty");
    }
    return NULL;
}

const char *ocpp_schema_code(const struct ocpp_schema *s, const char *code)
{
    return strcmp(code, "OccurenceConstraintViolation") == 0 ? s->missing : code;
}
