// SPDX-License-Identifier: Apache-2.0
// Every message of OCPP 1.6 with its security whitepaper and of 2.0.1, in both directions,
// by the schemas of the ocpp-rpc package: all that we can send is good for its strict
// client, all that it can send is answered well, and what is wrong does not leave.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ask, ocpp } from '../lib/command.js';
import { schemaOf } from '../lib/schema.js';
import { World } from '../lib/site.js';

let world, socket;
const answers = new Map(); // action -> {params, answer} of a call by hand
// what we ask and what they ask, of each version
const versions = [
    { id: 'CP-A', version: '1.6', ours: 26, theirs: 14, schemas: 78, ...schemaOf('ocpp1_6') },
    { id: 'CS-B', version: '2.0.1', ours: 40, theirs: 25, schemas: 128, ...schemaOf('ocpp2_0_1') },
];

before(async () => {
    world = new World('messages', {
        broker: false, base: [2, 2, 2], chargers: versions.map(({ id, version }) => ({ id, version, wiring: [0, 1, 2] })),
    });
    await world.start();
    world.charger('CS-B').variables.set('SmartChargingCtrlr.RateUnit', 'A,W');
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
});

after(() => world.stop());

// What the controller itself sends goes on being answered by the charger.
function listen(charger, action) {
    const before = charger.answers[action];
    charger.client.handle(action, ({ params }) => {
        const by = answers.get(action);
        if (!by || by.params && !isDeepStrictEqual(by.params, params))
            return before(params);
        by.n = (by.n ?? 0) + 1;
        return by.answer;
    });
}

// No parts are waited for.
const call = (id, action, payload) =>
    ask(socket, { do: 'call', charger: id, action, payload, wait_s: 0 });

// The transactions told here are made up: the chargers have none of them, and say so.
const violations = () => world.violations().filter(v => v.why !== 'TxNotFound');

// Profiles that a person may set and clear; what else the guard keeps back is tested
// in tests/test_ocpp16_schema.c.
function allowed(version, action, payload) {
    const p = structuredClone(payload);
    const old = version === '1.6';
    if (action === 'RemoteStartTransaction' || action === 'RequestStartTransaction')
        delete p.chargingProfile;
    if (action === 'ClearChargingProfile')
        Object.assign(p, old ? { id: 1000 } : { chargingProfileId: 1000 });
    if (action === 'SetChargingProfile') {
        p[old ? 'connectorId' : 'evseId'] = 0;
        const profile = old ? p.csChargingProfiles : p.chargingProfile;
        Object.assign(profile, { [old ? 'chargingProfileId' : 'id']: 1000, stackLevel: 0,
            chargingProfilePurpose: old ? 'ChargePointMaxProfile' : 'ChargingStationMaxProfile' });
        for (const schedule of [profile.chargingSchedule].flat())
            schedule.chargingSchedulePeriod.forEach(p => delete p.numberPhases);
        if (!old) {
            delete profile.transactionId;
            profile.chargingSchedule[0].startSchedule = '2030-01-01T00:00:00Z';
            profile.chargingSchedule[0].chargingSchedulePeriod
                .forEach(p => delete p.phaseToUse);
        }
        if (profile.chargingProfileKind === 'Relative')
            profile.chargingProfileKind = 'Absolute';
        if (profile.chargingProfileKind === 'Recurring')
            profile.recurrencyKind ??= 'Daily';
        else
            delete profile.recurrencyKind;
    }
    if (action === 'SetNetworkProfile')
        p.connectionData.ocppCsmsUrl = 'ws://127.0.0.1:8887/';
    return p;
}

for (const v of versions) {
    const { id, version, ids, actions, good, wrong } = v;
    const seen = new Set(); // schemas by which a message went over the wire
    let ours;

    test(`${version}: all actions are in the table`, async () => {
        const { code, stdout } = await ocpp(socket, 'actions');
        assert.equal(code, 0);
        ours = stdout.split(/^OCPP /m).find(part => part.startsWith(`${version}\n`))
            .split('\n').filter(l => l.startsWith('  ')).map(l => l.trim());
        assert.equal(ours.length, v.ours);
        assert.ok(ours.every(a => actions.includes(a)));
    });

    test(`${version}: what people send`, async () => {
        let n = 0;
        for (const action of ours) {
            listen(world.charger(id), action);
            const confs = good(`${action}.conf`);
            const reqs = good(`${action}.req`);
            for (let i = 0; i < Math.max(reqs.length, confs.length); i++, n++) {
                const req = reqs[i % reqs.length], conf = confs[i % confs.length];
                const payload = allowed(version, action, req.payload);
                const what = `${action}, ${req.what}, answered ${conf.what}`;
                const by = { params: payload, answer: conf.payload };
                answers.set(action, by);
                const reply = await call(id, action, payload);
                answers.delete(action);
                assert.deepEqual(reply, { outcome: 'answered', answer: conf.payload }, what);
                assert.equal(by.n, 1, what);
                seen.add(`${action}.req`).add(`${action}.conf`);
            }
        }
        assert.ok(n >= 100, `${n} of them`);
        assert.deepEqual(violations(), []);
    });

    test(`${version}: what is wrong does not leave`, async () => {
        let n = 0;
        for (const action of ours)
            for (const { what, payload } of wrong(`${action}.req`)) {
                if (/^no (requestId|remoteStartId)$/.test(what))
                    continue; // it is made up
                const reply = await call(id, action, payload);
                assert.equal(reply.outcome, 'bad call', `${action}, ${what}: ${JSON.stringify(reply)}`);
                assert.ok(reply.text.length > 5);
                n++;
            }
        assert.ok(n >= 200, `${n} of them`);
        for (const action of actions.filter(a => !ours.includes(a)))
            assert.equal((await call(id, action, {})).outcome, 'bad call', action);
        assert.deepEqual(violations(), []);
    });

    test(`${version}: what the charger sends`, async () => {
        const theirs = actions.filter(a => !ours.includes(a) || a === 'DataTransfer');
        assert.equal(theirs.length, v.theirs);
        for (const action of theirs)
            for (const { what, payload } of good(`${action}.req`)) {
                const answer = await world.charger(id).client.call(action, payload)
                    .catch(error => assert.fail(`${action}, ${what}: ${error}`));
                assert.ok(answer, `${action}, ${what}`);
                seen.add(`${action}.req`).add(`${action}.conf`);
            }
        assert.deepEqual(violations(), []);
    });

    // None is "not ours".
    test(`${version}: no schema of the package was left out`, () => {
        assert.equal(ids.length, v.schemas);
        assert.deepEqual(ids.filter(i => !seen.has(i)), []);
    });
}

test('the command', async () => {
    const run = (...args) => ocpp(socket, ...args);
    answers.set('Reset', { answer: { status: 'Accepted' } });
    assert.deepEqual(await run('CP-A', 'Reset', '{"type": "Soft"}'),
        { code: 0, stdout: '{"status":"Accepted"}\n', stderr: '' });
    answers.set('Reset', { answer: { status: 'Rejected' } });
    assert.equal((await run('CP-A', 'Reset', '{"type": "Soft"}')).code, 1);
    answers.delete('Reset');
    const bad = await run('CP-A', 'Reset', '{"type": "soft"}');
    assert.equal(bad.code, 64);
    assert.match(bad.stderr, /type: 'soft' is none of Hard, Soft/);
    assert.equal((await run('CP-A', 'Reset', '{"type": ')).code, 64);
    assert.equal((await run('CP-A', 'Reset', '7')).code, 64);
    assert.equal((await run('NOBODY', 'ClearCache')).code, 64);
    assert.equal((await run('CP-A')).code, 64);
    const kept = await run('CP-A', 'ClearChargingProfile');
    assert.equal(kept.code, 77);
    assert.match(kept.stderr, /remove the limits/);
    assert.equal((await ocpp('/nowhere/socket', 'list')).code, 69);
    assert.match((await run('actions', 'Reset')).stdout, /type: Hard, Soft/);
    assert.match((await run('actions', 'GetReport')).stdout,
        /requestId \(made up when left out\)[^]*told afterwards, by NotifyReport/);
    const [one, two] = JSON.parse((await run('--json', 'list')).stdout);
    assert.deepEqual([one.version, two.version], ['1.6', '2.0.1']);
    assert.equal(one.id, 'CP-A');
    assert.equal(one.connected, true);
    assert.equal(one.connectors.length, 1);
    assert.match((await run('list')).stdout, /^CP-A +yes/m);
    assert.ok(world.controller.matching(/Reset by user \d+: answered, Accepted/).length > 0);

    world.charger('CP-A').cut();
    await world.until('it is gone', async () =>
        !JSON.parse((await run('--json', 'list')).stdout)[0].connected);
    assert.equal((await run('CP-A', 'ClearCache')).code, 69);
});

test('what comes afterwards, in parts', async () => {
    const station = world.charger('CS-B');
    const base = (...args) => ocpp(socket, ...args, 'CS-B', 'GetBaseReport',
        '{"reportBase": "FullInventory"}');
    const [lines, ...whole] = await Promise.all([base(), base('--json'), base('--json')]);
    assert.deepEqual([lines.code, lines.stderr], [0, '']);
    const [answer, ...parts] = lines.stdout.trim().split('\n').map(l => JSON.parse(l));
    assert.deepEqual(answer, { status: 'Accepted' });
    const all = [{ answer, parts }, ...whole.map(({ stdout }) => JSON.parse(stdout))];
    for (const one of all) {
        assert.deepEqual(Object.keys(one), ['answer', 'parts']);
        assert.deepEqual(one.parts.map(p => [p.seqNo, p.tbc]), [[0, true], [1, false]]);
        assert.equal(one.parts.flatMap(p => p.reportData).length, station.variables.size);
        assert.equal(new Set(one.parts.map(p => p.requestId)).size, 1);
    }
    assert.equal(new Set(all.map(one => one.parts[0].requestId)).size, 3);

    // it says that it will, and does not
    answers.set('GetReport', { answer: { status: 'Accepted' } });
    const report = (...args) => ocpp(socket, ...args, 'CS-B', 'GetReport');
    assert.deepEqual(await report('--wait', '0'),
        { code: 0, stdout: '{"status":"Accepted"}\n', stderr: '' });
    const none = await report('--json', '--wait', '0.5');
    assert.equal(none.code, 69);
    assert.match(none.stderr, /not all parts: none has come in time/);
    assert.deepEqual(JSON.parse(none.stdout), { answer: { status: 'Accepted' }, parts: [],
        missing: 'none has come in time' });
    assert.equal((await report('--wait', 'long')).code, 64);

    // or goes away in between
    const asked = answers.get('GetReport').n;
    const lost = ocpp(socket, 'CS-B', 'GetReport', '{"requestId": 77}');
    await world.until('it was asked', () => answers.get('GetReport').n > asked);
    await station.client.call('NotifyReport', { requestId: 77, seqNo: 0, tbc: true,
        generatedAt: new Date().toISOString() });
    station.cut();
    const { code, stdout, stderr } = await lost;
    assert.equal(code, 69);
    assert.match(stderr, /not all parts: the connection was lost/);
    assert.equal(JSON.parse(stdout.trim().split('\n')[1]).requestId, 77);
    assert.deepEqual(violations(), []);
});
