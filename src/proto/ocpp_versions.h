/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of OCPP that are spoken here, as words for people. Nothing outside of
 * src/proto has a version's name of its own (tests/versions.sh). */
#ifndef PROTO_OCPP_VERSIONS_H
#define PROTO_OCPP_VERSIONS_H

/* "auto" = the best that both sides speak; then each of them. NULL-ended. */
extern const char *const ocpp_version_words[];

#endif
