// SPDX-License-Identifier: Apache-2.0
// What only a supervisor can help against: a charger that takes its limits and ignores
// them. What counts is what the wires carry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../lib/site.js';

const LIMIT = 40;

// One that is deaf, of `version`, and one of the other version that is not.
function garage(version) {
    return new World(`deaf-${version}`, {
        limit: LIMIT, base: [4, 4, 4], base_load: 24, keys: ['lease: 60s', 'settle: 2s'],
        broker: false,
        chargers: [
            { id: 'CP-A', wiring: [0, 1, 2], max: 16, version },
            { id: 'CP-B', wiring: [1, 2, 0], max: 16 },
        ],
    });
}

const full = world => world.until('both charge with all they can',
    () => world.chargers.every(c => c.amps >= 15.5), { within: 180_000 });
const told = (world, pattern, from) => world.controller.matching(pattern, from);

async function deaf(world) {
    await world.start();
    await world.connectAll();
    await world.plugInAll();
    await full(world);
    const from = world.controller.lines.length;
    const [a, b] = world.chargers;
    a.deaf = true;
    world.setBase(LIMIT - 24, 4, 4); // 24 A for two: the deaf one takes 16 of them
    await world.until('the wires carry no more than they may',
        () => world.load(0) <= LIMIT, { within: 15_000 });
    await world.until('it is told', () => told(world, /warning: disobeys CP-A/, from).length > 0,
        { within: 180_000 });
    assert.ok(told(world, /CP-A: .*another form/, from).length >= 1);
    assert.ok(world.load(0) <= LIMIT && b.amps <= 8.01, world.describe());
    world.setBase(LIMIT - 20, 4, 4); // 4 A are left beside it: the other one has to stop
    await world.until('the other one has stopped', () => b.amps === 0,
        { within: 15_000 });
    a.deaf = false;
    world.setBase(4, 4, 4);
    await world.until('its end is told', () => told(world, /info|does again what it is told/, from)
        .some(line => /does again/.test(line)), { within: 240_000 });
    await full(world);
    assert.equal(told(world, /warning: disobeys/, from).length, 1);
    assert.deepEqual(world.violations(), []);
}

// They mostly wait: both at once.
test('a charger that ignores its limits is found out, the other gives way',
    { concurrency: 2 }, t => Promise.all(['1.6', '2.0.1'].map(version =>
        t.test(version, async () => {
            const world = garage(version);
            try {
                await deaf(world);
            } finally {
                await world.stop();
            }
        }))));
