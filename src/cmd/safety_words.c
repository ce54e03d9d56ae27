/* SPDX-License-Identifier: Apache-2.0 */
/* Why a site is not SAFE, and what would mend it: circuit, phase, chargers, amperes. */
#include <stdlib.h>
#include <string.h>

#include "cmd/safety_show.h"
#include "config/keys.h"

const char *safety_amps(int64_t ma, char out[24])
{
    conf_amount(CONF_T_AMPS, ma, out, 24);
    out[strcspn(out, " ")] = '\0';
    return out;
}

const char *safety_time(int64_t ms, char out[24])
{
    int s = (int)((ms + 999) / 1000); /* a lease has at most 24 h */

    if (s < 60)
        snprintf(out, 24, "%d s", s);
    else if (s % 60 == 0)
        snprintf(out, 24, "%d min", s / 60);
    else
        snprintf(out, 24, "%d min %d s", s / 60, s % 60);
    return out;
}

const char *safety_connector(const struct config *c, int connector)
{
    const struct conf_connector *x = &c->connectors[connector];
    const struct conf_charger *of = &c->chargers[x->charger];
    static char text[100];

    if (of->n == 1)
        return of->id ? of->id : x->name;
    snprintf(text, sizeof text, "%.60s connector %d", of->id ? of->id : x->name,
             x->number);
    return text;
}

bool safety_adds(const struct config *c, const struct conf_safety *x, int circuit,
                 int connector)
{
    const struct site_connector *s = &c->site.connectors[connector];
    int v = s->circuit, phase = x[circuit].phase;

    while (v != SITE_NONE && v != circuit)
        v = c->site.circuits[v].parent;
    return v == circuit && s->fallback_ma > 0 &&
           (phase == SITE_NONE || site_phase_mask(s) >> phase & 1);
}

/* Lines of at most 79 columns, all but the first indented. */
static void wrap(FILE *to, const char *text)
{
    int column = 0;

    while (*text) {
        int n = (int)strcspn(text, " ");

        if (column > 0 && column + 1 + n > 79) {
            fputs("\n  ", to);
            column = 2;
        } else if (column > 0) {
            column += fprintf(to, " ");
        }
        column += fprintf(to, "%.*s", n, text);
        text += n + (text[n] == ' ');
    }
    fputc('\n', to);
}

/* "CP-01, CP-02 (6 A each), CP-03 (16 A)": all connectors with the same number of
 * `ma` and `other` together, those with SITE_NONE not at all. */
static void list(FILE *f, const struct config *c, const int32_t *ma,
                 const int32_t *other, const char *between)
{
    int n = c->site.n_connectors;
    bool *done = calloc((size_t)n + 1, sizeof *done);
    const char *comma = "";

    for (int i = 0; done && i < n; i++) {
        int same = 0;
        char a[24], b[24];

        for (int k = i; k < n; k++) {
            if (done[k] || ma[k] == SITE_NONE || ma[k] != ma[i] || other[k] != other[i])
                continue;
            fprintf(f, "%s%s", comma, safety_connector(c, k));
            comma = ", ";
            done[k] = true;
            same++;
        }
        if (same)
            fprintf(f, " (%s%s%s A%s)", safety_amps(ma[i], a), between,
                    *between ? safety_amps(other[i], b) : "", same > 1 ? " each" : "");
    }
    free(done);
}

static void who(FILE *f, const struct config *c, const struct conf_safety *x, int v)
{
    int n = c->site.n_connectors;
    int32_t *ma = calloc((size_t)n + 1, sizeof *ma);

    for (int i = 0; ma && i < n; i++)
        ma[i] = safety_adds(c, x, v, i) ? c->site.connectors[i].fallback_ma : SITE_NONE;
    if (ma)
        list(f, c, ma, ma, "");
    free(ma);
}

static void overload(FILE *f, const struct config *c, const struct conf_safety *x,
                     int v)
{
    const struct site_circuit *s = &c->site.circuits[v];
    int p = x[v].phase;
    int64_t total = p == SITE_NONE ? 0 : x[v].alone.total_ma[p];
    char base[24], fallback[24], sum[24], over[24], limit[24];

    fprintf(f, "NOT SAFE: circuit %s", s->name);
    if (p != SITE_NONE)
        fprintf(f,
                ", phase L%d: base load %s A + fallbacks %s A = %s A, %s A above the "
                "limit of %s A",
                p + 1, safety_amps(x[v].base_ma[p], base),
                safety_amps(x[v].fallback_ma[p], fallback), safety_amps(total, sum),
                safety_amps(total - s->limit_ma[p], over),
                safety_amps(s->limit_ma[p], limit));
    if (x[v].over_w > 0)
        fprintf(f, "%s base load and fallbacks %lld W, %lld W above the limit of %d W",
                p == SITE_NONE ? ":" : ";", (long long)x[v].alone.power_w,
                (long long)x[v].over_w, s->power_limit_w);
}

/* What would do instead of lower fallbacks. */
static void remedy(FILE *f, const struct config *c, const struct conf_safety *x, int v)
{
    const struct site_circuit *s = &c->site.circuits[v];
    int p = x[v].phase;
    int64_t room = conf_safety_base_room_ma(s, &x[v]);
    char a[24];

    if (x[v].base_unknown)
        fprintf(f,
                " What else draws there is not known: %s has no base_load, so its "
                "limit is taken%s",
                s->meter == SITE_NONE ? "a metered circuit below" : "it is metered and",
                room < 0 ? "." : "");
    if (x[v].base_unknown && room >= 0)
        fprintf(f, "; up to %s A the fallbacks fit.", safety_amps(room, a));
    if (p == SITE_NONE)
        return;
    if (x[v].base_ma[p] > s->limit_ma[p])
        fprintf(f, " The base load alone is above the limit.");
    else if (!x[v].base_unknown)
        fprintf(f, " It would fit with wires and fuses for %s A.",
                safety_amps(x[v].alone.total_ma[p], a));
}

static void circuit(FILE *to, const struct config *c, const struct conf_safety *x,
                    int v)
{
    char *text = NULL, after[24];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return;
    overload(f, c, x, v);
    fprintf(f, ", at the latest %s after the controller or the network is lost: ",
            safety_time(x[v].alone.after_ms, after));
    who(f, c, x, v);
    fprintf(f, ".");
    remedy(f, c, x, v);
    fclose(f);
    wrap(to, text);
    free(text);
}

static void mend(FILE *to, const struct config *c)
{
    int n = c->site.n_connectors;
    int32_t *new_ma = calloc((size_t)n + 1, sizeof *new_ma);
    int32_t *now_ma = calloc((size_t)n + 1, sizeof *now_ma);
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (f && new_ma && now_ma && conf_safety_mend(&c->site, new_ma) > 0) {
        for (int i = 0; i < n; i++) {
            now_ma[i] = c->site.connectors[i].fallback_ma;
            if (new_ma[i] == now_ma[i])
                now_ma[i] = SITE_NONE;
        }
        fprintf(f, "It would be SAFE with lower fallbacks: ");
        list(f, c, now_ma, new_ma, " -> ");
        fprintf(f, ".");
        fflush(f);
        wrap(to, text);
    }
    if (f)
        fclose(f);
    free(text);
    free(new_ma);
    free(now_ma);
}

void safety_words(FILE *to, const struct config *c, const struct conf_safety *x)
{
    int64_t lease_ms = conf_safety_lease_ms(&c->site);
    char a[24];
    bool any = false;

    for (int v = 0; v < c->site.n_circuits; v++)
        if (!conf_safety_carries(&x[v])) {
            circuit(to, c, x, v);
            any = true;
        }
    if (any)
        mend(to, c);
    if (lease_ms > 0)
        fprintf(to,
                "NOT SAFE while a charger is cut off: it may rise to its fallback "
                "before the\n  others have followed. site.lease must be at least %s, "
                "or site.settle shorter.\n",
                safety_time(lease_ms, a));
}
