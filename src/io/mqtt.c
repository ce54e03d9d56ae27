/* SPDX-License-Identifier: Apache-2.0 */
/* Talks to the MQTT broker in a thread of its own.
 *
 * The thread is ours and calls mosquitto_loop() itself. mosquitto_loop_start()'s thread
 * ends for good, and without a word, when a TLS handshake fails (eclipse-mosquitto
 * issues 2825 and 3258), and mosquitto_connect_async() looks the host's name up in the
 * caller's thread, which must not wait for a name server.
 *
 * Everything but birth and last will goes out with QoS 0: within a connection TCP
 * loses nothing, and after a lost one the caller says all that is retained again. So
 * the library never holds back messages of an earlier connection, and one counter
 * bounds what is queued. */
#include "io/mqtt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <mosquitto.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/mqtt_lib.h"
#include "proto/mqtt_doc.h"
#include "proto/utf8.h"

enum {
    KEEPALIVE_S = 30,
    ANSWER_MS = 15000, /* for the broker's answer to our greeting, TLS counted */
    STEADY_MS = 10000, /* a connection that lasts less is a short one */
    FLAPPING = 2,      /* after so many short ones a new one is no good news at once */
    TURN_MS = 500,     /* the thread looks up at least so often */
    DELAY_MS = 1000,   /* before the first new attempt, then twice as long each time */
    DELAY_MAX_MS = 60000,
    QUEUE = 1000,    /* messages on their way out at most */
    LEAVE_MS = 1000, /* for a good-bye */
    COMMANDS = 256,  /* that may come at once; they must not crowd out the meters */
    COMMANDS_PER_S = 50
};

struct mqtt {
    struct mosquitto *lib;
    struct inbox *inbox;
    char *host;
    int port;
    char who[48]; /* "host:port" */
    char status[MQTT_TOPIC], result[MQTT_TOPIC];
    char subscriptions[3][MQTT_TOPIC];
    int n_subscriptions;
    pthread_t thread;
    pthread_mutex_t lock; /* for stop, done, left, the inbox, and meters */
    pthread_cond_t turn;
    struct mqtt_meters *meters; /* NULL = none; borrowed */
    bool stop;                  /* mqtt_free() has been called: the inbox is no more */
    bool done;                  /* the thread has ended */
    bool left; /* mqtt_free() did not wait: the thread frees the rest */
    int64_t stop_ms;
    atomic_bool connected;
    atomic_uint births;
    atomic_int queued;
    atomic_ullong dropped;
    /* the thread's own */
    bool told, deaf_told, meters_deaf_told;
    int meters_mid;           /* of the subscription to meters */
    int shorts;               /* connections in a row that did not last */
    int64_t since_ms;         /* of the connection; INT64_MIN = not yet accepted */
    char cause[MQTT_CAUSE];   /* last told */
    char refusal[MQTT_CAUSE]; /* the broker's answer to the greeting, "" = none */
    int error;                /* errno that belongs to the library's last answer */
    int64_t tokens_ms;        /* room for commands, in milliseconds of COMMANDS_PER_S */
    int64_t tokens_at_ms;
    bool flooded;
};

static bool stopped(struct mqtt *m)
{
    bool stop;

    pthread_mutex_lock(&m->lock);
    stop = m->stop;
    pthread_mutex_unlock(&m->lock);
    return stop;
}

static void tell(struct mqtt *m, bool begins, const char *who, const char *text)
{
    pthread_mutex_lock(&m->lock);
    if (!m->stop)
        inbox_trouble(m->inbox, begins, "mqtt", who, "%s", text);
    pthread_mutex_unlock(&m->lock);
}

/* Once at the begin; another cause in between is worth a line, not a new trouble. */
static void trouble(struct mqtt *m, const char *cause)
{
    if (!m->told)
        tell(m, true, m->who, cause);
    else if (!stopped(m) && strcmp(cause, m->cause) != 0)
        log_info("mqtt %s: %s", m->who, cause);
    m->told = true;
    snprintf(m->cause, sizeof m->cause, "%s", cause);
}

static void relief(struct mqtt *m)
{
    if (m->told)
        tell(m, false, m->who, "connected");
    m->told = false;
    m->cause[0] = '\0';
}

/* With the lock. QoS 0: what comes late is of no use. */
static void subscribe_meters(struct mqtt *m, bool on)
{
    const char *const *topics;
    int n = m->meters ? mqtt_meters_topics(m->meters, &topics) : 0;

    if (n > 0 && on)
        mosquitto_subscribe_multiple(m->lib, &m->meters_mid, n, (char *const *)topics,
                                     0, 0, NULL);
    else if (n > 0)
        mosquitto_unsubscribe_multiple(m->lib, NULL, n, (char *const *)topics, NULL);
}

/* ---- what the library calls, all in our thread ---- */

static void on_connect(struct mosquitto *lib, void *arg, int code)
{
    char *topics[3];
    struct mqtt *m = arg;

    if (code != 0) {
        snprintf(m->refusal, sizeof m->refusal, "%s",
                 code == 4 || code == 5
                     ? "the broker refuses the login: check user and password"
                     : mosquitto_connack_string(code));
        return;
    }
    for (int i = 0; i < m->n_subscriptions; i++)
        topics[i] = m->subscriptions[i];
    atomic_store(&m->queued, 0);
    mosquitto_subscribe_multiple(lib, NULL, m->n_subscriptions, topics, 1, 0, NULL);
    pthread_mutex_lock(&m->lock);
    subscribe_meters(m, true);
    pthread_mutex_unlock(&m->lock);
    mosquitto_publish(lib, NULL, m->status, 6, "online", 1, true);
    m->since_ms = clock_ms();
    atomic_fetch_add(&m->births, 1); /* first: who sees the connection sees its birth */
    atomic_store(&m->connected, true);
    if (m->shorts < FLAPPING)
        relief(m);
}

static void on_disconnect(struct mosquitto *lib, void *arg, int code)
{
    struct mqtt *m = arg;

    (void)lib;
    (void)code;
    atomic_store(&m->connected, false);
}

static void on_publish(struct mosquitto *lib, void *arg, int mid)
{
    struct mqtt *m = arg;

    (void)lib;
    (void)mid;
    if (atomic_fetch_sub(&m->queued, 1) <= 0)
        atomic_store(&m->queued, 0);
}

/* A broker whose access list forbids a subscription answers 0x80. */
static void on_subscribe(struct mosquitto *lib, void *arg, int mid, int n,
                         const int *granted)
{
    struct mqtt *m = arg;
    bool deaf = false, meters, *told;

    (void)lib;
    pthread_mutex_lock(&m->lock);
    meters = mid == m->meters_mid;
    pthread_mutex_unlock(&m->lock);
    told = meters ? &m->meters_deaf_told : &m->deaf_told;
    for (int i = 0; i < n; i++)
        deaf = deaf || granted[i] > 2;
    if (deaf && !*told)
        tell(m, true, meters ? "meters" : "commands",
             "the broker does not let us subscribe to them: check its access list");
    else if (!deaf && *told)
        tell(m, false, meters ? "meters" : "commands", "subscribed to");
    *told = deaf;
}

static void refuse(struct mqtt *m, const char *topic, const char *error)
{
    char *text = mqtt_doc_refused(topic, error, NULL);

    if (text && atomic_load(&m->queued) < QUEUE) {
        atomic_fetch_add(&m->queued, 1);
        mosquitto_publish(m->lib, NULL, m->result, (int)strlen(text), text, 0, false);
    }
    free(text);
}

/* Takes one command out of the allowance, which fills up again with time. */
static bool allowed(struct mqtt *m)
{
    const int64_t most_ms = COMMANDS * 1000 / COMMANDS_PER_S;
    int64_t now_ms = clock_ms();

    m->tokens_ms += now_ms - m->tokens_at_ms;
    m->tokens_at_ms = now_ms;
    if (m->tokens_ms >= most_ms) {
        m->tokens_ms = most_ms;
        m->flooded = false;
    }
    if (m->tokens_ms >= 1000 / COMMANDS_PER_S) {
        m->tokens_ms -= 1000 / COMMANDS_PER_S;
        return true;
    }
    if (!m->flooded)
        log_warnx("mqtt %s: more than %d commands a second, the rest is dropped",
                  m->who, COMMANDS_PER_S);
    m->flooded = true;
    return false;
}

static void on_message(struct mosquitto *lib, void *arg,
                       const struct mosquitto_message *msg)
{
    struct inbox_item item = {.kind = INBOX_COMMAND};
    struct mqtt *m = arg;
    size_t n = msg->payloadlen > 0 ? (size_t)msg->payloadlen : 0;
    bool taken;

    (void)lib;
    pthread_mutex_lock(&m->lock);
    taken = !m->stop && m->meters &&
            mqtt_meters_take(m->meters, msg->topic, msg->payload, n, msg->retain);
    pthread_mutex_unlock(&m->lock);
    if (taken)
        return;
    if (!allowed(m)) {
        atomic_fetch_add(&m->dropped, 1);
        return;
    }
    if (strlen(msg->topic) >= sizeof item.command.topic) {
        refuse(m, msg->topic, "the topic is too long");
        return;
    }
    if (n >= sizeof item.command.payload) {
        refuse(m, msg->topic, "the payload is longer than 255 bytes");
        return;
    }
    if (n > 0 && !utf8_valid(msg->payload, n)) {
        refuse(m, msg->topic, "the payload is not a text in UTF-8");
        return;
    }
    strcpy(item.command.topic, msg->topic);
    if (n > 0)
        memcpy(item.command.payload, msg->payload, n);
    item.command.retained = msg->retain;
    pthread_mutex_lock(&m->lock);
    taken = m->stop || inbox_put(m->inbox, &item);
    pthread_mutex_unlock(&m->lock);
    if (!taken)
        refuse(m, msg->topic, "too busy at this moment, try again");
}

/* ---- the thread ---- */

/* Moves messages until the connection is gone. Returns libmosquitto's code. */
static int serve(struct mqtt *m)
{
    int64_t begin_ms = clock_ms(), now_ms;
    bool stop = false, connected;
    int rc;

    do {
        errno = 0;
        rc = mosquitto_loop(m->lib, stop ? TURN_MS / 10 : TURN_MS, 1);
        m->error = errno;
        now_ms = clock_ms();
        stop = stopped(m);
        connected = atomic_load(&m->connected);
        if (stop && (!connected || now_ms - m->stop_ms >= LEAVE_MS / 2))
            return rc;
        if (!connected && now_ms - begin_ms >= ANSWER_MS && rc == MOSQ_ERR_SUCCESS)
            return MOSQ_ERR_KEEPALIVE;
        if (connected && m->shorts > 0 && now_ms - m->since_ms >= STEADY_MS) {
            m->shorts = 0;
            relief(m);
        }
    } while (rc == MOSQ_ERR_SUCCESS);
    return rc;
}

/* Waits, unless it is time to stop. */
static void rest(struct mqtt *m, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&m->lock);
    while (!m->stop && pthread_cond_timedwait(&m->turn, &m->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&m->lock);
}

static void destroy(struct mqtt *m)
{
    if (m->lib)
        mosquitto_destroy(m->lib);
    mosquitto_lib_cleanup();
    pthread_cond_destroy(&m->turn);
    pthread_mutex_destroy(&m->lock);
    free(m->host);
    free(m);
}

/* One connection from its begin to its end. True when it was accepted and lasted. */
static bool connection(struct mqtt *m, bool first)
{
    char cause[MQTT_CAUSE];
    bool lasted;
    int rc;

    m->since_ms = INT64_MIN;
    m->refusal[0] = '\0';
    errno = 0;
    rc = first ? mosquitto_connect(m->lib, m->host, m->port, KEEPALIVE_S)
               : mosquitto_reconnect(m->lib);
    m->error = errno;
    if (rc == MOSQ_ERR_SUCCESS)
        rc = serve(m);
    atomic_store(&m->connected, false);
    lasted = m->since_ms != INT64_MIN && clock_ms() - m->since_ms >= STEADY_MS;
    if (m->since_ms != INT64_MIN)
        m->shorts = lasted ? 0 : m->shorts + 1;
    mqtt_lib_explain(rc, m->error, cause);
    trouble(m, m->refusal[0] ? m->refusal : cause);
    return lasted;
}

static void *run(void *arg)
{
    int64_t delay_ms = DELAY_MS;
    struct mqtt *m = arg;
    bool left;

    for (bool first = true; !stopped(m); first = false) {
        if (connection(m, first))
            delay_ms = DELAY_MS;
        rest(m, delay_ms);
        delay_ms = delay_ms * 2 < DELAY_MAX_MS ? delay_ms * 2 : DELAY_MAX_MS;
    }
    pthread_mutex_lock(&m->lock);
    m->done = true;
    left = m->left;
    pthread_cond_broadcast(&m->turn);
    pthread_mutex_unlock(&m->lock);
    if (left)
        destroy(m);
    return NULL;
}

/* ---- set up and taken down by the main thread ---- */

static bool set_topics(struct mqtt *m, const struct config *c)
{
    bool fits = mqtt_doc_topic(m->status, c, MQTT_STATUS, NULL) &&
                mqtt_doc_topic(m->result, c, MQTT_RESULT, NULL);

    snprintf(m->subscriptions[0], MQTT_TOPIC, "%s/connector/+/set/#", c->mqtt.prefix);
    snprintf(m->subscriptions[1], MQTT_TOPIC, "%s/site/+/set/#", c->mqtt.prefix);
    m->n_subscriptions = 2;
    if (c->mqtt.homeassistant)
        fits = mqtt_doc_topic(m->subscriptions[m->n_subscriptions++], c,
                              MQTT_HASS_STATUS, NULL) &&
               fits;
    if (!fits || strlen(c->mqtt.prefix) > MQTT_TOPIC / 2) {
        log_errorx("mqtt.prefix is too long");
        return false;
    }
    return true;
}

static bool set_up(struct mqtt *m, const struct config *c)
{
    char site[MQTT_ID], id[MQTT_ID + 16];
    int rc = MOSQ_ERR_SUCCESS;

    mqtt_doc_id(site, c->site_id);
    snprintf(id, sizeof id, "chargehand-%s", site);
    m->lib = mosquitto_new(c->mqtt.client_id ? c->mqtt.client_id : id, true, m);
    m->host = strdup(c->mqtt.host);
    if (!m->lib || !m->host)
        return false;
    mosquitto_threaded_set(m->lib, true);
    mosquitto_connect_callback_set(m->lib, on_connect);
    mosquitto_disconnect_callback_set(m->lib, on_disconnect);
    mosquitto_publish_callback_set(m->lib, on_publish);
    mosquitto_subscribe_callback_set(m->lib, on_subscribe);
    mosquitto_message_callback_set(m->lib, on_message);
    if (c->mqtt.user)
        rc = mosquitto_username_pw_set(m->lib, c->mqtt.user, c->mqtt.password);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_will_set(m->lib, m->status, 7, "offline", 1, true);
    if (rc != MOSQ_ERR_SUCCESS)
        log_errorx("mqtt: cannot be set up: %s", mosquitto_strerror(rc));
    return rc == MOSQ_ERR_SUCCESS && mqtt_lib_tls(m->lib, c);
}

/* Signals are the main thread's. */
static bool start(struct mqtt *m)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&m->thread, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        log_errorx("mqtt: no thread: %s", strerror(error));
    return error == 0;
}

struct mqtt *mqtt_new(const struct config *c, struct inbox *b)
{
    struct mqtt *m = calloc(1, sizeof *m);
    pthread_condattr_t monotonic;

    if (!m)
        return NULL;
    mosquitto_lib_init();
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->turn, &monotonic);
    pthread_condattr_destroy(&monotonic);
    m->inbox = b;
    m->port = c->mqtt.port;
    snprintf(m->who, sizeof m->who, "%s:%d", c->mqtt.host, c->mqtt.port);
    m->tokens_ms = COMMANDS * 1000 / COMMANDS_PER_S;
    m->tokens_at_ms = clock_ms();
    if (set_topics(m, c) && set_up(m, c) && start(m))
        return m;
    destroy(m);
    return NULL;
}

/* Waits for the thread's end. False: it hangs in a name look-up or a connect, and from
 * here on all that is left is its own. */
static bool wait_done(struct mqtt *m)
{
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEAVE_MS / 1000;
    pthread_mutex_lock(&m->lock);
    while (!m->done && pthread_cond_timedwait(&m->turn, &m->lock, &until) == 0)
        ;
    done = m->done;
    m->left = !done;
    pthread_mutex_unlock(&m->lock);
    return done;
}

void mqtt_free(struct mqtt *m)
{
    pthread_t thread;

    if (!m)
        return;
    thread = m->thread;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    m->stop_ms = clock_ms();
    pthread_cond_broadcast(&m->turn);
    pthread_mutex_unlock(&m->lock);
    if (atomic_load(&m->connected)) { /* the last will is for other ends than this */
        mosquitto_publish(m->lib, NULL, m->status, 7, "offline", 0, true);
        mosquitto_disconnect(m->lib);
    }
    if (wait_done(m)) {
        pthread_join(thread, NULL);
        destroy(m);
    } else {
        pthread_detach(thread);
    }
}

void mqtt_hear(struct mqtt *m, struct mqtt_meters *meters)
{
    pthread_mutex_lock(&m->lock);
    if (atomic_load(&m->connected))
        subscribe_meters(m, false);
    m->meters = meters;
    if (atomic_load(&m->connected))
        subscribe_meters(m, true);
    pthread_mutex_unlock(&m->lock);
}

bool mqtt_publish(struct mqtt *m, const char *topic, const char *payload, bool retain)
{
    if (atomic_load(&m->connected) && atomic_load(&m->queued) < QUEUE) {
        atomic_fetch_add(&m->queued, 1);
        if (mosquitto_publish(m->lib, NULL, topic, (int)strlen(payload), payload, 0,
                              retain) == MOSQ_ERR_SUCCESS)
            return true;
        atomic_fetch_sub(&m->queued, 1);
    }
    atomic_fetch_add(&m->dropped, 1);
    return false;
}

unsigned mqtt_births(const struct mqtt *m)
{
    return atomic_load(&m->births);
}

bool mqtt_connected(const struct mqtt *m)
{
    return atomic_load(&m->connected);
}

uint64_t mqtt_dropped(const struct mqtt *m)
{
    return atomic_load(&m->dropped);
}
