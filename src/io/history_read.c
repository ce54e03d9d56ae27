/* SPDX-License-Identifier: Apache-2.0 */
/* Takes rows out of the history, in the formats of the recordings. */
#include "io/history_read.h"

#include <stdlib.h>
#include <string.h>

#include "io/history_open.h"
#include "io/history_rowtext.h"

enum {
    MAX_COLUMNS = 12,
    CARRIES_MA = 1000, /* a phase with this current is in use */
    CLEARLY_MA = 1000  /* offered so much more than drawn: the car's own limit */
};

/* How a column of the database is written. */
enum form { TIME, WORD, MILLI, PLAIN, PHASE };

static const struct table {
    const char *name;
    const char *sql; /* ?1 <= time < ?2 */
    int n;
    const char *columns[MAX_COLUMNS];
    enum form forms[MAX_COLUMNS];
} tables[HISTORY_WHATS] = {
    [HISTORY_OF_METERS] =
        {"meters",
         "SELECT time, name, l1_ma, l2_ma, l3_ma, l1_mv, l2_mv, l3_mv, power_w,"
         " import_wh, export_wh FROM meters CROSS JOIN names ON id = meter"
         " WHERE time >= ?1 AND time < ?2 ORDER BY time, name",
         11,
         {"time", "meter", "l1_a", "l2_a", "l3_a", "l1_v", "l2_v", "l3_v", "power_w",
          "import_kwh", "export_kwh"},
         {TIME, WORD, MILLI, MILLI, MILLI, MILLI, MILLI, MILLI, PLAIN, MILLI, MILLI}},
    [HISTORY_OF_SESSIONS] = {"sessions",
                             "SELECT connector, begin_s, end_s, energy_wh, tag"
                             " FROM sessions WHERE begin_s >= ?1 AND begin_s < ?2"
                             " ORDER BY begin_s, connector, transaction_id",
                             7,
                             {"connector", "arrival", "departure", "energy_kwh",
                              "max_current_a", "phases", "id_tag"},
                             {WORD}},
    [HISTORY_OF_LOADS] = {"loads",
                          "SELECT time, name, l1_ma, l2_ma, l3_ma"
                          " FROM loads CROSS JOIN names ON id = circuit"
                          " WHERE time >= ?1 AND time < ?2 ORDER BY time, name",
                          5,
                          {"time", "circuit", "l1_a", "l2_a", "l3_a"},
                          {TIME, WORD, MILLI, MILLI, MILLI}},
    [HISTORY_OF_SAMPLES] = {"samples",
                            "SELECT time, name, l1_ma, l2_ma, l3_ma, energy_wh"
                            " FROM samples CROSS JOIN names ON id = connector"
                            " WHERE time >= ?1 AND time < ?2 ORDER BY time, name",
                            6,
                            {"time", "connector", "l1_a", "l2_a", "l3_a", "energy_kwh"},
                            {TIME, WORD, MILLI, MILLI, MILLI, MILLI}},
    [HISTORY_OF_SETPOINTS] =
        {"setpoints",
         "SELECT time, c.name, limit_ma, r.name, w.name, phase, until FROM setpoints"
         " CROSS JOIN names c ON c.id = connector CROSS JOIN names r ON r.id = reason"
         " LEFT JOIN names w ON w.id = circuit"
         " WHERE time >= ?1 AND time < ?2 ORDER BY time, seq",
         7,
         {"time", "connector", "limit_a", "reason", "circuit", "phase", "until"},
         {TIME, WORD, MILLI, WORD, WORD, PHASE, TIME}},
    [HISTORY_OF_EVENTS] = {"events",
                           "SELECT time, level, code, who, text FROM events"
                           " WHERE time >= ?1 AND time < ?2 ORDER BY time, seq",
                           5,
                           {"time", "level", "code", "who", "text"},
                           {TIME, WORD, WORD, WORD, WORD}},
};

const char *history_what_name(enum history_what w)
{
    return tables[w].name;
}

int history_what_by_name(const char *name)
{
    for (int w = 0; w < HISTORY_WHATS; w++)
        if (strcmp(tables[w].name, name) == 0)
            return w;
    return -1;
}

static const char *word(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);

    return text ? (const char *)text : "";
}

static void put(struct rowtext *t, sqlite3_stmt *s, int column, enum form form)
{
    static const char *const phases[] = {"L1", "L2", "L3"};
    int64_t v = sqlite3_column_int64(s, column);

    if (sqlite3_column_type(s, column) == SQLITE_NULL)
        rowtext_none(t);
    else if (form == TIME)
        rowtext_utc(t, v);
    else if (form == WORD)
        rowtext_word(t, word(s, column));
    else if (form == MILLI)
        rowtext_milli(t, v);
    else if (form == PHASE && v >= 0 && v < SITE_PHASES)
        rowtext_word(t, phases[v]);
    else
        rowtext_int(t, v);
}

static int prepare(sqlite3 *db, const char *sql, int64_t from, int64_t to,
                   sqlite3_stmt **s)
{
    int rc = sqlite3_prepare_v2(db, sql, -1, s, NULL);

    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(*s, 1, from);
        sqlite3_bind_int64(*s, 2, to);
    }
    return rc;
}

static int put_rows(sqlite3 *db, const struct table *what,
                    const struct history_query *q, struct rowtext *t)
{
    sqlite3_stmt *s = NULL;
    int rc = prepare(db, what->sql, q->from_utc_s, q->to_utc_s, &s);

    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(s)) == SQLITE_ROW && !ferror(t->to))
            for (int i = 0; i < what->n; i++)
                put(t, s, i, what->forms[i]);
    sqlite3_finalize(s);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

/* ---- sessions ---- */

/* What the samples of a session tell of its car. */
struct car {
    int32_t peak_ma; /* 0 = no samples */
    int64_t peak_at_s;
    uint8_t phases; /* a bit for each that carried current */
};

/* The statements that look a car up; NULL where there is no history.db. */
struct lookup {
    sqlite3_stmt *samples, *offered;
};

static void prepare_lookup(sqlite3 *db, struct lookup *l)
{
    *l = (struct lookup){NULL, NULL};
    if (!db)
        return;
    sqlite3_prepare_v2(db,
                       "SELECT time, l1_ma, l2_ma, l3_ma FROM samples"
                       " WHERE time >= ?1 AND time <= ?2 AND"
                       " connector = (SELECT id FROM names WHERE name = ?3)",
                       -1, &l->samples, NULL);
    sqlite3_prepare_v2(db,
                       "SELECT limit_ma FROM setpoints WHERE time <= ?1 AND"
                       " connector = (SELECT id FROM names WHERE name = ?2)"
                       " ORDER BY time DESC, seq DESC LIMIT 1",
                       -1, &l->offered, NULL);
}

static void look_at_samples(sqlite3_stmt *s, const char *cid, int64_t begin_s,
                            int64_t end_s, struct car *car)
{
    *car = (struct car){0};
    if (!s)
        return;
    sqlite3_bind_int64(s, 1, begin_s);
    sqlite3_bind_int64(s, 2, end_s);
    sqlite3_bind_text(s, 3, cid, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(s) == SQLITE_ROW)
        for (int p = 0; p < SITE_PHASES; p++) {
            int32_t i_ma = sqlite3_column_int(s, 1 + p);

            if (i_ma >= CARRIES_MA)
                car->phases |= (uint8_t)(1 << p);
            if (i_ma > car->peak_ma) {
                car->peak_ma = i_ma;
                car->peak_at_s = sqlite3_column_int64(s, 0);
            }
        }
    sqlite3_reset(s);
}

/* The set point in force at that time; 0 when it is not known. */
static int32_t offered_at(sqlite3_stmt *s, const char *cid, int64_t utc_s)
{
    int32_t limit_ma = 0;

    if (!s)
        return 0;
    sqlite3_bind_int64(s, 1, utc_s);
    sqlite3_bind_text(s, 2, cid, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(s) == SQLITE_ROW)
        limit_ma = sqlite3_column_int(s, 0);
    sqlite3_reset(s);
    return limit_ma;
}

static void put_session(struct rowtext *t, sqlite3_stmt *s, const struct lookup *l)
{
    const char *cid = word(s, 0);
    int64_t begin_s = sqlite3_column_int64(s, 1), end_s = sqlite3_column_int64(s, 2);
    bool ended = sqlite3_column_type(s, 2) != SQLITE_NULL;
    struct car car;

    look_at_samples(l->samples, cid, begin_s, ended ? end_s : INT64_MAX, &car);
    rowtext_word(t, cid);
    rowtext_utc(t, begin_s);
    if (ended) /* a recording's departure is after its arrival */
        rowtext_utc(t, end_s > begin_s ? end_s : begin_s + 1);
    else
        rowtext_none(t);
    put(t, s, 3, MILLI);
    if (car.phases &&
        offered_at(l->offered, cid, car.peak_at_s) >= car.peak_ma + CLEARLY_MA)
        rowtext_milli(t, (car.peak_ma + 99) / 100 * 100);
    else
        rowtext_none(t);
    if (car.phases)
        rowtext_int(t, __builtin_popcount(car.phases));
    else
        rowtext_none(t);
    put(t, s, 4, WORD);
}

static int put_sessions(sqlite3 *ledger, sqlite3 *history,
                        const struct history_query *q, struct rowtext *t,
                        int64_t *left_out)
{
    sqlite3_stmt *s = NULL;
    struct lookup l;
    int rc = prepare(ledger, tables[HISTORY_OF_SESSIONS].sql, q->from_utc_s,
                     q->to_utc_s, &s);

    prepare_lookup(history, &l);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(s)) == SQLITE_ROW && !ferror(t->to)) {
            if (q->open_too || sqlite3_column_type(s, 2) != SQLITE_NULL)
                put_session(t, s, &l);
            else
                ++*left_out;
        }
    sqlite3_finalize(l.samples);
    sqlite3_finalize(l.offered);
    sqlite3_finalize(s);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

int64_t history_export(const char *folder, const struct history_query *q, FILE *to,
                       int64_t *left_out, char *error, size_t size)
{
    const struct table *what = &tables[q->what];
    bool sessions = q->what == HISTORY_OF_SESSIONS, missing;
    sqlite3 *history, *ledger = NULL;
    struct rowtext t;
    int rc = SQLITE_CANTOPEN;

    *left_out = 0;
    if (sessions)
        ledger = history_open(folder, HISTORY_LEDGER, &missing, error, size);
    if (sessions && !ledger)
        return -1;
    history = history_open(folder, HISTORY_DB, &missing, error, size);
    if (!history && !sessions)
        return -1;
    rowtext_begin(&t, to, q->json, what->columns, what->n);
    rc = sessions ? put_sessions(ledger, history, q, &t, left_out)
                  : put_rows(history, what, q, &t);
    rowtext_end(&t);
    if (rc != SQLITE_DONE)
        snprintf(error, size, "%s: %s", folder,
                 sqlite3_errmsg(sessions ? ledger : history));
    sqlite3_close_v2(history);
    sqlite3_close_v2(ledger);
    return rc == SQLITE_DONE ? t.rows : -1;
}
