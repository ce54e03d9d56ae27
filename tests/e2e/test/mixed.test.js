// SPDX-License-Identifier: Apache-2.0
// A garage with stations of OCPP 2.0.1 beside one of 1.6: who has which version is not to
// be seen in what they get.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../lib/command.js';
import { waitSteady } from '../lib/process.js';
import { World } from '../lib/site.js';

const LIMIT = 40;
const NEAR = 2; // A: steps of the chargers, noise of the meter

let world, socket;

before(async () => {
    world = new World('mixed', {
        limit: LIMIT,
        keys: ['lease: 1min'],
        base: [5, 5, 5],
        chargers: [
            { id: 'CP-A', wiring: [1], max: 32 },
            { id: 'CS-B', wiring: [1], max: 32, version: '2.0.1' },
            // it prefers the old one, and we the new one
            { id: 'CS-C', wiring: [2, 0, 1], max: 16, version: '2.0.1',
                protocols: ['ocpp1.6', 'ocpp2.0.1'] },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
});

after(() => world.stop());

const full = phase => world.load(phase) <= LIMIT && world.load(phase) > LIMIT - NEAR;
const listed = async id =>
    (await ask(socket, { do: 'list' })).answer.find(c => c.id === id);

test('the version is the best that both speak', async () => {
    assert.equal(world.charger('CS-C').client.protocol, 'ocpp2.0.1');
    assert.equal((await listed('CS-C')).version, '2.0.1');
    assert.equal((await listed('CP-A')).version, '1.6');
});

test('messages may be compressed in the new version only', () => {
    const packed = id => world.charger(id).client._ws.extensions;
    assert.equal(packed('CS-B'), 'permessage-deflate');
    assert.equal(packed('CP-A'), ''); // it has offered it, too
});

test('settings are told by SetVariables', () =>
    world.until('it samples every 2 s', () => world.charger('CS-B').variables
        .get('SampledDataCtrlr.TxUpdatedInterval') === '2' && world.charger('CS-B').variables
        .get('SampledDataCtrlr.TxUpdatedMeasurands').includes('Current.Import')));

let before_;

test('cars share what is there, whatever their version', async () => {
    await world.plugInAll();
    await world.until('L2 is full', () => full(1), { within: 180_000 });
    for (const amps of world.limits())
        assert.ok(Math.abs(amps - 35 / 3) <= 1.5, world.describe());
    for (const id of ['CS-B', 'CS-C'])
        assert.ok(world.charger(id).profiles.some(p =>
            p.profile.chargingProfilePurpose === 'TxProfile' &&
            p.profile.transactionId === world.charger(id).transaction &&
            p.profile.chargingSchedule[0].duration > 0), `${id} has a lease of its own`);
});

test('a load takes current from all', async () => {
    await waitSteady('nobody is given more', () => full(1) &&
        world.limits().join() === before_?.join() || !(before_ = world.limits()),
    { hold: 8000, within: 180_000, detail: () => world.describe() });
    world.setBase(5, 18, 5);
    await world.until('L2 is within its limit', () => world.load(1) <= LIMIT,
        { within: 15_000 });
    await world.until('L2 is used again', () => full(1), { within: 120_000 });
    world.limits().forEach((amps, i) => assert.ok(amps < before_[i], world.describe()));
});

test('a car that leaves makes room, and its session is over', async () => {
    const station = world.charger('CS-B');
    const { transaction } = station;
    await station.unplug();
    await world.until('the others get more', () => world.charger('CP-A').limit() >= 10 &&
        full(1), { within: 180_000 });
    assert.ok(transaction);
    assert.equal(world.controller.matching(/CS-B: session \d+ has ended: EVDisconnected/).length, 1);
});

test('a call by hand, and what would break a promise', async () => {
    const call = (action, payload) => ask(socket, { do: 'call', charger: 'CS-B', action, payload });
    assert.equal((await call('Reset', { type: 'OnIdle' })).outcome, 'answered');
    assert.equal((await call('Reset', { type: 'Soft' })).outcome, 'bad call');
    const kept = await call('ClearChargingProfile',
        { chargingProfileCriteria: { chargingProfilePurpose: 'TxDefaultProfile' } });
    assert.equal(kept.outcome, 'kept back', JSON.stringify(kept));
});

test('without its connection it falls back by itself', async () => {
    const station = world.charger('CS-C');
    station.cut();
    await world.until('its leases are over', () => station.limit() === 6, { within: 180_000 });
    await station.connect({ boot: false });
    await world.until('it is limited again', () => station.limit() > 6, { within: 180_000 });
});

test('no frame of the controller broke a schema, no profile a rule', () => {
    assert.deepEqual(world.violations(), []);
    for (const id of ['CS-B', 'CS-C'])
        assert.deepEqual(world.charger(id).refusals
            .filter(r => r.why !== 'TxNotFound'), []);
});
