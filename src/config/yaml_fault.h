/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a YAML text, in the words and at the line a person needs. */
#ifndef CONFIG_YAML_FAULT_H
#define CONFIG_YAML_FAULT_H

#include <yaml.h>

#include "config/yaml.h"

/* Fills `fault` from a parser that has failed on this text. */
void conf_yaml_explain(const yaml_parser_t *p, const char *text, size_t size,
                       struct conf_fault *fault);

/* The same for a plain text over several lines that begins at `at`. */
void conf_yaml_explain_run_on(const char *text, size_t size, yaml_mark_t at,
                              struct conf_fault *fault);

#endif
