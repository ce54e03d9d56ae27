// SPDX-License-Identifier: Apache-2.0
// An apartment without a Modbus meter: the grid connection is seen by the P1 port of the
// smart meter, or by values that come over MQTT. The load is controlled, and when the
// source vanishes the circuit counts as fully loaded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttMeter, P1Meter } from '../lib/sources.js';
import { World } from '../lib/site.js';

const LIMIT = 25;
const NEAR = 3; // A: steps, noise, the last digit

function apartment(name) {
    return new World(name, {
        limit: LIMIT, base_load: LIMIT, base: [12, 2, 2], max_age: '4s', keys: ['pause: 5s'],
        chargers: [{ id: 'CP-A', wiring: [0], max: 16 }, { id: 'CP-B', wiring: [1], max: 16 }],
        meters: ['- name: cars', '  chargers: grid', '  max_age: 6s'],
    });
}

const full = (world, phase) => world.load(phase) <= LIMIT && world.load(phase) > LIMIT - NEAR;

async function state(world) {
    const answer = await fetch(`http://127.0.0.1:${world.httpPort}/api/v1/state`);
    return answer.json();
}

const meter = async (world, name) => (await state(world)).meters.find(m => m.name === name);

async function controls(world) {
    await world.until('L1 is used up, by the car on it', () => full(world, 0),
        { within: 120_000 });
    const [a, b] = world.chargers;
    await world.until('L2 has room for all that a car takes', () => b.amps >= 15.5,
        { within: 120_000 });
    world.setBase(18, 2, 2);
    await world.until('the car on L1 gives way', () => world.load(0) <= LIMIT,
        { within: 20_000 });
    world.setBase(12, 2, 2);
    await world.until('and takes up again', () => full(world, 0), { within: 120_000 });
    // all that is known of it is shown
    await world.until('the state shows what it measures', async () => {
        const main = await meter(world, 'main');
        return main.ok && Math.abs(main.current_a[0] - world.load(0)) < 1.5 &&
            Math.abs(main.power_w - 230 * (world.load(0) + world.load(1) + 2)) < 500;
    });
    await world.until('the sum of chargers shows what they draw', async () => {
        const cars = await meter(world, 'cars');
        return cars.ok && cars.source === 'chargers' &&
            Math.abs(cars.current_a[0] - a.amps) < 0.5 &&
            Math.abs(cars.current_a[1] - b.amps) < 0.5 && Math.abs(cars.current_a[2]) < 0.1;
    });
}

// A charger that nobody hears: what all draw together is not known.
async function loses(world, charger) {
    const from = world.controller.lines.length;
    charger.cut();
    await world.until('the sum of chargers grows old', async () =>
        !(await meter(world, 'cars')).ok, { within: 30_000 });
    await world.until('which is told', () =>
        world.controller.matching(/meter_lost cars: no fresh reading$/, from).length === 1);
    await charger.connect();
    await world.until('it is known again', async () => (await meter(world, 'cars')).ok);
}

async function vanishes(world, told) {
    const from = world.controller.lines.length;
    await world.meter.kill();
    await world.until('the circuit counts as full: nobody charges', () =>
        world.chargers.every(c => c.limit() === 0 && c.amps === 0), { within: 30_000 });
    await world.until('it is told why', () =>
        world.controller.matching(told, from).length === 1);
    assert.equal((await meter(world, 'main')).ok, false);
    await world.meter.start();
    await world.until('it is back, and the cars charge again', () =>
        world.chargers.every(c => c.amps >= 6), { within: 180_000 });
    assert.equal(world.controller.matching(told, from).length, 1);
    assert.equal(world.controller.matching(/meter main: reads again/, from).length, 1);
    assert.deepEqual(world.violations(), []);
}

async function p1() {
    const world = apartment('p1');
    world.meter = new P1Meter();
    try {
        await world.start();
        await world.connectAll();
        await world.plugInAll();
        await controls(world);
        await loses(world, world.charger('CP-B'));
        await vanishes(world, /warning: meter main: (the connection is lost|.*nothing listens)/);
    } finally {
        await world.stop();
    }
}

async function mqtt() {
    const world = apartment('mqtt-meter');
    world.meter = new MqttMeter(world.dir, world.broker);
    try {
        await world.broker.start();
        // what stands there from before is of no use
        world.meter.set([1, 1, 1]);
        world.broker.publish(world.meter.topic, world.meter.payload(), { retain: true });
        world.meter.tell = () => {}; // and it keeps silent
        await world.start();
        await world.connectAll();
        await world.plugInAll();
        await world.until('it is missed', () =>
            world.controller.matching(/meter main: no complete reading/).length > 0);
        assert.ok(world.chargers.every(c => c.limit() === 0), world.describe());
        delete world.meter.tell;
        await world.until('its values are heard', async () => (await meter(world, 'main')).ok);
        await controls(world);
        await vanishes(world, /warning: meter main: no complete reading on .*meter:0/);
        await becomes(world, new P1Meter());
    } finally {
        await world.stop();
    }
}

// They mostly wait: both at once.
// The electrician has found a P1 cable: another source takes over, on the run.
async function becomes(world, other) {
    const before = world.meter;
    other.set(before.current);
    await other.start();
    world.meter = other;
    world.measure();
    world.writeSite();
    const from = world.controller.lines.length;
    world.controller.reload();
    await world.until('it is read anew', () =>
        world.controller.matching(/read again and in use/, from).length > 0);
    await before.kill();
    await world.until('the other source is heard', async () => {
        const main = await meter(world, 'main');
        return main.source === 'p1' && main.ok && main.age_s < 2 &&
            Math.abs(main.current_a[0] - world.load(0)) < 1.5;
    });
    world.setBase(18, 2, 2);
    await world.until('and obeyed', () => world.load(0) <= LIMIT, { within: 20_000 });
}

test('sources', { concurrency: 2 }, t => Promise.all([
    t.test('a P1 port over TCP', p1),
    t.test('an MQTT topic', mqtt),
]));
