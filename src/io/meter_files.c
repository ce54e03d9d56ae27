/* SPDX-License-Identifier: Apache-2.0 */
/* Meter definitions on the disk. */
#include "io/meter_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "meter/explain.h"
#include "meter/plan.h"

enum { DIRS = 16, PATH = 256 };

struct dirs {
    char dir[DIRS][PATH];
    int n;
};

static void add_dir(struct dirs *d, const char *text, size_t length)
{
    if (d->n < DIRS && length > 0 && length < PATH)
        snprintf(d->dir[d->n++], PATH, "%.*s", (int)length, text);
}

static void add_beside_program(struct dirs *d)
{
    char exe[PATH];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 8);
    char *slash;

    if (n <= 0)
        return;
    exe[n] = '\0';
    slash = strrchr(exe, '/');
    if (!slash)
        return;
    strcpy(slash, "/meters");
    add_dir(d, exe, strlen(exe));
}

static void find_dirs(struct dirs *d)
{
    const char *env = getenv("CHARGEHAND_METERS");

    d->n = 0;
    while (env && *env) {
        size_t n = strcspn(env, ":");

        add_dir(d, env, n);
        env += n + (env[n] == ':');
    }
    add_dir(d, SYSCONF_DIR "/meters", strlen(SYSCONF_DIR "/meters"));
    add_dir(d, METERS_DIR, strlen(METERS_DIR));
    add_beside_program(d);
}

/* The whole file, ended with NUL; NULL with a complaint. */
static char *slurp(const char *path, size_t *length, struct meter_errors *e)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;

    if (f)
        text = malloc(DEF_MAX_BYTES + 2);
    if (text) {
        *length = fread(text, 1, DEF_MAX_BYTES + 1, f);
        text[*length] = '\0';
        if (ferror(f)) {
            free(text);
            text = NULL;
        }
    }
    if (!text)
        meter_error(e, 1, 1, "cannot be read: %s", strerror(errno));
    if (f)
        fclose(f);
    return text;
}

static bool ends_with_yaml(const char *name)
{
    size_t n = strlen(name);

    return n > 5 && n < 48 && name[0] != '.' && strcmp(name + n - 5, ".yaml") == 0;
}

/* What the file's name asks its id to be: sunspec/203.yaml is sunspec-203. */
static void id_of_path(const char *path, char *id, size_t size)
{
    const char *base = strrchr(path, '/');
    const char *dir = base;
    size_t n;

    base = base ? base + 1 : path;
    while (dir && dir > path && dir[-1] != '/')
        dir--;
    n = strlen(base);
    if (ends_with_yaml(base))
        n -= 5;
    snprintf(id, size, "%s%.*s",
             dir && strncmp(dir, "sunspec/", 8) == 0 ? "sunspec-" : "", (int)n, base);
}

static struct definition *parse_file(const char *path, struct meter_errors *e)
{
    struct definition *d = NULL;
    char id[64];
    size_t length;
    char *text = slurp(path, &length, e);

    id_of_path(path, id, sizeof id);
    if (text)
        d = definition_parse(text, length, id, e);
    free(text);
    return d;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct meter_file *)a)->name,
                  ((const struct meter_file *)b)->name);
}

/* Adds the files of a directory whose names are not yet in the list. */
static void scan_dir(const char *dir, struct meter_file **list, int *n)
{
    DIR *handle = opendir(dir);
    int before = *n;

    for (struct dirent *f; handle && (f = readdir(handle));) {
        struct meter_file *more, one = {0};
        bool known = false;

        if (!ends_with_yaml(f->d_name) ||
            snprintf(one.path, sizeof one.path, "%s/%s", dir, f->d_name) >=
                (int)sizeof one.path)
            continue;
        memcpy(one.name, f->d_name, strlen(f->d_name) - 5);
        for (int i = 0; i < before; i++)
            known = known || strcmp((*list)[i].name, one.name) == 0;
        more = known ? NULL : realloc(*list, (size_t)(*n + 1) * sizeof **list);
        if (!more)
            continue;
        *list = more;
        more[(*n)++] = one;
    }
    if (handle)
        closedir(handle);
}

int meter_files_list(struct meter_file **out)
{
    struct dirs dirs;
    int n = 0;

    *out = NULL;
    find_dirs(&dirs);
    for (int i = 0; i < dirs.n; i++)
        scan_dir(dirs.dir[i], out, &n);
    if (n)
        qsort(*out, (size_t)n, sizeof **out, by_name);
    return n;
}

/* Looks for the layout of one SunSpec model in `sunspec` below dir. */
static bool add_model_from(struct definition *d, int id, const char *dir)
{
    struct meter_file *list = NULL;
    char path[PATH + 16];
    int n = 0;
    bool found = false;

    snprintf(path, sizeof path, "%s/sunspec", dir);
    scan_dir(path, &list, &n);
    if (n)
        qsort(list, (size_t)n, sizeof *list, by_name);
    for (int i = 0; i < n && !found; i++) {
        struct meter_errors unheard = {.file = list[i].path};
        struct definition *m = parse_file(list[i].path, &unheard);

        for (int k = 0; m && k < m->model.n_ids; k++)
            found = found || m->model.ids[k] == id;
        if (found)
            found = definition_add_model(d, m);
        else
            definition_free(m);
    }
    free(list);
    return found;
}

static void add_models(struct definition *d, const char *path, struct meter_errors *e)
{
    const char *slash = strrchr(path, '/');
    struct dirs dirs, own = {.n = 0};

    find_dirs(&dirs);
    add_dir(&own, slash ? path : ".", slash ? (size_t)(slash - path) : 1);
    for (int i = 0; i < d->sunspec.n_use; i++) {
        bool found = definition_model(d, d->sunspec.use[i]) != NULL;

        if (!found && own.n)
            found = add_model_from(d, d->sunspec.use[i], own.dir[0]);
        for (int k = 0; k < dirs.n && !found; k++)
            found = add_model_from(d, d->sunspec.use[i], dirs.dir[k]);
        if (!found)
            meter_error(e, d->sunspec.line, d->sunspec.col,
                        "no sound file sunspec/*.yaml describes model %d",
                        d->sunspec.use[i]);
    }
    for (int i = 0; i < d->n_models; i++)
        if (d->models[i]->kind != d->kind)
            meter_error(e, d->sunspec.line, d->sunspec.col,
                        "kind is %s, that of SunSpec model %d is %s",
                        def_kind_name(d->kind), d->models[i]->model.ids[0],
                        def_kind_name(d->models[i]->kind));
}

struct definition *meter_files_load_path(const char *path, struct meter_errors *e)
{
    struct definition *d = parse_file(path, e);

    if (d && d->sunspec.used)
        add_models(d, path, e);
    if (e->n == 0)
        return d;
    definition_free(d);
    return NULL;
}

static void tell_unknown(const char *name, char *err, size_t size)
{
    struct meter_file *list;
    int n = meter_files_list(&list);
    const char **names = calloc((size_t)n + 1, sizeof *names);
    char hint[80] = "";

    for (int i = 0; names && i < n; i++)
        names[i] = list[i].name;
    if (names)
        meter_nearest(name, names, hint, sizeof hint);
    snprintf(err, size, "there is no meter model \"%s\"%s (chargehand meter list)",
             name, hint);
    free(names);
    free(list);
}

struct definition *meter_files_load(const char *name, char *err, size_t size)
{
    struct meter_errors *e = calloc(1, sizeof *e);
    struct definition *d = NULL;
    struct dirs dirs;
    char path[PATH + 64];
    bool found = strchr(name, '/') != NULL;

    snprintf(path, sizeof path, "%s", name);
    find_dirs(&dirs);
    for (int i = 0; i < dirs.n && !found && strlen(name) < 48; i++) {
        snprintf(path, sizeof path, "%s/%s.yaml", dirs.dir[i], name);
        found = access(path, F_OK) == 0;
    }
    if (!e)
        snprintf(err, size, "out of memory");
    else if (!found)
        tell_unknown(name, err, size);
    else {
        e->file = path;
        d = meter_files_load_path(path, e);
        if (!d)
            meter_errors_text(e, err, size);
    }
    free(e);
    return d;
}

/* What the site file says of this very installation. Why it cannot, or NULL. */
static const char *adapt(struct definition *d, const struct conf_meter *m)
{
    struct plan plan;

    if (m->word_order && d->sunspec.used)
        return "is a SunSpec device: \"word_order\" is not its to choose";
    if (m->word_order)
        definition_set_order(d, m->word_order);
    if (m->gap_ms > 0) {
        d->bus.gap_ms = m->gap_ms;
        d->bus.gap_on_tcp = true;
    }
    if (m->timeout_ms > 0)
        d->bus.timeout_ms = m->timeout_ms;
    for (int i = -1; m->max_regs > 0 && i < d->n_models; i++) {
        struct definition *one = i < 0 ? d : d->models[i];

        one->max_regs = m->max_regs;
        if (!plan_make(&plan, one, 0))
            return "has values, or a value with its scale factor, of more than "
                   "\"max_regs\" registers";
    }
    d->ct_ppm = m->ct_ppm;
    return NULL;
}

struct definition *meter_files_load_for(const struct conf_meter *m, char *err,
                                        size_t size)
{
    struct definition *d = meter_files_load(m->model, err, size);
    const char *bad = d ? adapt(d, m) : NULL;

    if (!bad)
        return d;
    snprintf(err, size, "\"%s\" %s", m->model, bad);
    definition_free(d);
    return NULL;
}

/* Why a model cannot have that role, or NULL. */
static const char *misfit(const struct definition *d, const struct conf_meter *m)
{
    bool circuit = m->role == METER_CIRCUIT;

    if (d->is_model)
        return "is the layout of a SunSpec model, not a device";
    if (circuit && d->kind == DEF_INVERTER)
        return "is an inverter and measures no circuit: role: solar";
    if (d->kind == DEF_BATTERY)
        return "is a battery and measures no circuit (it can be read with "
               "chargehand meter read)";
    if (circuit && definition_current(d) == DEF_NO_CURRENT)
        return "tells no current of each phase: a circuit needs one";
    if (!circuit && d->kind == DEF_HYBRID && d->by_quantity[QUANTITY_PV_P] < 0)
        return "does not tell its solar power";
    if (m->unit < 0 && d->bus.unit < 0)
        return "has no usual unit id: \"unit\" must be given";
    return NULL;
}

/* What to know before it is used so. */
static const char *doubt(const struct definition *d, const struct conf_meter *m)
{
    if (m->role == METER_CIRCUIT && definition_current(d) == DEF_UNDIRECTED)
        return "does not tell import from export: what the circuit feeds in counts as "
               "drawn";
    if (m->role == METER_CIRCUIT && d->phases < SITE_PHASES)
        return "does not measure all phases: those that are missing count as full";
    if (d->untested)
        return "is untested: its sources conflict or are incomplete, compare its "
               "values "
               "with its display";
    return NULL;
}

static int32_t on_the_line_ms(struct definition *d, const struct conf_meter *m)
{
    struct plan *p = m->transport == TRANSPORT_RTU ? calloc(1, sizeof *p) : NULL;
    int32_t ms = 0;

    d->bus.baud = m->baud;
    d->bus.parity = m->parity;
    d->bus.data_bits = m->data_bits;
    d->bus.stop_bits = m->stop_bits;
    if (p && plan_make(p, d, 0))
        ms = plan_bus_ms(p, d, PACE_FAST) + plan_bus_ms(p, d, PACE_SLOW);
    free(p);
    return ms;
}

bool meter_files_fit(const struct conf_meter *m, char *why, size_t size,
                     int32_t *serial_ms)
{
    char err[2000] = "";
    struct definition *d = meter_files_load_for(m, err, sizeof err);
    const char *bad = d ? misfit(d, m) : NULL, *text = bad || !d ? bad : doubt(d, m);

    why[0] = '\0';
    *serial_ms = d && !bad ? on_the_line_ms(d, m) : 0;
    if (!d)
        snprintf(why, size, "%.*s", (int)strcspn(err, "\n"), err);
    else if (text)
        snprintf(why, size, "\"%s\" %s", m->model, text);
    definition_free(d);
    return d && !bad;
}
