/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed messages: the terms, packing, unpacking. */
#include "io/ocpp_deflate.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "io/ocpp_link.h"

enum {
    BITS = 12,   /* what we pack refers to at most 4 kB before */
    MEMORY = 5,  /* of zlib's 9 */
    WORTH = 512, /* shorter messages gain nothing: they fit into one packet anyway */
    RSV1 = 0x40
};

struct ocpp_deflate {
    z_stream in, out;
    char text[OCPP_FRAME_MAX + 1];
};

/* What ends each packed message and is not sent (RFC 7692 section 7.2.1). */
static const unsigned char tail[] = {0x00, 0x00, 0xff, 0xff};

struct ocpp_deflate *ocpp_deflate_new(void)
{
    struct ocpp_deflate *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    if (inflateInit2(&d->in, -MAX_WBITS) != Z_OK) {
        free(d);
        return NULL;
    }
    if (deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -BITS, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        inflateEnd(&d->in);
        free(d);
        return NULL;
    }
    return d;
}

void ocpp_deflate_free(struct ocpp_deflate *d)
{
    if (!d)
        return;
    inflateEnd(&d->in);
    deflateEnd(&d->out);
    free(d);
}

/* ---- the terms ---- */

static int on_extension(struct lws_context *context, const struct lws_extension *ext,
                        struct lws *wsi, enum lws_extension_callback_reasons reason,
                        void *user, void *in, size_t len)
{
    static const struct lws_ext_options none[] = {{NULL, EXTARG_NONE}};
    const struct ocpp_link *c = lws_wsi_user(wsi);
    const struct lws_tokens *frame = in;

    (void)context;
    (void)ext;
    (void)user;
    (void)len;
    if (reason == LWS_EXT_CB_CONSTRUCT)
        *(const struct lws_ext_options **)in = none; /* ocpp_deflate_terms() has them */
    else if (reason == LWS_EXT_CB_PACKET_TX_PRESEND && c && c->sends_packed &&
             frame->token)
        frame->token[0] |= RSV1;
    return 0;
}

static const char extension_name[] = "permessage-deflate";

const struct lws_extension *ocpp_deflate_extension(void)
{
    static const struct lws_extension list[] = {{extension_name, on_extension, ""},
                                                {NULL, NULL, NULL}};

    return list;
}

/* The next text up to one of `ends`, without blanks around it; *at is left there. */
static bool next(const char **at, const char *ends, char *out, size_t size)
{
    size_t n;

    *at += strspn(*at, " \t");
    n = strcspn(*at, ends);
    if (n >= size)
        return false;
    memcpy(out, *at, n);
    *at += n;
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    out[n] = '\0';
    return true;
}

/* "12" or "\"12\"" */
static bool is_window(const char *value, int least)
{
    int bits = atoi(value + (*value == '"'));

    return bits >= least && bits <= 15;
}

/* A term that is not known is one that cannot be kept. */
static bool can_keep(const char *name, const char *value, bool *bits)
{
    if (strcmp(name, "server_no_context_takeover") == 0 ||
        strcmp(name, "client_no_context_takeover") == 0)
        return !*value;
    if (strcmp(name, "client_max_window_bits") == 0)
        return !*value || is_window(value, 8);
    *bits = true;
    return strcmp(name, "server_max_window_bits") == 0 && is_window(value, BITS);
}

bool ocpp_deflate_fits(const char *at, bool *bits)
{
    char name[64], value[16];
    bool terms = false;

    *bits = false;
    if (!next(&at, ";,", name, sizeof name) || strcmp(name, extension_name) != 0)
        return false;
    while (*at == ';') {
        at++;
        value[0] = '\0';
        if (!next(&at, "=;,", name, sizeof name))
            return false;
        if (*at == '=' && (at++, !next(&at, ";,", value, sizeof value)))
            return false;
        if (!can_keep(name, value, bits))
            return false;
        terms = true;
    }
    /* a second offer after one without terms is one too many for libwebsockets */
    return terms || !*at;
}

bool ocpp_deflate_wanted(struct lws *wsi, bool *bits)
{
    char offer[256];

    return lws_hdr_copy(wsi, offer, sizeof offer, WSI_TOKEN_EXTENSIONS) > 0 &&
           ocpp_deflate_fits(offer, bits);
}

/* The name of the extension was written last, and the end of its line. */
void ocpp_deflate_terms(struct lws_process_html_args *head, bool bits)
{
    head->p -= 2;
    head->p += lws_snprintf(head->p, 120,
                            "; server_no_context_takeover"
                            "; client_no_context_takeover");
    if (bits)
        head->p += lws_snprintf(head->p, 40, "; server_max_window_bits=%d", BITS);
    head->p += lws_snprintf(head->p, 3, "\r\n");
}

/* ---- messages ---- */

size_t ocpp_deflate_pack(struct ocpp_deflate *d, const void *text, size_t len,
                         unsigned char *out)
{
    size_t n;

    if (len < WORTH || deflateReset(&d->out) != Z_OK)
        return 0;
    d->out.next_in = text;
    d->out.avail_in = (uInt)len;
    d->out.next_out = out;
    d->out.avail_out = (uInt)len;
    if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_out == 0)
        return 0;
    n = len - d->out.avail_out;
    return n > sizeof tail ? n - sizeof tail : 0;
}

/* False: it is no packed message. */
static bool feed(z_stream *z, const void *in, size_t n)
{
    int result;

    z->next_in = in;
    z->avail_in = (uInt)n;
    result = inflate(z, Z_SYNC_FLUSH);
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

enum ocpp_unpacked ocpp_deflate_unpack(struct ocpp_deflate *d, const void *in, size_t n,
                                       char **text, size_t *len)
{
    d->in.next_out = (unsigned char *)d->text;
    d->in.avail_out = sizeof d->text;
    if (inflateReset(&d->in) != Z_OK || !feed(&d->in, in, n) ||
        !feed(&d->in, tail, sizeof tail))
        return OCPP_UNPACK_BAD;
    *text = d->text;
    *len = sizeof d->text - d->in.avail_out;
    return d->in.avail_out == 0 ? OCPP_UNPACK_LONG : OCPP_UNPACKED;
}
