/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance for "did you mean ...?". */
#include "config/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 48 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to insert, delete, change or swap with their neighbour (optimal string
 * alignment); capitals count as equal. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    int row[3][LONGEST + 1];

    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int ca = tolower((unsigned char)a[i - 1]);
            int cb = tolower((unsigned char)b[j - 1]);

            now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && tolower((unsigned char)a[i - 2]) == cb &&
                ca == tolower((unsigned char)b[j - 2]))
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

void conf_suggest_offer(struct conf_suggest *s, const char *known)
{
    size_t n = strlen(s->word);
    int most = n < 4 ? 1 : n < 8 ? 2 : 3;

    if (n == 0 || n > LONGEST || strlen(known) > LONGEST)
        return;
    int d = distance(s->word, known);
    if (d <= most && (!s->best || d < s->distance)) {
        s->best = known;
        s->distance = d;
    }
}

const char *conf_suggest_text(struct conf_suggest *s)
{
    s->text[0] = '\0';
    if (s->best)
        snprintf(s->text, sizeof s->text, "; did you mean '%s'?", s->best);
    return s->text;
}
