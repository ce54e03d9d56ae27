/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: in a file of their own, or, with a warning, in the site file. Their text
 * never appears in a message. */
#include <string.h>
#include <sys/stat.h>

#include "config/build.h"

enum { MAX_SECRET = 200 };

void conf_warn_open(struct conf_load *l, const struct conf_node *at, const char *key,
                    const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH))
        conf_warn(l, at, "%s: everyone can read '%.120s'; chmod 640 keeps it secret",
                  key, path);
}

/* The first line; NULL after telling what is wrong. */
static const char *read_secret(struct conf_load *l, const struct conf_node *at,
                               const char *path)
{
    size_t size;
    char *text = conf_read_file(l->arena, path, &size);

    if (!text) {
        conf_bad(l, at, "password_file: cannot read '%.120s': %m", path);
        return NULL;
    }
    conf_warn_open(l, at, "password_file", path);
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text)
        conf_bad(l, at, "password_file: the first line of '%.120s' is empty", path);
    else if (strlen(text) > MAX_SECRET)
        conf_bad(l, at, "password_file: the first line of '%.120s' is too long", path);
    else
        return text;
    return NULL;
}

const char *conf_secret(struct conf_load *l, const struct conf_item *i,
                        enum conf_key_id inline_key, enum conf_key_id file_key)
{
    const struct conf_value *file = conf_value(i, file_key);

    if (conf_given(i, inline_key)) {
        if (file->at)
            conf_bad(l, file->at, "password_file: there is a 'password' already");
        conf_warn(l, conf_at(i, inline_key),
                  "password: in a file that others may read; better a password_file");
        return conf_value(i, inline_key)->is.text;
    }
    return file->state == CONF_GIVEN ? read_secret(l, file->at, file->is.text) : NULL;
}
