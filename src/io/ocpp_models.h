/* SPDX-License-Identifier: Apache-2.0 */
/* The table of known models, data/chargers.yaml: what chargers of a maker are known to
 * do before they are asked. Looked for: the file of the environment variable
 * CHARGEHAND_CHARGERS, SYSCONF_DIR/chargers.yaml (the user's own), the one shipped,
 * `chargers.yaml` beside the program. The first that is there is taken.
 *
 * Inside src/io/ocpp*.c only. */
#ifndef IO_OCPP_MODELS_H
#define IO_OCPP_MODELS_H

#include "io/ocpp_ability.h"

struct ocpp_models;

/* NULL, with a log line, where there is none or it is wrong: then nothing is known. */
struct ocpp_models *ocpp_models_load(void);
/* The same of a text; `why` has line:col and the reason. */
struct ocpp_models *ocpp_models_parse(const char *text, size_t size, char *why,
                                      size_t why_size);
void ocpp_models_free(struct ocpp_models *m);

/* Takes over what is known of a's vendor, model and firmware; of several entries all,
 * in the order of the file. Returns their number. m may be NULL. */
int ocpp_models_apply(const struct ocpp_models *m, struct ocpp_ability *a);
/* Note and source of the last entry that fits; NULL = none, or it has none. */
const char *ocpp_models_note(const struct ocpp_models *m, const struct ocpp_ability *a);

#endif
