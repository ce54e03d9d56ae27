// SPDX-License-Identifier: Apache-2.0
// Security profiles 2 and 3 with a strict client: by TLS with a password, and with a
// certificate of its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RPCClient } from 'ocpp-rpc';
import { freePort, waitFor } from '../lib/process.js';
import { World } from '../lib/site.js';

const file = name => join(process.env.E2E_TLS, name);
const ca = readFileSync(file('ca.pem'));
const own = { cert: readFileSync(file('server.pem')), key: readFileSync(file('server.key')) };
let world, tls, mtls;

before(async () => {
    [tls, mtls] = [await freePort(), await freePort()];
    world = new World('tls', {
        broker: false,
        // the test's certificate is of "localhost", so that is the charger's identity
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'localhost', wiring: [1] }],
        ocpp: [
            `listen_tls: 127.0.0.1:${tls}`, `listen_mtls: 127.0.0.1:${mtls}`,
            `cert_file: ${file('server.pem')}`, `key_file: ${file('server.key')}`,
            `client_ca_file: ${file('ca.pem')}`,
        ],
    });
    await world.start();
    await told(/listening on .* with TLS and certificates/); // the last of its ports
});

after(() => world.stop());

function client(port, identity, { password, ...wsOpts }) {
    return new RPCClient({
        endpoint: `wss://127.0.0.1:${port}`, identity, password, wsOpts,
        protocols: ['ocpp1.6'], strictMode: true, reconnect: false,
    });
}

async function talks(c) {
    c.handle(() => ({ status: 'Rejected' })); // whatever it is asked
    await c.connect();
    const { currentTime } = await c.call('Heartbeat', {});
    assert.ok(Math.abs(Date.parse(currentTime) - Date.now()) < 60_000);
    await c.close();
}

function told(pattern) {
    return waitFor(`the log tells ${pattern}`,
        () => world.controller.matching(pattern).length > 0);
}

test('profile 2: TLS and its password', () =>
    talks(client(tls, 'CP-A', { ca, password: 'secret-of-CP-A' })));

test('profile 2 without the right password is told 401', () =>
    assert.rejects(client(tls, 'CP-A', { ca, password: 'guess' }).connect(), { code: 401 }));

// Node looks at the certificate after the handshake: nothing is told to us of that.
test('a charger that does not know the authority hangs up', () =>
    assert.rejects(client(tls, 'CP-A', { password: 'secret-of-CP-A' }).connect(),
        /UNABLE_TO_VERIFY|unable to verify|self.signed/i));

test('profile 3: TLS and its certificate', () =>
    talks(client(mtls, 'localhost', { ca, ...own })));

test('profile 3 without a certificate does not get that far', async () => {
    await assert.rejects(client(mtls, 'localhost', { ca }).connect());
    await told(/127\.0\.0\.1: turned away: shows no certificate/);
});

test("profile 3 with another's certificate is told 403", () =>
    assert.rejects(client(mtls, 'CP-A', { ca, ...own }).connect(), { code: 403 }));
