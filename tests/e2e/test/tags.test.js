// SPDX-License-Identifier: Apache-2.0
// Who may charge: the list in the site file, its copy in the charger, reservations.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, ocpp } from '../lib/command.js';
import { siteFile, World } from '../lib/site.js';

let world, charger, socket;
const list = { version: 0, tags: new Map(), sent: [] }; // as the charger keeps it

const TAGS = ['sample: 2s', 'tags:', '- {id_tag: ANNA, group: HOUSE}',
    '- {id_tag: BERT, valid_until: 2020-01-01}'];

before(async () => {
    world = new World('tags', {
        limit: 32, base: [2, 2, 2], broker: false, chargers: [{ id: 'CP-A', wiring: [0] }], ocpp: TAGS,
    });
    await world.start();
    [charger] = world.chargers;
    socket = join(world.historyFolder, 'control.socket');
    charger.configuration.set('LocalAuthListEnabled', 'false');
    charger.configuration.set('SendLocalListMaxLength', '2');
    Object.assign(charger.more, {
        GetLocalListVersion: () => ({ listVersion: list.version }),
        SendLocalList: ({ listVersion, localAuthorizationList: tags, updateType }) => {
            list.sent.push({ updateType, n: tags.length });
            if (updateType === 'Full')
                list.tags.clear();
            else if (listVersion <= list.version)
                return { status: 'VersionMismatch' };
            list.version = listVersion;
            for (const { idTag, idTagInfo } of tags)
                if (idTagInfo)
                    list.tags.set(idTag, idTagInfo);
                else
                    list.tags.delete(idTag);
            return { status: 'Accepted' };
        },
        ReserveNow: () => ({ status: 'Accepted' }),
        CancelReservation: () => ({ status: 'Accepted' }),
    });
    await world.connectAll();
});

after(() => world.stop());

const entry = async () => (await ask(socket, { do: 'list' })).answer[0];
const authorize = async idTag =>
    (await charger.client.call('Authorize', { idTag })).idTagInfo;

test('the charger gets the list', async () => {
    await world.until('it has it', async () => (await entry()).tags_list === list.version);
    assert.equal(charger.configuration.get('LocalAuthListEnabled'), 'true');
    assert.deepEqual(list.sent, [{ updateType: 'Full', n: 2 }]);
    assert.deepEqual([...list.tags], [
        ['ANNA', { parentIdTag: 'HOUSE', status: 'Accepted' }],
        ['BERT', { expiryDate: '2020-01-02T00:00:00Z', status: 'Expired' }]]);
});

test('only its changes after a reload', async () => {
    world.site.ocpp = [...TAGS.slice(0, 3), '- {id_tag: CARL}', '- {id_tag: DORA}',
        'unknown_tags: accept'];
    world.writeSite(siteFile(world));
    world.controller.reload();
    const before = list.version;
    await world.until('it has it', async () => list.version > before &&
        (await entry()).tags_list === list.version);
    assert.deepEqual(list.sent.slice(1), [
        { updateType: 'Differential', n: 2 }, { updateType: 'Differential', n: 1 }]);
    assert.deepEqual([...list.tags.keys()], ['ANNA', 'CARL', 'DORA']);
    assert.equal((await authorize('NOBODY')).status, 'Accepted');
});

test('nothing after a restart', async () => {
    const n = list.sent.length;
    await world.controller.stop();
    await world.startController();
    await world.until('it is back', async () => (await entry()).tags_list === list.version);
    assert.equal(list.sent.length, n);
});

test('strangers are refused, and get nothing', async () => {
    world.site.ocpp = TAGS;
    world.writeSite(siteFile(world));
    world.controller.reload();
    await world.until('they are', async () => (await authorize('NOBODY')).status === 'Invalid');
    assert.equal((await authorize('BERT')).status, 'Expired');
    const { transactionId, idTagInfo } = await charger.client.call('StartTransaction', {
        connectorId: 1, idTag: 'NOBODY', meterStart: 0, timestamp: new Date().toISOString(),
    });
    assert.equal(idTagInfo.status, 'Invalid');
    charger.register = [0];
    charger.car = { max: 32 }; // it lets the car charge all the same
    charger.transaction = transactionId;
    await charger.follows('0 A', limit => limit === 0, { within: 120_000 });
    await charger.unplug();
});

test('a reserved connector', async () => {
    const by = { do: 'call', charger: 'CP-A' };
    assert.equal((await ask(socket, { ...by, action: 'ReserveNow', payload: { connectorId: 1,
        idTag: 'X', expiryDate: '2099-01-01T00:00:00Z', reservationId: 5 } })).outcome, 'answered');
    assert.deepEqual((await entry()).connectors[0].reserved,
        { id: 5, tag: 'X', until: '2099-01-01T00:00:00Z' });
    assert.match((await ocpp(socket, 'list')).stdout,
        /connector 1 is reserved for X until 2099-01-01T00:00:00Z/);
    const start = async () => (await charger.client.call('StartTransaction', {
        connectorId: 1, idTag: 'ANNA', meterStart: 0, timestamp: new Date().toISOString(),
    })).idTagInfo;
    assert.deepEqual(await start(), { parentIdTag: 'HOUSE', status: 'Blocked' });
    await ask(socket, { ...by, action: 'CancelReservation', payload: { reservationId: 5 } });
    assert.deepEqual(await start(), { parentIdTag: 'HOUSE', status: 'Accepted' });
    assert.deepEqual(world.violations(), []);
});

test('strangers come last', async () => {
    world.site.keys = ['policy: priority'];
    world.site.ocpp = [...TAGS, 'unknown_tags: low'];
    world.writeSite(siteFile(world));
    world.controller.reload();
    await world.until('they may', async () => (await authorize('NOBODY')).status === 'Accepted');
    const priority = async () => (await (await fetch(
        `http://127.0.0.1:${world.httpPort}/api/v1/state`)).json()).connectors[0].priority;
    for (const [tag, is] of [['ANNA', 1], ['NOBODY', 0]]) {
        await charger.plugIn({ tag });
        await world.until(`${tag} has priority ${is}`, async () => await priority() === is);
        await charger.unplug();
        await world.until('it is over', async () => await priority() === 0);
    }
});
