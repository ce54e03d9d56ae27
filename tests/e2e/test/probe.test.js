// SPDX-License-Identifier: Apache-2.0
// `chargehand ocpp probe`: an installer tries a charger with a car, over real sockets.
// What was found out is still known after the controller was killed, and a session that
// went on meanwhile has lost nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ocpp } from '../lib/command.js';
import { World } from '../lib/site.js';

let world, socket;

before(async () => {
    world = new World('probe', {
        broker: false, limit: 63, base: [2, 2, 2], history: ['  commit: 1s'], chargers: [
            { id: 'CP-HONEST', wiring: [0, 1, 2], max: 16 },
            { id: 'CS-HONEST', wiring: [0, 1, 2], max: 16 },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
});

after(() => world.stop());

const list = async () => JSON.parse((await ocpp(socket, '--json', 'list')).stdout);
const habits = async id => (await list()).find(c => c.id === id).habits;

test('without a car there is nothing to be seen', async () => {
    const { code, stderr } = await ocpp(socket, 'probe', 'CP-HONEST');
    assert.equal(code, 77);
    assert.match(stderr, /no car charges there/);
    assert.equal((await ocpp(socket, 'probe', 'NOBODY')).code, 64);
    assert.equal((await ocpp(socket, 'probe', 'CP-HONEST', 'one')).code, 64);
});

test('a charger that obeys', () => world.each(async honest => {
    const { id } = honest;
    await honest.plugIn();
    await world.until('it draws 16 A', () => honest.amps === 16, { within: 60_000 });
    let tried;
    await world.until('its meter values say so', async () => {
        tried = await ocpp(socket, 'probe', id);
        return tried.code !== 77;
    }, { within: 240_000 });
    const { code, stdout } = tried;
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`^${id}, connector 1: Independent Strict \\d+, firmware \\d`));
    assert.match(stdout, /ok +a lower limit +obeys, after \d+\.\d s, 6\.0 A/);
    assert.match(stdout, /ok +0 A +obeys, after \d+\.\d s, 0\.0 A/);
    assert.match(stdout, /ok +after a disconnect +keeps its limit/);
    assert.match(await habits(id),
        /tx=1! default=1! kind=absolute!.* zero=pauses .*keeps=yes/);
    await honest.follows('it has its current again', amps => amps === 16,
        { within: 60_000 });
}));

const session = async id => (await list()).find(c => c.id === id).connectors[0].transaction;

test('it is known after a kill, and the session goes on', async () => {
    const before = await world.each(async ({ id }) =>
        ({ habits: await habits(id), session: await session(id) }));
    await world.until('they are in the ledger', () => ['ledger.db', 'ledger.db-wal']
        .map(file => readFileSync(join(world.historyFolder, file)).toString('latin1'))
        .join().match(/keeps=yes/g)?.length >= 2);
    await world.controller.kill();
    await world.startController();
    await world.each(async ({ id, transaction }, i) => {
        await world.until('it is back', async () =>
            (await list()).find(c => c.id === id)?.connected);
        await world.until('its record, too', async () => await habits(id) === before[i].habits);
        await world.until('its session', () => session(id));
        assert.equal(await session(id), before[i].session);
        assert.equal(await session(id), transaction);
    });
    assert.deepEqual(world.violations(), []);
});

test('a session that ends while nobody is there has its energy in the ledger', async () => {
    await world.controller.kill();
    const left = world.each(c => c.unplug()); // that waits for the connection
    await world.startController();
    await left;
    let rows;
    await world.until('its end is written', () => {
        const { stdout } = spawnSync(process.env.CHARGEHAND, ['history', 'export', '--what',
            'sessions', '--json', '--folder', world.historyFolder], { encoding: 'utf8' });
        rows = JSON.parse(stdout || '[]'); // those that have ended
        return rows.length >= 2;
    });
    assert.equal(rows.length, 2);
    for (const c of world.chargers) {
        const row = rows.find(r => r.connector.startsWith(c.id));
        const [start, stop] = c.register; // as its last two messages told it, Wh
        assert.ok(stop > start, `${start} to ${stop} Wh`);
        assert.equal(Math.round(row.energy_kwh * 1000), stop - start, c.id);
        assert.equal(row.id_tag, 'CARD-1');
    }
});
