/* SPDX-License-Identifier: Apache-2.0 */
/* What chargers tell of their security: events, and requests for a certificate. We are
 * no certificate authority: a request is laid down for the one who is, and what he has
 * signed goes back by hand (CertificateSigned). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log.h"
#include "io/ocpp_peer.h"

enum { AGAIN_MS = 60000, SIGN_AGAIN_MS = 10000 };

void ocpp_security_event(struct ocpp_peer *p, const char *type, const char *info)
{
    bool same =
        strcmp(p->security, type) == 0 && p->w->now_ms - p->security_ms < AGAIN_MS;
    char text[200];

    snprintf(text, sizeof text, "%s%s%s", type, *info ? ": " : "", info);
    if (same || !ocpp_ration_has(p, &p->security_news)) {
        log_debug("%s: security event %s", p->id, text);
        return; /* it may repeat it as fast as it likes */
    }
    snprintf(p->security, sizeof p->security, "%s", type);
    p->security_ms = p->w->now_ms;
    ocpp_news(p, "warning", "security", text);
}

/* A PEM of a request and nothing else. */
static bool is_request(const char *pem)
{
    static const char begin[] = "-----BEGIN ", end[] = "CERTIFICATE REQUEST-----";
    const char *first = strstr(pem, end);

    return strncmp(pem, begin, sizeof begin - 1) == 0 && first &&
           strcspn(pem, "\r\n") == (size_t)(first - pem) + sizeof end - 1;
}

static bool write_file(const char *path, const char *text)
{
    size_t n = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good;
}

bool ocpp_security_sign(struct ocpp_peer *p, const char *pem)
{
    char path[600], part[620], text[800];

    if (!p->w->conf->ocpp.files || !is_request(pem) ||
        (p->signed_ms && p->w->now_ms - p->signed_ms < SIGN_AGAIN_MS))
        return false;
    p->signed_ms = p->w->now_ms;
    ocpp_files_path(p, "certificate.csr", path, sizeof path);
    snprintf(part, sizeof part, "%s.part", path);
    unlink(part);
    if (!write_file(part, pem) || rename(part, path) != 0) {
        log_warn("%s: cannot be written", path);
        unlink(part);
        return false;
    }
    snprintf(text, sizeof text,
             "asks for a certificate: sign %.500s and send it by CertificateSigned",
             path);
    ocpp_news(p, "info", "security", text);
    return true;
}
