/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/ocpp_token.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char contract[] = "eMAID", near_card[] = "ISO14443",
                  far_card[] = "ISO15693", address[] = "MacAddress";

const char *const ocpp_token_types[] = {"Central", contract, near_card, far_card,
                                        "KeyCode", "Local",  address,   NULL};

/* 'A' = a letter, '#' = a hex digit, '*' = a letter or digit, others are themselves;
 * separators may be left out of the text. */
static bool looks(const char *text, const char *like)
{
    for (; *like; like++) {
        unsigned char c = (unsigned char)*text;

        if (*like == 'A'   ? !isalpha(c)
            : *like == '#' ? !isxdigit(c)
            : *like == '*' ? !isalnum(c)
                           : c != (unsigned char)*like) {
            if (*like == '-' || *like == ':')
                continue;
            return false;
        }
        text++;
    }
    return !*text;
}

const char *ocpp_token_type(const char *tag)
{
    bool digits = !tag[strspn(tag, "0123456789")];
    bool hex = !tag[strspn(tag, "0123456789abcdefABCDEF")];

    if (looks(tag, "################"))
        return far_card;
    if (!digits && (looks(tag, "##:##:##:##:##:##") || looks(tag, "##-##-##-##-##-##")))
        return address;
    if (!hex && (looks(tag, "AA-***-*********") || looks(tag, "AA-***-*********-*")))
        return contract;
    return near_card;
}
