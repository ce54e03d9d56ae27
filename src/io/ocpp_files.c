/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware and logs of chargers: what is under way, and where it is kept. */
#include "io/ocpp_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_peer.h"

static const char *const kinds[] = {"firmware", "diagnostics", "log"};

void ocpp_files_news(const struct ocpp_transfer *t, const char *text)
{
    char line[240];

    snprintf(line, sizeof line, "%s %.100s: %s", kinds[t->what], t->name, text);
    ocpp_news(t->peer, "info", "file", line);
}

/* Nobody can fetch or send it any more. */
static void shut(struct ocpp_transfer *t)
{
    t->token[0] = '\0';
    if (t->user)
        ocpp_http_drop(t->user);
}

void ocpp_files_free(struct ocpp_peer *p)
{
    if (p->transfer)
        shut(p->transfer);
    free(p->transfer);
    p->transfer = NULL;
}

void ocpp_files_clean(const char *folder)
{
    static const char *const parts[] = {"*-????????T??????Z-log.part",
                                        "*-????????T??????Z-diagnostics.part"};
    DIR *d = opendir(folder);
    const struct dirent *e;

    while (d && (e = readdir(d)))
        for (int i = 0; i < 2; i++)
            if (fnmatch(parts[i], e->d_name, 0) == 0)
                unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

/* ---- beginning */

static bool fail(char why[OCPP_WHY], const char *what, const char *which)
{
    snprintf(why, OCPP_WHY, "%s%.100s", what, which);
    return false;
}

/* Of a file that is in the folder itself, and can stand in an address. */
static bool is_name(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789._+-";
    size_t n = strlen(name);

    return n > 0 && n <= 128 && *name != '.' && strspn(name, good) == n;
}

static bool take_firmware(struct ocpp_transfer *t, const char *folder, const char *name,
                          char why[OCPP_WHY])
{
    struct stat st;
    int fd;

    if (!is_name(name))
        return fail(why,
                    "a firmware is a file in ocpp.files, its name has only letters, "
                    "digits and . _ + -: not ",
                    name);
    snprintf(t->path, sizeof t->path, "%.460s/%s", folder, name);
    fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return fail(why, "there is no file to be read in ocpp.files of the name ",
                    name);
    }
    close(fd);
    t->size = st.st_size;
    return true;
}

void ocpp_files_path(const struct ocpp_peer *p, const char *rest, char *out,
                     size_t size)
{
    char id[OCPP_ID];

    snprintf(id, sizeof id, "%s", p->id);
    for (char *c = id; *c; c++)
        if (!is_name((char[]){'x', *c, '\0'}) || *c == '.')
            *c = '_';
    snprintf(out, size, "%.460s/%s-%.60s", p->w->conf->ocpp.files, id, rest);
}

/* "CP-01-20261126T170000Z-log" */
static void name_log(struct ocpp_transfer *t)
{
    char time[21], digits[21], rest[48], *to = digits;

    clock_format_utc(t->peer->w->utc_s, time);
    for (const char *c = time; *c; c++)
        if (*c != '-' && *c != ':')
            *to++ = *c;
    *to = '\0';
    snprintf(rest, sizeof rest, "%s-%s", digits, kinds[t->what]);
    ocpp_files_path(t->peer, rest, t->path, sizeof t->path);
    t->size = -1;
}

static bool make_token(char token[OCPP_TOKEN])
{
    unsigned char bytes[OCPP_TOKEN / 2];

    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static struct ocpp_transfer *make(struct ocpp_peer *p, enum ocpp_file what,
                                  const char *name, char why[OCPP_WHY])
{
    const char *folder = p->w->conf->ocpp.files;
    struct ocpp_transfer *t;
    bool good;

    if (!folder) {
        fail(why, "the site file names no folder for firmware and logs: ocpp.files",
             "");
        return NULL;
    }
    if (p->transfer && p->transfer->asking) {
        fail(why, "another one is being asked for", "");
        return NULL;
    }
    t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->peer = p;
    t->what = what;
    t->until_ms =
        p->w->now_ms + 1000 * (int64_t)(what == OCPP_FIRMWARE ? OCPP_FILE_FIRMWARE_S
                                                              : OCPP_FILE_LOG_S);
    fail(why, "no random numbers", "");
    good = make_token(t->token);
    if (good && what == OCPP_FIRMWARE)
        good = take_firmware(t, folder, name, why);
    else if (good)
        name_log(t);
    t->name = strrchr(t->path, '/') ? strrchr(t->path, '/') + 1 : t->path;
    if (!good)
        free(t);
    return good ? t : NULL;
}

static void asked(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    struct ocpp_transfer *t = arg;
    cJSON *answer = o == OCPP_ANSWERED ? cJSON_Parse(text) : NULL;

    t->asking = false;
    if (o != OCPP_ANSWERED || ocpp_file_refused(t->what, answer)) {
        t->over = true;
        snprintf(t->word, sizeof t->word, "Refused");
        shut(t);
    }
    cJSON_Delete(answer);
    t->done(t->arg, o, text, note);
}

void ocpp_files_begin(struct ocpp_peer *p, enum ocpp_file what, const char *name,
                      const cJSON *more, ocpp_done_fn *done, void *arg)
{
    char why[OCPP_WHY] = "no memory", url[400], now[21];
    const char *action = "";
    struct ocpp_transfer *t = NULL;
    cJSON *request;

    if (!p->link || !*p->base) {
        done(arg, OCPP_AWAY,
             p->link ? "the charger did not tell by which address it reaches us (Host)"
                     : "the charger is not connected",
             "");
        return;
    }
    t = make(p, what, name, why);
    if (!t) {
        done(arg, OCPP_BAD_CALL, why, "");
        return;
    }
    snprintf(url, sizeof url, "%s/files/%s/%s", p->base, t->token,
             what == OCPP_FIRMWARE ? name : "");
    request = p->schema->file_request(what, url, clock_format_utc(p->w->utc_s, now),
                                      ocpp_request_id(p->w, OCPP_OUR_REQUESTS), more,
                                      &action);
    ocpp_files_free(p); /* it takes the place of the one before */
    p->transfer = t;
    t->asking = true;
    t->done = done;
    t->arg = arg;
    ocpp_peer_ask(p, action, request, asked, t);
    cJSON_Delete(request);
}

/* ---- going on */

void ocpp_files_status(struct ocpp_peer *p, const char *word)
{
    struct ocpp_transfer *t = p->transfer;
    enum ocpp_progress progress = ocpp_file_progress(word);

    if (!t || t->over || strcmp(word, "Idle") == 0) {
        log_info("%s: firmware or diagnostics: %s", p->id, word);
        return;
    }
    if (strcmp(t->word, word) == 0)
        return;
    snprintf(t->word, sizeof t->word, "%s", word);
    ocpp_files_news(t, word);
    if (progress != OCPP_GOES_ON)
        shut(t);
    t->over = progress == OCPP_DONE || progress == OCPP_FAILED;
}

void ocpp_files_tick(struct ocpp_peer *p)
{
    struct ocpp_transfer *t = p->transfer;

    if (!t || t->over || p->w->now_ms < t->until_ms)
        return;
    t->over = true;
    shut(t);
    ocpp_files_news(t, "not over in time, given up");
}

void ocpp_files_text(const struct ocpp_peer *p, char *out, size_t size)
{
    const struct ocpp_transfer *t = p->transfer;
    int n;

    out[0] = '\0';
    if (!t || t->over)
        return;
    n = snprintf(out, size, "%s %.40s: %s", kinds[t->what], t->name,
                 *t->word ? t->word : "asked for");
    if (t->size > 0 && t->at > 0 && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, ", %d %%", (int)(100 * t->at / t->size));
}
