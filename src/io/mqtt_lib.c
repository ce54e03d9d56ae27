/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for libmosquitto, and its codes in words. */
#include "io/mqtt_lib.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <mosquitto.h>

#include "io/log.h"

static bool readable(const char *key, const char *file)
{
    if (!file || access(file, R_OK) == 0)
        return true;
    log_warn("mqtt.%s: %s", key, file);
    return false;
}

bool mqtt_lib_tls(struct mosquitto *lib, const struct config *c)
{
    int rc;

    if (!c->mqtt.tls && !c->mqtt.ca_file)
        return true;
    if (!readable("ca_file", c->mqtt.ca_file) ||
        !readable("cert_file", c->mqtt.cert_file) ||
        !readable("key_file", c->mqtt.key_file))
        return false;
    if (c->mqtt.ca_file) {
        rc = mosquitto_tls_set(lib, c->mqtt.ca_file, NULL, c->mqtt.cert_file,
                               c->mqtt.key_file, NULL);
    } else {
        rc = mosquitto_int_option(lib, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
        if (rc == MOSQ_ERR_SUCCESS && c->mqtt.cert_file)
            rc = mosquitto_tls_set(lib, NULL, "/etc/ssl/certs", c->mqtt.cert_file,
                                   c->mqtt.key_file, NULL);
    }
    if (rc == MOSQ_ERR_SUCCESS) /* peer verified; 1.2 is the oldest one allowed */
        rc = mosquitto_tls_opts_set(lib, 1, "tlsv1.2", NULL);
    if (rc != MOSQ_ERR_SUCCESS)
        log_errorx("mqtt: TLS cannot be set up: %s", mosquitto_strerror(rc));
    return rc == MOSQ_ERR_SUCCESS;
}

void mqtt_lib_explain(int rc, int error, char out[MQTT_CAUSE])
{
    switch (rc) {
    case MOSQ_ERR_ERRNO:
        if (error == ECONNREFUSED)
            snprintf(out, MQTT_CAUSE, "no broker listens there (connection refused)");
        else if (error == EPROTO)
            snprintf(out, MQTT_CAUSE, "the TLS handshake failed");
        else
            snprintf(out, MQTT_CAUSE, "%s", strerror(error));
        break;
    case MOSQ_ERR_TLS:
    case MOSQ_ERR_TLS_HANDSHAKE:
        snprintf(
            out, 160,
            "TLS failed: check ca_file, the broker's certificate (name, dates) and "
            "this machine's clock");
        break;
    case MOSQ_ERR_EAI:
    case MOSQ_ERR_LOOKUP:
        snprintf(out, MQTT_CAUSE, "the host name cannot be resolved");
        break;
    case MOSQ_ERR_KEEPALIVE:
        snprintf(out, MQTT_CAUSE, "the broker does not answer any more");
        break;
    case MOSQ_ERR_SUCCESS:
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_NO_CONN:
        snprintf(out, MQTT_CAUSE, "the connection was lost");
        break;
    default:
        snprintf(out, MQTT_CAUSE, "%s", mosquitto_strerror(rc));
        break;
    }
}
