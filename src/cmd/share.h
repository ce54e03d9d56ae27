/* SPDX-License-Identifier: Apache-2.0 */
/* One problem of `chargehand share`: read from JSON, solved, written as JSON. */
#ifndef CMD_SHARE_H
#define CMD_SHARE_H

#include <stdio.h>
#include <cjson/cJSON.h>

#include "policy.h"

struct share_circuit {
    const char *name;
    int at; /* its place in the tree, where parents stand before children */
    int32_t limit_ma[SITE_PHASES]; /* EVENT_NO_VALUE = none */
    int32_t base_ma[SITE_PHASES];
    int32_t power_limit_w; /* EVENT_NO_VALUE = none */
};

struct share_connector {
    const char *name;
    enum mode mode;
    bool takes_part;
    struct policy_car rank;
};

struct share_problem {
    const struct policy *policy;
    int32_t voltage_mv;
    int n_circuits, n_connectors;
    struct share_circuit *circuits; /* in the order of the document */
    struct share_connector *connectors;
    struct share_tree tree;
    struct share_car *cars; /* one for each connector */
    void *scratch;
};

/* Texts are borrowed from the document. Errors go to `errors` with `where` in front and
 * the path in the document, all of them. NULL = there were some, or no memory. */
struct share_problem *share_read(const cJSON *document, const char *where,
                                 FILE *errors);
void share_free(struct share_problem *p);

/* Solves it. How often the independent check had to cut: 0 unless we are wrong. */
int share_solve(struct share_problem *p);

/* The answer on one line, to be freed; NULL = no memory. */
char *share_answer(const struct share_problem *p);

#endif
