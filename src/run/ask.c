/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that come in on the Unix socket: one JSON object a line, which names what to
 * do. The answer is one, too, with "outcome" (src/run/ask.c has the words), and
 * "answer" or "text". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ocpp_frame.h"
#include "run/runner.h"

/* In the order of enum ocpp_outcome. */
static const char *const outcomes[] = {"answered", "bad call", "kept back", "error",
                                       "away",     "silent",   "answered"};

enum { PATIENCE_S = 60, PATIENCE_MOST_S = 600 };

struct ask {
    struct runner *r;
    struct command_line *line;
    uid_t user;
    char charger[64], action[48];
};

static void reply(struct command_line *line, enum ocpp_outcome o, cJSON *answer,
                  const char *text, const char *note)
{
    cJSON *root = cJSON_CreateObject();
    char *json;

    cJSON_AddStringToObject(root, "outcome", outcomes[o]);
    if (answer)
        cJSON_AddItemToObject(root, "answer", answer);
    else
        cJSON_AddStringToObject(root, "text", text);
    if (*note)
        cJSON_AddStringToObject(root, "note", note);
    json = cJSON_PrintUnformatted(root);
    command_answer(line, json ? json : "{}");
    free(json);
    cJSON_Delete(root);
}

/* `text` has all but the outcome and the note, and may be long. */
static void reply_parts(struct command_line *line, const char *text, const char *note)
{
    cJSON *root = cJSON_CreateObject();
    char *head, *json = NULL;

    cJSON_AddStringToObject(root, "outcome", outcomes[OCPP_IN_PARTS]);
    if (*note)
        cJSON_AddStringToObject(root, "note", note);
    head = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (head && asprintf(&json, "%.*s,%s", (int)strlen(head) - 1, head, text + 1) < 0)
        json = NULL;
    command_answer(line, json ? json : "{}");
    free(head);
    free(json);
}

/* Everybody who looks at the site hears of it: it may be why a charger is away. */
static void tell(const struct ask *a, enum ocpp_outcome o, const cJSON *answer,
                 const char *text)
{
    const char *status =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "status"));
    char all[500], line[300];

    snprintf(all, sizeof all, "%s by user %lu: %s%s%.400s", a->action,
             (unsigned long)a->user, outcomes[o], answer && !status ? "" : ", ",
             answer ? status ? status : "" : text);
    ocpp_text_copy(line, sizeof line,
                   all); /* what a charger says may be of any length */
    runner_tell(a->r, "info", "command", a->charger, line);
}

static void called(void *arg, enum ocpp_outcome o, const char *text, const char *note)
{
    struct ask *a = arg;
    cJSON *answer = o == OCPP_ANSWERED ? cJSON_Parse(text) : NULL;

    if (o != OCPP_BAD_CALL)
        tell(a, o, answer, o == OCPP_IN_PARTS ? "Accepted, and told in parts" : text);
    if (o == OCPP_IN_PARTS)
        reply_parts(a->line, text, note);
    else
        reply(a->line, o, answer, text, note);
    free(a);
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return text ? text : "";
}

static void list(struct ask *a, const cJSON *o)
{
    (void)o;
    reply(a->line, OCPP_ANSWERED, ocpp_list(a->r->ocpp), "no memory", "");
    free(a);
}

static void call(struct ask *a, const cJSON *o)
{
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(o, "payload");
    const cJSON *wait_s = cJSON_GetObjectItemCaseSensitive(o, "wait_s");
    double s = cJSON_IsNumber(wait_s) ? wait_s->valuedouble : PATIENCE_S;

    s = s < 0 ? 0 : s > PATIENCE_MOST_S ? PATIENCE_MOST_S : s;
    ocpp_text_copy(a->charger, sizeof a->charger, text_of(o, "charger"));
    ocpp_text_copy(a->action, sizeof a->action, text_of(o, "action"));
    ocpp_call(a->r->ocpp, a->charger, a->action, payload, (int64_t)(s * 1000), called,
              a);
}

static void probe(struct ask *a, const cJSON *o)
{
    const cJSON *connector = cJSON_GetObjectItemCaseSensitive(o, "connector");

    ocpp_text_copy(a->charger, sizeof a->charger, text_of(o, "charger"));
    ocpp_text_copy(a->action, sizeof a->action, "probe");
    ocpp_probe(a->r->ocpp, a->charger,
               cJSON_IsNumber(connector) ? connector->valueint : 0,
               cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "reboot")), called, a);
}

static void file(struct ask *a, const cJSON *o)
{
    static const char *const kinds[] = {"firmware", "diagnostics", "log"};
    const cJSON *more = cJSON_GetObjectItemCaseSensitive(o, "payload");

    ocpp_text_copy(a->charger, sizeof a->charger, text_of(o, "charger"));
    ocpp_text_copy(a->action, sizeof a->action, text_of(o, "what"));
    for (int i = 0; i < 3; i++)
        if (strcmp(a->action, kinds[i]) == 0) {
            ocpp_file(a->r->ocpp, a->charger, (enum ocpp_file)i, text_of(o, "file"),
                      more, called, a);
            return;
        }
    called(a, OCPP_BAD_CALL, "this is no file", "");
}

static const struct {
    const char *what;
    void (*fn)(struct ask *a, const cJSON *o);
} commands[] = {
    {"call", call},
    {"file", file},
    {"list", list},
    {"probe", probe},
};

static void asked(void *arg, struct command_line *line, uid_t user, const char *text)
{
    cJSON *o = cJSON_Parse(text);
    struct ask *a = calloc(1, sizeof *a);
    struct runner *r = arg;

    if (!a || !r->ocpp) {
        reply(line, OCPP_KEPT_BACK, NULL, "there is no OCPP here", "");
        free(a);
        cJSON_Delete(o);
        return;
    }
    *a = (struct ask){.r = r, .line = line, .user = user};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].what, text_of(o, "do")) == 0) {
            commands[i].fn(a, o);
            cJSON_Delete(o);
            return;
        }
    reply(line, OCPP_BAD_CALL, NULL, "this is no command", "");
    free(a);
    cJSON_Delete(o);
}

struct command *runner_command(struct runner *r)
{
    const struct config *c = r->conf;
    char path[512];

    if (!c->ocpp.socket && !c->history.folder)
        return NULL;
    snprintf(path, sizeof path, "%s%s",
             c->ocpp.socket ? c->ocpp.socket : c->history.folder,
             c->ocpp.socket ? "" : "/control.socket");
    return command_new(r->loop, path, asked, r);
}
