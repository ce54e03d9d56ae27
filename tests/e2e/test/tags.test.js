// SPDX-License-Identifier: Apache-2.0
// Who may charge: the list in the site file, its copy in the charger, reservations.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, ocpp } from '../lib/command.js';
import { siteFile, World } from '../lib/site.js';

let world, socket;

const TAGS = ['sample: 2s', 'tags:', '- {id_tag: ANNA, group: HOUSE}',
    '- {id_tag: BERT, valid_until: 2020-01-01}'];

before(async () => {
    world = new World('tags', {
        limit: 32, base: [2, 2, 2], broker: false, ocpp: TAGS,
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [1] }],
    });
    await world.start();
    socket = join(world.historyFolder, 'control.socket');
    world.chargers.forEach(c => c.keepList(2));
    await world.connectAll();
});

after(() => world.stop());

const entry = async c => (await ask(socket, { do: 'list' })).answer.find(e => e.id === c.id);
const has = (c, than = 0) => world.until(`${c.id} has it`, async () =>
    c.list.version > than && (await entry(c)).tags_list === c.list.version);

function reload(...ocpp) {
    world.site.ocpp = ocpp;
    world.writeSite(siteFile(world));
    world.controller.reload();
}

test('the charger gets the list', () => world.each(async c => {
    await has(c);
    assert.equal(c.listEnabled, true);
    assert.deepEqual(c.list.sent, [{ updateType: 'Full', n: 2 }]);
    assert.deepEqual([...c.list.tags], [
        ['ANNA', { status: 'Accepted', group: 'HOUSE' }],
        ['BERT', { status: 'Expired', until: '2020-01-02T00:00:00Z' }]]);
}));

test('only its changes after a reload', async () => {
    const { version } = world.chargers[0].list;
    reload(...TAGS.slice(0, 3), '- {id_tag: CARL}', '- {id_tag: DORA}', 'unknown_tags: accept');
    await world.each(async c => {
        await has(c, version);
        assert.deepEqual(c.list.sent.slice(1), [
            { updateType: 'Differential', n: 2 }, { updateType: 'Differential', n: 1 }]);
        assert.deepEqual([...c.list.tags.keys()], ['ANNA', 'CARL', 'DORA']);
        assert.equal(await c.authorize('NOBODY'), 'Accepted');
    });
});

test('nothing after a restart', async () => {
    const n = world.chargers.map(c => c.list.sent.length);
    await world.controller.stop();
    await world.startController();
    await world.each(async (c, i) => {
        await has(c);
        assert.equal(c.list.sent.length, n[i]);
    });
});

test('strangers are refused, and get nothing', async () => {
    reload(...TAGS);
    await world.each(async c => {
        await world.until('they are', async () =>
            /Invalid|Unknown/.test(await c.authorize('NOBODY')));
        assert.equal(await c.authorize('BERT'), 'Expired');
        await c.plugIn({ tag: 'NOBODY', refused: true });
        await c.follows('0 A', limit => limit === 0, { within: 120_000 });
        await c.unplug();
    });
});

const reservation = {
    1.6: { connectorId: 1, reservationId: 5, idTag: 'X', expiryDate: '2099-01-01T00:00:00Z' },
    '2.0.1': { evseId: 1, id: 5, idToken: { idToken: 'X', type: 'ISO14443' },
        expiryDateTime: '2099-01-01T00:00:00Z' },
};

test('a reserved connector', () => world.each(async c => {
    const call = async (action, payload) => assert.equal((await ask(socket,
        { do: 'call', charger: c.id, action, payload })).outcome, 'answered');
    await call('ReserveNow', reservation[c.version]);
    assert.deepEqual((await entry(c)).connectors[0].reserved,
        { id: 5, tag: 'X', until: '2099-01-01T00:00:00Z' });
    assert.match((await ocpp(socket, 'list')).stdout,
        /connector 1 is reserved for X until 2099-01-01T00:00:00Z/);
    c.register = [0];
    assert.equal(await c.begin('ANNA'), 'Blocked');
    await c.unplug();
    await call('CancelReservation', { reservationId: 5 });
    assert.equal(await c.begin('ANNA'), 'Accepted');
    await c.unplug();
    assert.deepEqual(world.violations(), []);
}));

test('strangers come last', async () => {
    world.site.keys = ['policy: priority'];
    reload(...TAGS, 'unknown_tags: low');
    await world.each(async (c, i) => {
        await world.until('they may', async () => await c.authorize('NOBODY') === 'Accepted');
        const priority = async () => (await (await fetch(
            `http://127.0.0.1:${world.httpPort}/api/v1/state`)).json()).connectors[i].priority;
        for (const [tag, is] of [['ANNA', 1], ['NOBODY', 0]]) {
            await c.plugIn({ tag });
            await world.until(`${tag} has priority ${is}`, async () => await priority() === is);
            await c.unplug();
            await world.until('it is over', async () => await priority() === 0);
        }
    });
});
