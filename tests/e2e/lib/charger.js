// SPDX-License-Identifier: Apache-2.0
// A charger with one car, on top of the strict OCPP client of the ocpp-rpc package. What
// is the same in all versions is here; the messages are in charger16.js and charger201.js.
//
// It is honest: it draws what its profiles allow, a car takes no less than 6 A, and it
// measures what it draws. All that breaks the schema, in either direction, ends up in
// `violations`. What it says of a transaction is kept until it is answered, in order.
import { RPCClient } from 'ocpp-rpc';
import { waitFor } from './process.js';

export const VOLTAGE = 230;
const MIN_A = 6; // IEC 61851-1

export class Charger {
    #transaction = null;
    transactions = new Set(); // all it ever had

    // wiring: the site phases (0..2) on its own L1, L2, ...
    constructor({ id, port, password, wiring, max = 32, protocols, onCurrent = () => {} }) {
        Object.assign(this, { id, port, password, wiring, max, protocols, onCurrent });
        // as installed, newest last: {id, connector, purpose: 'tx' | 'default' | 'max',
        // level, kind, validFrom, validTo, transaction, schedule, at, profile}
        this.profiles = [];
        this.history = []; // {at, connector, limit, profile} of each SetChargingProfile
        this.refusals = []; // {why, connector, profile}
        this.violations = [];
        this.stored = []; // what is to be said of transactions
        this.more = {}; // further actions: payload -> answer
        this.onStop = () => false; // whether it does as it is told
        this.list = { version: 0, tags: new Map(), sent: [] }; // of tags
        this.deaf = false; // accepts every limit and ignores it
        this.forgets = false; // has lost its transaction, and refuses limits for it
        this.car = null; // {max} while one is plugged in
        this.status = 'Available'; // in the words of 1.6
        this.amps = 0; // what the car draws on each of its phases
        this.wh = 100_000;
        this.agoS = 0; // so long ago is what it says now: it was stored
        this.whSince = performance.now();
    }

    // ---- the connection

    async connect({ boot = true } = {}) {
        const client = new RPCClient({
            endpoint: `ws://127.0.0.1:${this.port}`,
            identity: this.id,
            password: this.password,
            protocols: this.protocols ?? this.speaks,
            strictMode: true,
            wsOpts: { perMessageDeflate: { threshold: 0 } }, // all it sends is packed
            reconnect: true,
            callTimeoutMs: 20_000,
            backoff: { initialDelay: 300, maxDelay: 1000, factor: 2, randomisationFactor: 0 },
        });
        this.client = client;
        this.greeted = false;
        for (const name of ['strictValidationFailure', 'badMessage'])
            client.on(name, event => this.violations.push({
                name, method: event.method, error: String(event.error),
                text: JSON.stringify(event.params ?? event.result ?? null),
            }));
        client.on('message', ({ message, outbound }) => {
            if (!outbound)
                this.#checkText(String(message));
        });
        this.answers = { ...this.answersOf(), ...this.more };
        for (const [action, answer] of Object.entries(this.answers))
            client.handle(action, ({ params }) => answer(params));
        this.timer ??= setInterval(() => this.#tick(), 250);
        await client.connect();
        client.on('open', () => this.#hello({}).catch(() => {})); // a reconnection
        await this.#hello({ boot });
    }

    // Limits leave with at most one digit after the point, and without floating noise.
    #checkText(text) {
        for (const [, limit] of text.matchAll(/"limit"\s*:\s*([^,}\s]+)/g))
            if (!/^\d+(\.\d)?$/.test(limit))
                this.violations.push({ name: 'limit', error: `limit ${limit}`, text });
    }

    async #hello({ boot = false }) {
        if (boot) {
            const answer = await this.boot();
            this.accepted = answer.status === 'Accepted';
        }
        this.greeted = true;
        await this.sayStatus();
        this.#flush();
    }

    // Its network is gone: no close frame, nothing. The car goes on.
    cut() {
        this.client.close({ force: true }).catch(() => {});
    }

    // The electricity, too: limits are gone, and with `ends` the transaction, unsaid.
    powerCut({ ends = false } = {}) {
        this.cut();
        this.profiles = [];
        if (ends) {
            this.transaction = this.car = null;
            this.status = 'Available';
            this.stored = [];
        }
    }

    async close() {
        clearInterval(this.timer);
        this.timer = null;
        await this.client?.close({ code: 1000 }).catch(() => {});
    }

    stamp() {
        return new Date(Date.now() - this.agoS * 1000).toISOString();
    }

    get online() {
        return this.greeted && this.client.state === RPCClient.OPEN;
    }

    // What does not matter any more later.
    async say(action, payload) {
        return this.online ? this.client.call(action, payload) : null;
    }

    // What is kept until it is answered. `late` changes it when it could not leave at once.
    sayOfTransaction(action, payload, late = () => {}) {
        return new Promise((resolve, reject) => {
            this.stored.push({ action, payload, late, resolve, reject });
            this.#flush();
        });
    }

    async #flush() {
        if (this.flushing)
            return;
        this.flushing = true;
        for (let one; (one = this.stored[0]) && this.online;)
            try {
                one.resolve(await this.client.call(one.action, one.payload));
                this.stored.shift();
            } catch (error) {
                if (this.stored[0] !== one)
                    break; // it has lost all of them
                if (error.name !== 'AbortError') {
                    one.reject(error);
                    this.stored.shift();
                }
            }
        for (const { payload, late } of this.online ? [] : this.stored)
            late(payload);
        this.flushing = false;
    }

    get transaction() {
        return this.#transaction;
    }

    set transaction(id) {
        this.#transaction = id;
        if (id !== null)
            this.transactions.add(id);
    }

    // ---- limits: what the messages say of them, and what they allow now, in A

    // `p` as in this.profiles; `replaces`: which of those it does. Why it is refused, or
    // null.
    take(p, why, replaces) {
        const limit = p.schedule.chargingSchedulePeriod[0].limit;
        this.history.push({ at: performance.now(), connector: p.connector, limit,
            profile: p.profile });
        if (why) {
            this.refusals.push({ why, connector: p.connector, profile: p.profile });
            return why;
        }
        this.profiles = this.profiles.filter(q => !replaces(q));
        this.profiles.push({ ...p, at: Date.now() });
        return null;
    }

    // Undefined = any. How many went.
    drop({ id, connector, purpose, level }) {
        const before = this.profiles.length;
        const fits = (wanted, is) => wanted === undefined || wanted === is;
        this.profiles = this.profiles.filter(p => id !== undefined ? p.id !== id
            : !(fits(connector, p.connector) && fits(level, p.level) &&
                fits(purpose, p.purpose)));
        return before - this.profiles.length;
    }

    limit() {
        if (this.deaf)
            return this.max;
        const of = purpose => {
            const now = Date.now();
            const live = this.profiles
                .filter(p => p.purpose === purpose && p.connector <= 1)
                .map(p => ({ level: p.level, amps: limitOf(p, now) }))
                .filter(p => p.amps !== null)
                .sort((a, b) => b.level - a.level);
            return live.length ? live[0].amps : null;
        };
        const tx = this.transaction ? of('tx') : null;
        return Math.min(this.max, of('max') ?? Infinity, tx ?? of('default') ?? Infinity);
    }

    // ---- the car

    // Authorizes, begins; refused = it lets the car charge all the same.
    async plugIn({ tag = 'CARD-1', max = 32, refused = false } = {}) {
        this.car = { max };
        await this.#changeStatus('Preparing');
        const is = tag === null ? 'Accepted' : await this.authorize(tag);
        if (!refused && is !== 'Accepted')
            throw new Error(`${this.id}: the tag is ${is}`);
        this.register = [Math.round(this.energy())]; // of the transaction, Wh
        const begun = await this.begin(tag);
        if ((begun === 'Accepted') === refused)
            throw new Error(`${this.id}: the transaction is ${begun}`);
        return this.transaction;
    }

    async unplug({ reason = 'EVDisconnected' } = {}) {
        this.car = null;
        this.#tick();
        this.register[1] = Math.round(this.energy());
        this.status = 'Finishing';
        const ended = this.end(reason);
        this.transaction = null;
        this.profiles = this.profiles.filter(p => p.purpose !== 'tx');
        await ended;
        await this.#changeStatus('Finishing');
        await this.#changeStatus('Available');
    }

    // Somebody tells it to end its transaction: with what it is called.
    stop(transaction) {
        const does = this.onStop(transaction) && transaction === this.transaction;
        if (does)
            setImmediate(() => this.unplug({ reason: 'Remote' }).catch(() => {}));
        return { status: does ? 'Accepted' : 'Rejected' };
    }

    // A quarter of a second is as fast as a car follows here.
    #tick() {
        const limit = this.transaction && this.car ? this.limit() : 0;
        const amps = limit >= MIN_A ? Math.min(limit, this.car.max) : 0;
        if (amps !== this.amps) {
            this.energy();
            this.amps = amps;
            this.onCurrent(this);
        }
        if (!this.transaction || !this.car)
            return;
        const status = amps > 0 ? 'Charging' : 'SuspendedEVSE';
        if (status !== this.status) {
            this.status = status;
            this.sayChange().catch(() => {});
        }
        const interval = this.sampleS * 1000;
        if (interval > 0 && performance.now() - (this.sampledAt ?? -1e9) >= interval) {
            this.sampledAt = performance.now();
            this.saySample().catch(() => {});
        }
    }

    // Wh
    energy() {
        const now = performance.now();
        this.wh += this.amps * VOLTAGE * this.wiring.length * (now - this.whSince) / 3.6e6;
        this.whSince = now;
        return this.wh;
    }

    #changeStatus(status) {
        this.status = status;
        return this.sayStatus();
    }

    // Its current on the site's phases.
    sitePhases() {
        const i = [0, 0, 0];
        this.wiring.forEach((phase, own) => { i[phase] += this.ampsOn(own); });
        return i;
    }

    // What the car draws on one of its own phases, 0 to 2.
    ampsOn() {
        return this.amps;
    }

    async follows(what, condition, options) {
        return waitFor(`${this.id}: ${what}`, () => condition(this.limit(), this), {
            detail: () => `${this.id} may draw ${this.limit()} A, draws ${this.amps} A`,
            ...options,
        });
    }
}

// The limit of one installed profile at `now`, or null when it says nothing then.
function limitOf({ validFrom, validTo, kind, schedule: s, at }, now) {
    if (validFrom && Date.parse(validFrom) > now || validTo && Date.parse(validTo) <= now)
        return null;
    const start = kind === 'Relative' || !s.startSchedule ? at : Date.parse(s.startSchedule);
    const age = (now - start) / 1000;
    if (age < 0 || s.duration !== undefined && age >= s.duration)
        return null;
    return s.chargingSchedulePeriod.filter(p => p.startPeriod <= age).at(-1)?.limit ?? null;
}
