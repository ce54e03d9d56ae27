// SPDX-License-Identifier: Apache-2.0
// What a charging station of OCPP 2.0.1 with one EVSE says and understands.
import { randomUUID } from 'node:crypto';
import { Charger, VOLTAGE } from './charger.js';

const purposes = {
    ChargingStationMaxProfile: 'max', TxDefaultProfile: 'default', TxProfile: 'tx',
};
const states = {
    Available: 'Idle', Preparing: 'EVConnected', Charging: 'Charging',
    SuspendedEVSE: 'SuspendedEVSE', Finishing: 'Idle',
};

export class Charger201 extends Charger {
    version = '2.0.1';
    speaks = ['ocpp2.0.1'];
    seqNo = 0;
    evses = 1; // its car is at the first one

    variables = new Map([
        ['SmartChargingCtrlr.ProfileStackLevel', '3'],
        ['SmartChargingCtrlr.PeriodsPerSchedule', '24'],
        ['SmartChargingCtrlr.RateUnit', 'A'],
        ['SampledDataCtrlr.TxUpdatedInterval', '60'],
        ['SampledDataCtrlr.TxUpdatedMeasurands', 'Energy.Active.Import.Register'],
        ['OCPPCommCtrlr.WebSocketPingInterval', '0'],
    ]);

    get sampleS() {
        return Number(this.variables.get('SampledDataCtrlr.TxUpdatedInterval'));
    }

    set sampleS(s) {
        this.variables.set('SampledDataCtrlr.TxUpdatedInterval', String(s));
    }

    keepList(per) {
        this.variables.set('LocalAuthListCtrlr.Enabled', 'false');
        this.variables.set('LocalAuthListCtrlr.ItemsPerMessage', String(per));
    }

    get listEnabled() {
        return this.variables.get('LocalAuthListCtrlr.Enabled') === 'true';
    }

    // ---- what the controller asks

    answersOf() {
        return {
            SetChargingProfile: p => this.#setProfile(p),
            ClearChargingProfile: ({ chargingProfileId: id, chargingProfileCriteria: c = {} }) =>
                ({ status: this.drop({ id, connector: c.evseId, level: c.stackLevel,
                    purpose: purposes[c.chargingProfilePurpose] }) ? 'Accepted' : 'Unknown' }),
            GetVariables: p => this.#getVariables(p),
            SetVariables: p => this.#setVariables(p),
            GetBaseReport: p => this.#baseReport(p),
            TriggerMessage: p => this.#trigger(p),
            GetCompositeSchedule: p => this.#composite(p),
            GetLocalListVersion: () => ({ versionNumber: this.list.version }),
            SendLocalList: p => this.#takeList(p),
            RequestStartTransaction: () => ({ status: this.car ? 'Accepted' : 'Rejected' }),
            RequestStopTransaction: p => this.stop(p.transactionId),
            ReserveNow: () => ({ status: 'Accepted' }),
            CancelReservation: () => ({ status: 'Accepted' }),
            Reset: () => ({ status: 'Accepted' }),
            ClearCache: () => ({ status: 'Accepted' }),
            DataTransfer: () => ({ status: 'UnknownVendorId' }),
        };
    }

    // The rules of K01, as a strict station has them.
    #refuse({ connector: evse, id, level, purpose, kind, transaction, profile }) {
        const relative = kind === 'Relative';
        if (!purpose)
            return 'InvalidPurpose';
        if (level > Number(this.variables.get('SmartChargingCtrlr.ProfileStackLevel')))
            return 'InvalidStackLevel';
        if (purpose === 'max' && (evse !== 0 || relative) || purpose !== 'max' && !(evse >= 1 && evse <= this.evses))
            return 'InvalidEVSE';
        if (purpose === 'tx' && (this.forgets || !this.transaction ||
            transaction !== this.transaction))
            return 'TxNotFound';
        if (purpose !== 'tx' && transaction !== undefined)
            return 'InvalidProfile';
        if (this.profiles.some(q => q.connector === evse && q.id !== id &&
            q.level === level && q.purpose === purpose))
            return 'DuplicateProfile';
        for (const s of profile.chargingSchedule) {
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
        const p = {
            connector: evseId, id: profile.id, level: profile.stackLevel,
            purpose: purposes[profile.chargingProfilePurpose],
            kind: profile.chargingProfileKind, validFrom: profile.validFrom,
            validTo: profile.validTo, transaction: profile.transactionId,
            schedule: profile.chargingSchedule[0], profile,
        };
        const why = this.take(p, this.#refuse(p), q => q.id === p.id);
        return why ? { status: 'Rejected', statusInfo: { reasonCode: why } }
            : { status: 'Accepted' };
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

    // All of its variables, in two reports.
    #baseReport({ requestId }) {
        const all = [...this.variables].map(([key, value]) => {
            const [component, variable] = key.split('.');
            const fixed = component === 'SmartChargingCtrlr';
            return {
                component: { name: component }, variable: { name: variable },
                variableAttribute: [{ value, mutability: fixed ? 'ReadOnly' : 'ReadWrite' }],
                variableCharacteristics: { dataType: 'string', supportsMonitoring: false },
            };
        });
        const half = Math.ceil(all.length / 2);
        const generatedAt = new Date().toISOString();
        setImmediate(async () => {
            for (const seqNo of [0, 1])
                await this.say('NotifyReport', { requestId, generatedAt, seqNo,
                    tbc: seqNo === 0,
                    reportData: all.slice(seqNo * half, (seqNo + 1) * half) }).catch(() => {});
        });
        return { status: 'Accepted' };
    }

    #trigger({ requestedMessage }) {
        const said = {
            MeterValues: () => this.say('MeterValues',
                { evseId: 1, meterValue: [this.#values('Trigger', ['Energy'])] }),
            TransactionEvent: () => this.transaction &&
                this.#sayEvent('Updated', 'Trigger', { meterValue: [this.#values('Trigger')] }),
            StatusNotification: () => this.sayStatus(),
            Heartbeat: () => this.say('Heartbeat', {}),
        }[requestedMessage];
        if (!said)
            return { status: 'NotImplemented' };
        setImmediate(() => said()?.catch(() => {}));
        return { status: 'Accepted' };
    }

    #composite({ duration }) {
        return {
            status: 'Accepted',
            schedule: {
                evseId: 1, duration, scheduleStart: new Date().toISOString(),
                chargingRateUnit: 'A',
                chargingSchedulePeriod: [{ startPeriod: 0, limit: this.limit() }],
            },
        };
    }

    #takeList({ versionNumber, localAuthorizationList: tags = [], updateType }) {
        const { list } = this;
        list.sent.push({ updateType, n: tags.length });
        if (updateType === 'Full')
            list.tags.clear();
        else if (versionNumber <= list.version)
            return { status: 'VersionMismatch' };
        list.version = versionNumber;
        for (const { idToken: { idToken }, idTokenInfo: info } of tags)
            if (info)
                list.tags.set(idToken, { status: info.status,
                    ...info.groupIdToken ? { group: info.groupIdToken.idToken } : {},
                    ...info.cacheExpiryDateTime ? { until: info.cacheExpiryDateTime } : {} });
            else
                list.tags.delete(idToken);
        return { status: 'Accepted' };
    }

    // ---- what it says

    boot() {
        return this.client.call('BootNotification', {
            reason: 'PowerUp',
            chargingStation: { vendorName: 'Independent', model: 'Strict 201',
                serialNumber: `SN-${this.id}`, firmwareVersion: '2.0.1' },
        });
    }

    async authorize(tag) {
        return (await this.client.call('Authorize', { idToken: idToken(tag) }))
            .idTokenInfo.status;
    }

    async begin(tag) {
        this.transaction = randomUUID();
        this.seqNo = 0;
        const { idTokenInfo } = await this.#sayEvent('Started', 'Authorized', {
            ...tag === null ? {} : { idToken: idToken(tag) },
            evse: { id: 1, connectorId: 1 },
            meterValue: [this.#values('Transaction.Begin')],
        });
        return tag === null ? 'Accepted' : idTokenInfo?.status;
    }

    // A tag is shown when the transaction has begun.
    async show(tag) {
        const { idTokenInfo } = await this.#sayEvent('Updated', 'Authorized',
            { idToken: idToken(tag) });
        return idTokenInfo?.status;
    }

    end(reason) {
        return this.#sayEvent('Ended', reason === 'Remote' ? 'RemoteStop' : 'EVDeparted',
            { meterValue: [this.#values('Transaction.End')] }, { stoppedReason: reason });
    }

    sayChange() {
        return this.#sayEvent('Updated', 'ChargingStateChanged');
    }

    saySample() {
        return this.#sayEvent('Updated', 'MeterValuePeriodic',
            { meterValue: [this.#values('Sample.Periodic')] });
    }

    sayStatus() {
        return this.say('StatusNotification', {
            evseId: 1, connectorId: 1, timestamp: this.stamp(),
            connectorStatus: this.car ? 'Occupied' : 'Available',
        });
    }

    #sayEvent(eventType, triggerReason, more = {}, info = {}) {
        return this.sayOfTransaction('TransactionEvent', {
            eventType, triggerReason, timestamp: this.stamp(),
            seqNo: this.seqNo++,
            transactionInfo: { transactionId: this.transaction,
                chargingState: states[this.status], ...info },
            ...more,
        }, payload => { payload.offline = true; });
    }

    // All of them, or those of the aligned data: the energy alone.
    #values(context, only = ['']) {
        const value = (measurand, unit, v, { multiplier, ...more } = {}) =>
            ({ value: v, context, measurand, location: 'Outlet', ...more,
                unitOfMeasure: { unit, ...multiplier ? { multiplier } : {} } });
        return {
            timestamp: this.stamp(),
            sampledValue: [
                value('Energy.Active.Import.Register', 'Wh',
                    Math.round(this.energy()) / 1000, { multiplier: 3 }),
                value('Power.Active.Import', 'W', VOLTAGE *
                    this.wiring.reduce((sum, _, i) => sum + this.ampsOn(i), 0)),
                ...this.wiring.map((_, i) => value('Current.Import', 'A', this.ampsOn(i),
                    { phase: `L${i + 1}` })),
            ].filter(v => only.some(o => v.measurand.startsWith(o))),
        };
    }
}

const idToken = tag => ({ idToken: tag, type: 'ISO14443' });
