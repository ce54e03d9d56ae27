/* SPDX-License-Identifier: Apache-2.0 */
/* The site and the controller's memory, laid open for the journal: what is written from
 * these tables and read back into them goes on with the same orders, bit for bit. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "control.h"
#include "field.h"

/* An array of n structs. */
struct memory {
    const char *what; /* "connector", ... */
    void *at;
    size_t size; /* of each */
    int n;
    const struct field *fields;
    int n_fields;
};

enum { MEMORY_SITE = 5, MEMORY_CONTROL = 6 };

/* The site's own members first, then circuits and so on, as many as it says; `policy`
 * is not among them. */
void memory_site(struct site *s, struct memory out[MEMORY_SITE]);
void memory_control(struct control *k, struct memory out[MEMORY_CONTROL]);

/* A sum of the names and kinds of all these members: two builds that tell the same one
 * understand each other's memory. */
uint32_t memory_layout(void);

/* Whether the memory is one that control_step() can go on from: no index in it leads
 * astray. For memory that comes from outside. */
bool memory_sound(const struct control *k);

#endif
