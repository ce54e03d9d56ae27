// SPDX-License-Identifier: Apache-2.0
// What only a lease or a suspicion can help against: a controller that is killed, a meter
// that repeats itself. What counts is what the wires carry.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../lib/site.js';

const LIMIT = 40;
const LEASE_S = 60;
const FALLBACK = 6;
let world;

before(async () => {
    world = new World('dead', {
        limit: LIMIT, base: [4, 4, 4], base_load: 24, max_same: '15s',
        keys: [`lease: ${LEASE_S}s`, 'settle: 2s'],
        chargers: [
            { id: 'CP-A', wiring: [0, 1, 2], max: 16 },
            { id: 'CP-B', wiring: [1, 2, 0], max: 16 },
        ],
    });
    await world.start();
    await world.connectAll();
    await world.plugInAll();
    await world.until('both charge with all they can', bothFull, { within: 120_000 });
});

after(() => world.stop());

const bothFull = () => world.chargers.every(c => c.amps >= 15.5);
const full = () => world.until('both charge with all they can', bothFull,
    { within: 180_000 });
const told = (pattern, from) => world.controller.matching(pattern, from);

test('the controller is killed: each charger falls back when its lease ends', async () => {
    await full();
    const killed = performance.now();
    await world.controller.kill();
    await world.until('none draws more than its fallback',
        () => world.chargers.every(c => c.amps <= FALLBACK),
        { within: (LEASE_S + 10) * 1000 });
    const took = (performance.now() - killed) / 1000;
    assert.ok(took <= LEASE_S + 2, `it took ${took} s`);
    // the 0 A of before there was a car hold two leases: nobody rises before all are down
    await world.until('all are at their fallback',
        () => world.chargers.every(c => c.amps === FALLBACK),
        { within: (LEASE_S + 10) * 1000 });
    world.setBase(LIMIT - 2 * FALLBACK, 4, 4); // the worst that the site file allows for
    assert.ok(world.load(0) <= LIMIT);
});

test('the next controller takes them over, without more than fits', async () => {
    const most = [0, 0, 0];
    const watch = setInterval(() => most.forEach((_, p) => {
        most[p] = Math.max(most[p], world.load(p));
    }), 20);
    await world.startController();
    await world.until('both are heard', () => world.chargers.every(
        c => told(new RegExp(`${c.id}: connected`)).length > 0));
    world.setBase(4, 4, 4);
    await full();
    clearInterval(watch);
    assert.ok(most.every(amps => amps <= LIMIT), `the most was ${most}`);
});

test('a meter that repeats itself counts as lost', async () => {
    await full();
    const from = world.controller.lines.length;
    world.meter.freeze(true);
    await world.until('it is told', () => told(/warning: meter_frozen/, from).length > 0);
    world.setBase(24, 24, 24); // as much as the site file says; nobody sees it
    await world.until('the wires carry no more than they may', () =>
        [0, 1, 2].every(p => 24 + world.chargers.reduce((sum, c) => sum + c.amps, 0) <= LIMIT),
    { within: 15_000 });
    world.meter.freeze(false);
    world.setBase(4, 4, 4);
    await world.until('its end is told', () => told(/meter_frozen/, from).length >= 2);
    await full();
});

test('no frame broke the schema', () => assert.deepEqual(world.violations(), []));
