// SPDX-License-Identifier: Apache-2.0
// A charger with one car, on top of the strict OCPP 1.6 client of the ocpp-rpc package.
//
// It is honest: it draws what its profiles allow (OCPP 1.6 section 3.13), a car takes
// no less than 6 A, and it measures what it draws. All that breaks the schema, in either
// direction, ends up in `violations`.
import { createRPCError, RPCClient } from 'ocpp-rpc';
import { waitFor } from './process.js';

const VOLTAGE = 230;
const MIN_A = 6; // IEC 61851-1

export class Charger {
    // wiring: the site phases (0..2) on its own L1, L2, ...
    constructor({ id, port, password, wiring, max = 32, onCurrent = () => {} }) {
        Object.assign(this, { id, port, password, wiring, max, onCurrent });
        this.profiles = []; // as installed, newest last
        this.history = []; // {at, profile} of each SetChargingProfile
        this.violations = [];
        this.configuration = new Map([
            ['AuthorizeRemoteTxRequests', 'false'],
            ['ChargeProfileMaxStackLevel', '8'],
            ['ChargingScheduleAllowedChargingRateUnit', 'Current'],
            ['ChargingScheduleMaxPeriods', '24'],
            ['ClockAlignedDataInterval', '0'],
            ['ConnectorPhaseRotation', '0.Unknown'],
            ['HeartbeatInterval', '300'],
            ['MaxChargingProfilesInstalled', '10'],
            ['MeterValueSampleInterval', '60'],
            ['MeterValuesSampledData', 'Energy.Active.Import.Register'],
            ['NumberOfConnectors', '1'],
            ['SupportedFeatureProfiles', 'Core,SmartCharging,RemoteTrigger'],
            ['WebSocketPingInterval', '0'],
        ]);
        this.more = {}; // further actions: payload -> answer
        this.deaf = false; // accepts every limit and ignores it
        this.car = null; // {max} while one is plugged in
        this.transaction = null;
        this.status = 'Available';
        this.amps = 0; // what the car draws on each of its phases
        this.wh = 100_000;
        this.whSince = performance.now();
    }

    static readOnly = new Set(['ChargeProfileMaxStackLevel', 'ChargingScheduleMaxPeriods',
        'ChargingScheduleAllowedChargingRateUnit', 'ConnectorPhaseRotation',
        'MaxChargingProfilesInstalled', 'NumberOfConnectors', 'SupportedFeatureProfiles']);

    // ---- the connection

    async connect() {
        const client = new RPCClient({
            endpoint: `ws://127.0.0.1:${this.port}`,
            identity: this.id,
            password: this.password,
            protocols: ['ocpp1.6'],
            strictMode: true,
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
        client.on('message', ({ message, outbound }) => {
            if (!outbound)
                this.#checkText(String(message));
        });
        this.answers = { ...this.#answers(), ...this.more };
        for (const [action, answer] of Object.entries(this.answers))
            client.handle(action, ({ params }) => answer(params));
        await client.connect();
        client.on('open', () => this.#hello(client).catch(() => {})); // a reconnection
        await this.#hello(client, { boot: true });
        this.timer = setInterval(() => this.#tick(), 250);
    }

    // Limits leave with at most one digit after the point, and without floating noise.
    #checkText(text) {
        for (const [, limit] of text.matchAll(/"limit"\s*:\s*([^,}\s]+)/g))
            if (!/^\d+(\.\d)?$/.test(limit))
                this.violations.push({ name: 'limit', error: `limit ${limit}`, text });
    }

    async #hello(client, { boot = false } = {}) {
        if (boot) {
            const answer = await client.call('BootNotification', {
                chargePointVendor: 'Independent', chargePointModel: 'Strict 16',
                chargePointSerialNumber: `SN-${this.id}`, firmwareVersion: '1.2.3',
            });
            this.accepted = answer.status === 'Accepted';
            this.clock = answer.currentTime;
        }
        await client.call('StatusNotification',
            { connectorId: 0, errorCode: 'NoError', status: 'Available' });
        await this.#sayStatus();
    }

    // Its network is gone: no close frame, nothing.
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
            GetConfiguration: p => this.#getConfiguration(p),
            ChangeConfiguration: p => this.#changeConfiguration(p),
            TriggerMessage: p => this.#trigger(p),
            GetCompositeSchedule: p => this.#composite(p),
            ChangeAvailability: () => ({ status: 'Accepted' }),
            RemoteStartTransaction: () => ({ status: this.car ? 'Accepted' : 'Rejected' }),
            RemoteStopTransaction: () => ({ status: 'Rejected' }),
            ClearCache: () => ({ status: 'Accepted' }),
            DataTransfer: () => ({ status: 'UnknownVendorId' }),
        };
    }

    #setProfile({ connectorId, csChargingProfiles: profile }) {
        if (connectorId > 1)
            throw createRPCError('PropertyConstraintViolation', 'there is one connector');
        const tx = profile.chargingProfilePurpose === 'TxProfile';
        const max = profile.chargingProfilePurpose === 'ChargePointMaxProfile';
        this.history.push({ at: performance.now(), connectorId, profile });
        if (tx && (connectorId === 0 || !this.transaction ||
            profile.transactionId !== this.transaction) || max && connectorId !== 0 ||
            profile.chargingSchedule.chargingRateUnit !== 'A' ||
            profile.stackLevel > Number(this.configuration.get('ChargeProfileMaxStackLevel')))
            return { status: 'Rejected' };
        this.profiles = this.profiles.filter(p => p.connectorId !== connectorId ||
            p.profile.chargingProfileId !== profile.chargingProfileId &&
            (p.profile.stackLevel !== profile.stackLevel ||
             p.profile.chargingProfilePurpose !== profile.chargingProfilePurpose));
        this.profiles.push({ connectorId, profile, at: Date.now() });
        return { status: 'Accepted' };
    }

    #clearProfile({ id, connectorId, chargingProfilePurpose: purpose, stackLevel }) {
        const before = this.profiles.length;
        const fits = (wanted, is) => wanted === undefined || wanted === is;
        this.profiles = this.profiles.filter(p => id !== undefined
            ? p.profile.chargingProfileId !== id
            : !(fits(connectorId, p.connectorId) && fits(stackLevel, p.profile.stackLevel) &&
                fits(purpose, p.profile.chargingProfilePurpose)));
        return { status: this.profiles.length < before ? 'Accepted' : 'Unknown' };
    }

    #getConfiguration({ key }) {
        const wanted = key?.length ? key : [...this.configuration.keys()];
        const known = wanted.filter(k => this.configuration.has(k));
        return {
            configurationKey: known.map(k => ({
                key: k, readonly: Charger.readOnly.has(k), value: this.configuration.get(k),
            })),
            unknownKey: wanted.filter(k => !this.configuration.has(k)),
        };
    }

    #changeConfiguration({ key, value }) {
        if (!this.configuration.has(key))
            return { status: 'NotSupported' };
        if (Charger.readOnly.has(key))
            return { status: 'Rejected' };
        this.configuration.set(key, value);
        return { status: 'Accepted' };
    }

    #trigger({ requestedMessage }) {
        const said = {
            MeterValues: () => this.#sayMeterValues('Trigger'),
            StatusNotification: () => this.#sayStatus(),
            Heartbeat: () => this.client.call('Heartbeat', {}),
        }[requestedMessage];
        if (!said)
            return { status: 'NotImplemented' };
        setImmediate(() => said().catch(() => {}));
        return { status: 'Accepted' };
    }

    #composite({ duration }) {
        return {
            status: 'Accepted', connectorId: 1, scheduleStart: new Date().toISOString(),
            chargingSchedule: {
                duration, chargingRateUnit: 'A',
                chargingSchedulePeriod: [{ startPeriod: 0, limit: this.limit() }],
            },
        };
    }

    // ---- what its profiles allow now, in A

    limit() {
        if (this.deaf)
            return this.max;
        const of = (...purposes) => {
            const now = Date.now();
            const live = this.profiles
                .filter(p => purposes.includes(p.profile.chargingProfilePurpose))
                .map(p => ({ level: p.profile.stackLevel, amps: limitOf(p, now) }))
                .filter(p => p.amps !== null)
                .sort((a, b) => b.level - a.level);
            return live.length ? live[0].amps : null;
        };
        const tx = this.transaction ? of('TxProfile') : null;
        return Math.min(this.max, of('ChargePointMaxProfile') ?? Infinity,
            tx ?? of('TxDefaultProfile') ?? Infinity);
    }

    // ---- the car

    async plugIn({ tag = 'CARD-1', max = 32 } = {}) {
        this.car = { max };
        await this.#changeStatus('Preparing');
        const { idTagInfo } = await this.client.call('Authorize', { idTag: tag });
        if (idTagInfo.status !== 'Accepted')
            throw new Error(`${this.id}: the tag is ${idTagInfo.status}`);
        this.register = [Math.round(this.#energy())]; // of the transaction, Wh
        const answer = await this.client.call('StartTransaction', {
            connectorId: 1, idTag: tag, meterStart: this.register[0],
            timestamp: new Date().toISOString(),
        });
        this.transaction = answer.transactionId;
        await this.#changeStatus('Charging');
        return this.transaction;
    }

    async unplug() {
        this.car = null;
        this.#tick();
        const transactionId = this.transaction;
        this.transaction = null;
        this.profiles = this.profiles
            .filter(p => p.profile.chargingProfilePurpose !== 'TxProfile');
        this.register[1] = Math.round(this.#energy());
        await this.client.call('StopTransaction', {
            transactionId, meterStop: this.register[1], reason: 'EVDisconnected',
            timestamp: new Date().toISOString(),
        });
        await this.#changeStatus('Finishing');
        await this.#changeStatus('Available');
    }

    // A quarter of a second is as fast as a car follows here.
    #tick() {
        const limit = this.transaction && this.car ? this.limit() : 0;
        const amps = limit >= MIN_A ? Math.min(limit, this.car.max) : 0;
        if (amps !== this.amps) {
            this.#energy();
            this.amps = amps;
            this.onCurrent(this);
        }
        if (this.transaction && this.car) {
            const status = amps > 0 ? 'Charging' : 'SuspendedEVSE';
            if (status !== this.status)
                this.#changeStatus(status).catch(() => {});
            const interval = Number(this.configuration.get('MeterValueSampleInterval')) * 1000;
            if (interval > 0 && performance.now() - (this.sampledAt ?? -1e9) >= interval)
                this.#sayMeterValues('Sample.Periodic').catch(() => {});
        }
    }

    #energy() {
        const now = performance.now();
        this.wh += this.amps * VOLTAGE * this.wiring.length * (now - this.whSince) / 3.6e6;
        this.whSince = now;
        return this.wh;
    }

    #changeStatus(status) {
        this.status = status;
        return this.#sayStatus();
    }

    #sayStatus() {
        return this.client.call('StatusNotification', {
            connectorId: 1, errorCode: 'NoError', status: this.status,
            timestamp: new Date().toISOString(),
        });
    }

    #sayMeterValues(context) {
        this.sampledAt = performance.now();
        const value = (measurand, unit, v, more = {}) =>
            ({ value: v, context, measurand, unit, location: 'Outlet', ...more });
        const sampledValue = [
            value('Energy.Active.Import.Register', 'Wh', this.#energy().toFixed(0)),
            value('Power.Active.Import', 'W',
                (this.amps * VOLTAGE * this.wiring.length).toFixed(0)),
            value('Current.Offered', 'A', this.limit().toFixed(1)),
            ...this.wiring.map((_, i) => value('Current.Import', 'A', this.amps.toFixed(2),
                { phase: `L${i + 1}` })),
        ];
        return this.client.call('MeterValues', {
            connectorId: 1,
            ...this.transaction ? { transactionId: this.transaction } : {},
            meterValue: [{ timestamp: new Date().toISOString(), sampledValue }],
        });
    }

    // Its current on the site's phases.
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
}

// The limit of one installed profile at `now`, or null when it says nothing then.
function limitOf({ profile, at }, now) {
    const { validFrom, validTo, chargingProfileKind: kind, chargingSchedule: s } = profile;
    if (validFrom && Date.parse(validFrom) > now || validTo && Date.parse(validTo) <= now)
        return null;
    const start = kind === 'Relative' || !s.startSchedule ? at : Date.parse(s.startSchedule);
    const age = (now - start) / 1000;
    if (age < 0 || s.duration !== undefined && age >= s.duration)
        return null;
    return s.chargingSchedulePeriod.filter(p => p.startPeriod <= age).at(-1)?.limit ?? null;
}
