/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to standard error: with a time stamp on a terminal or file, with the
 * journal's <N> priority where systemd listens. Any thread may call; a line is written
 * whole. log_warn and log_fatal add the text of errno, the ...x forms do not. */
#ifndef IO_LOG_H
#define IO_LOG_H

#define LOG_FORMAT __attribute__((format(printf, 1, 2)))

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level most); /* the default is LOG_LEVEL_INFO */
void log_errorx(const char *format, ...) LOG_FORMAT;
void log_warn(const char *format, ...) LOG_FORMAT;
void log_warnx(const char *format, ...) LOG_FORMAT;
void log_info(const char *format, ...) LOG_FORMAT;
void log_debug(const char *format, ...) LOG_FORMAT;

#endif
