// SPDX-License-Identifier: Apache-2.0
// The main job: a load that comes and goes at the meter, and who has to give way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitSteady } from '../lib/process.js';
import { World } from '../lib/site.js';

const LIMIT = 40;
const NEAR = 2; // A: steps of the chargers, noise of the meter

let world;

before(async () => {
    world = new World('sharing', {
        limit: LIMIT,
        base: [5, 5, 5],
        chargers: [
            { id: 'CP-A', wiring: [0], max: 32 },
            { id: 'CP-B', wiring: [1], max: 32 },
            { id: 'CP-C', wiring: [2], max: 32 },
            { id: 'CP-D', wiring: [1], max: 32 },
            { id: 'CP-R', wiring: [1, 2, 0], max: 16 }, // its L1 hangs on the site's L2
        ],
    });
    await world.start();
    await world.connectAll();
});

after(() => world.stop());

// The phase is used up but for a little, and not over its limit.
function full(phase) {
    return world.load(phase) <= LIMIT && world.load(phase) > LIMIT - NEAR;
}

let before_;

test('cars share what is there, phase by phase', async () => {
    await world.plugInAll();
    await world.until('L1, L2 and L3 are full', () => [0, 1, 2].every(full),
        { within: 180_000 });
    const [a, b, c, d, r] = world.limits();
    // on L2 three cars share 35 A, on L1 and L3 the fourth takes what the rotated one leaves
    for (const amps of [b, d, r])
        assert.ok(Math.abs(amps - 35 / 3) <= 1.5, world.describe());
    for (const amps of [a, c])
        assert.ok(Math.abs(amps - (35 - r)) <= NEAR, world.describe());
    for (const { id, profiles, transaction } of world.chargers)
        assert.ok(profiles.some(p => p.purpose === 'tx' && p.transaction === transaction &&
            p.schedule.duration > 0), `${id} has a lease of its own`);
    before_ = world.limits();
});

test('a load on L2 takes current from those on L2 and from nobody else', async () => {
    // what a car was given a second ago and has not measured yet looks like base load
    await waitSteady('nobody is given more', () => [0, 1, 2].every(full) &&
        world.limits().join() === before_.join() || !(before_ = world.limits()),
    { hold: 8000, within: 180_000, detail: () => world.describe() });
    const marks = world.chargers.map(c => c.history.length);
    world.setBase(5, 20, 5);
    assert.ok(world.load(1) > LIMIT, 'the test has to overload L2');
    await world.until('L2 is within its limit', () => world.load(1) <= LIMIT,
        { within: 15_000 });
    await world.until('L2 is used again', () => full(1), { within: 120_000 });
    const [a, b, c, d, r] = world.limits();
    const [a0, b0, c0, d0, r0] = before_;
    assert.ok(b < b0 && d < d0 && r < r0, world.describe());
    assert.ok(a >= a0 && c >= c0, world.describe());
    // on the way there, too: the minimum of all three fits, so nobody is stopped, and
    // nobody on L1 or L3 is sent a lower current than before
    world.chargers.forEach((charger, i) => {
        const least = ['CP-A', 'CP-C'].includes(charger.id) ? before_[i] : 6;
        for (const { limit, profile } of charger.history.slice(marks[i]))
            assert.ok(limit >= least,
                `${charger.id} was lowered: ${JSON.stringify(profile)}`);
    });
});

test('the current comes back when the load has gone', async () => {
    world.setBase(5, 5, 5);
    await world.until('all have what they had before', () =>
        world.limits().every((amps, i) => Math.abs(amps - before_[i]) <= 1.5),
    { within: 180_000 });
    assert.ok([0, 1, 2].every(phase => world.load(phase) <= LIMIT), world.describe());
});

test('a car that leaves makes room for the others', async () => {
    await world.charger('CP-D').unplug();
    const [, b0] = before_;
    await world.until('the other one on L2 gets more', () =>
        world.charger('CP-B').limit() >= b0 + 3 && full(1), { within: 180_000 });
});

test('no frame of the controller broke the schema', () => {
    assert.deepEqual(world.violations(), []);
    for (const c of world.chargers)
        assert.ok(c.history.length > 0, `${c.id} got profiles`);
});
