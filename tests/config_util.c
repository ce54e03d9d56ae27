/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the configuration share. */
#include "config_util.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

int util_make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/chargehand-config-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int util_remove_folder(void **state)
{
    DIR *d = opendir(folder);
    (void)state;

    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            unlink(util_path(e->d_name));
    if (d)
        closedir(d);
    return rmdir(folder);
}

const char *util_path(const char *name)
{
    static char path[400];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *util_write(const char *name, const char *text)
{
    const char *path = util_path(name);
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
    return path;
}

const char *util_example_path(const char *name)
{
    static char path[400];
    const char *top = getenv("srcdir");

    snprintf(path, sizeof path, "%s/data/sites/%s", top ? top : ".", name);
    return path;
}

char *util_example(const char *name)
{
    FILE *f = fopen(util_example_path(name), "r");
    char *text = calloc(1, 65536);

    if (!f || !text || fread(text, 1, 65535, f) == 0)
        abort();
    fclose(f);
    return text;
}

/* Cuts every "folder/" out of the text. */
static void cut_folder(char *text)
{
    size_t n = strlen(folder);

    for (char *p = text; (p = strstr(p, folder));)
        memmove(p, p + n + 1, strlen(p + n + 1) + 1);
}

struct config *util_load(const char *text, const char *const *set, char **complaints)
{
    return util_load_checked(text, set, NULL, complaints);
}

struct config *util_load_checked(const char *text, const char *const *set,
                                 conf_meter_check *check, char **complaints)
{
    struct conf_errors errors = {0};
    const char *path = text ? util_write("site.yaml", text) : util_path("site.yaml");
    struct config *c = config_load_checked(path, set, check, &errors);
    size_t size;
    FILE *to = open_memstream(complaints, &size);

    if (!to)
        abort();
    conf_errors_print(&errors, to);
    fclose(to);
    conf_errors_free(&errors);
    cut_folder(*complaints);
    return c;
}
