/* SPDX-License-Identifier: Apache-2.0 */
/* JSON pointers and numbers. */
#include "proto/json_pointer.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 63 }; /* of a number */

/* Whether a key is that part of the pointer, in which ~1 is a slash and ~0 a ~. */
static bool is_key(const char *key, const char *part, size_t n)
{
    for (size_t i = 0; i < n; i++, key++) {
        char c = part[i];

        if (c == '~')
            c = part[++i] == '1' ? '/' : '~';
        if (*key != c)
            return false;
    }
    return *key == '\0';
}

/* Digits without leading zeros, as RFC 6901 wants them; -1 = not that. */
static int index_of(const char *part, size_t n)
{
    int index = 0;

    if (n == 0 || n > 6 || (n > 1 && part[0] == '0'))
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (part[i] < '0' || part[i] > '9')
            return -1;
        index = 10 * index + (part[i] - '0');
    }
    return index;
}

static const cJSON *step(const cJSON *in, const char *part, size_t n)
{
    const cJSON *child;
    int index = index_of(part, n);

    if (cJSON_IsArray(in))
        return index < 0 ? NULL : cJSON_GetArrayItem(in, index);
    if (!cJSON_IsObject(in))
        return NULL;
    cJSON_ArrayForEach(child, in) if (child->string &&
                                      is_key(child->string, part, n)) return child;
    return NULL;
}

const cJSON *json_pointer(const cJSON *root, const char *pointer)
{
    while (root && *pointer == '/') {
        size_t n = strcspn(pointer + 1, "/");

        root = step(root, pointer + 1, n);
        pointer += 1 + n;
    }
    return root;
}

/* Words that stand for "not known" in the payloads of home automation. */
static bool is_nothing(const char *text)
{
    static const char *const words[] = {"",    "null",    "none",
                                        "nan", "unknown", "unavailable"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

enum json_number json_number_text(const char *text, size_t n, double *out)
{
    char copy[TEXT_MAX + 1], *end;

    while (n > 0 && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
        n--;
    while (n > 0 && strchr(" \t\r\n", *text) && *text) {
        text++;
        n--;
    }
    if (n > TEXT_MAX || memchr(text, '\0', n))
        return JSON_FAULT;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (is_nothing(copy))
        return JSON_NO_VALUE;
    if (strspn(copy, "+-.0123456789eE") != n)
        return JSON_FAULT; /* strtod() reads more than these */
    *out = strtod(copy, &end);
    return *end == '\0' && end != copy && isfinite(*out) ? JSON_NUMBER : JSON_FAULT;
}

enum json_number json_number(const cJSON *item, double *out)
{
    if (!item)
        return JSON_FAULT;
    if (cJSON_IsNull(item))
        return JSON_NO_VALUE;
    if (cJSON_IsString(item))
        return json_number_text(item->valuestring, strlen(item->valuestring), out);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return JSON_FAULT;
    *out = item->valuedouble;
    return JSON_NUMBER;
}
