// SPDX-License-Identifier: Apache-2.0
// What a charger of OCPP 1.6 says and understands (its limits: section 3.13).
import { createRPCError } from 'ocpp-rpc';
import { Charger, VOLTAGE } from './charger.js';

const purposes = {
    ChargePointMaxProfile: 'max', TxDefaultProfile: 'default', TxProfile: 'tx',
};

export class Charger16 extends Charger {
    version = '1.6';
    speaks = ['ocpp1.6'];

    configuration = new Map([
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

    static readOnly = new Set(['ChargeProfileMaxStackLevel', 'ChargingScheduleMaxPeriods',
        'ChargingScheduleAllowedChargingRateUnit', 'ConnectorPhaseRotation',
        'MaxChargingProfilesInstalled', 'NumberOfConnectors', 'SupportedFeatureProfiles']);

    get sampleS() {
        return Number(this.configuration.get('MeterValueSampleInterval'));
    }

    set sampleS(s) {
        this.configuration.set('MeterValueSampleInterval', String(s));
    }

    // It keeps a list of tags, so many of them in a message.
    keepList(per) {
        this.configuration.set('LocalAuthListEnabled', 'false');
        this.configuration.set('SendLocalListMaxLength', String(per));
    }

    get listEnabled() {
        return this.configuration.get('LocalAuthListEnabled') === 'true';
    }

    // ---- what the controller asks

    answersOf() {
        return {
            SetChargingProfile: p => this.#setProfile(p),
            ClearChargingProfile: ({ chargingProfilePurpose, stackLevel, ...p }) => ({
                status: this.drop({ ...p, purpose: purposes[chargingProfilePurpose],
                    level: stackLevel }) ? 'Accepted' : 'Unknown',
            }),
            GetConfiguration: p => this.#getConfiguration(p),
            ChangeConfiguration: p => this.#changeConfiguration(p),
            TriggerMessage: p => this.#trigger(p),
            GetCompositeSchedule: p => this.#composite(p),
            GetLocalListVersion: () => ({ listVersion: this.list.version }),
            SendLocalList: p => this.#takeList(p),
            ChangeAvailability: () => ({ status: 'Accepted' }),
            RemoteStartTransaction: () => ({ status: this.car ? 'Accepted' : 'Rejected' }),
            RemoteStopTransaction: p => this.stop(p.transactionId),
            ReserveNow: () => ({ status: 'Accepted' }),
            CancelReservation: () => ({ status: 'Accepted' }),
            Reset: () => ({ status: 'Accepted' }),
            ClearCache: () => ({ status: 'Accepted' }),
            DataTransfer: () => ({ status: 'UnknownVendorId' }),
        };
    }

    #setProfile({ connectorId, csChargingProfiles: profile }) {
        if (connectorId > 1)
            throw createRPCError('PropertyConstraintViolation', 'there is one connector');
        const p = {
            connector: connectorId, id: profile.chargingProfileId, level: profile.stackLevel,
            purpose: purposes[profile.chargingProfilePurpose],
            kind: profile.chargingProfileKind, validFrom: profile.validFrom,
            validTo: profile.validTo, transaction: profile.transactionId,
            schedule: profile.chargingSchedule, profile,
        };
        const why = p.purpose === 'tx' && (connectorId === 0 || this.forgets ||
                !this.transaction || p.transaction !== this.transaction) ? 'TxNotFound'
            : p.purpose === 'max' && connectorId !== 0 ? 'InvalidEVSE'
                : p.schedule.chargingRateUnit !== 'A' ? 'UnsupportedRateUnit'
                    : p.level > Number(this.configuration.get('ChargeProfileMaxStackLevel'))
                        ? 'InvalidStackLevel' : null;
        const refused = this.take(p, why, q => q.connector === connectorId &&
            (q.id === p.id || q.level === p.level && q.purpose === p.purpose));
        return { status: refused ? 'Rejected' : 'Accepted' };
    }

    #getConfiguration({ key }) {
        const wanted = key?.length ? key : [...this.configuration.keys()];
        const known = wanted.filter(k => this.configuration.has(k));
        return {
            configurationKey: known.map(k => ({
                key: k, readonly: Charger16.readOnly.has(k), value: this.configuration.get(k),
            })),
            unknownKey: wanted.filter(k => !this.configuration.has(k)),
        };
    }

    #changeConfiguration({ key, value }) {
        if (!this.configuration.has(key))
            return { status: 'NotSupported' };
        if (Charger16.readOnly.has(key))
            return { status: 'Rejected' };
        this.configuration.set(key, value);
        return { status: 'Accepted' };
    }

    #trigger({ requestedMessage }) {
        const said = {
            MeterValues: () => this.saySample('Trigger'),
            StatusNotification: () => this.sayStatus(),
            Heartbeat: () => this.say('Heartbeat', {}),
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

    #takeList({ listVersion, localAuthorizationList: tags = [], updateType }) {
        const { list } = this;
        list.sent.push({ updateType, n: tags.length });
        if (updateType === 'Full')
            list.tags.clear();
        else if (listVersion <= list.version)
            return { status: 'VersionMismatch' };
        list.version = listVersion;
        for (const { idTag, idTagInfo: info } of tags)
            if (info)
                list.tags.set(idTag, { status: info.status,
                    ...info.parentIdTag ? { group: info.parentIdTag } : {},
                    ...info.expiryDate ? { until: info.expiryDate } : {} });
            else
                list.tags.delete(idTag);
        return { status: 'Accepted' };
    }

    // ---- what it says

    boot() {
        return this.client.call('BootNotification', {
            chargePointVendor: 'Independent', chargePointModel: 'Strict 16',
            chargePointSerialNumber: `SN-${this.id}`, firmwareVersion: '1.2.3',
        });
    }

    async authorize(tag) {
        return (await this.client.call('Authorize', { idTag: tag })).idTagInfo.status;
    }

    // Its status is what is said of the tag.
    async begin(tag) {
        const { transactionId, idTagInfo } = await this.sayOfTransaction('StartTransaction', {
            connectorId: 1, idTag: tag, meterStart: this.register[0],
            timestamp: this.stamp(),
        });
        this.transaction = transactionId;
        this.status = 'Charging';
        await this.sayStatus();
        return idTagInfo.status;
    }

    end(reason) {
        return this.sayOfTransaction('StopTransaction', {
            transactionId: this.transaction, meterStop: this.register[1], reason,
            timestamp: this.stamp(),
        });
    }

    sayChange() {
        return this.sayStatus();
    }

    async sayStatus() {
        await this.say('StatusNotification',
            { connectorId: 0, errorCode: 'NoError', status: 'Available' });
        return this.say('StatusNotification', {
            connectorId: 1, errorCode: 'NoError', status: this.status,
            timestamp: this.stamp(),
        });
    }

    saySample(context = 'Sample.Periodic') {
        const value = (measurand, unit, v, more = {}) =>
            ({ value: v, context, measurand, unit, location: 'Outlet', ...more });
        const sampledValue = [
            value('Energy.Active.Import.Register', 'Wh', this.energy().toFixed(0)),
            value('Power.Active.Import', 'W',
                (this.amps * VOLTAGE * this.wiring.length).toFixed(0)),
            value('Current.Offered', 'A', this.limit().toFixed(1)),
            ...this.wiring.map((_, i) => value('Current.Import', 'A', this.amps.toFixed(2),
                { phase: `L${i + 1}` })),
        ];
        return this.say('MeterValues', {
            connectorId: 1,
            ...this.transaction ? { transactionId: this.transaction } : {},
            meterValue: [{ timestamp: this.stamp(), sampledValue }],
        });
    }
}
