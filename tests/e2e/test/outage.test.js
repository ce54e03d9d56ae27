// SPDX-License-Identifier: Apache-2.0
// What befalls chargers and their links while a car charges: a transaction stays one
// session with all of its energy, and its limit holds again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { RPCClient } from 'ocpp-rpc';
import { ocpp } from '../lib/command.js';
import { World } from '../lib/site.js';

const LIMIT = 40;
let world, socket;

before(async () => {
    world = new World('outage', {
        broker: false, limit: LIMIT, base: [4, 4, 4], base_load: 20,
        keys: ['settle: 2s', 'pause: 5s'], history: ['  commit: 1s'],
        chargers: [
            { id: 'CP-A', wiring: [0], max: 32 },
            { id: 'CP-B', wiring: [1], max: 32 },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
});

after(() => world.stop());

const listed = async id =>
    JSON.parse((await ocpp(socket, '--json', 'list')).stdout).find(c => c.id === id);
const session = async id => (await listed(id)).connectors[0].transaction;
const charges = c => world.until(`${c.id} charges`, () => c.amps >= 6, { within: 60_000 });

// The sessions that have ended, of this charger.
function ended({ id }) {
    const { stdout } = spawnSync(process.env.CHARGEHAND, ['history', 'export', '--what',
        'sessions', '--json', '--folder', world.historyFolder], { encoding: 'utf8' });
    return JSON.parse(stdout || '[]').filter(s => s.connector.startsWith(id));
}

const more = (c, n, had) =>
    world.until(`${c.id} has ${n} more sessions`, () => ended(c).length === had + n);

// All have a car.
beforeEach(() => world.each(async c => {
    if (!c.transaction)
        await c.plugIn();
    await charges(c);
}));

// Its limit holds: a load on its phase takes current from it.
async function obeys(c) {
    const [phase] = c.wiring;
    await world.until(`${c.id} has all there is`, () => c.amps > 20, { within: 120_000 });
    world.base[phase] = LIMIT - 16;
    world.measure();
    await world.until('the wires carry no more than they may',
        () => world.load(phase) <= LIMIT, { within: 20_000 });
    world.base[phase] = 4;
    world.measure();
    await charges(c);
}

// The session is that of before, and only one.
async function sameAs(c, before) {
    const { transaction } = c;
    await world.until(`the session of ${c.id} goes on`, async () =>
        await session(c.id) === transaction);
    assert.equal(ended(c).length, before, c.id);
}

test('the controller is killed in the middle of it', async () => {
    const had = world.chargers.map(c => ended(c).length);
    const old = world.controller.lines;
    await world.controller.kill();
    await world.startController();
    await world.each(async (c, i) => {
        const from = c.history.length;
        await sameAs(c, had[i]);
        const n = new RegExp(`session ${c.id}: session (\\d+) `);
        const said = world.controller.matching(n).concat(old.filter(l => n.test(l)));
        assert.equal(new Set(said.map(l => n.exec(l)[1])).size, 1, 'one number');
        await c.follows('is told a limit for it', () => c.history.slice(from).some(h =>
            h.profile.chargingProfilePurpose === 'TxProfile'));
        await obeys(c);
    });
});

test('it connects anew without a Boot', () => world.each(async c => {
    const had = ended(c).length;
    c.cut();
    await world.until('it is gone', async () => !(await listed(c.id)).connected);
    await c.connect({ boot: false });
    await sameAs(c, had);
    await obeys(c);
}));

test('another connection with its identity comes and goes', () => world.each(async c => {
    const had = ended(c).length;
    const twin = new RPCClient({ endpoint: `ws://127.0.0.1:${c.port}`, identity: c.id,
        password: c.password, protocols: c.speaks, strictMode: true, reconnect: false });
    twin.handle(() => ({ status: 'Rejected' })); // the little that it is asked
    await twin.connect(); // the first one is thrown out, and comes back
    await world.until('it is thrown out in turn', () => twin.state === RPCClient.CLOSED);
    await world.until('it is back', () => c.online);
    await sameAs(c, had);
    await obeys(c);
}));

test('it loses its power and its limits, and goes on with the transaction', () =>
    world.each(async c => {
        const had = ended(c).length;
        c.powerCut();
        assert.equal(c.profiles.length, 0);
        await c.connect();
        await c.follows('has its fallback again', () =>
            c.profiles.some(p => p.purpose === 'default' && !p.schedule.duration));
        await sameAs(c, had);
        await obeys(c);
    }));

test('it loses its power, and the end of its transaction with it', () =>
    world.each(async c => {
        const had = ended(c).length;
        c.powerCut({ ends: true });
        await c.connect();
        await world.until('the session is over', async () => await session(c.id) === null);
        await more(c, 1, had);
        const row = ended(c).at(-1);
        assert.ok(row.energy_kwh > 0 && row.energy_kwh * 1000 <= c.energy() - c.register[0] + 1);
    }));

test('it loses its power and the end of its transaction while nobody is there', async () => {
    const had = world.chargers.map(c => ended(c).length);
    await world.controller.kill();
    for (const c of world.chargers)
        c.powerCut({ ends: true });
    await world.startController();
    await world.each(async (c, i) => {
        await c.connect();
        await world.until('its session is over',
            () => ended(c).length === had[i] + 1, { within: 120_000 });
        assert.equal(await session(c.id), null);
    });
});

test('it forgets its transaction and refuses limits for it', () => world.each(async c => {
    await world.until('it has a limit for it', () => c.profiles.some(p => p.purpose === 'tx'));
    c.forgets = true;
    try {
        const from = c.refusals.length;
        await obeys(c);
        assert.ok(c.refusals.slice(from).every(r => r.why === 'TxNotFound'));
        assert.ok(c.refusals.length > from);
    } finally {
        c.forgets = false;
    }
    await c.unplug();
}));

test('its transaction ends, one comes and goes, and one begins while nobody is there',
    async () => {
        await world.each(async c => {
            await c.unplug();
            c.agoS = 3600;
            await c.plugIn({ tag: 'CARD-0' });
        });
        const had = world.chargers.map(c => ended(c).length);
        await world.controller.kill();
        const said = world.each(async c => {
            c.agoS = 3000;
            const first = c.unplug();
            if (c.version === '1.6') // an answer has the number of the next one
                return first;
            const second = c.begin('CARD-2');
            c.wh += 1500;
            c.agoS = 1800;
            const over = c.unplug();
            c.agoS = 1200;
            const third = c.begin('CARD-3');
            c.car = { max: 32 };
            c.wh += 500;
            return Promise.all([first, second, over, third]);
        });
        await world.startController();
        await said;
        for (const c of world.chargers)
            c.agoS = 0;
        await world.each(async (c, i) => {
            const of = tag => ended(c).filter(s => s.id_tag === tag);
            const seconds = s => (Date.parse(s.departure) - Date.parse(s.arrival)) / 1000;
            await more(c, c.version === '1.6' ? 1 : 2, had[i]);
            assert.deepEqual(of('CARD-0').map(s => Math.round(seconds(s) / 10)), [60]);
            if (c.version === '1.6')
                return;
            assert.deepEqual(of('CARD-2').map(s => Math.round(seconds(s) / 10)), [120]);
            assert.equal(of('CARD-2')[0].energy_kwh, 1.5);
            await world.until('the third is known', async () =>
                await session(c.id) === c.transaction);
            assert.equal((await listed(c.id)).connectors[0].tag, 'CARD-3');
            await obeys(c);
        });
    });

test('its transaction has ended unheard, and another one goes on', async () => {
    const had = world.chargers.map(c => ended(c).length);
    await world.controller.kill();
    for (const c of world.chargers) {
        c.transaction = c.version === '1.6' ? 4711 : 'another one';
        c.profiles = c.profiles.filter(p => p.purpose !== 'tx');
        c.stored = [];
    }
    await world.startController();
    await world.each(async (c, i) => {
        await world.until('it is known', async () => await session(c.id) === c.transaction);
        await more(c, 1, had[i]);
        await obeys(c);
    });
});

test('its cable is pulled', () => world.each(async c => {
    const had = ended(c).length;
    await c.unplug();
    await more(c, 1, had);
    assert.equal(await session(c.id), null);
}));

test('no frame broke a schema, no profile a rule', () =>
    assert.deepEqual(world.violations(), []));
