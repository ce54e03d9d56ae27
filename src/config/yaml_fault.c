/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a YAML text, in the words and at the line a person needs. libyaml
 * often notices a mistake only in the line after it. */
#include "config/yaml_fault.h"

#include <stdio.h>
#include <string.h>

struct line {
    const char *text;
    int size; /* without the line break */
};

/* Line `number` (from 1) of the text; empty when there is no such line. */
static struct line get_line(const char *text, size_t size, int number)
{
    const char *end = text + size;

    while (--number > 0) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        if (!nl)
            return (struct line){end, 0};
        text = nl + 1;
    }
    const char *nl = memchr(text, '\n', (size_t)(end - text));
    return (struct line){text, (int)((nl ? nl : end) - text)};
}

static int indentation(struct line l)
{
    int n = 0;

    while (n < l.size && (l.text[n] == ' ' || l.text[n] == '-'))
        n++;
    return n;
}

static bool is_blank(struct line l)
{
    int n = indentation(l);

    return n == l.size || l.text[n] == '#' || l.text[n] == '\r';
}

static void tell(struct conf_fault *f, int line, int col, const char *text)
{
    f->line = line;
    f->col = col;
    snprintf(f->text, sizeof f->text, "%s", text);
}

/* "a: b: c", or the line before has no ':' and this one was taken for its end. */
static void explain_colon(const char *text, size_t size, int number, int col,
                          struct conf_fault *f)
{
    struct line here = get_line(text, size, number), above = {text, 0};
    int up = number;

    for (int i = 0; i + 1 < here.size && i + 1 < col; i++)
        if (here.text[i] == ':' && here.text[i + 1] == ' ') {
            tell(f, number, col, "a second ': ' in one line: put the value in quotes");
            return;
        }
    while (--up > 0) {
        above = get_line(text, size, up);
        if (!is_blank(above))
            break;
    }
    if (up > 0 && indentation(above) == indentation(here))
        tell(f, up, indentation(above) + 1, "': ' is missing in this line");
    else
        tell(f, number, indentation(here) + 1,
             "indented deeper than the line above, which already has its value");
}

static void explain_character(const char *text, size_t size, int number, int col,
                              struct conf_fault *f)
{
    struct line here = get_line(text, size, number);
    int at = 0;

    for (int c = 1; at < here.size; at++) /* columns count characters, not bytes */
        if ((here.text[at] & 0xc0) != 0x80 && c++ == col)
            break;
    tell(f, number, col, "this character cannot begin a value: put it in quotes");
    if (at < here.size && here.text[at] == '\t')
        tell(f, number, col, "a tab: indent with spaces");
}

static void explain_bytes(const yaml_parser_t *p, const char *text, size_t size,
                          struct conf_fault *f)
{
    size_t end = p->problem_offset < size ? p->problem_offset : size;

    while (strstr(p->problem, "trailing") && end > 0 && (text[end - 1] & 0x80))
        end--; /* to where the broken character begins */
    tell(f, 1, 1, p->problem);
    for (size_t i = 0; i < end; i++) {
        f->col += (text[i] & 0xc0) != 0x80;
        if (text[i] == '\n') {
            f->line++;
            f->col = 1;
        }
    }
    if (strstr(p->problem, "UTF-8"))
        snprintf(f->text, sizeof f->text, "this is not UTF-8 text");
}

/* A list or map in brackets that is not closed: where it began, unless on this line. */
static void explain_brackets(const yaml_parser_t *p, struct conf_fault *f)
{
    bool same = p->context_mark.line == p->problem_mark.line;
    const yaml_mark_t *at = same ? &p->problem_mark : &p->context_mark;
    bool list = strstr(p->context, "sequence") != NULL;

    tell(f, (int)at->line + 1, (int)at->column + 1,
         list ? "expected ',' or ']' in this list" : "expected ',' or '}' in this map");
}

void conf_yaml_explain_run_on(const char *text, size_t size, yaml_mark_t at,
                              struct conf_fault *f)
{
    int line = (int)at.line + 1, col = (int)at.column + 1;
    bool alone = indentation(get_line(text, size, line)) + 1 == col;

    tell(f, line, col,
         alone ? "': ' is missing in this line"
               : "this value runs on into the next line: is a ': ' or a bracket "
                 "missing, or "
                 "the indentation wrong?");
}

void conf_yaml_explain(const yaml_parser_t *p, const char *text, size_t size,
                       struct conf_fault *f)
{
    const char *problem = p->problem ? p->problem : "this is not YAML";
    const char *context = p->context ? p->context : "";
    int line = (int)p->problem_mark.line + 1, col = (int)p->problem_mark.column + 1;
    int from = (int)p->context_mark.line + 1;

    if (p->error == YAML_MEMORY_ERROR)
        tell(f, 1, 1, "out of memory");
    else if (p->error == YAML_READER_ERROR)
        explain_bytes(p, text, size, f);
    else if (strstr(problem, "tab character"))
        tell(f, line, col, "a tab: indent with spaces");
    else if (strstr(problem, "cannot start any token"))
        explain_character(text, size, line, col, f);
    else if (strstr(problem, "mapping values are not allowed"))
        explain_colon(text, size, line, col, f);
    else if (strstr(context, "quoted scalar") && strstr(problem, "unexpected"))
        tell(f, from, (int)p->context_mark.column + 1, "this quote is never closed");
    else if (strstr(problem, "could not find expected ':'"))
        tell(f, from, (int)p->context_mark.column + 1, "': ' is missing in this line");
    else if (strstr(context, "flow"))
        explain_brackets(p, f);
    else if (strstr(problem, "expected key") || strstr(problem, "'-' indicator"))
        snprintf(f->text, sizeof f->text,
                 "not expected here: is it indented like the lines from line %d on?",
                 from),
            f->line = line, f->col = col;
    else
        tell(f, line, col, problem);
}
