/* SPDX-License-Identifier: Apache-2.0 */
/* The book of charging sessions: who charges where since when and how much. Energy
 * comes from the charger's register, never from an integral; sessions that were open
 * when the controller stopped are taken up again. */
#ifndef RUN_BOOK_H
#define RUN_BOOK_H

#include "config/config.h"
#include "io/history.h"
#include "io/ocpp.h"

struct book_session {
    bool active;
    bool refused; /* its tag may not charge; not kept over a restart */
    int32_t transaction;
    char name[OCPP_TX_NAME]; /* that its charger gave it; "" = none, or not known */
    char tag[OCPP_TAG];
    int64_t begin_utc_s;
    int64_t begin_wh; /* register; EVENT_NO_ENERGY until the first value */
    int64_t energy_wh;
    struct conf_most most; /* also of the next one, while there is none */
    bool had;              /* it has had that, and that was told */
};

struct book;

/* `history` may be NULL. Reads the open sessions and the last transaction id from the
 * history's folder. */
struct book *book_new(const struct config *c, struct history *history, int64_t utc_s);
void book_free(struct book *b);

/* After a reload: connector i was map[i] before, or SITE_NONE. */
bool book_remap(struct book *b, const struct config *c, const int *map);

/* False: it is the end of a session that the book does not know, or knows of; or a tag
 * for one that has one. *energy_wh is that of the session it is about. */
bool book_session(struct book *b, const struct ocpp_session *s, int64_t *energy_wh);
/* A register value of the connector, Wh. */
void book_energy(struct book *b, int connector, int64_t register_wh, int64_t utc_s);
/* The id of the open session there, unless it has another name; 0 = none. */
int32_t book_open(const struct book *b, int connector, const char *name);
const struct book_session *book_at(const struct book *b, int connector);
/* What the session may have at most; of the next one while there is none. */
void book_most(struct book *b, int connector, const struct conf_most *most);
/* What it has had enough of, in words ("its 20 kWh"), once; NULL = nothing, or it was
 * told. */
const char *book_enough(struct book *b, int connector, int64_t utc_s, char out[48]);
/* Once a second: whether its charger says that nobody is there, and knows no session.
 * One that is open all the same is taken for over after a minute: true, once. Its true
 * end may still be told. */
bool book_vacant(struct book *b, int connector, bool vacant, int64_t utc_s);
int32_t book_next_transaction(struct book *b);

#endif
