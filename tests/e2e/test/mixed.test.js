// SPDX-License-Identifier: Apache-2.0
// A garage with stations of OCPP 2.0.1 beside one of 1.6: what only the two together show.
// That they are treated alike is in the other tests, whose garages are mixed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../lib/command.js';
import { World } from '../lib/site.js';

let world, socket;

before(async () => {
    world = new World('mixed', {
        broker: false,
        chargers: [
            { id: 'CP-A', wiring: [1], version: '1.6' },
            { id: 'CS-B', wiring: [1], version: '2.0.1' },
            // it prefers the old one, and we the new one
            { id: 'CS-C', wiring: [2, 0, 1], max: 16, version: '2.0.1',
                protocols: ['ocpp1.6', 'ocpp2.0.1'] },
        ],
    });
    await world.start();
    await world.connectAll();
    socket = join(world.historyFolder, 'control.socket');
});

after(() => world.stop());

const listed = async id =>
    (await ask(socket, { do: 'list' })).answer.find(c => c.id === id);

test('the version is the best that both speak', async () => {
    assert.equal(world.charger('CS-C').client.protocol, 'ocpp2.0.1');
    assert.equal((await listed('CS-C')).version, '2.0.1');
    assert.equal((await listed('CP-A')).version, '1.6');
});

test('messages may be compressed in the new version only', () => {
    const packed = id => world.charger(id).client._ws.extensions;
    assert.equal(packed('CS-B'), 'permessage-deflate');
    assert.equal(packed('CP-A'), ''); // it has offered it, too
});

test('settings are told by SetVariables', () =>
    world.until('it samples every 2 s', () => world.charger('CS-B').sampleS === 2 &&
        world.charger('CS-B').variables.get('SampledDataCtrlr.TxUpdatedMeasurands')
            .includes('Current.Import')));

test('no frame of the controller broke a schema, no profile a rule', () =>
    assert.deepEqual(world.violations(), []));
