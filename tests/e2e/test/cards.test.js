// SPDX-License-Identifier: Apache-2.0
// What a driver's card says holds for its session, from the first current on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { siteFile, World } from '../lib/site.js';

let world;

before(async () => {
    world = new World('cards', {
        limit: 32, base: [2, 2, 2],
        chargers: [{ id: 'CP-A', wiring: [0] }],
        ocpp: ['sample: 2s', 'tags:', '- {id_tag: PLAIN}',
            '- {id_tag: SLOW, limit: 8, priority: 7, departs: 07:30}',
            '- {id_tag: NEVER, mode: off}'],
    });
    await world.start();
    await world.connectAll();
});

after(() => world.stop());

const told = h => h.profile.chargingSchedule.chargingSchedulePeriod[0].limit;
const status = () => world.monitor.json('chargehand/connector/CP-A_1/status').at(-1);

test('a limit, a priority and a departure', async () => {
    const [a] = world.chargers;
    await a.plugIn({ tag: 'SLOW' });
    await a.follows('8 A', limit => limit === 8, { within: 120_000 });
    assert.equal(Math.max(...a.history.map(told)), 8, 'never more');
    await world.until('it is told', () => status()?.priority === 7 && status().departs);
    await a.unplug();
    await world.until('it is over', () => status().priority === 0 && !status().departs);
});

test('a mode', async () => {
    const [a] = world.chargers;
    const from = a.history.length;
    await a.plugIn({ tag: 'NEVER' });
    await world.until('it is told', () => status()?.session && status().mode === 'off');
    assert.ok(a.history.slice(from).every(h => told(h) <= 6), 'no more than the fallback');
    await a.unplug();
    await world.until('it is over', () => status().mode === 'auto');
});

test('a card without wishes', async () => {
    const [a] = world.chargers;
    await a.plugIn({ tag: 'PLAIN' });
    await a.follows('all there is', limit => limit > 20, { within: 180_000 });
    await assert.rejects(a.client.call('Authorize', { idTag: 'X' }).then(r => {
        if (r.idTagInfo.status !== 'Accepted')
            throw new Error(r.idTagInfo.status);
    }));
    assert.deepEqual(world.violations(), []);
});

test('no more than that, and then some more', async () => {
    const [a] = world.chargers;
    const wish = most => world.broker.publish('chargehand/connector/CP-A_1/set/wish',
        JSON.stringify(most));
    const enough = () => world.monitor.json('chargehand/event')
        .filter(e => e.code === 'session_enough');
    wish({ max_kwh: 0.01 });
    await a.follows('nothing', limit => limit === 0, { within: 60_000 });
    assert.equal(enough().length, 1);
    assert.match(enough()[0].text, /^session \d+ has had its 0\.01 kWh and is paused$/);
    wish({ max_kwh: null });
    await a.follows('current again', limit => limit >= 6, { within: 180_000 });
    assert.equal(enough().length, 1);
});

test('no more than that, and then it is stopped', async () => {
    const [a] = world.chargers, stops = [];
    world.site.keys = ['at_most: stop'];
    world.writeSite(siteFile(world));
    world.controller.reload();
    a.client.handle('RemoteStopTransaction', ({ params }) => {
        const known = params.transactionId === a.transaction;
        stops.push(params.transactionId);
        return { status: known && stops.length > 1 ? 'Accepted' : 'Rejected' };
    });
    for (const n of [1, 2]) { // one that is refused, one that is not
        await world.until('it charges', () => a.amps > 0, { within: 180_000 });
        world.broker.publish('chargehand/connector/CP-A_1/set/wish', '{"max_kwh": 0.01}');
        await world.until('it is to be stopped', () => stops.length === n, { within: 60_000 });
        assert.equal(stops[n - 1], a.transaction);
        await a.follows('nothing', limit => limit === 0, { within: 60_000 });
        await a.unplug();
        if (n === 1)
            await a.plugIn({ tag: 'PLAIN' });
    }
    assert.ok(world.controller.lines.some(l =>
        l.includes('its session could not be stopped: Rejected')));
    assert.equal(world.controller.lines.filter(l =>
        l.includes('could not be stopped')).length, 1);
    assert.deepEqual(world.violations(), []);
});
