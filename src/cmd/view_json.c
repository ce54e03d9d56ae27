/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into a document that may lack anything. */
#include "cmd/view_json.h"

#include <stdlib.h>
#include <string.h>

const char *view_text(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static bool number(const cJSON *item, double *v)
{
    if (!cJSON_IsNumber(item))
        return false;
    *v = item->valuedouble;
    return *v > -1e9 && *v < 1e9; /* no width can hold more */
}

bool view_number(const cJSON *o, const char *key, double *v)
{
    return number(cJSON_GetObjectItemCaseSensitive(o, key), v);
}

bool view_at(const cJSON *o, const char *key, int at, double *v)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, key);

    return number(cJSON_IsArray(list) ? cJSON_GetArrayItem(list, at) : list, v);
}

bool view_true(const cJSON *o, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

bool view_false(const cJSON *o, const char *key)
{
    return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(o, key));
}

const char *view_phase(const cJSON *o, const char *key)
{
    static const char *const names[] = {"L1", "L2", "L3"};
    double v;

    if (view_number(o, key, &v))
        return v >= 0 && v < 3 ? names[(int)v] : "";
    for (int p = 0; p < 3; p++)
        if (strcmp(view_text(o, key), names[p]) == 0)
            return names[p];
    return "";
}

/* Bytes of the character at text; control characters, also those of C1, and broken
 * UTF-8 are reported as not printable. */
static int character(const char *text, bool *printable)
{
    const unsigned char *p = (const unsigned char *)text;
    int n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    *printable = p[0] >= 0x20 && p[0] != 0x7f && (p[0] < 0x80 || p[0] >= 0xc2) &&
                 p[0] < 0xf5 && !(p[0] == 0xc2 && p[1] < 0xa0);
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) {
            *printable = false;
            return 1;
        }
    return n;
}

static int columns(const char *text)
{
    bool printable;
    int n = 0;

    for (; *text; n++)
        text += character(text, &printable);
    return n;
}

void view_put(FILE *to, const char *text, int width)
{
    int all = columns(text), most = abs(width), show = all > most ? most - 1 : all;

    for (int i = 0; i < show; i++) {
        bool printable;
        int n = character(text, &printable);

        if (printable)
            fwrite(text, 1, (size_t)n, to);
        else
            fputc('?', to);
        text += n;
    }
    if (show < all)
        fputc('~', to);
    else
        for (; show < width; show++)
            fputc(' ', to);
}
