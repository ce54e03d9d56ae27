/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware out and logs in, piece by piece, on a connection of libwebsockets. One
 * request a connection. */
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/ocpp_files.h"

enum {
    PIECE = 8192,
    PIECE_S = 60,    /* for a piece to get through */
    DRAIN_MS = 5000, /* what a refused client goes on sending is read for so long, */
    DRAIN = 4 * 1024 * 1024 /* and so much of it, or it would not hear the answer */
};

/* multipart/form-data, RFC 7578, with the file in it as its first part. */
struct form {
    bool begun; /* the file is what comes now */
    size_t n;
    char head[2048]; /* what stands before it; its first line ends the file, too */
};

struct ocpp_http {
    struct ocpp_transfer *t; /* NULL = it is refused, or closed */
    int fd;
    bool in;                    /* a log comes in */
    int64_t left;               /* bytes to come or to go */
    int64_t until_ms;           /* of one that is refused */
    char part[640], final[640]; /* of a log: while it comes, and then */
    struct form *form;          /* it is a part of a form; NULL = the body as it is */
};

static const char prefix[] = "/files/";

/* ---- the address */

bool ocpp_http_token(const char *path, char token[OCPP_TOKEN])
{
    size_t n;

    if (strncmp(path, prefix, sizeof prefix - 1) != 0)
        return false;
    path += sizeof prefix - 1;
    n = strspn(path, "0123456789abcdef");
    if (n != OCPP_TOKEN - 1 || (path[n] && path[n] != '/'))
        return false;
    memcpy(token, path, n);
    token[n] = '\0';
    return true;
}

/* What a log's name ends with, out of the last part of the address: ".zip", or "". */
static void extension(const char *path, char out[12])
{
    const char *slash = strrchr(path, '/');
    const char *dot = slash ? strrchr(slash, '.') : NULL;
    size_t n = dot ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                     "XYZ0123456789")
                   : 0;

    out[0] = '\0';
    if (n > 0 && n <= 8 && !dot[1 + n])
        snprintf(out, 12, "%s", dot);
}

/* ---- answers without a body */

static int64_t told_length(struct lws *wsi)
{
    char text[24];

    if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return -1;
    return strtoll(text, NULL, 10);
}

static int say(struct lws *wsi, unsigned status)
{
    unsigned char buf[LWS_PRE + 512], *p = buf + LWS_PRE, *end = buf + sizeof buf;

    if (lws_add_http_header_status(wsi, status, &p, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"connection:",
                                    (const unsigned char *)"close", 5, &p, end) ||
        lws_add_http_header_content_length(wsi, 0, &p, end) ||
        lws_finalize_write_http_header(wsi, buf + LWS_PRE, &p, end))
        return -1;
    return 0;
}

/* ---- a connection and its file */

static void let_go(struct ocpp_http *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    if (h->in && *h->part)
        unlink(h->part); /* it was not complete */
    h->part[0] = '\0';
    free(h->form);
    h->form = NULL;
    if (h->t && h->t->user == h)
        h->t->user = NULL;
    h->t = NULL;
}

void ocpp_http_drop(struct ocpp_http *h)
{
    let_go(h);
}

void ocpp_http_closed(struct ocpp_http **h)
{
    if (*h)
        let_go(*h);
    free(*h);
    *h = NULL;
}

/* What it may still be sending is thrown away. */
static int refuse(struct lws *wsi, struct ocpp_http *h, unsigned status)
{
    bool more = h->left > 0 || told_length(wsi) > 0;

    let_go(h);
    h->left = DRAIN;
    h->until_ms = clock_ms() + DRAIN_MS;
    return say(wsi, status) != 0 || !more ? -1 : 0;
}

static int throw_away(struct ocpp_http *h, size_t len)
{
    h->left -= (int64_t)len;
    return h->left < 0 || clock_ms() > h->until_ms ? -1 : 0;
}

static struct ocpp_http *make(struct ocpp_transfer *t, bool in)
{
    struct ocpp_http *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->fd = -1;
    if (!t)
        return h;
    if (t->user)
        ocpp_http_drop(t->user); /* it tries again: the old connection is dead */
    h->in = in;
    h->t = t;
    t->user = h;
    t->at = 0;
    return h;
}

/* ---- firmware out */

static int begin_out(struct lws *wsi, struct ocpp_http *h)
{
    unsigned char buf[LWS_PRE + 512], *p = buf + LWS_PRE, *end = buf + sizeof buf;
    struct stat st;

    h->fd = open(h->t->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (h->fd < 0 || fstat(h->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        ocpp_files_news(h->t, "it cannot be read any more");
        return refuse(wsi, h, HTTP_STATUS_NOT_FOUND);
    }
    h->left = h->t->size = st.st_size;
    if (lws_add_http_header_status(wsi, HTTP_STATUS_OK, &p, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"content-type:",
                                    (const unsigned char *)"application/octet-stream",
                                    24, &p, end) ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)"connection:",
                                    (const unsigned char *)"close", 5, &p, end) ||
        lws_add_http_header_content_length(wsi, (lws_filepos_t)st.st_size, &p, end) ||
        lws_finalize_write_http_header(wsi, buf + LWS_PRE, &p, end))
        return -1;
    ocpp_files_news(h->t, "is being fetched");
    if (h->left == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0)
        return -1;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_S);
    lws_callback_on_writable(wsi);
    return 0;
}

int ocpp_http_writable(struct lws *wsi, struct ocpp_http *h)
{
    unsigned char buf[LWS_PRE + PIECE];
    ssize_t n;
    bool last;

    if (!h || !h->t || h->in)
        return -1;
    n = read(h->fd, buf + LWS_PRE, h->left < PIECE ? (size_t)h->left : PIECE);
    if (n <= 0) {
        ocpp_files_news(h->t, "it cannot be read any more");
        return -1;
    }
    last = n == h->left;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_S);
    if (lws_write(wsi, buf + LWS_PRE, (size_t)n,
                  last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)n)
        return -1;
    h->left -= n;
    h->t->at += n;
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    ocpp_files_news(h->t, "all of it has been sent");
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* ---- a log in */

/* Room for it, and then as much again as must stay free. */
static bool has_room(const char *folder, int64_t size)
{
    struct statvfs fs;

    return statvfs(folder, &fs) == 0 &&
           (int64_t)fs.f_bavail * (int64_t)fs.f_frsize >= size + OCPP_FILE_SPARE;
}

static bool is_form(struct lws *wsi)
{
    char text[200];

    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_TYPE) > 0 &&
           strncasecmp(text, "multipart/form-data", 19) == 0;
}

/* How many bytes of a piece stand before the file; -1 = it is no such form. */
static ssize_t unwrap(struct form *f, const char *p, size_t len)
{
    size_t before = f->n, room = sizeof f->head - 1 - f->n;
    const char *end;

    if (f->begun)
        return 0;
    memcpy(f->head + f->n, p, len < room ? len : room);
    f->n += len < room ? len : room;
    f->head[f->n] = '\0';
    end = strstr(f->head, "\r\n\r\n");
    if (!end)
        return f->n < sizeof f->head - 1 ? (ssize_t)len : -1;
    f->begun = strncmp(f->head, "--", 2) == 0;
    f->head[strcspn(f->head, "\r")] = '\0';
    return f->begun ? end + 4 - f->head - (ssize_t)before : -1;
}

/* Cuts off what stands behind the file: the line of before, and parts of which we do
 * not know. */
static bool cut_off(const struct form *f, int fd)
{
    char line[sizeof f->head + 2], tail[4096];
    off_t size = lseek(fd, 0, SEEK_END), at = size > 4096 ? size - 4096 : 0;
    ssize_t n = pread(fd, tail, sizeof tail, at);
    const char *end;

    snprintf(line, sizeof line, "\r\n%s", f->head);
    end = n > 0 ? memmem(tail, (size_t)n, line, strlen(line)) : NULL;
    return f->begun && end && ftruncate(fd, at + (end - tail)) == 0;
}

static int begin_in(struct lws *wsi, struct ocpp_http *h, const char *path)
{
    char folder[600], end[12];

    h->left = told_length(wsi);
    if (h->left <= 0) {
        ocpp_files_news(h->t, "refused, its length is not told beforehand");
        return refuse(wsi, h, HTTP_STATUS_LENGTH_REQUIRED);
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(h->t->name - h->t->path), h->t->path);
    if (h->left > OCPP_FILE_MOST || !has_room(folder, h->left)) {
        bool large = h->left > OCPP_FILE_MOST;

        ocpp_files_news(h->t, large ? "refused, it is larger than 256 MiB"
                                    : "refused, the disk is too full for it");
        return refuse(wsi, h, large ? 413 : 507);
    }
    extension(path, end);
    snprintf(h->final, sizeof h->final, "%s%s", h->t->path, end);
    snprintf(h->part, sizeof h->part, "%s.part", h->t->path);
    unlink(h->part); /* of a connection that was lost */
    h->fd = open(h->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (h->fd < 0) {
        log_warn("%s: cannot be written", h->part);
        h->part[0] = '\0';
        ocpp_files_news(h->t, "refused, the folder cannot be written to");
        return refuse(wsi, h, HTTP_STATUS_INTERNAL_SERVER_ERROR);
    }
    if (is_form(wsi))
        h->form = calloc(1, sizeof *h->form);
    h->t->size = h->left;
    ocpp_files_news(h->t, "is coming");
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_S);
    return 0;
}

int ocpp_http_body(struct lws *wsi, struct ocpp_http *h, const void *in, size_t len)
{
    const char *p = in;
    ssize_t skip = 0;

    if (h && !h->t)
        return throw_away(h, len);
    if (!h || !h->in || h->fd < 0 || (int64_t)len > h->left)
        return -1;
    if (h->form)
        skip = unwrap(h->form, p, len);
    if (skip < 0) {
        ocpp_files_news(h->t, "refused, it is no form that is understood");
        return refuse(wsi, h, HTTP_STATUS_BAD_REQUEST);
    }
    p += skip;
    len -= (size_t)skip;
    h->left -= skip;
    h->t->at += skip;
    while (len > 0) {
        ssize_t n = write(h->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            ocpp_files_news(h->t, errno == ENOSPC || errno == EDQUOT
                                      ? "broken off, the disk is full"
                                      : "broken off, it cannot be written");
            return refuse(wsi, h, 507);
        }
        p += n;
        len -= (size_t)n;
        h->left -= n;
        h->t->at += n;
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_S);
    return 0;
}

int ocpp_http_body_end(struct lws *wsi, struct ocpp_http *h)
{
    struct stat st;
    char text[800];

    if (!h || !h->t || h->left > 0)
        return -1;
    if (h->form && !cut_off(h->form, h->fd)) {
        ocpp_files_news(h->t, "refused, it is no form that is understood");
        say(wsi, HTTP_STATUS_BAD_REQUEST);
        return -1;
    }
    if (fstat(h->fd, &st) != 0 || close(h->fd) != 0 || rename(h->part, h->final) != 0) {
        h->fd = -1;
        ocpp_files_news(h->t, "broken off, it cannot be written");
        say(wsi, 507);
        return -1;
    }
    h->fd = -1;
    h->part[0] = '\0';
    snprintf(text, sizeof text, "%lld bytes are in %s", (long long)st.st_size,
             h->final);
    ocpp_files_news(h->t, text);
    say(wsi, HTTP_STATUS_OK);
    return -1;
}

/* ---- the request */

int ocpp_http_begin(struct lws *wsi, struct ocpp_http **h, struct ocpp_transfer *t)
{
    bool put = lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI) > 0;
    bool post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0 ||
               lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    char path[512] = "";
    bool fits;

    fits = t && (t->what == OCPP_FIRMWARE ? get : put || post);
    *h = make(fits ? t : NULL, put || post);
    if (!*h)
        return -1;
    if (!fits)
        return refuse(wsi, *h,
                      t ? HTTP_STATUS_METHOD_NOT_ALLOWED : HTTP_STATUS_NOT_FOUND);
    if (put || post)
        lws_hdr_copy(wsi, path, sizeof path,
                     put ? WSI_TOKEN_PUT_URI : WSI_TOKEN_POST_URI);
    return put || post ? begin_in(wsi, *h, path) : begin_out(wsi, *h);
}
