// SPDX-License-Identifier: Apache-2.0
// Chargehand's simulated charger against a strict central system, ocpp-rpc's, which knows
// the schemas of both versions: all that it says and answers has to be good.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { RPCServer } from 'ocpp-rpc';
import { Child, scratch, waitFor } from '../lib/process.js';

const program = process.env.SIM_STATION ??
    join(dirname(process.env.CHARGEHAND), 'tests', 'station_live');
const soon = () => new Date(Date.now() - 60_000).toISOString();
const close = [];

after(async () => {
    for (const end of close)
        await end();
});

// A central system, and the station at it: what it said, in order, and how to ask it.
class Central {
    constructor(version, answers) {
        this.heard = []; // {action, params}
        this.bad = [];
        this.links = 0;
        this.transaction = 0;
        this.server = new RPCServer({ protocols: [`ocpp${version}`], strictMode: true });
        this.server.auth(accept => accept());
        this.server.on('client', client => {
            this.client = client;
            this.links++;
            for (const name of ['strictValidationFailure', 'badMessage'])
                client.on(name, event => this.bad.push({ name, error: String(event.error),
                    params: JSON.stringify(event.params ?? event.result ?? null) }));
            client.handle(({ method, params }) => {
                this.heard.push({ action: method, params });
                return answers(method, params, this);
            });
        });
    }

    async start(version, id) {
        const http = await this.server.listen(0, '127.0.0.1');
        this.station = new Child(id, program, [version, id, String(http.address().port)],
            { logDir: scratch('station'), stdin: true });
        close.push(async () => {
            await this.station.kill();
            await this.server.close({ force: true });
        });
    }

    tell(line) {
        this.station.process.stdin.write(`${line}\n`);
    }

    ask(action, params) {
        return this.client.call(action, params);
    }

    all(action, fits = () => true) {
        return this.heard.filter(m => m.action === action && fits(m.params))
            .map(m => m.params);
    }

    async hear(action, fits) {
        const all = await waitFor(action, () => {
            const list = this.all(action, fits);
            return list.length && list;
        }, { detail: () => JSON.stringify(this.heard.slice(-5)) + this.station.tail() });
        return all.at(-1);
    }

    async again(links) {
        await waitFor('a new connection', () => this.links >= links);
    }

    // It has nothing to object to, nor have we.
    async end() {
        this.station.process.stdin.end();
        await this.station.ended;
        assert.deepEqual(this.bad, []);
        const said = JSON.parse(this.station.lines.findLast(l => l.startsWith('{"calls"')));
        assert.equal(said.faulty, 0);
        assert.equal(said.wrong, 0);
    }
}

const now = () => new Date().toISOString();

function answer16(method, params, central) {
    return {
        BootNotification: { status: 'Accepted', currentTime: now(), interval: 300 },
        Heartbeat: { currentTime: now() },
        Authorize: { idTagInfo: { status: 'Accepted' } },
        StartTransaction: { idTagInfo: { status: 'Accepted' },
            transactionId: method === 'StartTransaction' ? ++central.transaction : 0 },
    }[method] ?? {};
}

const profile16 = (transactionId, limit) => ({
    connectorId: 1,
    csChargingProfiles: {
        chargingProfileId: 1, transactionId, stackLevel: 1, chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Absolute',
        chargingSchedule: { startSchedule: soon(), duration: 3600, chargingRateUnit: 'A',
            chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
    },
});

test('a charger of 1.6', async () => {
    const c = new Central('1.6', answer16);
    await c.start('1.6', 'SIM-16');
    assert.equal((await c.hear('BootNotification')).chargePointVendor, 'Fir');
    await c.hear('StatusNotification', p => p.connectorId === 1 && p.status === 'Available');
    const keys = await c.ask('GetConfiguration', {});
    assert.ok(keys.configurationKey.some(k => k.key === 'ChargeProfileMaxStackLevel'));
    for (const [key, value] of [['MeterValueSampleInterval', '1'],
        ['MeterValuesSampledData', 'Current.Import,Power.Active.Import']])
        assert.equal((await c.ask('ChangeConfiguration', { key, value })).status, 'Accepted');
    c.tell('plug CARD-1 10000');
    await c.hear('StartTransaction', p => p.idTag === 'CARD-1');
    await waitFor('it has taken its id', async () =>
        (await c.ask('SetChargingProfile', profile16(1, 10))).status === 'Accepted');
    await c.hear('MeterValues', p => p.meterValue[0].sampledValue.some(v =>
        v.measurand === 'Current.Import' && v.phase === 'L3' && Number(v.value) === 10));
    const { chargingSchedule } = await c.ask('GetCompositeSchedule',
        { connectorId: 1, duration: 60 });
    assert.equal(chargingSchedule.chargingSchedulePeriod[0].limit, 10);
    assert.equal((await c.ask('TriggerMessage',
        { requestedMessage: 'MeterValues', connectorId: 1 })).status, 'Accepted');
    await c.hear('MeterValues', p =>
        p.meterValue[0].sampledValue[0].context === 'Trigger');
    c.tell('cut 300');
    c.tell('unplug');
    await c.again(2);
    await c.hear('StopTransaction', p => p.transactionId === 1);
    assert.equal((await c.ask('Reset', { type: 'Soft' })).status, 'Accepted');
    await c.again(3);
    await waitFor('it boots again', () => c.all('BootNotification').length === 2);
    await c.end();
});

const answer201 = method => ({
    BootNotification: { status: 'Accepted', currentTime: now(), interval: 300 },
    Heartbeat: { currentTime: now() },
    Authorize: { idTokenInfo: { status: 'Accepted' } },
    TransactionEvent: { idTokenInfo: { status: 'Accepted' } },
}[method] ?? {});

const profile201 = (id, transactionId, limit) => ({
    evseId: 1,
    chargingProfile: {
        id, transactionId, stackLevel: 1, chargingProfilePurpose: 'TxProfile',
        chargingProfileKind: 'Absolute',
        chargingSchedule: [{ id, startSchedule: soon(), duration: 3600, chargingRateUnit: 'A',
            chargingSchedulePeriod: [{ startPeriod: 0, limit, numberPhases: 3 }] }],
    },
});

const variable = (component, name, attributeValue) => ({
    component: { name: component }, variable: { name }, attributeValue,
});

async function report(c, requestId) {
    assert.equal((await c.ask('GetBaseReport',
        { requestId, reportBase: 'FullInventory' })).status, 'Accepted');
    await c.hear('NotifyReport', p => !p.tbc);
    const parts = c.all('NotifyReport');
    assert.deepEqual(parts.map(p => p.seqNo), parts.map((_, i) => i));
    return parts.flatMap(p => p.reportData);
}

// All its events, in order and none left out.
function events(c) {
    const list = c.all('TransactionEvent');
    assert.deepEqual([...new Set(list.map(e => e.seqNo))], list.at(-1).seqNo >= 0
        ? Array.from({ length: list.at(-1).seqNo + 1 }, (_, i) => i) : []);
    assert.equal(new Set(list.map(e => e.transactionInfo.transactionId)).size, 1);
    return list;
}

test('a charger of 2.0.1', async () => {
    const c = new Central('2.0.1', answer201);
    await c.start('2.0.1', 'SIM-201');
    assert.equal((await c.hear('BootNotification')).reason, 'PowerUp');
    await c.hear('StatusNotification', p => p.connectorStatus === 'Available');
    const model = await report(c, 7);
    assert.ok(model.some(d => d.component.name === 'SmartChargingCtrlr' &&
        d.variable.name === 'RateUnit' && d.variableAttribute[0].value === 'A,W'));
    const set = await c.ask('SetVariables', { setVariableData: [
        variable('SampledDataCtrlr', 'TxUpdatedInterval', '1'),
        variable('SampledDataCtrlr', 'TxUpdatedMeasurands', 'Current.Import,Power.Active.Import'),
    ] });
    assert.deepEqual(set.setVariableResult.map(r => r.attributeStatus), ['Accepted', 'Accepted']);

    c.tell('plug CARD-1 10000');
    const begin = await c.hear('TransactionEvent', e => e.eventType === 'Started');
    assert.equal(begin.idToken.idToken, 'CARD-1');
    const { transactionId } = begin.transactionInfo;
    assert.equal((await c.ask('SetChargingProfile',
        profile201(1, transactionId, 10))).status, 'Accepted');
    const twice = await c.ask('SetChargingProfile', profile201(2, transactionId, 8));
    assert.equal(twice.statusInfo.reasonCode, 'DuplicateProfile');
    await c.hear('TransactionEvent', e => e.triggerReason === 'MeterValuePeriodic' &&
        e.meterValue[0].sampledValue.some(v => v.phase === 'L3' && v.value === 10));
    await c.hear('TransactionEvent', e => e.triggerReason === 'ChargingRateChanged');
    const { schedule } = await c.ask('GetCompositeSchedule', { evseId: 1, duration: 60 });
    assert.deepEqual(schedule.chargingSchedulePeriod,
        [{ startPeriod: 0, limit: 10, numberPhases: 3 }]);

    c.tell('limit 80'); // by others
    await c.hear('NotifyChargingLimit', p => p.chargingSchedule[0]
        .chargingSchedulePeriod[0].limit === 8);
    const { status } = await c.ask('GetChargingProfiles',
        { requestId: 8, chargingProfile: {} });
    assert.equal(status, 'Accepted');
    await c.hear('ReportChargingProfiles', p => !p.tbc);
    assert.deepEqual(c.all('ReportChargingProfiles').map(p => p.chargingLimitSource).sort(),
        ['CSO', 'Other']);
    c.tell('limit -1');
    await c.hear('ClearedChargingLimit');

    c.tell('cut 300');
    c.tell('unplug');
    await c.again(2);
    const end = await c.hear('TransactionEvent', e => e.eventType === 'Ended');
    assert.equal(end.offline, true);
    assert.equal(end.transactionInfo.stoppedReason, 'EVDisconnected');
    assert.equal(events(c)[0].eventType, 'Started');
    assert.equal((await c.ask('Reset', { type: 'Immediate' })).status, 'Accepted');
    await c.hear('BootNotification', p => p.reason === 'RemoteReset');
    await c.end();
});
