/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of a simulated device. */
#include "sim/modbus_unit.h"

#include <stdlib.h>
#include <string.h>

static void put(void *arg, int fc, int at, uint16_t word)
{
    modbus_unit_put(arg, fc, at, word);
}

void modbus_unit_put(struct modbus_unit *u, int fc, int at, uint16_t word)
{
    if (at < 0 || at > 65535 || fc < 1 || fc > 4)
        return;
    u->word[fc - 1][at] = word;
    u->present[fc - 1][at] = 1;
}

/* What a definition would read in one go can be read, gaps and all. */
static void fill_gaps(struct modbus_unit *u)
{
    struct plan *p = calloc(1, sizeof *p);

    if (p && plan_make(p, u->decode.layout, u->decode.offset))
        for (int i = 0; i < p->n_blocks; i++)
            memset(&u->present[p->blocks[i].fc - 1][p->blocks[i].at], 1,
                   (size_t)p->blocks[i].n);
    free(p);
}

struct modbus_unit *modbus_unit_new(const struct definition *d, int id)
{
    struct modbus_unit *u = calloc(1, sizeof *u);
    int none[MODBUS_FAULT_COUNT];

    if (!u)
        return NULL;
    u->id = id;
    u->decode = (struct decode){.layout = d, .device = d};
    if (d->sunspec.used) {
        u->decode.layout = d->models[0];
        u->decode.offset = encode_chain(d, put, u);
    }
    reading_clear(&u->reading);
    for (int i = 0; i < SITE_PHASES; i++) {
        u->reading.v_mv[i] = 230000;
        u->reading.i_ma[i] = u->reading.p_phase_w[i] = 0;
    }
    u->reading.p_w = 0;
    u->reading.hz_mhz = 50000;
    u->reading.pv_w = u->reading.bat_w = 0;
    u->reading.soc_permille = 500;
    u->reading.import_wh = u->reading.export_wh = 0;
    fill_gaps(u);
    for (int i = 0; i < MODBUS_FAULT_COUNT; i++)
        none[i] = -1;
    modbus_unit_encode(u, none);
    return u;
}

static void multiply(int32_t *v, int factor)
{
    int64_t product = (int64_t)*v * factor;

    if (*v == EVENT_NO_VALUE)
        return;
    *v = product > INT32_MAX    ? INT32_MAX
         : product < -INT32_MAX ? -INT32_MAX
                                : (int32_t)product;
}

static int64_t wrapped(int64_t wh)
{
    enum { WRAP_WH = 655360 }; /* 16 bits of 10 Wh */

    return wh == EVENT_NO_ENERGY ? wh : wh % WRAP_WH;
}

static void distort(struct meter_reading *r, const int arg[MODBUS_FAULT_COUNT])
{
    int factor = arg[MODBUS_FAULT_FACTOR] > 0 ? arg[MODBUS_FAULT_FACTOR] : 1;

    if (arg[MODBUS_FAULT_NAN] >= 0)
        reading_clear(r);
    if (arg[MODBUS_FAULT_SIGN] >= 0)
        factor = -factor;
    for (int i = 0; i < SITE_PHASES; i++) {
        multiply(&r->i_ma[i], factor);
        multiply(&r->p_phase_w[i], factor);
    }
    multiply(&r->p_w, factor);
    if (arg[MODBUS_FAULT_COUNTER] >= 0)
        r->import_wh = r->export_wh = 0;
    if (arg[MODBUS_FAULT_WRAP] >= 0) {
        r->import_wh = wrapped(r->import_wh);
        r->export_wh = wrapped(r->export_wh);
    }
}

void modbus_unit_encode(struct modbus_unit *u, const int arg[MODBUS_FAULT_COUNT])
{
    struct meter_reading r = u->reading;

    distort(&r, arg);
    encode_reading(&u->decode, &r, put, u);
}

/* ---- answering ---- */

int modbus_exception(const struct modbus_request *q, int code,
                     uint8_t pdu[MODBUS_FRAME_MAX])
{
    pdu[0] = (uint8_t)(q->fc | 0x80);
    pdu[1] = (uint8_t)code;
    return 2;
}

/* Bits go into bytes from the lowest on. */
static int answer_bits(const struct modbus_unit *u, const struct modbus_request *q,
                       uint8_t *pdu)
{
    int bytes = (q->n + 7) / 8;

    pdu[1] = (uint8_t)bytes;
    memset(pdu + 2, 0, (size_t)bytes);
    for (int i = 0; i < q->n; i++)
        if (u->word[q->fc - 1][q->at + i])
            pdu[2 + i / 8] |= (uint8_t)(1 << i % 8);
    return 2 + bytes;
}

int modbus_unit_answer(const struct modbus_unit *u, const struct modbus_request *q,
                       uint8_t pdu[MODBUS_FRAME_MAX])
{
    if (q->fc < 1 || q->fc > 4)
        return modbus_exception(q, 1, pdu);
    if (q->n < 1 || q->n > 125)
        return modbus_exception(q, 3, pdu);
    for (int i = 0; i < q->n; i++)
        if (q->at + i > 65535 || !u->present[q->fc - 1][q->at + i])
            return modbus_exception(q, 2, pdu);
    pdu[0] = (uint8_t)q->fc;
    if (q->fc < 3)
        return answer_bits(u, q, pdu);
    pdu[1] = (uint8_t)(q->n * 2);
    for (int i = 0; i < q->n; i++) {
        pdu[2 + 2 * i] = (uint8_t)(u->word[q->fc - 1][q->at + i] >> 8);
        pdu[3 + 2 * i] = (uint8_t)u->word[q->fc - 1][q->at + i];
    }
    return 2 + q->n * 2;
}
