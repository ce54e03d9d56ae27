/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the history and how a record gets into them. */
#include "io/history_schema.h"

#include <stdlib.h>
#include <string.h>

/* The end_reason of a session that is under way is what its charger calls it. */
const char *const history_schema[HISTORY_FILES] = {
    [HISTORY_DB] =
        "CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
        "CREATE TABLE meters(time INTEGER, meter INTEGER,"
        " l1_ma INTEGER, l2_ma INTEGER, l3_ma INTEGER,"
        " l1_mv INTEGER, l2_mv INTEGER, l3_mv INTEGER, power_w INTEGER,"
        " import_wh INTEGER, export_wh INTEGER,"
        " PRIMARY KEY(time, meter)) WITHOUT ROWID;"
        "CREATE TABLE loads(time INTEGER, circuit INTEGER,"
        " l1_ma INTEGER, l2_ma INTEGER, l3_ma INTEGER,"
        " PRIMARY KEY(time, circuit)) WITHOUT ROWID;"
        "CREATE TABLE samples(time INTEGER, connector INTEGER,"
        " l1_ma INTEGER, l2_ma INTEGER, l3_ma INTEGER, energy_wh INTEGER,"
        " PRIMARY KEY(time, connector)) WITHOUT ROWID;"
        "CREATE TABLE setpoints(time INTEGER, seq INTEGER, connector INTEGER,"
        " limit_ma INTEGER, reason INTEGER, circuit INTEGER, phase INTEGER,"
        " until INTEGER,"
        " PRIMARY KEY(time, seq)) WITHOUT ROWID;"
        "CREATE TABLE events(time INTEGER, seq INTEGER, level TEXT, code TEXT,"
        " who TEXT, text TEXT, PRIMARY KEY(time, seq)) WITHOUT ROWID;",
    [HISTORY_LEDGER] =
        "CREATE TABLE sessions(transaction_id INTEGER, connector TEXT, charger TEXT,"
        " tag TEXT, begin_s INTEGER, end_s INTEGER, begin_wh INTEGER,"
        " energy_wh INTEGER, end_reason TEXT,"
        " PRIMARY KEY(transaction_id, connector)) WITHOUT ROWID;"
        "CREATE INDEX sessions_begin ON sessions(begin_s);" HISTORY_CHARGERS,
};

static const char *const inserts[HISTORY_KINDS] = {
    [HISTORY_METER] = "INSERT OR REPLACE INTO meters VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [HISTORY_BASE] = "INSERT OR REPLACE INTO loads VALUES(?,?,?,?,?)",
    [HISTORY_SAMPLE] = "INSERT OR REPLACE INTO samples VALUES(?,?,?,?,?,?)",
    [HISTORY_SETPOINT] =
        "INSERT INTO setpoints VALUES(?1,"
        "(SELECT coalesce(max(seq), -1) + 1 FROM setpoints WHERE time = ?1),"
        "?2,?3,?4,?5,?6,?7)",
    [HISTORY_EVENT] = "INSERT INTO events VALUES(?1,"
                      "(SELECT coalesce(max(seq), -1) + 1 FROM events WHERE time = ?1),"
                      "?2,?3,?4,?5)",
    [HISTORY_SESSION] = "INSERT OR REPLACE INTO sessions VALUES(?,?,?,?,?,?,?,?,?)",
    [HISTORY_CHARGER] = "INSERT OR REPLACE INTO chargers VALUES(?2,?1,?3,?4,?5,?6)",
};

static int prepare(struct history_rows *rows, const char *sql, sqlite3_stmt **s)
{
    return *s ? SQLITE_OK
              : sqlite3_prepare_v3(rows->db, sql, -1, SQLITE_PREPARE_PERSISTENT, s,
                                   NULL);
}

/* Runs to the end and makes it ready for the next time. */
static int finish(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    if (rc == SQLITE_ROW)
        rc = SQLITE_DONE;
    if (rc == SQLITE_DONE)
        rc = SQLITE_OK;
    if (rc == SQLITE_OK)
        return sqlite3_reset(s);
    sqlite3_reset(s);
    return rc;
}

/* ---- names ---- */

static int64_t known(const struct history_rows *rows, const char *name)
{
    for (int i = 0; i < rows->n_names; i++)
        if (strcmp(rows->names[i].name, name) == 0)
            return rows->names[i].id;
    return 0;
}

static void remember(struct history_rows *rows, const char *name, int64_t id)
{
    if (rows->n_names == rows->max_names) {
        int max = rows->max_names ? 2 * rows->max_names : 32;
        struct history_name *more =
            realloc(rows->names, (size_t)max * sizeof *rows->names);

        if (!more)
            return; /* then it is looked up again */
        rows->names = more;
        rows->max_names = max;
    }
    memcpy(rows->names[rows->n_names].name, name, strlen(name) + 1);
    rows->names[rows->n_names++].id = id;
}

/* The number of a name; makes one where there is none. */
static int name_id(struct history_rows *rows, const char *name, int64_t *id)
{
    int rc;

    *id = known(rows, name);
    if (*id)
        return SQLITE_OK;
    rc = prepare(rows, "INSERT OR IGNORE INTO names(name) VALUES(?)", &rows->add_name);
    if (rc == SQLITE_OK)
        rc = prepare(rows, "SELECT id FROM names WHERE name = ?", &rows->find_name);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_text(rows->add_name, 1, name, -1, SQLITE_STATIC);
    rc = finish(rows->add_name);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_text(rows->find_name, 1, name, -1, SQLITE_STATIC);
    rc = sqlite3_step(rows->find_name);
    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(rows->find_name, 0);
        remember(rows, name, *id);
    }
    sqlite3_reset(rows->find_name);
    return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

void history_rows_forget_names(struct history_rows *rows)
{
    rows->n_names = 0;
}

/* ---- rows ---- */

static void bind_i32(sqlite3_stmt *s, int at, int32_t v)
{
    if (v == EVENT_NO_VALUE)
        sqlite3_bind_null(s, at);
    else
        sqlite3_bind_int(s, at, v);
}

static void bind_i64(sqlite3_stmt *s, int at, int64_t v)
{
    if (v == EVENT_NO_ENERGY)
        sqlite3_bind_null(s, at);
    else
        sqlite3_bind_int64(s, at, v);
}

static void bind_phases(sqlite3_stmt *s, int at, const int32_t v[SITE_PHASES])
{
    for (int p = 0; p < SITE_PHASES; p++)
        bind_i32(s, at + p, v[p]);
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

static int bind_setpoint(struct history_rows *rows, sqlite3_stmt *s,
                         const struct history_record *r)
{
    int64_t id = 0;
    int rc = name_id(rows, reason_name(r->setpoint.reason), &id);

    if (rc != SQLITE_OK)
        return rc;
    bind_i32(s, 3, r->setpoint.limit_ma);
    sqlite3_bind_int64(s, 4, id);
    sqlite3_bind_null(s, 5);
    if (r->setpoint.circuit[0]) {
        rc = name_id(rows, r->setpoint.circuit, &id);
        sqlite3_bind_int64(s, 5, id);
    }
    if (r->setpoint.phase == SITE_NONE)
        sqlite3_bind_null(s, 6);
    else
        sqlite3_bind_int(s, 6, r->setpoint.phase);
    bind_i64(s, 7, r->setpoint.until_utc_s ? r->setpoint.until_utc_s : EVENT_NO_ENERGY);
    return rc;
}

static void bind_event(sqlite3_stmt *s, const struct history_record *r)
{
    bind_text(s, 2, r->event.level);
    bind_text(s, 3, r->event.code);
    bind_text(s, 4, r->who);
    bind_text(s, 5, r->event.text);
}

static void bind_session(sqlite3_stmt *s, const struct history_record *r)
{
    sqlite3_bind_int(s, 1, r->session.transaction);
    bind_text(s, 2, r->who);
    bind_text(s, 3, r->session.charger);
    bind_text(s, 4, r->session.tag);
    sqlite3_bind_int64(s, 5, r->session.begin_utc_s);
    bind_i64(s, 6, r->session.end_utc_s ? r->session.end_utc_s : EVENT_NO_ENERGY);
    bind_i64(s, 7, r->session.begin_wh);
    bind_i64(s, 8, r->session.energy_wh);
    bind_text(s, 9, r->session.reason);
}

static void bind_charger(sqlite3_stmt *s, const struct history_record *r)
{
    bind_text(s, 2, r->who);
    bind_text(s, 3, r->charger.vendor);
    bind_text(s, 4, r->charger.model);
    bind_text(s, 5, r->charger.firmware);
    bind_text(s, 6, r->charger.words);
}

static int bind(struct history_rows *rows, sqlite3_stmt *s,
                const struct history_record *r)
{
    int64_t id = 0;
    int rc = SQLITE_OK;

    if (r->kind == HISTORY_SESSION) {
        bind_session(s, r);
        return SQLITE_OK;
    }
    sqlite3_bind_int64(s, 1, r->utc_s);
    if (r->kind == HISTORY_CHARGER) {
        bind_charger(s, r);
        return SQLITE_OK;
    }
    if (r->kind == HISTORY_EVENT) {
        bind_event(s, r);
        return SQLITE_OK;
    }
    rc = name_id(rows, r->who, &id);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_int64(s, 2, id);
    if (r->kind == HISTORY_METER) {
        bind_phases(s, 3, r->meter.i_ma);
        bind_phases(s, 6, r->meter.v_mv);
        bind_i32(s, 9, r->meter.p_w);
        bind_i64(s, 10, r->meter.import_wh);
        bind_i64(s, 11, r->meter.export_wh);
    } else if (r->kind == HISTORY_BASE) {
        bind_phases(s, 3, r->base_ma);
    } else if (r->kind == HISTORY_SAMPLE) {
        bind_phases(s, 3, r->sample.i_ma);
        bind_i64(s, 6, r->sample.energy_wh);
    } else {
        rc = bind_setpoint(rows, s, r);
    }
    return rc;
}

int history_rows_insert(struct history_rows *rows, const struct history_record *r)
{
    int rc = prepare(rows, inserts[r->kind], &rows->insert[r->kind]);

    if (rc == SQLITE_OK)
        rc = bind(rows, rows->insert[r->kind], r);
    return rc == SQLITE_OK ? finish(rows->insert[r->kind]) : rc;
}

void history_rows_close(struct history_rows *rows)
{
    for (int k = 0; k < HISTORY_KINDS; k++)
        sqlite3_finalize(rows->insert[k]);
    sqlite3_finalize(rows->find_name);
    sqlite3_finalize(rows->add_name);
    free(rows->names);
    memset(rows, 0, sizeof *rows);
}
