/* SPDX-License-Identifier: Apache-2.0 */
/* OCPP-J frames: lenient in, strict out. */
#include "proto/ocpp_frame.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"

/* ---- memory of one message ----
 *
 * A MeterValues is some eighty pieces of memory to cJSON. While a message is parsed it
 * gets them out of one block instead, that is free again with the frame; what does not
 * fit, and a second frame at the same time, comes from the heap as ever. Sanitizers are
 * to see each piece, so not with them. */

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
enum { POOL = 0 };
#else
enum { POOL = 65536 };
#endif

static struct {
    _Alignas(16) char mem[POOL + 1];
    size_t used;
    bool spilled; /* not all of it fitted */
    atomic_flag taken;
} pool = {.taken = ATOMIC_FLAG_INIT};
static _Thread_local bool pool_on;

static bool pooled(const void *p)
{
    return (const char *)p >= pool.mem && (const char *)p < pool.mem + POOL;
}

static void *piece(size_t n)
{
    size_t at = pool.used;

    if (!pool_on)
        return malloc(n);
    n = (n + 15) & ~(size_t)15;
    if (n > POOL - at) {
        pool.spilled = true;
        return malloc(n);
    }
    pool.used += n;
    return pool.mem + at;
}

static void give_back(void *p)
{
    if (!pooled(p))
        free(p);
}

__attribute__((constructor)) static void use_pool(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = piece, .free_fn = give_back});
}

/* What is all in the pool needs no going through. */
static void drop(cJSON *item)
{
    if (!pooled(item) || pool.spilled)
        cJSON_Delete(item);
}

/* ---- reading ---- */

static const enum ocpp_frame_kind kinds[] = {
    [2] = OCPP_FRAME_CALL,         [3] = OCPP_FRAME_RESULT, [4] = OCPP_FRAME_ERROR,
    [5] = OCPP_FRAME_RESULT_ERROR, [6] = OCPP_FRAME_SEND,
};

static enum ocpp_frame_kind kind_of(double type)
{
    if (!(type >= 2 && type <= 6) || type != (int)type)
        return OCPP_FRAME_OTHER;
    return kinds[(int)type];
}

void ocpp_text_repair(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint64_t eight;
        size_t n;

        if (len - i >= sizeof eight) { /* mostly they are all ASCII */
            memcpy(&eight, text + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        n = text[i] ? utf8_length(text + i, len - i) : 1;
        if (n == 0)
            text[i] = '?';
        i += n ? n : 1;
    }
}

void ocpp_text_copy(char *to, size_t size, const char *from)
{
    size_t n = 0;

    for (; *from && n + 1 < size; from++)
        if ((unsigned char)*from >= ' ' && *from != 0x7f)
            to[n++] = *from;
    if (((unsigned char)*from & 0xc0) == 0x80) { /* cut within a UTF-8 character */
        while (n > 0 && ((unsigned char)to[n - 1] & 0xc0) == 0x80)
            n--;
        if (n > 0 && (unsigned char)to[n - 1] >= 0xc0)
            n--;
    }
    to[n] = '\0';
}

/* True when brackets outside of strings are never deeper than allowed. cJSON itself
 * recurses up to 1000 deep. */
static bool shallow(const char *text, size_t len)
{
    int depth = 0;
    bool string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (string && c == '\\')
            i++;
        else if (c == '"')
            string = !string;
        else if (!string && (c == '[' || c == '{') && ++depth > OCPP_FRAME_DEPTH)
            return false;
        else if (!string && (c == ']' || c == '}'))
            depth--;
    }
    return true;
}

static size_t blanks(const char *text, size_t len, size_t i)
{
    while (i < len && isspace((unsigned char)text[i]))
        i++;
    return i;
}

/* Reads type and id off the head of a text that is no JSON as a whole (cut replies,
 * lbbrhzn/ocpp#176), so that the call it belongs to can be answered or ended. */
static void read_head(struct ocpp_frame *f, const char *text, size_t len)
{
    size_t i = blanks(text, len, 0), start;

    if (i >= len || text[i] != '[')
        return;
    i = blanks(text, len, i + 1);
    if (i >= len || text[i] < '2' || text[i] > '6')
        return;
    f->about = kind_of(text[i] - '0');
    i = blanks(text, len, i + 1);
    if (i >= len || text[i] != ',')
        return;
    i = blanks(text, len, i + 1);
    if (i >= len || text[i] != '"')
        return;
    start = ++i;
    while (i < len && text[i] != '"' && text[i] != '\\' &&
           (unsigned char)text[i] >= ' ')
        i++;
    if (i < len && text[i] == '"' && i - start < sizeof f->id) {
        memcpy(f->id, text + start, i - start);
        f->id[i - start] = '\0';
    }
}

static bool bad(struct ocpp_frame *f, const char *fault)
{
    f->kind = OCPP_FRAME_BAD;
    f->fault = fault;
    return false;
}

static bool read_id(struct ocpp_frame *f, const cJSON *item)
{
    if (cJSON_IsString(item) && strlen(item->valuestring) < sizeof f->id) {
        strcpy(f->id, item->valuestring);
        return true;
    }
    if (cJSON_IsNumber(item)) { /* against the standard, but it can be answered */
        snprintf(f->id, sizeof f->id, "%.0f", item->valuedouble);
        return true;
    }
    return false;
}

/* Moves the payload out of the array; a missing one and null are {}. */
static bool take_payload(struct ocpp_frame *f, cJSON *array, int at)
{
    cJSON *item = cJSON_DetachItemFromArray(array, at);

    if (!item || cJSON_IsNull(item)) {
        drop(item);
        item = cJSON_CreateObject();
    }
    f->payload = item;
    return cJSON_IsObject(item);
}

static void word(char out[OCPP_FRAME_WORD], const cJSON *item, const char *otherwise)
{
    ocpp_text_copy(out, OCPP_FRAME_WORD,
                   cJSON_IsString(item) ? item->valuestring : otherwise);
}

static bool read_array(struct ocpp_frame *f, cJSON *array)
{
    const cJSON *type = cJSON_GetArrayItem(array, 0);
    const cJSON *third = cJSON_GetArrayItem(array, 2);
    const cJSON *fourth = cJSON_GetArrayItem(array, 3);

    if (!cJSON_IsNumber(type))
        return bad(f, "no message type");
    f->kind = f->about = kind_of(type->valuedouble);
    if (f->kind == OCPP_FRAME_OTHER) {
        read_id(f, cJSON_GetArrayItem(array, 1));
        return true;
    }
    if (!read_id(f, cJSON_GetArrayItem(array, 1)))
        return bad(f, "no message id");
    switch (f->kind) {
    case OCPP_FRAME_CALL:
    case OCPP_FRAME_SEND:
        if (!cJSON_IsString(third) || third->valuestring[0] == '\0')
            return bad(f, "no action");
        word(f->action, third, "");
        return take_payload(f, array, 3) || bad(f, "the payload is no object");
    case OCPP_FRAME_RESULT:
        return take_payload(f, array, 2) || bad(f, "the payload is no object");
    default:
        word(f->code, third, "GenericError");
        if (cJSON_IsString(fourth))
            ocpp_text_copy(f->text, sizeof f->text, fourth->valuestring);
        if (!take_payload(f, array, 4)) { /* details are free text to us */
            drop(f->payload);
            f->payload = cJSON_CreateObject();
        }
        return true;
    }
}

bool ocpp_frame_parse(struct ocpp_frame *f, const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *array;
    bool good;

    memset(f, 0, sizeof *f);
    if (len > OCPP_FRAME_MAX)
        return bad(f, "too long");
    if (!shallow(text, len)) {
        read_head(f, text, len);
        return bad(f, "too deep");
    }
    f->pooled = POOL > 0 && !atomic_flag_test_and_set(&pool.taken);
    if (f->pooled) {
        pool.used = 0;
        pool.spilled = false;
        pool_on = true;
    }
    array = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    pool_on = false;
    if (array && blanks(text, len, (size_t)(end - text)) < len &&
        text[blanks(text, len, (size_t)(end - text))] != '\0') {
        drop(array);
        array = NULL;
    }
    if (!array) {
        read_head(f, text, len);
        return bad(f, "no JSON");
    }
    good = cJSON_IsArray(array) ? read_array(f, array) : bad(f, "no array");
    drop(array);
    return good;
}

void ocpp_frame_free(struct ocpp_frame *f)
{
    drop(f->payload);
    f->payload = NULL;
    if (f->pooled)
        atomic_flag_clear(&pool.taken);
    f->pooled = false;
}

/* A JSON string at *to, which has room for six bytes for each of its own. */
static void put_string(char **to, const char *text)
{
    char *p = *to;

    *p++ = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ') {
            p += sprintf(p, "\\u%04x", c);
        } else {
            if (c == '"' || c == '\\')
                *p++ = '\\';
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    *to = p;
}

/* The array [type, id, first, second...] where the last one is JSON text. */
static char *build(int type, const char *id, const char *const *strings, int n,
                   const char *payload)
{
    size_t size = 16 + 6 * strlen(id), len = strlen(payload);
    char *text, *p;

    for (int i = 0; i < n; i++)
        size += 3 + 6 * strlen(strings[i]);
    p = text = malloc(size + len);
    if (!text)
        return NULL;
    *p++ = '[';
    *p++ = (char)('0' + type);
    *p++ = ',';
    put_string(&p, id);
    for (int i = 0; i < n; i++) {
        *p++ = ',';
        put_string(&p, strings[i]);
    }
    *p++ = ',';
    memcpy(p, payload, len);
    memcpy(p + len, "]", 2);
    return text;
}

char *ocpp_frame_call(const char *id, const char *action, const char *payload)
{
    return build(2, id, &action, 1, payload);
}

char *ocpp_frame_result(const char *id, const char *payload)
{
    return build(3, id, NULL, 0, payload);
}

char *ocpp_frame_error(const char *id, const char *code, const char *text)
{
    const char *strings[] = {code, text};

    return build(4, id, strings, 2, "{}");
}
