/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong in the simulated world, and how often: links, calls, chargers, meters
 * and the controller itself. Seeded, as all of it. */
#ifndef SIM_FAIL_H
#define SIM_FAIL_H

#include <stdint.h>
#include "core/site.h"

/* `every_s` is the mean time between two of it, 0 = never; `out_s` the longest time
 * that it lasts. Shares are of a hundred or a thousand. */
struct sim_faults {
    /* a charger's link is lost; it is noticed after up to notice_s, or never when the
     * charger is back before */
    int32_t link_every_s, link_out_s, link_notice_s;
    int32_t reboot_pct; /* of these it restarts */
    int32_t forget_pct; /* chargers that are then on their fallback */
    /* calls */
    int32_t lost_permille; /* without an answer; half of these have taken effect */
    int32_t refused_permille;
    int32_t refusing_pct; /* chargers that refuse every other call */
    int32_t timeout_ms;   /* after which the controller knows */
    /* what a charger tells of itself arrives, in order, up to so much later than it was
     * measured; answers may overtake it */
    int32_t late_told_ms;
    /* chargers */
    int32_t newer_pct;   /* are of the newer generation ... */
    int32_t clock_off_s; /* ... whose clocks are wrong by up to so much */
    int32_t others_every_s, others_out_s; /* ... and which others limit, too */
    int32_t watts_pct;                    /* take limits in whole watts only */
    int32_t deaf_pct;     /* from some moment on they accept limits and ignore them */
    int32_t deaf_after_s; /* ... that comes within so long */
    int32_t late_ms; /* a charger begins to follow up to so long after its answer */
    /* meters */
    int32_t meter_every_s, meter_out_s;
    int32_t freeze_pct;     /* of these it repeats itself, else it is silent */
    int32_t class_permille; /* its readings are wrong by up to so much */
    int32_t lag_ms;         /* its readings are up to so old when they arrive */
    /* the controller is killed and started again */
    int32_t kill_every_s, kill_out_s;
};

#endif
