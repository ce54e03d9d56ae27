// SPDX-License-Identifier: Apache-2.0
// What a driver's card says holds for its session, from the first current on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { siteFile, World } from '../lib/site.js';

const LATE = '01234567-89ab-cdef-0123-456789abcdef';

let world;

before(async () => {
    world = new World('cards', {
        limit: 32, base: [2, 2, 2],
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [1] }],
        ocpp: ['sample: 2s', 'tags:', '- {id_tag: PLAIN}',
            '- {id_tag: SLOW, limit: 8, priority: 7, departs: 07:30}',
            '- {id_tag: NEVER, mode: off}',
            `- {id_tag: ${LATE}, limit: 10, priority: 5, departs: '06:30'}`],
    });
    await world.start();
    await world.connectAll();
});

after(() => world.stop());

const status = c => world.monitor.json(`chargehand/connector/${c.id}_1/status`).at(-1);

test('a limit, a priority and a departure', () => world.each(async c => {
    await c.plugIn({ tag: 'SLOW' });
    await c.follows('8 A', limit => limit === 8, { within: 120_000 });
    assert.equal(Math.max(...c.history.map(h => h.limit)), 8, 'never more');
    await world.until('it is told', () => status(c)?.priority === 7 && status(c).departs);
    await c.unplug();
    await world.until('it is over', () => status(c).priority === 0 && !status(c).departs);
}));

test('a mode', () => world.each(async c => {
    const from = c.history.length;
    await c.plugIn({ tag: 'NEVER' });
    await world.until('it is told', () => status(c)?.session && status(c).mode === 'off');
    assert.ok(c.history.slice(from).every(h => h.limit <= 6), 'no more than the fallback');
    await c.unplug();
    await world.until('it is over', () => status(c).mode === 'auto');
}));

test('a card that is shown when the session has begun', async () => {
    const c = world.chargers.find(({ show }) => show); // only of 2.0.1
    if (!c)
        return; // a garage of 1.6 alone, which only a person asks for
    await c.plugIn({ tag: null });
    await world.until('it charges', () => c.amps > 10, { within: 180_000 });
    assert.equal(await c.show('X'), 'Invalid');
    await c.follows('nothing', limit => limit === 0, { within: 60_000 });
    assert.equal(await c.show(LATE), 'Accepted');
    await c.follows('10 A', limit => limit === 10, { within: 180_000 });
    await world.until('it is told', () => status(c)?.priority === 5 && status(c).departs);
    assert.equal(await c.show('PLAIN'), 'Accepted'); // that is not its any more
    await c.unplug();
    await world.until('it is over', () => status(c).priority === 0 && !status(c).departs);
    await world.until('it is in the ledger', () => JSON.parse(spawnSync(
        process.env.CHARGEHAND, ['history', 'export', '--what', 'sessions', '--json',
            '--folder', world.historyFolder], { encoding: 'utf8' }).stdout || '[]')
        .some(row => row.connector.startsWith(c.id) && row.id_tag === LATE));
    for (const text of ['X, which may not charge', LATE])
        assert.equal(world.controller.matching(
            new RegExp(`session \\d+ has the tag ${text}$`)).length, 1, text);
});

test('a card without wishes', () => world.each(async c => {
    await c.plugIn({ tag: 'PLAIN' });
    await c.follows('all there is', limit => limit > 20, { within: 180_000 });
    assert.notEqual(await c.authorize('X'), 'Accepted');
    assert.deepEqual(world.violations(), []);
}));

const wish = (c, most) => world.broker.publish(`chargehand/connector/${c.id}_1/set/wish`,
    JSON.stringify(most));

test('no more than that, and then some more', () => world.each(async c => {
    const enough = () => world.monitor.json('chargehand/event')
        .filter(e => e.code === 'session_enough' && e.who === c.id);
    wish(c, { max_kwh: 0.01 });
    await c.follows('nothing', limit => limit === 0, { within: 60_000 });
    await world.until('it is told', () => enough().length === 1);
    assert.match(enough()[0].text, /^session \d+ has had its 0\.01 kWh and is paused$/);
    wish(c, { max_kwh: null });
    await c.follows('current again', limit => limit >= 6, { within: 180_000 });
    assert.equal(enough().length, 1);
}));

test('no more than that, and then it is stopped', async () => {
    world.site.keys = ['at_most: stop'];
    world.writeSite(siteFile(world));
    world.controller.reload();
    await world.each(async c => {
        const stops = [];
        c.onStop = transaction => stops.push(transaction) > 1;
        for (const n of [1, 2]) { // one that is refused, one that is not
            await world.until('it charges', () => c.amps > 0, { within: 180_000 });
            const { transaction } = c;
            wish(c, { max_kwh: 0.01 });
            await world.until('it is to be stopped', () => stops.length === n,
                { within: 60_000 });
            assert.equal(stops[n - 1], transaction);
            if (n === 1) {
                await c.follows('nothing', limit => limit === 0, { within: 60_000 });
                await c.unplug();
                await c.plugIn({ tag: 'PLAIN' });
            }
        }
        await world.until('its session is over', () => !status(c).session);
        assert.equal(world.controller.matching(new RegExp(
            `${c.id}: its session could not be stopped: Rejected`)).length, 1);
    });
    assert.deepEqual(world.violations(), []);
});
