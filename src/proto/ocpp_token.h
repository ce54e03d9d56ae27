/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: how long they may be, and of what type they are. */
#ifndef PROTO_OCPP_TOKEN_H
#define PROTO_OCPP_TOKEN_H

/* The longest of any version, with its NUL. A version's own: struct ocpp_schema. */
enum { OCPP_TAG = 37 };

/* The types that a tag of a list may have, NULL-ended. Versions without types do
 * without them. */
extern const char *const ocpp_token_types[];

/* By its looks: the id of a contract, the address of a car, the number of a card. Cards
 * are what is not known to be something else. */
const char *ocpp_token_type(const char *tag);

#endif
