/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one value by the type of its key, and stores it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/suggest.h"
#include "config/walk.h"
#include "core/site.h"
#include "policy.h"

/* What went wrong with one value; the key's name is put in front of it. */
struct reading {
    struct conf_load *l;
    const struct conf_key *key;
    const struct conf_node *node;
    char why[CONF_WHY];
};

static bool in_range(struct reading *r, int64_t n)
{
    const struct conf_key *k = r->key;
    int64_t div = k->div ? k->div : 1;
    char is[32], from[32], to[32];

    if (n >= k->min * div && n <= k->max * div)
        return true;
    snprintf(r->why, sizeof r->why, "%s is out of range: %s to %s",
             conf_amount(k->type, n, is, sizeof is),
             conf_amount(k->type, k->min * div, from, sizeof from),
             conf_amount(k->type, k->max * div, to, sizeof to));
    return false;
}

static bool read_amps(struct reading *r, const char *text, int32_t *ma)
{
    int64_t n;

    if (!conf_value_decimal(text, 3, "amperes", &n, r->why) || !in_range(r, n))
        return false;
    *ma = (int32_t)n;
    return true;
}

static bool read_number(struct reading *r, const char *text, int64_t *n)
{
    switch (r->key->type) {
    case CONF_T_AMPS:
        return conf_value_decimal(text, 3, "amperes", n, r->why) && in_range(r, *n);
    case CONF_T_VOLTS:
        return conf_value_decimal(text, 3, "volts", n, r->why) && in_range(r, *n);
    case CONF_T_WATTS:
        return conf_value_decimal(text, 0, "watts", n, r->why) && in_range(r, *n);
    case CONF_T_COUNT:
        return conf_value_decimal(text, 0, "a count", n, r->why) && in_range(r, *n);
    case CONF_T_SIZE:
        return conf_value_size(text, n, r->why) && in_range(r, *n);
    default:
        break;
    }
    if (!conf_value_time(text, n, r->why) || !in_range(r, *n))
        return false;
    if (r->key->div && *n % r->key->div != 0) {
        snprintf(r->why, sizeof r->why, "expected whole seconds, not '%s'", text);
        return false;
    }
    return true;
}

static bool read_step(struct reading *r, const char *text, int64_t *n)
{
    if (!conf_value_decimal(text, 3, "amperes", n, r->why))
        return false;
    if (*n == 100 || *n == 1000)
        return true;
    snprintf(r->why, sizeof r->why, "expected 0.1 or 1, not '%s'", text);
    return false;
}

static bool read_policy(struct reading *r, const char *text, const struct policy **out)
{
    const char *words[32] = {NULL};
    int64_t index;

    *out = policy_by_name(text);
    for (int i = 0; policies[i] && i < 31; i++)
        words[i] = policies[i]->name;
    return *out || conf_value_choice(text, words, &index, r->why);
}

static bool read_address(struct reading *r, const char *text,
                         const struct conf_address **out)
{
    struct conf_address *a = conf_alloc(r->l->arena, sizeof *a);

    *out = a;
    if (!conf_value_address(text, a, r->why))
        return false;
    if (a->port >= r->key->min)
        return true;
    snprintf(r->why, sizeof r->why, "port 0 is out of range: 1 to 65535");
    return false;
}

static bool read_wiring(struct reading *r, const char *text,
                        const struct conf_wiring **out)
{
    struct conf_wiring *w = conf_alloc(r->l->arena, sizeof *w);

    *out = w;
    return conf_value_wiring(text, w, r->why);
}

static bool read_serial(struct reading *r, const char *text,
                        const struct conf_serial **out)
{
    struct conf_serial *s = conf_alloc(r->l->arena, sizeof *s);

    *out = s;
    return conf_value_serial(text, s, r->why);
}

static bool read_file(struct reading *r, const char *text, const char **out)
{
    if (!conf_value_text(text, r->why))
        return false;
    *out = *text == '/' ? text : conf_printf(r->l->arena, "%s%s", r->l->folder, text);
    return true;
}

static bool read_text(struct reading *r, const char *text)
{
    switch (r->key->type) {
    case CONF_T_NAME:
        return conf_value_name(text, r->why);
    case CONF_T_ID:
        return conf_value_id(text, r->why);
    case CONF_T_IDENTITY:
        return conf_value_identity(text, r->why);
    case CONF_T_HOST:
        return conf_value_host(text, r->why);
    case CONF_T_TOPIC:
        return conf_value_topic(text, r->why);
    case CONF_T_SUBJECT:
        return conf_value_subject(text, r->why);
    case CONF_T_POINTER:
        return conf_value_pointer(text, r->why);
    case CONF_T_ZONE:
        return conf_value_zone(text, r->why);
    default:
        return conf_value_text(text, r->why);
    }
}

static bool read_scalar(struct reading *r, const char *text, struct conf_value *v)
{
    bool truth;

    switch (r->key->type) {
    case CONF_T_AMPS3:
        if (!read_amps(r, text, v->is.ma))
            return false;
        v->is.ma[1] = v->is.ma[2] = v->is.ma[0];
        return true;
    case CONF_T_BOOL:
        if (!conf_value_bool(text, &truth, r->why))
            return false;
        v->is.n = truth;
        return true;
    case CONF_T_STEP:
        return read_step(r, text, &v->is.n);
    case CONF_T_CHOICE:
        return conf_value_choice(text, r->key->words, &v->is.n, r->why);
    case CONF_T_DAYS:
        return conf_value_days(text, &v->is.n, r->why);
    case CONF_T_POLICY:
        return read_policy(r, text, &v->is.policy);
    case CONF_T_ADDRESS:
        return read_address(r, text, &v->is.address);
    case CONF_T_SERIAL:
        return read_serial(r, text, &v->is.serial);
    case CONF_T_WIRING:
        return read_wiring(r, text, &v->is.wiring);
    case CONF_T_CLOCK:
        return conf_value_clock(text, &v->is.n, r->why);
    case CONF_T_FILE:
        return read_file(r, text, &v->is.text);
    case CONF_T_RATIO:
        return conf_value_ratio(text, &v->is.n, r->why) && in_range(r, v->is.n);
    case CONF_T_FACTOR:
        return conf_value_decimal(text, 6, "a factor", &v->is.n, r->why) &&
               in_range(r, v->is.n);
    default:
        break;
    }
    if (r->key->type >= CONF_T_AMPS && r->key->type <= CONF_T_SIZE)
        return read_number(r, text, &v->is.n);
    v->is.text = text;
    return read_text(r, text);
}

static bool read_amps3(struct reading *r, struct conf_value *v)
{
    int n = 0;

    for (const struct conf_node *c = r->node->first; c; c = c->next, n++) {
        if (n == 3 || c->kind != CONF_SCALAR)
            break;
        if (!read_amps(r, c->text, &v->is.ma[n])) {
            r->node = c;
            return false;
        }
    }
    if (n == 3 && r->node->n == 3)
        return true;
    snprintf(r->why, sizeof r->why, "expected one number or three: [L1, L2, L3]");
    return false;
}

static bool read_wiring_list(struct reading *r, struct conf_value *v)
{
    const char *text = "";

    for (const struct conf_node *c = r->node->first; c; c = c->next)
        text = conf_printf(r->l->arena, "%.40s%s%.10s", text,
                           c == r->node->first ? "" : " ",
                           c->kind == CONF_SCALAR ? c->text : "?");
    return read_wiring(r, text, &v->is.wiring);
}

static bool read_list(struct reading *r, struct conf_value *v)
{
    if (r->key->type == CONF_T_AMPS3)
        return read_amps3(r, v);
    if (r->key->type == CONF_T_WIRING)
        return read_wiring_list(r, v);
    if (r->key->type == CONF_T_TAGS)
        return true; /* tags.c reads it from the node */
    snprintf(r->why, sizeof r->why, "expected one value, not a list");
    return false;
}

bool conf_read_value(struct conf_load *l, const struct conf_key *k,
                     const struct conf_node *node, struct conf_value *v)
{
    struct reading r = {.l = l, .key = k, .node = node};
    bool good = false;

    if (node->kind == CONF_SCALAR)
        good = read_scalar(&r, node->text, v);
    else if (node->kind == CONF_LIST)
        good = read_list(&r, v);
    else
        snprintf(r.why, sizeof r.why,
                 node->kind == CONF_MAP ? "expected one value, not keys" : "no value");
    if (!good)
        conf_bad(l, r.node, "%s: %s", conf_key_name(k), r.why);
    return good;
}

void conf_read_default(struct conf_load *l, const struct conf_key *k,
                       struct conf_value *v)
{
    struct reading r = {.l = l, .key = k};

    if (!k->dflt || *k->dflt == '(')
        return;
    if (read_scalar(&r, k->dflt, v))
        v->state = CONF_DEFAULT;
    else
        conf_bad(l, NULL, "default of %s: %s", k->path, r.why); /* our own bug */
}

static void store_address(const struct conf_key *k, const struct conf_value *v,
                          void *target)
{
    const char *host = v->is.address->host;

    memcpy((char *)target + k->offset, &host, sizeof host);
    memcpy((char *)target + k->port, &v->is.address->port, sizeof(int));
}

static void store_number(const struct conf_key *k, int64_t n, void *to)
{
    int32_t small = (int32_t)(k->div ? n / k->div : n);
    bool truth = n != 0;

    if (k->type == CONF_T_BOOL)
        memcpy(to, &truth, sizeof truth);
    else if (k->type == CONF_T_SIZE)
        memcpy(to, &n, sizeof n);
    else
        memcpy(to, &small, sizeof small);
}

void conf_store(const struct conf_item *i, void *target)
{
    const struct conf_section_info *s = &conf_sections[i->section];

    for (int n = (int)s->first; n <= (int)s->last; n++) {
        const struct conf_key *k = &conf_keys[n];
        const struct conf_value *v = conf_value(i, (enum conf_key_id)n);
        void *to = (char *)target + k->offset;

        if (k->size == 0 || !conf_usable(i, (enum conf_key_id)n))
            continue;
        if (k->type == CONF_T_ADDRESS)
            store_address(k, v, target);
        else if (k->type == CONF_T_AMPS3)
            memcpy(to, v->is.ma, sizeof v->is.ma);
        else if (k->type == CONF_T_POLICY)
            memcpy(to, &v->is.policy, sizeof v->is.policy);
        else if (k->type < CONF_T_AMPS)
            memcpy(to, &v->is.text, sizeof v->is.text);
        else
            store_number(k, v->is.n, to);
    }
}
