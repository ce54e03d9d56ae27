/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that messages of OCPP 2.0.1 of both sides are made of, and their two tables. */
#ifndef PROTO_OCPP201_TYPES_H
#define PROTO_OCPP201_TYPES_H

#include "proto/ocpp_schema.h"

extern const struct ocpp_field ocpp201_nothing[];
extern const struct ocpp_field ocpp201_additional_info[];
extern const struct ocpp_field ocpp201_id_token[];
extern const struct ocpp_field ocpp201_personal_message[];
extern const struct ocpp_field ocpp201_id_token_info[];
extern const struct ocpp_field ocpp201_status_info[];
extern const struct ocpp_field ocpp201_accepted_rejected[];
extern const struct ocpp_field ocpp201_evse[];
extern const struct ocpp_field ocpp201_data_transfer[];
extern const struct ocpp_field ocpp201_data_answer[];
extern const struct ocpp_field ocpp201_period[];
extern const struct ocpp_field ocpp201_component[];
extern const struct ocpp_field ocpp201_variable[];
extern const struct ocpp_field ocpp201_relative_time_interval[];
extern const struct ocpp_field ocpp201_cost[];
extern const struct ocpp_field ocpp201_consumption_cost[];
extern const struct ocpp_field ocpp201_sales_tariff_entry[];
extern const struct ocpp_field ocpp201_sales_tariff[];
extern const struct ocpp_field ocpp201_schedule[];
extern const struct ocpp_field ocpp201_message_info[];
extern const struct ocpp_field ocpp201_profile[];

extern const struct ocpp_table ocpp201_ours, ocpp201_theirs;

#endif
