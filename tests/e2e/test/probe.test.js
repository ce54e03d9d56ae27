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

let world, socket, honest;

before(async () => {
    world = new World('probe', {
        broker: false, base: [2, 2, 2], history: ['  commit: 1s'], chargers: [
            { id: 'CP-HONEST', wiring: [0, 1, 2], max: 16 },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
    [honest] = world.chargers;
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

test('a charger that obeys', async () => {
    await honest.plugIn();
    await world.until('it draws 16 A', () => honest.amps === 16, { within: 60_000 });
    let tried;
    await world.until('its meter values say so', async () => {
        tried = await ocpp(socket, 'probe', 'CP-HONEST');
        return tried.code !== 77;
    }, { within: 240_000 });
    const { code, stdout } = tried;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^CP-HONEST, connector 1: Independent Strict 16, firmware 1\.2\.3/);
    assert.match(stdout, /ok +a lower limit +obeys, after \d+\.\d s, 6\.0 A/);
    assert.match(stdout, /ok +0 A +obeys, after \d+\.\d s, 0\.0 A/);
    assert.match(stdout, /ok +after a disconnect +keeps its limit/);
    assert.match(await habits('CP-HONEST'),
        /tx=1! default=1! kind=absolute!.* zero=pauses .*keeps=yes/);
    await honest.follows('it has its current again', amps => amps === 16,
        { within: 60_000 });
});

test('it is known after a kill, and the session goes on', async () => {
    const before = await habits('CP-HONEST');
    await world.until('it is in the ledger', () => ['ledger.db', 'ledger.db-wal'].some(file =>
        readFileSync(join(world.historyFolder, file)).includes('keeps=yes')));
    const transaction = honest.transaction;
    await world.controller.kill();
    await world.startController();
    await world.until('it is back', async () =>
        (await list()).find(c => c.id === 'CP-HONEST')?.connected);
    await world.until('its record, too', async () => await habits('CP-HONEST') === before);
    const session = await world.until('its session', async () =>
        (await list()).find(c => c.id === 'CP-HONEST').connectors[0].transaction);
    assert.equal(session, transaction);
    assert.deepEqual(world.violations(), []);
});

test('a session that ends while nobody is there has its energy in the ledger', async () => {
    await world.controller.kill();
    const left = honest.unplug(); // StopTransaction waits for the connection
    await world.startController();
    await left;
    let row;
    await world.until('its end is written', () => {
        const { stdout } = spawnSync(process.env.CHARGEHAND, ['history', 'export', '--what',
            'sessions', '--json', '--folder', world.historyFolder], { encoding: 'utf8' });
        [row] = JSON.parse(stdout || '[]'); // those that have ended
        return row;
    });
    const [start, stop] = honest.register; // as its last two messages told it, Wh
    assert.ok(stop > start, `${start} to ${stop} Wh`);
    assert.equal(Math.round(row.energy_kwh * 1000), stop - start);
    assert.equal(row.id_tag, 'CARD-1');
});
