// SPDX-License-Identifier: Apache-2.0
// What people send by hand while cars charge does not break the promise: what would is
// kept back, and after the rest the limits are told anew.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../lib/command.js';
import { World } from '../lib/site.js';

let world, socket, most = 0;

before(async () => {
    world = new World('byhand', {
        limit: 26, base: [4, 4, 4], broker: false,
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [0] }],
    });
    await world.start();
    socket = join(world.historyFolder, 'control.socket');
    for (const c of world.chargers) {
        const measure = c.onCurrent;
        c.onCurrent = () => { measure(c); most = Math.max(most, world.load(0)); };
        Object.assign(c.more, { DataTransfer: () => ({ status: 'Accepted' }) });
    }
    await world.connectAll();
    await world.plugInAll();
    await world.until('both charge with what there is', () =>
        world.limits().every(l => l >= 6) && world.load(0) > 20, { within: 120_000 });
});

after(() => world.stop());

const call = (c, action, payload) =>
    ask(socket, { do: 'call', charger: c.id, action, payload });
const ours = c => c.profiles.filter(p => p.id < 1000).length;
const periods = { chargingRateUnit: 'A', startSchedule: '2020-01-01T00:00:00Z',
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }] };

// The same in the words of each version: [action, payload].
const words = {
    1.6: {
        profile: (purpose, more = {}) => ({
            chargingProfileId: 1000, stackLevel: 0, chargingProfilePurpose: purpose,
            chargingProfileKind: 'Absolute', chargingSchedule: periods, ...more,
        }),
        set: (connectorId, csChargingProfiles) =>
            ['SetChargingProfile', { connectorId, csChargingProfiles }],
        max: 'ChargePointMaxProfile',
        clearId: id => ['ClearChargingProfile', { id }],
        clear: p => ['ClearChargingProfile', p],
        begin: profile =>
            ['RemoteStartTransaction', { idTag: 'X', chargingProfile: profile }],
        place: { connectorId: 1 },
        reset: ['Reset', { type: 'Soft' }],
        sample: ['ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '60' }],
    },
    '2.0.1': {
        profile: (purpose, more = {}) => ({
            id: 1000, stackLevel: 0, chargingProfilePurpose: purpose,
            chargingProfileKind: 'Absolute', chargingSchedule: [{ id: 1, ...periods }], ...more,
        }),
        set: (evseId, chargingProfile) => ['SetChargingProfile', { evseId, chargingProfile }],
        max: 'ChargingStationMaxProfile',
        clearId: chargingProfileId => ['ClearChargingProfile', { chargingProfileId }],
        clear: p => ['ClearChargingProfile',
            Object.keys(p).length ? { chargingProfileCriteria: p } : {}],
        begin: chargingProfile => ['RequestStartTransaction', { remoteStartId: 1,
            idToken: { idToken: 'X', type: 'ISO14443' }, chargingProfile }],
        place: { evseId: 1 },
        reset: ['Reset', { type: 'OnIdle' }],
        sample: ['SetVariables', { setVariableData: [{ attributeValue: '60',
            component: { name: 'SampledDataCtrlr' },
            variable: { name: 'TxUpdatedInterval' } }] }],
    },
};

test('a payload that is none', () => {
    for (const [input, says] of [['', /no JSON, at character 1: $/m],
        ['{"type": }', /no JSON, at character 10: }$/m], ['[]', /must be an object/]])
        for (const { id } of world.chargers) {
            const { status, stderr } = spawnSync(process.env.CHARGEHAND,
                ['ocpp', '--socket', socket, id, 'Reset', '-'], { input, encoding: 'utf8' });
            assert.equal(status, 64);
            assert.match(stderr, says);
        }
});

test('what would break it is kept back', () => world.each(async c => {
    const w = words[c.version], had = ours(c);
    for (const [action, payload] of [
        w.clear({}),
        w.clearId(c.profiles[0].id),
        w.clear(w.place),
        w.clear({ chargingProfilePurpose: 'TxDefaultProfile' }),
        w.clear({ chargingProfilePurpose: 'TxProfile', stackLevel: 1 }),
        w.set(1, w.profile('TxProfile', { transactionId: c.transaction, stackLevel: 8 })),
        w.set(0, w.profile('TxDefaultProfile', { stackLevel: 8 })),
        w.begin(w.profile('TxProfile')),
    ])
        assert.equal((await call(c, action, payload)).outcome, 'kept back',
            `${c.id} ${action} ${JSON.stringify(payload)}`);
    assert.equal(ours(c), had);
    assert.ok(world.controller.lines.some(l => l.includes(`command ${c.id}: SetChargingProfile`) &&
        l.includes(w.max)), 'the log says all of why');
}));

test('a limit for the whole charger only lowers it', () => world.each(async c => {
    const w = words[c.version], before = c.limit();
    assert.equal((await call(c, ...w.set(0, w.profile(w.max)))).answer.status, 'Accepted');
    assert.ok(c.limit() <= before);
    assert.equal((await call(c, ...w.clearId(1000))).answer.status, 'Accepted');
}));

test('the rest is told and made good', async () => {
    await world.each(async c => {
        const w = words[c.version];
        for (const [action, payload] of [w.reset,
            ['DataTransfer', { vendorId: 'V', data: 'faster' }]]) {
            const from = c.history.length;
            await call(c, action, payload);
            await world.until(`limits are told anew after ${action}`,
                () => c.history.length > from);
        }
        await call(c, ...w.clear({ stackLevel: 5 }));
        await call(c, ...w.sample);
        await world.until('what the controller needs is set again', () => c.sampleS === 2);
    });
    await world.until('both charge again', () => world.chargers.every(c => c.amps >= 6),
        { within: 120_000 });
    assert.ok(most <= 26.1, `${most} A at most`);
    assert.deepEqual(world.violations(), []);
});
