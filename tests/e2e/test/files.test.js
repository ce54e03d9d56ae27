// SPDX-License-Identifier: Apache-2.0
// Firmware that a charger fetches and logs that it sends, over HTTP on the OCPP port.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, ocpp } from '../lib/command.js';
import { World } from '../lib/site.js';

let world, charger, station, socket, folder, where;
const image = randomBytes(3_000_000);

before(async () => {
    world = new World('files', {
        base: [2, 2, 2],
        chargers: [{ id: 'CP-A', wiring: [0], version: '1.6' },
            { id: 'CS-B', wiring: [1], version: '2.0.1' }],
        ocpp: ['sample: 2s', 'files: files'],
    });
    folder = join(world.dir, 'files');
    mkdirSync(folder);
    writeFileSync(join(folder, 'fw-1.2.bin'), image);
    symlinkSync('/etc/passwd', join(folder, 'link'));
    await world.start();
    [charger, station] = world.chargers;
    socket = join(world.historyFolder, 'control.socket');
    const take = key => params => {
        where = params[key];
        return key === 'location' && 'retrieveDate' in params ? {} : { fileName: 'log.tar.gz' };
    };
    Object.assign(charger.more, {
        UpdateFirmware: take('location'),
        GetDiagnostics: take('location'),
        GetLog: ({ log }) => (where = log.remoteLocation, { status: 'Accepted', filename: 'x' }),
        SignedUpdateFirmware: ({ firmware }) => (where = firmware.location, { status: 'Accepted' }),
    });
    Object.assign(station.more, {
        UpdateFirmware: ({ firmware }) => (where = firmware.location, { status: 'Accepted' }),
        GetLog: ({ log }) => (where = log.remoteLocation, { status: 'Accepted', filename: 'x' }),
    });
    await world.connectAll();
});

after(() => world.stop());

const run = (...args) => ocpp(socket, ...args);
const transfer = async () => (await ask(socket, { do: 'list' })).answer[0].transfer;
const say = (action, status) => charger.client.call(action, { status });
const logs = () => readdirSync(folder).filter(f => f.startsWith('CP-A'));

test('firmware', async () => {
    const { code, stderr } = await run('CP-A', 'firmware', 'fw-1.2.bin', '{"retries": 2}');
    assert.equal(code, 0, stderr);
    assert.match(where, new RegExp(
        `^http://127\\.0\\.0\\.1:${world.ocppPort}/files/[0-9a-f]{32}/fw-1\\.2\\.bin$`));
    await say('FirmwareStatusNotification', 'Downloading');
    for (let i = 0; i < 2; i++) { // it may try again
        const answer = await fetch(where);
        assert.equal(answer.status, 200);
        assert.ok(image.equals(Buffer.from(await answer.arrayBuffer())));
    }
    assert.deepEqual(await transfer(), { what: 'firmware', file: 'fw-1.2.bin',
        status: 'Downloading', bytes: image.length, of_bytes: image.length, over: false });
    assert.equal((await fetch(where, { method: 'PUT', body: 'x' })).status, 405);
    const state = await (await fetch(`http://127.0.0.1:${world.httpPort}/api/v1/state`)).json();
    assert.equal(state.connectors[0].transfer, 'firmware fw-1.2.bin: Downloading, 100 %');
    await say('FirmwareStatusNotification', 'Downloaded');
    assert.equal((await fetch(where)).status, 404, 'nobody needs it any more');
    await say('FirmwareStatusNotification', 'Installed');
    assert.equal((await transfer()).over, true);
    const events = world.monitor.json('chargehand/event').filter(e => e.code === 'file');
    for (const word of ['is being fetched', 'all of it has been sent', 'Installed'])
        await world.until(word, () => world.monitor.json('chargehand/event')
            .some(e => e.code === 'file' && e.who === 'CP-A' && e.text.includes(word)));
    assert.ok(events.every(e => !e.text.includes('/files/')), 'the address is a secret');
    assert.match((await run('list')).stdout, /firmware fw-1.2.bin: Installed/);
});

test('signed firmware', async () => {
    const { code, stderr } = await run('CP-A', 'firmware', 'fw-1.2.bin', JSON.stringify({
        signingCertificate: 'PEM', signature: 'SIG', installDateTime: '2030-01-01T00:00:00Z' }));
    assert.equal(code, 0, stderr);
    assert.equal((await fetch(where)).status, 200);
    for (const method of ['DELETE', 'OPTIONS', 'PATCH', 'PUT'])
        assert.equal((await fetch(where, { method })).status, 405, method);
    await say('SignedFirmwareStatusNotification', 'InvalidSignature');
    assert.equal((await fetch(where)).status, 404);
});

test('the same over OCPP 2.0.1', async () => {
    const { code, stderr } = await run('CS-B', 'firmware', 'fw-1.2.bin');
    assert.equal(code, 0, stderr);
    assert.ok(image.equals(Buffer.from(await (await fetch(where)).arrayBuffer())));
    await station.say('FirmwareStatusNotification', { status: 'Installed', requestId: 1 });
    assert.equal((await fetch(where)).status, 404);
    assert.match((await run('list')).stdout, /firmware fw-1.2.bin: Installed/);
    for (const what of ['log', 'diagnostics']) { // which are a kind of log there
        const body = randomBytes(70_000);
        assert.equal((await run('CS-B', what)).code, 0);
        assert.equal((await fetch(`${where}x.gz`, { method: 'PUT', body })).status, 200);
        const [name] = readdirSync(folder).filter(f => f.startsWith('CS-B') && f.includes(what));
        assert.ok(body.equals(readFileSync(join(folder, name))));
        await station.say('LogStatusNotification', { status: 'Uploaded', requestId: 2 });
        assert.equal((await fetch(where, { method: 'PUT', body })).status, 404);
    }
    assert.deepEqual(world.violations(), []);
});

test('names that are none', async () => {
    for (const name of ['../site.yaml', 'link', '.', '..', '', 'nothing', '/etc/passwd',
        'a b', '.hidden', 'x/y', '%2e%2e']) {
        const { code } = await run('CP-A', 'firmware', name);
        assert.equal(code, 64, name);
    }
    assert.equal((await run('CP-A', 'firmware')).code, 64);
    assert.equal((await run('NOBODY', 'log')).code, 64);
    assert.equal((await run('CP-A', 'log', '{"logType": "Other"}')).code, 64);
});

for (const [what, method] of [['diagnostics', 'PUT'], ['log', 'POST']])
    test(`${what} by ${method}`, async () => {
        const body = randomBytes(1_500_000), n = logs().length;
        assert.equal((await run('CP-A', what)).code, 0);
        assert.equal((await fetch(where)).status, 405);
        const answer = await fetch(`${where}x.tar.gz`, { method, body });
        assert.equal(answer.status, 200);
        const [name] = logs().filter(f => f.includes(what));
        assert.match(name, new RegExp(`^CP-A-\\d{8}T\\d{6}Z-${what}\\.gz$`));
        assert.ok(body.equals(readFileSync(join(folder, name))));
        await say(what === 'log' ? 'LogStatusNotification' : 'DiagnosticsStatusNotification',
            'Uploaded');
        assert.equal((await fetch(where, { method, body })).status, 404);
        assert.equal(logs().length, n + 1);
    });

test('a log in a form', async () => {
    assert.equal((await run('CP-A', 'diagnostics')).code, 0);
    for (const [size, name] of [[700_000, 'log.zip'], [3, 'log.zip'], [0, 'log.zip']]) {
        const body = randomBytes(size), form = new FormData();
        form.append('file', new Blob([body]), name);
        assert.equal((await fetch(`${where}${name}`, { method: 'POST', body: form })).status, 200);
        const [file] = logs().filter(f => f.endsWith('.zip'));
        assert.ok(body.equals(readFileSync(join(folder, file))), `${size} bytes`);
    }
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
    for (const body of ['no form', '--x\r\n\r\nabc', `--x\r\n${'h'.repeat(5000)}`])
        assert.equal((await fetch(where, { method: 'POST', headers, body })).status, 400, body);
    assert.ok(logs().every(f => !f.endsWith('.part')));
    await say('DiagnosticsStatusNotification', 'Uploaded');
});

// The first line of the answer to what is written; "" = it was closed without one.
const raw = (text, { end = false } = {}) => new Promise((resolve, reject) => {
    const s = connect(world.ocppPort, '127.0.0.1', () => end ? s.end(text) : s.write(text));
    let got = '';
    s.setEncoding('latin1').on('error', reject)
        .on('data', d => { got += d; if (got.includes('\r\n')) s.destroy(); })
        .on('close', () => resolve(got.split('\r\n')[0]));
});

test('uploads that are no good', async () => {
    assert.equal((await run('CP-A', 'diagnostics')).code, 0);
    const path = new URL(where).pathname, before = logs().length;
    const head = `PUT ${path}x HTTP/1.1\r\nHost: h\r\n`;
    assert.match(await raw(`${head}Content-Length: 999999999999\r\n\r\n`), / 413/);
    assert.match(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n`), / 411/);
    await world.until('it is told', () => world.monitor.json('chargehand/event')
        .some(e => e.code === 'file' && e.text.includes('its length is not told')));
    assert.match(await raw(`${head}Content-Length: -5\r\n\r\n`), / 4\d\d|^$/);
    await raw(`${head}Content-Length: 100\r\n\r\ntoo little`, { end: true });
    assert.equal(logs().length, before, 'nothing is left of it');
    for (const wrong of ['/files/', '/files/x', `/files/${'0'.repeat(32)}/x`, `${path}../..`,
        path.toUpperCase(), '/files/../etc/passwd', `/${path}`])
        assert.match(await raw(`PUT ${wrong} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx`),
            wrong === `${path}../..` || wrong === `/${path}` ? /^HTTP/ : / 404/, wrong);
    for (const name of readdirSync(world.dir))
        assert.notEqual(name, 'passwd');
    const body = randomBytes(1000); // and it goes on
    assert.equal((await fetch(`${where}evil%2f..%2fx.sh;a`, { method: 'PUT', body })).status, 200);
    assert.ok(logs().every(f => /^CP-A-\d{8}T\d{6}Z-(log|diagnostics)(\.[a-z]+)?$/.test(f)),
        logs().join());
    await say('DiagnosticsStatusNotification', 'UploadFailed');
    assert.deepEqual(world.violations(), []);
});

test('a charger that has nothing to send', async () => {
    charger.client.handle('GetDiagnostics', ({ params }) => (where = params.location, {}));
    assert.equal((await run('CP-A', 'diagnostics')).code, 0);
    assert.equal((await transfer()).over, true);
    assert.equal((await fetch(where, { method: 'PUT', body: 'x' })).status, 404);
});

test('a disk that is full', async () => {
    await world.controller.stop();
    await world.startController({ wrap: ['prlimit', '--fsize=1000000'] });
    await world.until('it is back', async () =>
        (await ask(socket, { do: 'list' })).answer[0].connected);
    charger.client.handle('GetDiagnostics', hasLog);
    const before = logs().length;
    assert.equal((await run('CP-A', 'diagnostics')).code, 0);
    const put = bytes => fetch(where, { method: 'PUT', body: randomBytes(bytes) })
        .then(answer => answer.status, () => 'broken off');
    assert.notEqual(await put(8_000_000), 200);
    await world.until('it is told', () => world.monitor.json('chargehand/event')
        .some(e => e.code === 'file' && e.text.includes('broken off, ')));
    assert.equal(logs().length, before, 'nothing is left of it');
    assert.equal(await put(500_000), 200, 'it goes on');
});

const hasLog = ({ params }) => (where = params.location, { fileName: 'log' });
