/* SPDX-License-Identifier: Apache-2.0 */
/* The OCPP server's door: what is answered to an HTTP request that wants to become a
 * WebSocket. */
#include "io/ocpp_door.h"

#include <libwebsockets.h>
#include <string.h>

#include "io/ocpp_auth.h"
#include "io/ocpp_gate.h"
#include "io/ocpp_tls.h"

bool ocpp_door_identity(struct lws *wsi, char id[OCPP_ID])
{
    char path[512];

    return lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) > 0 &&
           ocpp_auth_identity(path, id, OCPP_ID);
}

void ocpp_door_base(struct lws *wsi, char *out, size_t size)
{
    char host[128];

    out[0] = '\0';
    if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) > 0 &&
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     ".-:[]") == strlen(host))
        lws_snprintf(out, size, "http%s://%s", lws_is_ssl(wsi) ? "s" : "", host);
}

static enum ocpp_door knock(const struct ocpp_server_hooks *h, struct lws *wsi,
                            const char *id, int profile, const char **only, bool *plain)
{
    char header[512], given[384], name[OCPP_ID];
    struct ocpp_knock k = {.id = id, .profile = profile, .only = only, .plain = plain};
    int n = lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_HTTP_AUTHORIZATION);

    if (n > 6 && strncasecmp(header, "Basic ", 6) == 0)
        n = lws_b64_decode_string_len(header + 6, n - 6, given, sizeof given);
    else
        n = -1;
    if (n >= 0) {
        k.password = given;
        k.len = (size_t)n;
    }
    if (profile == 3 && ocpp_tls_name(lws_get_ssl(wsi), name, sizeof name))
        k.name = name;
    return h->knock(h->arg, &k);
}

int ocpp_door_refuse(struct lws *wsi, unsigned status)
{
    unsigned char buf[LWS_PRE + 512], *p = buf + LWS_PRE, *end = buf + sizeof buf;
    static const unsigned char ask[] = "Basic realm=\"ocpp\"";

    if (lws_add_http_header_status(wsi, status, &p, end) ||
        (status == HTTP_STATUS_UNAUTHORIZED &&
         lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE, ask,
                                      sizeof ask - 1, &p, end)) ||
        lws_add_http_header_content_length(wsi, 0, &p, end) ||
        lws_finalize_write_http_header(wsi, buf + LWS_PRE, &p, end))
        return -1;
    return 1;
}

/* No common subprotocol: the standard wants the handshake finished without the header
 * and the connection closed at once (OCPP-J, on subprotocols). libwebsockets would just
 * hang up, so it is written here. */
static int refuse_subprotocol(struct lws *wsi)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const unsigned char close_frame[] = {0x88, 0x02, 0x03, 0xea}; /* 1002 */
    char key[128 + sizeof magic], accept[40];
    unsigned char hash[20], buf[LWS_PRE + 256];
    int n = lws_hdr_copy(wsi, key, 128, WSI_TOKEN_KEY);

    if (n <= 0)
        return -1;
    strcpy(key + n, magic);
    lws_SHA1((unsigned char *)key, strlen(key), hash);
    if (lws_b64_encode_string((char *)hash, sizeof hash, accept, sizeof accept) < 0)
        return -1;
    n = lws_snprintf((char *)buf + LWS_PRE, sizeof buf - LWS_PRE,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     accept);
    memcpy(buf + LWS_PRE + n, close_frame, sizeof close_frame);
    lws_write(wsi, buf + LWS_PRE, (size_t)n + sizeof close_frame,
              LWS_WRITE_HTTP_HEADERS);
    return -1;
}

/* Its path names no charger. */
static int refuse_path(struct lws *wsi, const struct ocpp_server_hooks *h)
{
    char who[OCPP_GATE_TEXT];

    ocpp_gate_text(lws_get_socket_fd(wsi), who);
    h->refused(h->arg, who,
               "turned away: its address does not end in an identity: set it to "
               "ws://HOST:PORT/ID in the charger, ID as in the site file");
    return ocpp_door_refuse(wsi, HTTP_STATUS_NOT_FOUND);
}

int ocpp_door_upgrade(struct lws *wsi, const struct ocpp_server_hooks *h, int profile,
                      bool need_subprotocol, const struct ocpp_schema **speaks,
                      bool *plain)
{
    char id[OCPP_ID], list[256];
    const char *only = NULL;
    int n = lws_hdr_copy(wsi, list, sizeof list, WSI_TOKEN_PROTOCOL);

    if (!ocpp_door_identity(wsi, id))
        return refuse_path(wsi, h);
    switch (knock(h, wsi, id, profile, &only, plain)) {
    case OCPP_DOOR_UNKNOWN:
        return ocpp_door_refuse(wsi, HTTP_STATUS_NOT_FOUND);
    case OCPP_DOOR_PASSWORD:
        return ocpp_door_refuse(wsi, HTTP_STATUS_UNAUTHORIZED);
    case OCPP_DOOR_FORBIDDEN:
        return ocpp_door_refuse(wsi, HTTP_STATUS_FORBIDDEN);
    case OCPP_DOOR_OPEN:
        break;
    }
    *speaks = ocpp_schema_choose(n > 0 ? list : NULL, only);
    if (*speaks && (n > 0 || !need_subprotocol)) {
        *plain |= !(*speaks)->deflate;
        return 0;
    }
    h->refused(h->arg, id,
               n > 0 ? only ? "turned away: does not offer the OCPP version that the "
                              "site file wants of it (chargers[].ocpp)"
                            : "turned away: offers no subprotocol that is spoken here: "
                              "set it to " OCPP_SPOKEN
                     : "turned away: names no subprotocol: set it to " OCPP_SPOKEN
                       ", or need_subprotocol to false in the site file");
    return refuse_subprotocol(wsi);
}
