/* SPDX-License-Identifier: Apache-2.0 */
/* A model of the grant protocol (src/core/grant.c, decide.c, problem.c and the OCPP edge
 * below them) for spin: two chargers share LIMIT units of current. Messages and answers
 * are lost or late, links break and come back, chargers restart, the controller dies
 * without a word and another one starts, all of it in any order and any number of times.
 *
 * Proved: in every state that can be reached, what the two cars may draw together is not
 * above the limit (the assertion at the end of each step).
 *
 * The controller of the model is more fickle than the real one: it may send any order at
 * any time as long as the rules allow it, or none at all. So nothing here depends on a
 * policy, nor on a decision being made soon.
 *
 * Time passes in ticks: a decrease is followed before the SETTLE-th of them. A message or its answer is under way for MESSAGE_AGE ticks at most,
 * and the ends of two leases are off by less than a tick. The real durations have
 * another proportion (a lease is 150 settling times), but the same order.
 *
 * A name in a comment is that of the C function that a step stands for. tests/spin.sh
 * runs the model as it is, and once for each BREAK_...: a rule that is left out, with
 * which it has to fail. */

#define LIMIT 2 /* what both may draw together */
#define MOST 2  /* what each of them could draw: site_connector.max_ma */
#ifndef FALLBACK
#define FALLBACK 1 /* site_connector.fallback_ma; those of both fit the limit */
#endif
#define NOTHING 3 /* no set point */
#ifndef SETTLE
#define SETTLE 1 /* ticks, 1 or 2, in which a decrease is followed: site.settle */
#endif

#define MESSAGE_AGE 1 /* ocpp.call_timeout and the like */
#define LEASE 1       /* site.lease: of a set point that is not below the fallback */
#define FEAR_AGE 1    /* 7/8 of it: what was confirmed is no longer taken as sure */
#ifdef BREAK_LEASE_END
#define LEASE_END LEASE
#else
#define LEASE_END (LEASE + 1 + SETTLE) /* it has ended, by any clock, and is followed */
#endif
#ifdef BREAK_LOW_LEASE
#define LOW_LEASE (LEASE + 1)
#else
#define LOW_LEASE (FEAR_AGE + LEASE_END + 1) /* below the fallback: outlasts the others */
#endif

/* What became of the request that the edge waits for. */
#define ASKED 0   /* it is under way, or there is none */
#define TAKEN 1   /* it is in force, its answer is under way */
#define REFUSED 2 /* its answer is under way */
#define GONE 3    /* it or its answer is lost: nothing will come */

/* A charger as it is, and what is under way to it and back. */
typedef charger {
    byte set;  /* the set point in force */
    byte most;   /* highest one in this tick; a car follows a decrease in its time */
    byte before; /* in the tick before, as far as it may still count */
    byte left; /* ticks to the end of its lease; 0 = the fallback is in force */
    byte call;
    byte late; /* a request of before that nobody waits for, and that may still come */
    byte late_age;
};

/* What the core remembers of it: struct connector_state. */
typedef memory {
    bool online;
    bool known;   /* told_ma was told on this connection, and nothing speaks against it */
    bool sure;    /* held_sure */
    byte told;    /* told_ma */
    byte held;    /* held_ma */
    byte exp;     /* exp_ma, the exposure */
    byte settles; /* ticks until settle_ms; 0 = NEVER */
    byte settle;  /* settle_ma */
    byte fresh;   /* ticks until the confirmed set point is followed: answered_ms */
    byte age;     /* since the confirmed set point was sent: lease_from_ms */
    byte until;   /* ticks until no lease can hold any more: lease_until_ms */
    byte now;     /* flight: the edge tells it and waits for the answer */
    byte now_age;
    byte next;    /* flight: waits in the edge until `now` is answered */
    byte next_age;
};

charger c[2];
memory m[2];
bool alive = true; /* the controller */
byte dead_for;     /* ticks since it died */
byte drift;        /* of this step: the charger's clock is off by a tick */

#define max(a, b) ((a) > (b) -> (a) : (b))
#define min(a, b) ((a) < (b) -> (a) : (b))
#define ma(x) ((x) == NOTHING -> 0 : (x))
#define may(i) max(c[i].most, c[i].before) /* what its car may draw */
#define other(i) (1 - (i))
#define waits(i) (m[i].now != NOTHING && c[i].call == ASKED)
#define flights(i) (m[i].now != NOTHING || m[i].next != NOTHING)

/* ---- grant.c ---- */

#ifdef BREAK_FLIGHT
#define feared(i) (m[i].held)
#else
#define feared(i) max(m[i].held, max(ma(m[i].now), ma(m[i].next)))
#endif

/* grant_certain(): what it is allowed anyway, whatever became of the messages. */
#define certain(i) (m[i].sure -> min(m[i].held, min(m[i].now, m[i].next)) : 0)

/* grant_settled() */
#ifdef BREAK_DOUBT
#define settled(i) \
    (m[i].known && (m[i].settles || flights(i)) -> m[i].told : m[i].exp)
#else
#define settled(i) \
    (m[i].known && m[i].sure && (m[i].settles || flights(i)) -> m[i].told : m[i].exp)
#endif

inline stop_settling(i) {
    m[i].settles = 0; m[i].settle = 0
}

/* follow(): the exposure goes up at once, down when the set point that is held has had
 * its time since it was confirmed. */
inline follow(i) {
    if
    :: feared(i) >= m[i].exp -> m[i].exp = feared(i); stop_settling(i)
    :: else ->
        if
#ifndef BREAK_SETTLE_AGAIN
        :: m[i].settles -> m[i].settle = max(m[i].settle, feared(i))
#endif
        :: !m[i].settles && m[i].sure && !flights(i) ->
#ifdef BREAK_SETTLE
            m[i].exp = feared(i)
#else
            if
            :: m[i].fresh > 0 -> m[i].settles = m[i].fresh; m[i].settle = feared(i)
            :: else -> m[i].exp = feared(i)
            fi
#endif
        :: else
        fi
    fi
}

inline forget_told(i) {
    m[i].known = false; m[i].told = 0
}

/* grant_link(): what it holds now is known again with the next answer. */
inline doubt(i) {
    forget_told(i);
    m[i].sure = false; m[i].fresh = 0; m[i].age = FEAR_AGE;
#ifdef BREAK_LINK
    m[i].held = FALLBACK; m[i].exp = FALLBACK; stop_settling(i)
#else
    m[i].held = max(m[i].exp, FALLBACK);
    follow(i)
#endif
}

/* ---- the edge: ocpp_limit.c, ocpp_calls.c ---- */

inline lose(i) {
    c[i].call = GONE; m[i].now_age = 0 /* nobody asks for it any more */
}

/* Nobody waits for `now` any more, but it may come yet; then `next` is told. */
inline go_on(i, given_up) {
    if
    :: given_up && waits(i) -> c[i].late = m[i].now; c[i].late_age = m[i].now_age
    :: else
    fi;
    c[i].call = ASKED;
    m[i].now = m[i].next; m[i].now_age = m[i].next_age;
    m[i].next = NOTHING; m[i].next_age = 0
}

/* grant_answer(): ANSWER_ACCEPTED */
inline accepted(i) {
    if
    :: m[i].sure && m[i].held == m[i].now /* a renewal: nothing new to follow */
    :: else -> m[i].fresh = SETTLE
    fi;
    m[i].held = m[i].now; m[i].sure = true; m[i].age = m[i].now_age;
    go_on(i, false);
    follow(i)
}

/* ANSWER_REJECTED */
inline rejected(i) {
    go_on(i, false);
    if
    :: m[i].now == NOTHING -> forget_told(i)
    :: else
    fi;
    follow(i)
}

/* ANSWER_NONE: it may hold or not. */
inline no_answer(i) {
    m[i].sure = false; m[i].fresh = 0;
    m[i].held = max(m[i].held, m[i].now);
    go_on(i, true);
    if
    :: m[i].now == NOTHING -> forget_told(i)
    :: else
    fi;
    follow(i)
}

/* ocpp_peer_down(): what was being told gets ANSWER_NONE, what waits ANSWER_REJECTED. */
inline link_down(i) {
    m[i].held = max(m[i].held, ma(m[i].now));
    m[i].next = NOTHING; m[i].next_age = 0;
    go_on(i, true);
    m[i].online = false
}

/* ocpp_peer_up(): a charger listens to its newest connection only. */
inline link_up(i) {
    c[i].late = NOTHING; c[i].late_age = 0;
    m[i].online = true;
    doubt(i)
}

/* ---- decide.c: which orders may leave ---- */

/* problem_review(): all targets fit, and whoever is not sure to go down to its target
 * keeps its exposure. */
#define fits(i, v) (v + settled(other(i)) <= LIMIT)

/* allowed(): what it is allowed anyway, or what leaves room for all exposures. */
#ifdef BREAK_DECREASE_FIRST
#define may_send(i, v) fits(i, v)
#else
#ifdef BREAK_RETELL
#define may_send(i, v) \
    (fits(i, v) && (v <= m[i].exp || v + m[other(i)].exp <= LIMIT))
#else
#define may_send(i, v) \
    (fits(i, v) && (v <= certain(i) || v + m[other(i)].exp <= LIMIT))
#endif
#endif

/* grant_send(), ocpp_limit_order(): a newer order takes the place of one that waits,
 * which is answered as rejected: it never left. */
inline send(i, v) {
    if
    :: m[i].now == NOTHING -> m[i].now = v
    :: else -> m[i].next = v; m[i].next_age = 0
    fi;
    m[i].told = v; m[i].known = true; m[i].until = LEASE_END;
    follow(i)
}

/* control_init(): everything may hold the most until the leases before us have ended. */
inline restart(i) {
    m[i].until = (dead_for >= LEASE_END -> 0 : LEASE_END - dead_for);
#ifdef BREAK_RESTART
    m[i].held = FALLBACK; m[i].exp = FALLBACK
#else
    m[i].held = MOST; m[i].exp = MOST
#endif
}

/* The controller is gone, and all that it knew. */
inline die(i) {
    link_down(i);
    forget_told(i);
    stop_settling(i);
    m[i].fresh = 0; m[i].sure = false; m[i].held = 0; m[i].exp = 0; m[i].until = 0; m[i].age = FEAR_AGE
}

/* ---- the charger ---- */

/* A raise acts at once, a decrease in its time. */
inline obey(i) {
    c[i].most = max(c[i].most, c[i].set)
}

inline followed(i) {
    c[i].most = c[i].set; c[i].before = 0
}

/* It takes a set point that was sent `age` ticks ago. The lease ends a tick too late when it is high, too early when it is low,
 * if the clock drifts. */
inline take(i, value, age) {
    if
    :: value < FALLBACK -> c[i].left = LOW_LEASE - drift - age; c[i].set = value
    :: value == FALLBACK -> c[i].left = 0; c[i].set = value /* lease or not, the same */
    :: value > FALLBACK -> c[i].left = LEASE + drift - age;
        c[i].set = (c[i].left > 0 -> value : FALLBACK)
    fi;
    obey(i);
    drift = 0
}

inline charger_tick(i) {
#if SETTLE == 2
    c[i].before = c[i].most;
#endif
    c[i].most = c[i].set;
    if
    :: c[i].left > 1 -> c[i].left = c[i].left - 1
    :: c[i].left == 1 -> c[i].left = 0; c[i].set = FALLBACK; obey(i)
    :: else
    fi;
    if
    :: c[i].late != NOTHING && c[i].late_age < MESSAGE_AGE ->
        c[i].late_age = c[i].late_age + 1
    :: else -> c[i].late = NOTHING; c[i].late_age = 0
    fi
}

/* grant_clock(): settle(), lease(); and what is too old in the edge. */
inline core_tick(i) {
    m[i].fresh = (m[i].fresh > 0 -> m[i].fresh - 1 : 0);
    if
    :: m[i].settles == 1 ->
        m[i].exp = max(m[i].settle, feared(i)); stop_settling(i);
        follow(i)
    :: m[i].settles > 1 -> m[i].settles = m[i].settles - 1
    :: else
    fi;
    if
    :: m[i].age == FEAR_AGE && m[i].held != FALLBACK ->
#ifndef BREAK_LAPSE
        m[i].sure = false; m[i].fresh = 0; m[i].held = max(m[i].held, FALLBACK);
#endif
        follow(i)
    :: m[i].age == FEAR_AGE && m[i].held == FALLBACK
    :: else -> m[i].age = m[i].age + 1
    fi;
    if
    :: m[i].until > 0 -> m[i].until = m[i].until - 1
    :: else
    fi;
    if
    :: !m[i].online && m[i].until == 0 ->
        m[i].exp = FALLBACK; m[i].held = FALLBACK; stop_settling(i)
    :: else
    fi;
    if
    :: m[i].now != NOTHING && m[i].now_age == MESSAGE_AGE -> lose(i)
    :: m[i].now != NOTHING && c[i].call != GONE && m[i].now_age < MESSAGE_AGE ->
        m[i].now_age = m[i].now_age + 1
    :: else
    fi;
    if
    :: m[i].next != NOTHING && m[i].next_age == MESSAGE_AGE -> /* it never left */
        m[i].next = NOTHING; m[i].next_age = 0;
        forget_told(i);
        follow(i)
    :: m[i].next != NOTHING && m[i].next_age < MESSAGE_AGE ->
        m[i].next_age = m[i].next_age + 1
    :: else
    fi
}

/* ---- all that can happen ---- */

/* A car that is seen to have come down has followed; one that draws little anyway shows
 * nothing. */
#ifdef BREAK_SAMPLE
#define samples_show_it(i) true
#else
#define samples_show_it(i) (may(i) <= feared(i))
#endif

/* A connection keeps the order of requests. */
#define its_turn(i) (waits(i) && c[i].late == NOTHING)

#define can_send(i) (alive && m[i].online && (m[i].now == NOTHING || SECOND_FLIGHT(i)))
#ifndef SECOND
#define SECOND 0
#endif
#define SECOND_FLIGHT(i) (i < SECOND)

inline happen(i) {
    if
    /* at the charger, and on the way to it */
    :: c[i].late != NOTHING ->
        if
        :: drift = 1
        :: true
        fi;
        d_step { take(i, c[i].late, c[i].late_age);
                 c[i].late = NOTHING; c[i].late_age = 0 }
    :: c[i].late != NOTHING -> d_step { c[i].late = NOTHING; c[i].late_age = 0 }
    :: its_turn(i) ->
        if
        :: drift = 1
        :: true
        fi;
        d_step { take(i, m[i].now, m[i].now_age); c[i].call = TAKEN }
    :: its_turn(i) -> c[i].call = REFUSED
    :: waits(i) || c[i].call == TAKEN || c[i].call == REFUSED -> d_step { lose(i) }
    :: may(i) > c[i].set -> d_step { followed(i) }
#if FALLBACK == 0
    :: c[i].set > 0 -> /* it restarts and has lost its profiles */
        d_step { c[i].set = 0; c[i].left = 0; obey(i) }
#endif
    /* at the controller */
    :: alive && c[i].call == TAKEN -> d_step { accepted(i) }
    :: alive && c[i].call == REFUSED -> d_step { rejected(i) }
    :: alive && m[i].now != NOTHING && !(waits(i) && c[i].late != NOTHING) ->
        d_step { no_answer(i) } /* ocpp_calls_tick() */
    :: alive && m[i].online -> d_step { link_down(i); doubt(i) }
    :: alive && !m[i].online -> d_step { link_up(i) }
    :: alive && m[i].settles > 0 && !flights(i) && samples_show_it(i) ->
        d_step { m[i].exp = feared(i); stop_settling(i) }
    :: can_send(i) && may_send(i, 0) -> d_step { send(i, 0) }
    :: can_send(i) && may_send(i, 1) -> d_step { send(i, 1) }
    :: can_send(i) && may_send(i, 2) -> d_step { send(i, 2) }
    fi
}

inline begin(i) {
    c[i].set = FALLBACK; c[i].most = FALLBACK; c[i].late = NOTHING;
    m[i].now = NOTHING; m[i].next = NOTHING; m[i].age = FEAR_AGE;
    m[i].held = MOST; m[i].exp = MOST
}

init {
    d_step { begin(0); begin(1) } /* nothing was granted before */
    do
    :: atomic {
        if
        :: happen(0)
        :: happen(1)
        :: alive -> d_step { charger_tick(0); charger_tick(1); core_tick(0); core_tick(1) }
        :: !alive -> d_step { charger_tick(0); charger_tick(1);
                              dead_for = min(dead_for + 1, LEASE_END) }
        :: alive -> d_step { die(0); die(1); alive = false }
        :: !alive -> d_step { restart(0); restart(1); alive = true; dead_for = 0 }
        fi;
        assert(may(0) + may(1) <= LIMIT)
       }
    od
}
