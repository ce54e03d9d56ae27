// SPDX-License-Identifier: Apache-2.0
// A charging station of OCPP 2.0.1 with one EVSE and one car, on top of the strict
// client of the ocpp-rpc package. As honest as the one of charger.js, whose car, meter
// and connection it has; what it says and understands is 2.0.1's.
import { randomUUID } from 'node:crypto';
import { RPCClient } from 'ocpp-rpc';
import { waitFor } from './process.js';

const VOLTAGE = 230;
const MIN_A = 6;

export class Charger201 {
    constructor({ id, port, password, wiring, max = 32, protocols = ['ocpp2.0.1'],
        onCurrent = () => {} }) {
        Object.assign(this, { id, port, password, wiring, max, protocols, onCurrent });
        this.profiles = [];
        this.history = []; // {at, evseId, profile} of each SetChargingProfile
        this.violations = [];
        this.refusals = []; // why a profile was refused
        this.variables = new Map([
            ['SmartChargingCtrlr.ProfileStackLevel', '3'],
            ['SmartChargingCtrlr.PeriodsPerSchedule', '24'],
            ['SmartChargingCtrlr.RateUnit', 'A'],
            ['SampledDataCtrlr.TxUpdatedInterval', '60'],
            ['SampledDataCtrlr.TxUpdatedMeasurands', 'Energy.Active.Import.Register'],
            ['OCPPCommCtrlr.WebSocketPingInterval', '0'],
        ]);
        this.more = {}; // further actions: payload -> answer
        this.car = null;
        this.transaction = null;
        this.seqNo = 0;
        this.state = 'Idle'; // chargingState
        this.amps = 0;
        this.wh = 100_000;
        this.whSince = performance.now();
    }

    // ---- the connection

    async connect({ boot = true } = {}) {
        const client = new RPCClient({
            endpoint: `ws://127.0.0.1:${this.port}`,
            identity: this.id,
            password: this.password,
            protocols: this.protocols,
            strictMode: true,
            wsOpts: { perMessageDeflate: { threshold: 0 } }, // all it sends is packed
            reconnect: true,
            callTimeoutMs: 20_000,
            backoff: { initialDelay: 300, maxDelay: 1000, factor: 2, randomisationFactor: 0 },
        });
        this.client = client;
        for (const name of ['strictValidationFailure', 'badMessage'])
            client.on(name, event => this.violations.push({
                name, method: event.method, error: String(event.error),
                text: JSON.stringify(event.params ?? event.result ?? null),
            }));
        this.answers = { ...this.#answers(), ...this.more };
        for (const [action, answer] of Object.entries(this.answers))
            client.handle(action, ({ params }) => answer(params));
        await client.connect();
        client.on('open', () => this.#sayStatus().catch(() => {}));
        if (boot) {
            const answer = await client.call('BootNotification', {
                reason: 'PowerUp',
                chargingStation: { vendorName: 'Independent', model: 'Strict 201',
                    serialNumber: `SN-${this.id}`, firmwareVersion: '2.0.1' },
            });
            this.accepted = answer.status === 'Accepted';
        }
        await this.#sayStatus();
        this.timer = setInterval(() => this.#tick(), 250);
    }

    cut() {
        clearInterval(this.timer);
        this.client.close({ force: true }).catch(() => {});
    }

    async close() {
        clearInterval(this.timer);
        await this.client?.close({ code: 1000 }).catch(() => {});
    }

    // ---- what the controller asks

    #answers() {
        return {
            SetChargingProfile: p => this.#setProfile(p),
            ClearChargingProfile: p => this.#clearProfile(p),
            GetVariables: p => this.#getVariables(p),
            SetVariables: p => this.#setVariables(p),
            TriggerMessage: p => this.#trigger(p),
            RequestStopTransaction: p => this.#stop(p),
            Reset: () => ({ status: 'Accepted' }),
        };
    }

    // The rules of K01, as a strict station has them.
    #refuse(evseId, p) {
        const tx = p.chargingProfilePurpose === 'TxProfile';
        const max = p.chargingProfilePurpose === 'ChargingStationMaxProfile';
        const relative = p.chargingProfileKind === 'Relative';
        if (p.chargingProfilePurpose === 'ChargingStationExternalConstraints')
            return 'InvalidPurpose';
        if (p.stackLevel > Number(this.variables.get('SmartChargingCtrlr.ProfileStackLevel')))
            return 'InvalidStackLevel';
        if (max && (evseId !== 0 || relative) || !max && evseId !== 1)
            return 'InvalidEVSE';
        if (tx && (!this.transaction || p.transactionId !== this.transaction))
            return 'TxNotFound';
        if (!tx && p.transactionId !== undefined)
            return 'InvalidProfile';
        if (this.profiles.some(q => q.evseId === evseId && q.profile.id !== p.id &&
            q.profile.stackLevel === p.stackLevel &&
            q.profile.chargingProfilePurpose === p.chargingProfilePurpose))
            return 'DuplicateProfile';
        for (const s of p.chargingSchedule) {
            const starts = s.chargingSchedulePeriod.map(q => q.startPeriod);
            if (starts[0] !== 0 || starts.some((t, i) => i > 0 && t <= starts[i - 1]))
                return 'InvalidSchedule';
            if (relative !== (s.startSchedule === undefined))
                return 'InvalidSchedule';
            if (!this.variables.get('SmartChargingCtrlr.RateUnit').split(',')
                .includes(s.chargingRateUnit))
                return 'UnsupportedRateUnit';
        }
        return null;
    }

    #setProfile({ evseId, chargingProfile: profile }) {
        this.history.push({ at: performance.now(), evseId, profile });
        const why = this.#refuse(evseId, profile);
        if (why) {
            this.refusals.push({ why, evseId, profile });
            return { status: 'Rejected', statusInfo: { reasonCode: why } };
        }
        this.profiles = this.profiles.filter(p => p.profile.id !== profile.id);
        this.profiles.push({ evseId, profile, at: Date.now() });
        return { status: 'Accepted' };
    }

    #clearProfile({ chargingProfileId: id, chargingProfileCriteria: c = {} }) {
        const before = this.profiles.length;
        const fits = (wanted, is) => wanted === undefined || wanted === is;
        this.profiles = this.profiles.filter(p => id !== undefined
            ? p.profile.id !== id
            : !(fits(c.evseId, p.evseId) && fits(c.stackLevel, p.profile.stackLevel) &&
                fits(c.chargingProfilePurpose, p.profile.chargingProfilePurpose)));
        return { status: this.profiles.length < before ? 'Accepted' : 'Unknown' };
    }

    #getVariables({ getVariableData }) {
        return {
            getVariableResult: getVariableData.map(({ component, variable }) => {
                const value = this.variables.get(`${component.name}.${variable.name}`);
                return value === undefined
                    ? { attributeStatus: 'UnknownVariable', component, variable }
                    : { attributeStatus: 'Accepted', attributeValue: value, component, variable };
            }),
        };
    }

    #setVariables({ setVariableData }) {
        return {
            setVariableResult: setVariableData.map(({ component, variable, attributeValue }) => {
                const key = `${component.name}.${variable.name}`;
                const known = this.variables.has(key);
                const fixed = component.name === 'SmartChargingCtrlr';
                if (known && !fixed)
                    this.variables.set(key, attributeValue);
                return { component, variable,
                    attributeStatus: !known ? 'UnknownVariable' : fixed ? 'Rejected' : 'Accepted' };
            }),
        };
    }

    #trigger({ requestedMessage }) {
        const said = {
            MeterValues: () => this.#sayMeterValues(),
            StatusNotification: () => this.#sayStatus(),
            Heartbeat: () => this.client.call('Heartbeat', {}),
        }[requestedMessage];
        if (!said)
            return { status: 'NotImplemented' };
        setImmediate(() => said().catch(() => {}));
        return { status: 'Accepted' };
    }

    #stop({ transactionId }) {
        if (transactionId !== this.transaction)
            return { status: 'Rejected' };
        setImmediate(() => this.unplug({ reason: 'Remote', trigger: 'RemoteStop' })
            .catch(() => {}));
        return { status: 'Accepted' };
    }

    // ---- what its profiles allow now, in A

    limit() {
        const now = Date.now();
        const of = purpose => {
            const live = this.profiles
                .filter(p => p.profile.chargingProfilePurpose === purpose)
                .map(p => ({ level: p.profile.stackLevel, amps: limitOf(p, now) }))
                .filter(p => p.amps !== null)
                .sort((a, b) => b.level - a.level);
            return live.length ? live[0].amps : null;
        };
        const tx = this.transaction ? of('TxProfile') : null;
        return Math.min(this.max, of('ChargingStationMaxProfile') ?? Infinity,
            tx ?? of('TxDefaultProfile') ?? Infinity);
    }

    // ---- the car

    async plugIn({ tag = 'CARD-1', max = 32 } = {}) {
        const idToken = { idToken: tag, type: 'ISO14443' };
        this.car = { max };
        await this.#sayStatus();
        const { idTokenInfo } = await this.client.call('Authorize', { idToken });
        if (idTokenInfo.status !== 'Accepted')
            throw new Error(`${this.id}: the tag is ${idTokenInfo.status}`);
        this.register = [Math.round(this.#energy())];
        this.transaction = randomUUID();
        this.seqNo = 0;
        this.state = 'EVConnected';
        const answer = await this.#sayEvent('Started', 'Authorized',
            { idToken, evse: { id: 1, connectorId: 1 },
                meterValue: [this.#values('Transaction.Begin')] });
        if (answer.idTokenInfo?.status !== 'Accepted')
            throw new Error(`${this.id}: the transaction is refused`);
        return this.transaction;
    }

    async unplug({ reason = 'EVDisconnected', trigger = 'EVDeparted' } = {}) {
        this.car = null;
        this.#tick();
        this.register[1] = Math.round(this.#energy());
        this.state = 'Idle';
        const ended = this.#sayEvent('Ended', trigger,
            { meterValue: [this.#values('Transaction.End')] }, { stoppedReason: reason });
        this.transaction = null;
        this.profiles = this.profiles
            .filter(p => p.profile.chargingProfilePurpose !== 'TxProfile');
        await ended;
        await this.#sayStatus();
    }

    #tick() {
        const limit = this.transaction && this.car ? this.limit() : 0;
        const amps = limit >= MIN_A ? Math.min(limit, this.car.max) : 0;
        if (amps !== this.amps) {
            this.#energy();
            this.amps = amps;
            this.onCurrent(this);
        }
        if (!this.transaction || !this.car)
            return;
        const state = amps > 0 ? 'Charging' : 'SuspendedEVSE';
        if (state !== this.state) {
            this.state = state;
            this.#sayEvent('Updated', 'ChargingStateChanged').catch(() => {});
        }
        const interval = 1000 *
            Number(this.variables.get('SampledDataCtrlr.TxUpdatedInterval'));
        if (interval > 0 && performance.now() - (this.sampledAt ?? -1e9) >= interval) {
            this.sampledAt = performance.now();
            this.#sayEvent('Updated', 'MeterValuePeriodic',
                { meterValue: [this.#values('Sample.Periodic')] }).catch(() => {});
        }
    }

    #energy() {
        const now = performance.now();
        this.wh += this.amps * VOLTAGE * this.wiring.length * (now - this.whSince) / 3.6e6;
        this.whSince = now;
        return this.wh;
    }

    #sayEvent(eventType, triggerReason, more = {}, info = {}) {
        return this.client.call('TransactionEvent', {
            eventType, triggerReason, timestamp: new Date().toISOString(),
            seqNo: this.seqNo++,
            transactionInfo: { transactionId: this.transaction, chargingState: this.state,
                ...info },
            ...more,
        });
    }

    #sayStatus() {
        return this.client.call('StatusNotification', {
            evseId: 1, connectorId: 1, timestamp: new Date().toISOString(),
            connectorStatus: this.car ? 'Occupied' : 'Available',
        });
    }

    #values(context) {
        const value = (measurand, unit, v, more = {}) => ({ value: v, context, measurand,
            unitOfMeasure: { unit, ...more.multiplier ? { multiplier: more.multiplier } : {} },
            location: 'Outlet', ...more.phase ? { phase: more.phase } : {} });
        return {
            timestamp: new Date().toISOString(),
            sampledValue: [
                value('Energy.Active.Import.Register', 'Wh',
                    Math.round(this.#energy()) / 1000, { multiplier: 3 }),
                value('Power.Active.Import', 'W', this.amps * VOLTAGE * this.wiring.length),
                ...this.wiring.map((_, i) => value('Current.Import', 'A', this.amps,
                    { phase: `L${i + 1}` })),
            ],
        };
    }

    #sayMeterValues() {
        return this.client.call('MeterValues',
            { evseId: 1, meterValue: [this.#values('Trigger')] });
    }

    sitePhases() {
        const i = [0, 0, 0];
        for (const phase of this.wiring)
            i[phase] += this.amps;
        return i;
    }

    async follows(what, condition, options) {
        return waitFor(`${this.id}: ${what}`, () => condition(this.limit(), this), {
            detail: () => `${this.id} may draw ${this.limit()} A, draws ${this.amps} A`,
            ...options,
        });
    }

    get status() { return this.state; }
}

// The limit of one installed profile at `now`, or null when it says nothing then.
function limitOf({ profile, at }, now) {
    const { validFrom, validTo, chargingProfileKind: kind, chargingSchedule: [s] } = profile;
    if (validFrom && Date.parse(validFrom) > now || validTo && Date.parse(validTo) <= now)
        return null;
    const start = kind === 'Relative' ? at : Date.parse(s.startSchedule);
    const age = (now - start) / 1000;
    if (age < 0 || s.duration !== undefined && age >= s.duration)
        return null;
    return s.chargingSchedulePeriod.filter(p => p.startPeriod <= age).at(-1)?.limit ?? null;
}
