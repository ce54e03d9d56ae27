/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean ...?": the known word that is nearest to a mistyped one. */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

struct conf_suggest {
    const char *word; /* the mistyped one */
    const char *best; /* nearest so far, or NULL when none is near */
    int distance;
    char text[80];
};

void conf_suggest_offer(struct conf_suggest *s, const char *known);
/* "; did you mean 'limit'?" or "". */
const char *conf_suggest_text(struct conf_suggest *s);

#endif
