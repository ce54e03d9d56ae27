// SPDX-License-Identifier: Apache-2.0
// Who may connect: wrong passwords and strangers are refused at the door.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from 'node:http';
import { RPCClient } from 'ocpp-rpc';
import { World } from '../lib/site.js';

let world;

before(async () => {
    world = new World('access', {
        broker: false,
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [1] }],
    });
    await world.start();
});

after(() => world.stop());

// The HTTP status that a WebSocket handshake gets.
function handshake(path, { user, password, protocol = 'ocpp1.6' } = {}) {
    return new Promise((resolve, reject) => {
        const r = request({
            host: '127.0.0.1', port: world.ocppPort, path,
            headers: {
                'Connection': 'Upgrade', 'Upgrade': 'websocket',
                'Sec-WebSocket-Version': '13',
                'Sec-WebSocket-Key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
                'Sec-WebSocket-Protocol': protocol,
                ...user === undefined ? {} : {
                    Authorization: 'Basic ' +
                        Buffer.from(`${user}:${password}`).toString('base64'),
                },
            },
        });
        r.on('response', answer => { answer.resume(); resolve(answer.statusCode); });
        r.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); });
        r.on('error', reject);
        r.end();
    });
}

const good = 'secret-of-CP-A';
for (const row of [
    { what: 'the right password', path: '/CP-A', user: 'CP-A', password: good, status: 101 },
    { what: 'a wrong password', path: '/CP-A', user: 'CP-A', password: 'guess', status: 401 },
    { what: 'an empty password', path: '/CP-A', user: 'CP-A', password: '', status: 401 },
    { what: 'no password at all', path: '/CP-A', status: 401 },
    { what: "another charger's password", path: '/CP-A', user: 'CP-A',
        password: 'secret-of-CP-B', status: 401 },
    { what: "another charger's name", path: '/CP-A', user: 'CP-B',
        password: 'secret-of-CP-B', status: 401 },
    { what: 'a beginning of the password', path: '/CP-A', user: 'CP-A',
        password: good.slice(0, -1), status: 401 },
    { what: 'an unknown charger', path: '/CP-X', user: 'CP-X', password: good, status: 404 },
    { what: 'no identity', path: '/', user: 'CP-A', password: good, status: 404 },
])
    test(`${row.what} gets ${row.status}`, async () => {
        assert.equal(await handshake(row.path, row), row.status);
    });

test('a strict client with a wrong password is told 401', async () => {
    const client = new RPCClient({
        endpoint: `ws://127.0.0.1:${world.ocppPort}`, identity: 'CP-A', password: 'wrong',
        protocols: ['ocpp1.6'], strictMode: true, reconnect: false,
    });
    await assert.rejects(client.connect(), { code: 401 });
});

test('after all that, the charger itself is let in', async () => {
    const [charger] = world.chargers;
    await charger.connect();
    assert.equal(charger.accepted, true);
    await charger.follows('gets a profile', () => charger.history.length > 0);
    assert.deepEqual(world.violations(), []);
});

test('the log does not tell passwords', () => {
    for (const line of world.controller.lines)
        assert.ok(!/secret-of|guess/.test(line), line);
});
