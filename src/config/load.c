/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a site file: text, tree, overrides, values, structs, cross checks. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/build.h"
#include "config/set.h"

/* FNV-1a, 64 bits, as 16 hexadecimal digits. */
static void hash_text(const char *text, size_t size, char out[17])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    snprintf(out, 17, "%016" PRIx64, h);
}

/* Appends what can be read; false with errno. */
static bool read_all(int fd, char *text, size_t room, size_t *size)
{
    ssize_t n;

    *size = 0;
    while ((n = read(fd, text + *size, room - *size)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        *size += (size_t)n;
        if (*size == room) {
            errno = EFBIG;
            return false;
        }
    }
    return true;
}

char *conf_read_file(struct conf_arena *a, const char *path, size_t *size)
{
    size_t room = CONF_MAX_BYTES + 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL, *copy = NULL;

    if (fd < 0)
        return NULL;
    text = malloc(room);
    if (text && read_all(fd, text, room, size)) {
        copy = conf_try_alloc(a, *size + 1);
        if (copy)
            memcpy(copy, text, *size);
    }
    int saved = errno;
    free(text);
    close(fd);
    errno = copy ? saved : saved ? saved : ENOMEM;
    return copy;
}

static void tell_twice(void *arg, const struct conf_node *key,
                       const struct conf_node *first)
{
    struct conf_load *l = arg;
    char quoted[48];

    conf_bad(l, key, "key '%s' is given twice; the first is at line %d",
             conf_quote(key->text, quoted), first->line);
}

static struct conf_node *read_tree(struct conf_load *l, char hash[17])
{
    struct conf_fault fault = {0};
    struct conf_node *root = NULL;
    size_t size = 0;
    char *text = conf_read_file(l->arena, l->path, &size);

    if (!text) {
        conf_bad(l, NULL, "cannot read this file: %m");
        return NULL;
    }
    hash_text(text, size, hash);
    if (memchr(text, '\0', size)) {
        conf_bad(l, NULL, "this is not UTF-8 text: it contains zero bytes");
        return NULL;
    }
    root = conf_yaml(l->arena, text, size, &fault, tell_twice, l);
    if (root && root->kind != CONF_NOTHING)
        return root;
    if (root)
        conf_bad(l, NULL, "the file is empty");
    else
        conf_bad_in(l, l->path, fault.line, fault.col, "%s", fault.text);
    return NULL;
}

static const char *folder_of(struct conf_load *l)
{
    const char *slash = strrchr(l->path, '/');

    if (!slash)
        return "";
    return conf_printf(l->arena, "%.*s", (int)(slash + 1 - l->path), l->path);
}

static struct config *load(struct conf_load *l, const char *path,
                           const char *const *set, conf_meter_check *check)
{
    struct config *c = conf_alloc(l->arena, sizeof *c);

    l->path = c->path = conf_strdup(l->arena, path);
    l->folder = folder_of(l);
    struct conf_node *root = read_tree(l, c->hash);
    if (!root)
        return NULL;
    for (; set && *set && root->kind == CONF_MAP; set++)
        conf_set(l, root, *set);
    struct conf_build b = {
        .l = l, .c = c, .top = conf_walk(l, root), .check_meter = check};
    conf_build_circuits(&b);
    conf_build_meters(&b);
    conf_build_chargers(&b);
    conf_build_services(&b);
    conf_build_limits(&b);
    conf_check(&b);
    const char *fault = l->n_errors ? NULL : site_fault(&c->site);
    if (fault)
        conf_bad(l, NULL, "%s", fault);
    return l->n_errors ? NULL : c;
}

struct config *config_load_checked(const char *path, const char *const *set,
                                   conf_meter_check *check, struct conf_errors *errors)
{
    struct conf_load l = {.path = path, .errors = errors, .first = errors->n};
    struct conf_arena *arena = conf_arena_new();
    struct config *c;
    jmp_buf no_memory;

    l.arena = arena;
    if (!arena || setjmp(no_memory)) {
        l.path = path;
        conf_bad(&l, NULL, "out of memory");
        conf_arena_free(arena);
        return NULL;
    }
    arena->no_memory = &no_memory;
    c = load(&l, path, set, check);
    conf_sort_errors(&l);
    if (!c) {
        conf_arena_free(arena);
        return NULL;
    }
    c->arena = arena;
    return c;
}

struct config *config_load(const char *path, const char *const *set,
                           struct conf_errors *errors)
{
    return config_load_checked(path, set, NULL, errors);
}

void config_free(struct config *c)
{
    if (c)
        conf_arena_free(c->arena);
}
