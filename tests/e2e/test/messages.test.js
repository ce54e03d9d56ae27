// SPDX-License-Identifier: Apache-2.0
// Every message of OCPP 1.6 and its security whitepaper, in both directions, by the
// schemas of the ocpp-rpc package: all that we can send is good for its strict client,
// all that it can send is answered well, and what is wrong does not leave.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ask, ocpp } from '../lib/command.js';
import { actions, good, wrong } from '../lib/schema.js';
import { World } from '../lib/site.js';

let world, socket, charger;
const answers = new Map(); // action -> {params, answer} of a call by hand

before(async () => {
    world = new World('messages', {
        broker: false, base: [2, 2, 2], chargers: [{ id: 'CP-A', wiring: [0, 1, 2] }],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
    [charger] = world.chargers;
});

after(() => world.stop());

// What the controller itself sends goes on being answered by the charger.
function listen(action) {
    const before = charger.answers[action];
    charger.client.handle(action, ({ params }) => {
        const by = answers.get(action);
        if (!by || by.params && !isDeepStrictEqual(by.params, params))
            return before(params);
        by.n = (by.n ?? 0) + 1;
        return by.answer;
    });
}

const call = (action, payload) =>
    ask(socket, { do: 'call', charger: 'CP-A', action, payload });

// Profiles that a person may set and clear; what else the guard keeps back is tested
// in tests/test_ocpp16_schema.c.
function allowed(action, payload) {
    const p = structuredClone(payload);
    if (action === 'RemoteStartTransaction')
        delete p.chargingProfile;
    if (action === 'ClearChargingProfile')
        Object.assign(p, { id: 1000 });
    if (action === 'SetChargingProfile') {
        p.connectorId = 0;
        const profile = p.csChargingProfiles;
        Object.assign(profile, { chargingProfileId: 1000, stackLevel: 0,
            chargingProfilePurpose: 'ChargePointMaxProfile' });
        if (profile.chargingProfileKind === 'Relative')
            profile.chargingProfileKind = 'Absolute';
        if (profile.chargingProfileKind === 'Recurring')
            profile.recurrencyKind ??= 'Daily';
        else
            delete profile.recurrencyKind;
    }
    return p;
}

let ours;

test('all actions are in the table', async () => {
    const { code, stdout } = await ocpp(socket, 'actions');
    assert.equal(code, 0);
    ours = stdout.split('\n').filter(l => l.startsWith('  ')).map(l => l.trim());
    assert.equal(ours.length, 26);
    assert.ok(ours.every(a => actions.includes(a)));
});

test('what people send', async () => {
    let n = 0;
    for (const action of ours) {
        listen(action);
        const confs = good(`${action}.conf`);
        const reqs = good(`${action}.req`);
        for (let i = 0; i < Math.max(reqs.length, confs.length); i++, n++) {
            const req = reqs[i % reqs.length], conf = confs[i % confs.length];
            const payload = allowed(action, req.payload);
            const what = `${action}, ${req.what}, answered ${conf.what}`;
            const by = { params: payload, answer: conf.payload };
            answers.set(action, by);
            const reply = await call(action, payload);
            answers.delete(action);
            assert.deepEqual(reply, { outcome: 'answered', answer: conf.payload }, what);
            assert.equal(by.n, 1, what);
        }
    }
    assert.ok(n >= 100, `${n} of them`);
    assert.deepEqual(world.violations(), []);
});

test('what is wrong does not leave', async () => {
    let n = 0;
    for (const action of ours)
        for (const { what, payload } of wrong(`${action}.req`)) {
            const reply = await call(action, payload);
            assert.equal(reply.outcome, 'bad call', `${action}, ${what}: ${JSON.stringify(reply)}`);
            assert.ok(reply.text.length > 5);
            n++;
        }
    assert.ok(n >= 200, `${n} of them`);
    for (const action of actions.filter(a => !ours.includes(a)))
        assert.equal((await call(action, {})).outcome, 'bad call', action);
    assert.deepEqual(world.violations(), []);
});

test('what the charger sends', async () => {
    const theirs = actions.filter(a => !ours.includes(a) || a === 'DataTransfer');
    assert.equal(theirs.length, 14);
    for (const action of theirs)
        for (const { what, payload } of good(`${action}.req`)) {
            const answer = await charger.client.call(action, payload)
                .catch(error => assert.fail(`${action}, ${what}: ${error}`));
            assert.ok(answer, `${action}, ${what}`);
        }
    assert.deepEqual(world.violations(), []);
});

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
    const [one] = JSON.parse((await run('--json', 'list')).stdout);
    assert.equal(one.id, 'CP-A');
    assert.equal(one.connected, true);
    assert.equal(one.connectors.length, 1);
    assert.match((await run('list')).stdout, /^CP-A +yes/m);
    assert.ok(world.controller.matching(/Reset by user \d+: answered, Accepted/).length > 0);

    charger.cut();
    await world.until('it is gone', async () =>
        !JSON.parse((await run('--json', 'list')).stdout)[0].connected);
    assert.equal((await run('CP-A', 'ClearCache')).code, 69);
});
