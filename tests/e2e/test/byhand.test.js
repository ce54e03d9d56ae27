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
        Object.assign(c.more, { Reset: () => ({ status: 'Accepted' }),
            DataTransfer: () => ({ status: 'Accepted' }) });
    }
    await world.connectAll();
    await world.plugInAll();
    await world.until('both charge with what there is', () =>
        world.limits().every(l => l >= 6) && world.load(0) > 20, { within: 120_000 });
});

after(() => world.stop());

const call = (action, payload) => ask(socket, { do: 'call', charger: 'CP-A', action, payload });
const ours = c => c.profiles.filter(p => p.profile.chargingProfileId < 1000).length;

const profile = (purpose, more = {}) => ({
    chargingProfileId: 1000, stackLevel: 0, chargingProfilePurpose: purpose,
    chargingProfileKind: 'Absolute', chargingSchedule: { chargingRateUnit: 'A',
        startSchedule: '2020-01-01T00:00:00Z',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }] }, ...more,
});

test('a payload that is none', () => {
    for (const [input, says] of [['', /no JSON, at character 1: $/m],
        ['{"type": }', /no JSON, at character 10: }$/m], ['[]', /must be an object/]]) {
        const { status, stderr } = spawnSync(process.env.CHARGEHAND,
            ['ocpp', '--socket', socket, 'CP-A', 'Reset', '-'], { input, encoding: 'utf8' });
        assert.equal(status, 64);
        assert.match(stderr, says);
    }
});

test('what would break it is kept back', async () => {
    const [a] = world.chargers, had = ours(a);
    for (const [action, payload] of [
        ['ClearChargingProfile', {}],
        ['ClearChargingProfile', { id: a.profiles[0].profile.chargingProfileId }],
        ['ClearChargingProfile', { connectorId: 1 }],
        ['ClearChargingProfile', { chargingProfilePurpose: 'TxDefaultProfile' }],
        ['ClearChargingProfile', { chargingProfilePurpose: 'TxProfile', stackLevel: 1 }],
        ['SetChargingProfile', { connectorId: 1, csChargingProfiles:
            profile('TxProfile', { transactionId: a.transaction, stackLevel: 8 }) }],
        ['SetChargingProfile', { connectorId: 0, csChargingProfiles:
            profile('TxDefaultProfile', { stackLevel: 8 }) }],
        ['RemoteStartTransaction', { idTag: 'X', chargingProfile: profile('TxProfile') }],
    ])
        assert.equal((await call(action, payload)).outcome, 'kept back', action);
    assert.equal(ours(a), had);
    assert.ok(world.controller.lines.some(l => l.includes('command CP-A: SetChargingProfile') &&
        l.endsWith('or set a ChargePointMaxProfile on connector 0')), 'the log says all of why');
});

test('a limit for the whole charger only lowers it', async () => {
    const [a] = world.chargers, before = a.limit();
    assert.equal((await call('SetChargingProfile', { connectorId: 0,
        csChargingProfiles: profile('ChargePointMaxProfile') })).answer.status, 'Accepted');
    assert.ok(a.limit() <= before);
    assert.equal((await call('ClearChargingProfile', { id: 1000 })).answer.status, 'Accepted');
});

test('the rest is told and made good', async () => {
    const [a] = world.chargers;
    for (const [action, payload] of [
        ['Reset', { type: 'Soft' }], ['DataTransfer', { vendorId: 'V', data: 'faster' }],
        ['ClearChargingProfile', { stackLevel: 5 }],
        ['ChangeConfiguration', { key: 'MeterValueSampleInterval', value: '60' }],
    ]) {
        const from = a.history.length;
        await call(action, payload);
        if (action !== 'ClearChargingProfile' && action !== 'ChangeConfiguration')
            await world.until(`limits are told anew after ${action}`,
                () => a.history.length > from);
    }
    await world.until('what the controller needs is set again', () =>
        a.configuration.get('MeterValueSampleInterval') === '2');
    await world.until('both charge again', () => world.chargers.every(c => c.amps >= 6),
        { within: 120_000 });
    assert.ok(most <= 26.1, `${most} A at most`);
    assert.deepEqual(world.violations(), []);
});
