/* SPDX-License-Identifier: Apache-2.0 */
/* The walk along a chain of SunSpec models. */
#include "meter/sunspec.h"

#include <stdio.h>
#include <string.h>

enum { MARK_1 = 0x5375, MARK_2 = 0x6E53, ID_END = 0xFFFF, ID_COMMON = 1 };

static void ask(struct sunspec_walk *w, enum walk_state state, int at, int n)
{
    w->state = state;
    w->at = at;
    w->n = n;
}

static void try_base(struct sunspec_walk *w)
{
    if (w->base < w->d->sunspec.n_base)
        ask(w, WALK_MARK, w->d->sunspec.base[w->base], 2);
    else
        ask(w, WALK_NOT_FOUND, 0, 0);
}

void sunspec_begin(struct sunspec_walk *w, const struct definition *d)
{
    *w = (struct sunspec_walk){.d = d};
    try_base(w);
}

bool sunspec_done(const struct sunspec_walk *w)
{
    return w->state == WALK_FOUND || w->state == WALK_NOT_FOUND;
}

static bool is_wanted(const struct sunspec_walk *w)
{
    const struct definition *layout = definition_model(w->d, w->model_id);
    bool used = false;

    for (int i = 0; i < w->d->sunspec.n_use; i++)
        used = used || w->d->sunspec.use[i] == w->model_id;
    /* a model shorter than its layout would make us read into the next one */
    return used && layout && w->model_len >= layout->model.len &&
           strncmp(w->mn, w->d->sunspec.mn, strlen(w->d->sunspec.mn)) == 0;
}

static void next_model(struct sunspec_walk *w)
{
    int at = w->model_at + 2 + w->model_len;

    if (w->n_ids == WALK_MODELS || at > 65534)
        ask(w, WALK_NOT_FOUND, 0, 0);
    else
        ask(w, WALK_HEADER, at, 2);
}

static void take_header(struct sunspec_walk *w, const uint16_t *words)
{
    w->model_at = w->at;
    w->model_id = words[0];
    w->model_len = words[1];
    if (w->model_id == ID_END || w->model_id == 0) {
        ask(w, WALK_NOT_FOUND, 0, 0);
        return;
    }
    w->ids[w->n_ids++] = w->model_id;
    if (w->model_id == ID_COMMON && w->d->sunspec.mn[0] && w->model_len >= WALK_WORDS &&
        w->at + 2 + WALK_WORDS <= 65536)
        ask(w, WALK_COMMON, w->at + 2, WALK_WORDS);
    else if (is_wanted(w) && ++w->seen == w->d->sunspec.nth)
        ask(w, WALK_FOUND, 0, 0);
    else
        next_model(w);
}

static void take_common(struct sunspec_walk *w, const uint16_t *words)
{
    for (int i = 0; i < WALK_WORDS; i++) {
        w->mn[2 * i] = (char)(words[i] >> 8);
        w->mn[2 * i + 1] = (char)words[i];
    }
    next_model(w);
}

void sunspec_answer(struct sunspec_walk *w, const uint16_t *words)
{
    switch (w->state) {
    case WALK_MARK:
        if (words && words[0] == MARK_1 && words[1] == MARK_2) {
            ask(w, WALK_HEADER, w->at + 2, 2);
        } else {
            w->base++;
            try_base(w);
        }
        break;
    case WALK_HEADER:
        if (words)
            take_header(w, words);
        else
            ask(w, WALK_NOT_FOUND, 0, 0);
        break;
    case WALK_COMMON:
        if (words)
            take_common(w, words);
        else
            next_model(w);
        break;
    default:
        break;
    }
}

static size_t add(char *text, size_t n, size_t size, const char *before, int number)
{
    return n < size ? n + (size_t)snprintf(text + n, size - n, "%s%d", before, number)
                    : n;
}

char *sunspec_text(const struct sunspec_walk *w, char *text, size_t size)
{
    size_t n = 0;

    if (w->base >= w->d->sunspec.n_base) {
        n = (size_t)snprintf(text, size, "no SunSpec device: nothing at register");
        for (int i = 0; i < w->d->sunspec.n_base; i++)
            n = add(text, n, size, " ", w->d->sunspec.base[i]);
        return text;
    }
    n = (size_t)snprintf(text, size, "no SunSpec model");
    for (int i = 0; i < w->d->sunspec.n_use && i < 6; i++)
        n = add(text, n, size, i ? ", " : " ", w->d->sunspec.use[i]);
    n = add(text, n, size, " as number ", w->d->sunspec.nth);
    n = n < size ? n + (size_t)snprintf(text + n, size - n, "; there are") : n;
    for (int i = 0; i < w->n_ids; i++)
        n = add(text, n, size, " ", w->ids[i]);
    return text;
}
