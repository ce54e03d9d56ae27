// SPDX-License-Identifier: Apache-2.0
// What stations of OCPP 2.0.1 tell of themselves: a report in several parts, of two EVSEs
// of which one has two connectors; one that gives no report and takes few questions at a
// time. What cannot be set is tried once, and a fault of one connector stops no other.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createRPCError } from 'ocpp-rpc';
import { Charger201 } from '../lib/charger201.js';
import { ask, ocpp } from '../lib/command.js';
import { World } from '../lib/site.js';

const INTERVAL = 'SampledDataCtrlr.TxUpdatedInterval';

// One variable of a report; `of` is {evse, connector, instance, max}.
const reported = (component, variable, value, mutability = 'ReadOnly', of = {}) => ({
    component: { name: component, ...of.evse ? { evse: { id: of.evse,
        ...of.connector ? { connectorId: of.connector } : {} } } : {} },
    variable: { name: variable, ...of.instance ? { instance: of.instance } : {} },
    variableAttribute: [{ value, mutability }],
    variableCharacteristics: { dataType: 'string', supportsMonitoring: false,
        ...of.max ? { maxLimit: of.max } : {} },
});

// Two EVSEs, the second of them with two connectors; its car is at the first one.
class TwoEvses extends Charger201 {
    evses = 2;
    reports = 0;
    written = []; // INTERVAL
    triggers = [];

    constructor(options) {
        super(options);
        this.sampleS = 5;
    }

    answersOf() {
        const answers = super.answersOf();
        return { ...answers,
            GetBaseReport: p => this.report(p),
            SetVariables: p => this.set(p, answers),
            TriggerMessage: p => {
                this.triggers.push(p);
                return answers.TriggerMessage(p);
            } };
    }

    report({ requestId }) {
        const parts = [
            [reported('SmartChargingCtrlr', 'Entries', '0', 'ReadOnly',
                { instance: 'ChargingProfiles', max: 20 }),
            reported('SmartChargingCtrlr', 'ProfileStackLevel', '3'),
            reported('SmartChargingCtrlr', 'RateUnit', 'A')],
            [reported('EVSE', 'AvailabilityState', 'Available', 'ReadOnly', { evse: 1 }),
                reported('Connector', 'Available', 'true', 'ReadOnly', { evse: 2, connector: 1 }),
                reported('Connector', 'Available', 'true', 'ReadOnly', { evse: 2, connector: 2 })],
            [reported('SampledDataCtrlr', 'TxUpdatedInterval', '5'),
                reported('SmartChargingCtrlr', 'ACPhaseSwitchingSupported', 'true', 'ReadOnly',
                    { evse: 2 }),
                reported('SmartChargingCtrlr', 'LimitChangeSignificance', '1.5', 'ReadWrite')],
        ];
        this.reports++;
        setImmediate(async () => {
            for (const [seqNo, reportData] of parts.entries())
                await this.say('NotifyReport', { requestId, seqNo, reportData,
                    tbc: seqNo < 2, generatedAt: new Date().toISOString() });
        });
        return { status: 'Accepted' };
    }

    set(p, answers) {
        const [{ component, variable }] = p.setVariableData;
        if (`${component.name}.${variable.name}` !== INTERVAL)
            return answers.SetVariables(p);
        this.written.push(p);
        return { setVariableResult: [{ component, variable, attributeStatus: 'Rejected' }] };
    }

    plug(evseId, connectorId, connectorStatus) {
        return this.say('StatusNotification',
            { evseId, connectorId, connectorStatus, timestamp: new Date().toISOString() });
    }
}

class NoReport extends Charger201 {
    questions = [];

    answersOf() {
        const answers = super.answersOf();
        return { ...answers,
            GetBaseReport: () => ({ status: 'NotSupported' }),
            GetVariables: p => {
                this.questions.push(p.getVariableData.length);
                if (p.getVariableData.length > 2)
                    throw createRPCError('OccurrenceConstraintViolation', 'two at a time');
                return answers.GetVariables(p);
            } };
    }
}

let world, socket, two, none;

before(async () => {
    world = new World('model', {
        broker: false,
        chargers: [
            { id: 'CS-TWO', wiring: [0, 1, 2], max: 16, kind: TwoEvses },
            { id: 'CS-NONE', wiring: [0, 1, 2], max: 16, kind: NoReport },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
    two = world.charger('CS-TWO');
    none = world.charger('CS-NONE');
});

after(() => world.stop());

const listed = async id =>
    (await ask(socket, { do: 'list' })).answer.find(c => c.id === id);

test('a report in three parts', async () => {
    await world.until('it is read', async () =>
        (await listed('CS-TWO')).record.change_pct === 1.5, { within: 60_000 });
    const { record, troubles, version, habits } = await listed('CS-TWO');
    assert.equal(version, '2.0.1');
    assert.match(habits, / ocpp=2\.0\.1/);
    assert.equal(record.connectors, 2);
    assert.deepEqual(record.plugs, [1, 2]);
    assert.deepEqual(record.choose_phase, [2]);
    assert.equal(record.max_profiles, 20);
    assert.equal(record.max_level, 3);
    assert.equal(record.units, 'A');
    assert.deepEqual(record.fixed, ['sample_s']);
    assert.deepEqual(troubles, []);
});

test('one that refuses a report is asked for what matters, one by one', async () => {
    await world.until('it has answered', async () =>
        (await listed('CS-NONE')).record.max_periods === 24 && none.sampleS === 2,
    { within: 60_000 });
    const { record } = await listed('CS-NONE');
    assert.equal(record.max_level, 3);
    assert.equal(record.connectors, undefined);
    assert.ok(none.questions.filter(n => n > 2).length <= 1, String(none.questions));
});

test('each plug is asked how it is', () =>
    world.until('all of them were', () => two.triggers.some(({ requestedMessage, evse }) =>
        requestedMessage === 'StatusNotification' && evse.id === 2 && evse.connectorId === 2),
    { within: 60_000 }));

test('two plugs are one connector', async () => {
    const is = async () => (await listed('CS-TWO')).connectors[1].status;
    await two.plug(2, 1, 'Available');
    await two.plug(2, 2, 'Occupied');
    assert.equal(await is(), 'preparing');
    await two.plug(2, 1, 'Faulted');
    assert.equal(await is(), 'preparing');
    await two.plug(2, 2, 'Available');
    assert.equal(await is(), 'available');
    await two.plug(2, 2, 'Faulted');
    assert.equal(await is(), 'faulted');
    await two.plug(2, 1, 'Available');
    assert.equal(await is(), 'available');
});

test('each EVSE has its own limits, and cars charge', async () => {
    await world.plugInAll();
    for (const c of [two, none])
        await c.follows('it gets its share', amps => amps > 6, { within: 120_000 });
    assert.ok(two.profiles.some(p => p.connector === 2 && p.purpose === 'default'));
    assert.equal(new Set(two.profiles.map(p => p.id)).size, two.profiles.length);
});

test('on the next connection only the variables are asked', async () => {
    const { length } = two.written;
    two.cut();
    await two.connect({ boot: false });
    await two.follows('it is limited again', amps => amps > 6, { within: 120_000 });
    await world.until('all was said', async () =>
        two.triggers.filter(t => t.requestedMessage === 'StatusNotification' &&
            t.evse.connectorId === 2).length === 2, { within: 60_000 });
    assert.equal(two.reports, 1);
    assert.equal(two.written.length, length);
    assert.ok(length <= 1);
});

test('what it keeps can be looked up by hand, what would undo it is kept back', async () => {
    const asked = await ocpp(socket, 'CS-TWO', 'GetVariables', JSON.stringify({
        getVariableData: [{ component: { name: 'SmartChargingCtrlr' },
            variable: { name: 'RateUnit' } }] }));
    assert.equal(asked.code, 0, asked.stderr);
    assert.equal(JSON.parse(asked.stdout).getVariableResult[0].attributeValue, 'A');
    for (const [action, payload, why] of [
        ['SetVariables', { setVariableData: [{ attributeValue: 'false',
            component: { name: 'SmartChargingCtrlr' }, variable: { name: 'Enabled' } }] },
        /keeps to no limit/],
        ['SetNetworkProfile', { configurationSlot: 1, connectionData: { ocppVersion: 'OCPP20',
            ocppTransport: 'JSON', ocppCsmsUrl: 'wss://elsewhere.example', messageTimeout: 30,
            securityProfile: 2, ocppInterface: 'Wired0' } }, /knows as 127\.0\.0\.1/],
    ]) {
        const kept = await ocpp(socket, 'CS-TWO', action, JSON.stringify(payload));
        assert.notEqual(kept.code, 0);
        assert.match(kept.stderr, why);
    }
});

test('no frame of the controller broke a schema, no profile a rule', () =>
    assert.deepEqual(world.violations(), []));
