/* SPDX-License-Identifier: Apache-2.0 */
/* The site as a whole and the neighbours of struct config: OCPP, MQTT, history, ... */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "config/build.h"
#include "policy.h"

/* "Lindenhof 12" is lindenhof_12 on MQTT. */
static const char *site_id(struct conf_build *b, const char *name)
{
    char *id = conf_sanitise(b->l, name), *to = id;

    for (const char *p = id; *p; p++)
        if (*p != '_' || (to > id && to[-1] != '_'))
            *to++ = (char)tolower((unsigned char)*p);
    while (to > id && to[-1] == '_')
        to--;
    *to = '\0';
    id[strlen(id) > 48 ? 48 : strlen(id)] = '\0';
    return *id ? id : "site";
}

static void check_zone(struct conf_build *b, const struct conf_item *site)
{
    static const char folder[] = "/usr/share/zoneinfo";

    if (!conf_given(site, K_SITE_TIMEZONE) || access(folder, X_OK) < 0)
        return;
    const char *zone = conf_value(site, K_SITE_TIMEZONE)->is.text;
    if (strstr(zone, "..") ||
        access(conf_printf(b->l->arena, "%s/%s", folder, zone), R_OK) < 0)
        conf_warn(b->l, conf_at(site, K_SITE_TIMEZONE),
                  "timezone: this machine knows no time zone '%s'", zone);
}

static void build_site(struct conf_build *b)
{
    const struct conf_item *site = conf_value(b->top, K_SITE)->is.section;

    conf_store(site, b->c);
    conf_store(conf_value(b->top, K_SOLAR)->is.section, b->c);
    if (!b->c->site_id && b->c->site.name)
        b->c->site_id = site_id(b, b->c->site.name);
    check_zone(b, site);
}

static void check_readable(struct conf_build *b, const struct conf_item *i,
                           enum conf_key_id k)
{
    if (conf_given(i, k) && access(conf_value(i, k)->is.text, R_OK) < 0)
        conf_bad(b->l, conf_at(i, k), "%s: cannot read '%.120s': %m",
                 conf_key_name(&conf_keys[k]), conf_value(i, k)->is.text);
    else if (conf_given(i, k) &&
             (k == K_OCPP_KEY || k == K_OCPP_SECOND_KEY || k == K_MQTT_KEY))
        conf_warn_open(b->l, conf_at(i, k), conf_key_name(&conf_keys[k]),
                       conf_value(i, k)->is.text);
}

/* Files of TLS: for the ports that need them, and only with those. */
static void check_tls(struct conf_build *b, const struct conf_item *o)
{
    static const enum conf_key_id files[] = {K_OCPP_CERT, K_OCPP_KEY, K_OCPP_CLIENT_CA};
    bool mtls = conf_given(o, K_OCPP_LISTEN_MTLS);
    bool tls = mtls || conf_given(o, K_OCPP_LISTEN_TLS);
    const struct conf_node *port =
        conf_at(o, mtls ? K_OCPP_LISTEN_MTLS : K_OCPP_LISTEN_TLS);

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool needed = files[i] == K_OCPP_CLIENT_CA ? mtls : tls;
        const char *name = conf_key_name(&conf_keys[files[i]]);

        if (needed && conf_value(o, files[i])->state == CONF_ABSENT)
            conf_bad(b->l, port, "%s: needs a '%s', too",
                     mtls ? "listen_mtls" : "listen_tls", name);
        else if (!needed && conf_given(o, files[i]))
            conf_bad(b->l, conf_at(o, files[i]), "%s: has no use without a '%s'", name,
                     files[i] == K_OCPP_CLIENT_CA ? "listen_mtls" : "listen_tls");
        check_readable(b, o, files[i]);
    }
    if (conf_given(o, K_OCPP_SECOND_CERT) != conf_given(o, K_OCPP_SECOND_KEY))
        conf_bad(b->l,
                 conf_at(o, conf_given(o, K_OCPP_SECOND_CERT) ? K_OCPP_SECOND_CERT
                                                              : K_OCPP_SECOND_KEY),
                 "second_cert_file and second_key_file need each other");
    check_readable(b, o, K_OCPP_SECOND_CERT);
    check_readable(b, o, K_OCPP_SECOND_KEY);
    if (tls && !conf_given(o, K_OCPP_LISTEN))
        b->c->ocpp.host = NULL;
}

static void check_unknown_tags(struct conf_build *b, const struct conf_item *o)
{
    const struct policy *policy = b->c->site.policy;

    if (!conf_given(o, K_OCPP_UNKNOWN))
        return;
    if (b->c->ocpp.accept_all_tags)
        conf_warn(b->l, conf_at(o, K_OCPP_UNKNOWN),
                  "unknown_tags: has no effect without a list of tags");
    else if (b->c->ocpp.unknown_tags == CONF_LOW && policy &&
             strcmp(policy->name, "priority") != 0)
        conf_warn(b->l, conf_at(o, K_OCPP_UNKNOWN),
                  "unknown_tags: low has an effect under the policy priority only");
}

static void check_price(struct conf_build *b, const struct conf_item *o)
{
    for (int i = 0; b->c->price_cents == 0 && i < b->c->ocpp.n_tags; i++)
        if (b->c->ocpp.tags[i].most.milli > 0) {
            conf_warn(b->l, conf_at(o, K_OCPP_TAGS),
                      "tags: the max_cost of '%.40s' needs a site.price",
                      b->c->ocpp.tags[i].id);
            return;
        }
}

static void build_ocpp(struct conf_build *b)
{
    const struct conf_item *o = conf_value(b->top, K_OCPP)->is.section;

    conf_store(o, b->c);
    conf_build_tags(b, o);
    check_unknown_tags(b, o);
    check_price(b, o);
    if (b->c->ocpp.files && access(b->c->ocpp.files, X_OK) < 0)
        conf_warn(b->l, conf_at(o, K_OCPP_FILES), "files: cannot enter '%.120s': %m",
                  b->c->ocpp.files);
    check_tls(b, o);
    if (!o->at && b->c->site.n_chargers == 0)
        b->c->ocpp.host = NULL;
}

static void build_mqtt(struct conf_build *b, const struct conf_item *m)
{
    struct config *c = b->c;

    conf_store(m, c);
    c->mqtt.password = conf_secret(b->l, m, K_MQTT_PASSWORD, K_MQTT_PASSWORD_FILE);
    if (conf_value(m, K_MQTT_TLS)->state == CONF_ABSENT)
        c->mqtt.tls = c->mqtt.ca_file != NULL;
    else if (conf_given(m, K_MQTT_TLS) && !c->mqtt.tls && c->mqtt.ca_file)
        conf_bad(b->l, conf_at(m, K_MQTT_CA), "ca_file: has no use with tls: false");
    if (c->mqtt.port == 0)
        c->mqtt.port = c->mqtt.tls ? 8883 : 1883;
    if (!c->mqtt.client_id && c->site_id)
        c->mqtt.client_id = conf_printf(b->l->arena, "chargehand-%s", c->site_id);
    if (!c->mqtt.cert_file != !c->mqtt.key_file)
        conf_bad(b->l, conf_at(m, c->mqtt.cert_file ? K_MQTT_CERT : K_MQTT_KEY),
                 "cert_file and key_file need each other");
    if (c->mqtt.password && !c->mqtt.user)
        conf_bad(b->l, m->at, "mqtt: a password needs a 'user'");
    check_readable(b, m, K_MQTT_CA);
    check_readable(b, m, K_MQTT_CERT);
    check_readable(b, m, K_MQTT_KEY);
}

void conf_build_services(struct conf_build *b)
{
    static const enum conf_key_id plain[] = {K_HISTORY, K_HTTP, K_JOURNAL};
    const struct conf_item *mqtt = conf_value(b->top, K_MQTT)->is.section;

    build_site(b);
    build_ocpp(b);
    if (mqtt)
        build_mqtt(b, mqtt);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (conf_value(b->top, plain[i])->is.section)
            conf_store(conf_value(b->top, plain[i])->is.section, b->c);
}
