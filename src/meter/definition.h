/* SPDX-License-Identifier: Apache-2.0 */
/* A device model: which registers mean what. Data only, from a YAML file in meters/;
 * doc/new-meter.md explains the format.
 *
 * A definition is one of three things: a plain device with fixed addresses; the layout
 * of a SunSpec model (is_model), its addresses counted from the register that holds the
 * model's id; or a SunSpec device (sunspec.used), which finds one of its models[] on
 * the device's chain. A SunSpec device with points of its own has them in models[0]. */
#ifndef METER_DEFINITION_H
#define METER_DEFINITION_H

#include <stdbool.h>
#include <stdint.h>
#include "core/site.h"
#include "meter/errors.h"
#include "meter/number.h"

enum {
    DEF_POINTS = 48,
    DEF_MULS = 4,
    DEF_NAS = 4,
    DEF_BASES = 8,
    DEF_IDS = 16,
    DEF_PHASES = SITE_PHASES,
    DEF_MAX_BYTES = 256 * 1024, /* of a file */
    DEF_NOWHERE = -1            /* no such address, point, unit id, ... */
};

/* A hybrid is an inverter with a battery that also tells what its grid meter measures:
 * v, i, pp, p, e_imp and e_exp are those of the grid. */
enum def_kind { DEF_METER, DEF_HYBRID, DEF_INVERTER, DEF_BATTERY };

/* What a point measures. Per phase: v, i, pp. */
enum quantity {
    QUANTITY_V,
    QUANTITY_I,
    QUANTITY_PP,
    QUANTITY_P,
    QUANTITY_HZ,
    QUANTITY_E_IMP,
    QUANTITY_E_EXP,
    QUANTITY_PV_P,     /* solar power, positive = it produces */
    QUANTITY_BAT_P,    /* power of the battery, positive = it gives */
    QUANTITY_SOC,      /* its state of charge */
    QUANTITY_INTERNAL, /* only of use to other points: a transformer ratio */
    QUANTITY_COUNT
};

enum value_type {
    TYPE_U16,
    TYPE_I16,
    TYPE_U32,
    TYPE_I32,
    TYPE_U64,
    TYPE_I64,
    TYPE_F32,
    TYPE_F64,
    TYPE_COUNT
};

/* Of a value of several registers: ABCD, CDAB, BADC, DCBA. */
enum word_order { WORDS_BE, WORDS_WS, WORDS_BS, WORDS_LE, WORDS_COUNT };

/* Codes for "not available". */
enum na_rule { NA_NONE, NA_SUNSPEC, NA_ABB, NA_SMA, NA_LIST };

struct na {
    enum na_rule rule;
    uint64_t raw[DEF_NAS];
    int n; /* of raw */
};

/* How often a point is read. */
enum pace {
    PACE_FAST,  /* each cycle */
    PACE_SLOW,  /* now and then: energy, frequency */
    PACE_STATIC /* after connecting and every ten minutes: ratios */
};

struct point {
    char name[16];
    int line, col;
    enum quantity quantity;
    int n;                 /* how many: 1, or one per phase */
    int at[DEF_PHASES];    /* wire address, from 0; DEF_NOWHERE with `sum` */
    int minus[DEF_PHASES]; /* subtracted: import - export; DEF_NOWHERE */
    int plus[DEF_PHASES];  /* added: the second of two strings; DEF_NOWHERE */
    int sf;                /* address of a power-of-ten scale factor; DEF_NOWHERE */
    int fc;                /* 3 or 4 */
    enum value_type type;
    enum word_order order;
    struct decimal x; /* factor to `unit` */
    int unit_exp;     /* from `unit` to mV, mA, W, mHz, Wh, permille: a power of ten */
    int mul[DEF_MULS], n_mul; /* points multiplied with */
    int sum;                  /* the point whose phases are summed; DEF_NOWHERE */
    int sign; /* the point that gives the direction of this unsigned one; DEF_NOWHERE */
    struct na na;
    bool na0;    /* raw 0 means: does not count */
    bool has_ok; /* outside ok_min .. ok_max (in `unit`) it is no value */
    double ok_min, ok_max;
    bool optional; /* the device may refuse to have it */
    bool alone;    /* wants a request of its own */
    enum pace pace;
};

/* Whether it knows import from export on each phase. */
enum direction {
    DIRECTION_POWER,   /* by the power of each phase */
    DIRECTION_CURRENT, /* by the sign of each current */
    DIRECTION_NONE
};

struct vector_word {
    uint16_t at, word;
};

struct vector_want {
    char name[8]; /* "i2" */
    enum quantity quantity;
    int phase;
    bool null;            /* no value is expected */
    struct decimal value; /* V, A, W, Hz, kWh, % */
    int line, col;
};

/* A test vector: what these registers must be decoded to. */
struct vector {
    struct vector_word *words;
    struct vector_want *wants;
    int n_words, n_wants;
    int line, col;
};

struct definition {
    char id[48], name[96];
    enum def_kind kind;
    bool untested; /* its sources conflict or are incomplete */
    int phases;
    struct {
        bool tcp, rtu, rtutcp; /* the ways its maker offers; any may be used */
        int unit;              /* DEF_NOWHERE = not told */
        int port;
        int baud, data_bits, stop_bits;
        char parity;     /* N E O */
        bool has_serial; /* told; else baud .. parity are only the most usual */
        int gap_ms;      /* pause between two requests */
        bool gap_on_tcp; /* also over TCP, though it has a serial line, too */
        int timeout_ms;
        int connect_ms; /* pause after connecting */
        int max_conn;   /* connections it takes at a time; 0 = not told */
    } bus;
    int max_regs, max_gap;
    int32_t ct_ppm; /* of this installation: reading_transform(); 0 = none */
    enum direction direction;
    struct point *points;
    int n_points;
    int by_quantity[QUANTITY_COUNT]; /* index of the point, or DEF_NOWHERE */
    bool invert[QUANTITY_COUNT];     /* the maker counts the other way round */
    struct {
        int point, phase; /* DEF_NOWHERE = none */
        double min, max;
    } probe;
    struct {
        bool used;
        int base[DEF_BASES], n_base;
        int use[DEF_IDS], n_use;
        int nth;       /* of the models in `use`, in the order of the chain; from 1 */
        char mn[33];   /* its manufacturer begins with this; "" = any */
        int line, col; /* where `use` stands */
    } sunspec;
    bool is_model;
    struct { /* of a model's layout */
        int ids[DEF_IDS], n_ids;
        int len; /* registers after id and length */
    } model;
    struct definition *models[DEF_IDS]; /* of a SunSpec device; owned */
    int n_models;
    struct vector *vectors;
    int n_vectors;
};

/* Reads the text of a file and checks it. `id` is what the file's name asks the id to
 * be; NULL = any. NULL with errors; all that can be found are told at once. */
struct definition *definition_parse(const char *text, size_t length, const char *id,
                                    struct meter_errors *e);
void definition_free(struct definition *d);

/* Gives a SunSpec device the layout of one more model; takes it over, also on failure
 * (false: no place left). */
bool definition_add_model(struct definition *d, struct definition *model);
/* Its layout for that model id, or NULL. */
const struct definition *definition_model(const struct definition *d, int id);

/* What it can tell of the current of each phase, for a circuit to be guarded by it. */
enum def_current { DEF_NO_CURRENT, DEF_UNDIRECTED, DEF_DIRECTED };
enum def_current definition_current(const struct definition *d);

/* Makes of a hybrid the inverter that it also is: of its points only pv_p is left. */
void definition_solar_side(struct definition *d);

/* "i2", "pp1", "p": the want names of test vectors; p1 p2 p3 are pp. False = none. */
bool definition_value_name(const char *name, enum quantity *q, int *phase);
const char *def_kind_name(enum def_kind k);
const char *quantity_name(enum quantity q);
/* The power of ten from V, A, W, Hz, kWh, % to the units of readings. */
int quantity_exponent(enum quantity q);
const char *value_type_name(enum value_type t);
int value_type_width(enum value_type t); /* registers */

#endif
