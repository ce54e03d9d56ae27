/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error. */
#include "io/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level most = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    most = level;
}

static void put(enum log_level level, int error, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static void put(enum log_level level, int error, const char *format, va_list args)
{
    static const char priority[] = {'3', '4', '6', '7'}; /* of syslog(3) */
    static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
    char line[1024];
    size_t n;

    if (level > most)
        return;
    if (getenv("JOURNAL_STREAM")) {
        n = (size_t)snprintf(line, sizeof line, "<%c>", priority[level]);
    } else {
        time_t now = time(NULL);
        struct tm tm;

        localtime_r(&now, &tm);
        n = strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S ", &tm);
    }
    n += (size_t)snprintf(line + n, sizeof line - n, "%s", word[level]);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    if (more > 0)
        n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    if (error && n < sizeof line - 3) {
        char text[128];
        more = snprintf(line + n, sizeof line - n - 1, ": %s",
                        strerror_r(error, text, sizeof text));
        n += (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    }
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* nobody left to tell */
}

#define LOG_BODY(level, error)                                                         \
    do {                                                                               \
        va_list args;                                                                  \
        int saved = errno;                                                             \
        va_start(args, format);                                                        \
        put(level, error, format, args);                                               \
        va_end(args);                                                                  \
        errno = saved;                                                                 \
    } while (0)

void log_errorx(const char *format, ...)
{
    LOG_BODY(LOG_LEVEL_ERROR, 0);
}

void log_warn(const char *format, ...)
{
    LOG_BODY(LOG_LEVEL_WARN, errno);
}

void log_warnx(const char *format, ...)
{
    LOG_BODY(LOG_LEVEL_WARN, 0);
}

void log_info(const char *format, ...)
{
    LOG_BODY(LOG_LEVEL_INFO, 0);
}

void log_debug(const char *format, ...)
{
    LOG_BODY(LOG_LEVEL_DEBUG, 0);
}
