/* SPDX-License-Identifier: Apache-2.0 */
/* A charger's firmware that it fetches from us, or a log that it sends us, over HTTP on
 * the port it is connected to. A person begins it; as long as it goes on there is an
 * address for it that nobody can guess.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_FILES_H
#define IO_OCPP_FILES_H

#include "io/ocpp.h"
#include "proto/ocpp_told.h"

struct ocpp_peer;
struct ocpp_http;

enum {
    OCPP_FILE_MOST = 256 * 1024 * 1024, /* bytes of a log */
    OCPP_FILE_SPARE = 64 * 1024 * 1024, /* bytes of the disk that stay free */
    OCPP_FILE_LOG_S = 3600,             /* for a log to come */
    OCPP_FILE_FIRMWARE_S = 7 * 86400,   /* for a firmware to be fetched and installed */
    OCPP_TOKEN = 33
};

struct ocpp_transfer {
    struct ocpp_peer *peer;
    enum ocpp_file what;
    char token[OCPP_TOKEN]; /* in its address; "" = closed */
    char path[600];         /* of the firmware; of the log, without its extension */
    const char *name;       /* the last part of it */
    char word[48];          /* the charger's last status */
    int64_t size, at;       /* bytes in all, -1 = not known; moved so far */
    int64_t until_ms;
    bool over;
    bool asking; /* the call that begins it has not been answered */
    ocpp_done_fn *done;
    void *arg;
    struct ocpp_http *user; /* the connection that moves it */
};

void ocpp_files_begin(struct ocpp_peer *p, enum ocpp_file what, const char *name,
                      const cJSON *more, ocpp_done_fn *done, void *arg);
/* The charger tells how far it is. */
void ocpp_files_status(struct ocpp_peer *p, const char *word);
void ocpp_files_text(const struct ocpp_peer *p, char *out, size_t size);
void ocpp_files_tick(struct ocpp_peer *p);
void ocpp_files_free(struct ocpp_peer *p);
/* Removes what a controller that was killed has left of logs that were coming in. */
void ocpp_files_clean(const char *folder);
/* A path in the folder of the site file for something of this charger; what its
 * identity has that names of files should not becomes "_". */
void ocpp_files_path(const struct ocpp_peer *p, const char *rest, char *out,
                     size_t size);
/* Something about it for people. */
void ocpp_files_news(const struct ocpp_transfer *t, const char *text);

/* A request for /files/TOKEN or /files/TOKEN/NAME; the results are those of a
 * libwebsockets callback. `t` is the transfer of that token or NULL. */
struct lws;
bool ocpp_http_token(const char *path, char token[OCPP_TOKEN]);
int ocpp_http_begin(struct lws *wsi, struct ocpp_http **h, struct ocpp_transfer *t);
int ocpp_http_body(struct lws *wsi, struct ocpp_http *h, const void *in, size_t len);
int ocpp_http_body_end(struct lws *wsi, struct ocpp_http *h);
int ocpp_http_writable(struct lws *wsi, struct ocpp_http *h);
void ocpp_http_closed(struct ocpp_http **h);
/* It moves nothing any more. */
void ocpp_http_drop(struct ocpp_http *h);

#endif
