// SPDX-License-Identifier: Apache-2.0
// MQTT and Home Assistant: what is announced, and what commands do and do not do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../lib/site.js';

let world, sid;
const cid = 'CP-A_1';
const site = key => `chargehand/site/${sid}/${key}`;
const connector = key => `chargehand/connector/${cid}/${key}`;

before(async () => {
    world = new World('mqtt', {
        limit: 32, base: [2, 2, 2],
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [0] }],
    });
    await world.start();
    await world.connectAll();
    await world.plugInAll();
    await world.until('both charge', () => world.chargers.every(c => c.amps >= 6),
        { within: 120_000 });
});

after(() => world.stop());

// Sends a command and gives back what `chargehand/result` says of it.
async function command(topic, payload, options) {
    const from = world.monitor.length;
    world.broker.publish(topic, payload, options);
    return world.until(`an answer to ${topic} ${payload}`, () =>
        world.monitor.json('chargehand/result', from).find(r => r.topic === topic),
    { within: 15_000 });
}

test('what a newcomer finds: retained facts and discovery, no retained measurements',
    async () => {
        await world.until('all has been announced', () => {
            const topics = new Set(world.monitor.messages.map(m => m.topic));
            return ['A', 'B'].every(c => topics.has(`chargehand/connector/CP-${c}_1/status`)) &&
                [...topics].filter(t => t.startsWith('homeassistant/device/')).length >= 3;
        });
        const newcomer = await world.broker.monitor();
        try {
            const all = newcomer.retained(/./);
            assert.equal(all.get('chargehand/status'), 'online');
            const info = JSON.parse(all.get('chargehand/info'));
            assert.equal(info.api, 1);
            sid = [...all.keys()].find(t => /^chargehand\/site\/[^/]+\/status$/.test(t))
                ?.split('/')[2];
            assert.match(sid ?? '', /^[a-zA-Z0-9_-]+$/);
            for (const c of ['CP-A_1', 'CP-B_1']) {
                assert.equal(all.get(`chargehand/connector/${c}/availability`), 'online');
                assert.ok(all.has(`chargehand/connector/${c}/status`));
            }
            for (const topic of all.keys())
                assert.ok(!/\/state$|\/set\/|^chargehand\/(event|result)/.test(topic),
                    `${topic} must not be retained`);
            const documents = [...all].filter(([t]) => t.startsWith('homeassistant/'));
            assert.equal(documents.length, 3, 'the site and two connectors');
            for (const [topic, text] of documents)
                checkDiscovery(topic, JSON.parse(text), all);
        } finally {
            await newcomer.stop();
        }
    });

// The rules by which Home Assistant refuses a whole document.
function checkDiscovery(topic, doc, all) {
    assert.match(topic, /^homeassistant\/device\/([a-zA-Z0-9_-]+\/){1,2}config$/);
    const root = new Set(['dev', 'o', 'cmps', 'avty', 'avty_mode', 'stat_t', 'cmd_t', 'qos',
        'e']);
    for (const key of Object.keys(doc))
        assert.ok(root.has(key), `${topic}: root key ${key}`);
    assert.ok(doc.dev.ids?.length && doc.o.name && Object.keys(doc.cmps).length);
    for (const { t } of doc.avty)
        assert.ok(all.has(t), `${t} is retained`);
    const ids = new Set();
    for (const [name, c] of Object.entries(doc.cmps)) {
        assert.ok(c.p && c.uniq_id, `${topic} ${name}: platform and unique id`);
        assert.ok(!ids.has(c.uniq_id), c.uniq_id);
        ids.add(c.uniq_id);
        const from = c.stat_t ?? doc.stat_t;
        if (c.exp_aft)
            assert.ok(!all.has(from), `${name} expires, so ${from} must not be retained`);
        assert.ok(!c.ret, `${name}: commands are not retained`);
        for (const t of [c.stat_t, c.cmd_t])
            assert.ok(!t || t.startsWith('chargehand/'), t);
    }
}

test('set/mode off stops one car, auto brings it back', async () => {
    const [a, b] = world.chargers;
    const result = await command(connector('set/mode'), 'off');
    assert.equal(result.ok, true, JSON.stringify(result));
    await a.follows('0 A', limit => limit === 0);
    assert.equal(a.history.at(-1).limit, 0);
    await b.follows('gets what the other one left', limit => limit > 26, { within: 180_000 });
    assert.equal((await command(connector('set/mode'), 'auto')).ok, true);
    await a.follows('charges again', limit => limit >= 12, { within: 180_000 });
});

test('a wish is told; what it does not name stays', async () => {
    const tells = (what, is) => world.until(what, () => {
        const last = world.monitor.json(connector('status')).at(-1);
        return last && is(last);
    });
    const wish = { energy_kwh: 12.5, departs: '07:30' };
    const result = await command(connector('set/wish'), JSON.stringify(wish));
    assert.deepEqual(result.value, wish, JSON.stringify(result));
    await tells('energy and departure', s => s.energy_wanted_kwh > 0 &&
        s.energy_wanted_kwh <= 12.5 && Date.parse(s.departs) > Date.now() - 60_000 &&
        Date.parse(s.departs) < Date.now() + 25 * 3600_000);
    assert.equal((await command(connector('set/departure'), 'none')).ok, true);
    await tells('energy alone', s => s.energy_wanted_kwh > 0 && s.departs === null);
    assert.equal((await command(connector('set/energy'), 'none')).ok, true);
    await tells('neither', s => s.energy_wanted_kwh === null && s.departs === null);
});

test('an external limit lowers all, is told, and ends by itself', async () => {
    const from = world.monitor.length;
    const ttl = 20;
    const sent = performance.now();
    const result = await command(site('set/external_limit'), JSON.stringify({ a: 18, ttl }));
    assert.equal(result.ok, true, JSON.stringify(result));
    await world.until('18 A at the grid connection', () => world.load(0) <= 18,
        { within: 15_000 });
    const status = await world.until('the status tells it', () =>
        world.monitor.json(site('status'), from).find(s => s.external_limit_a === 18));
    assert.ok(status);
    await world.until('more than 18 A again', () => world.load(0) > 20,
        { within: 180_000 });
    assert.ok(performance.now() - sent >= (ttl - 1) * 1000, 'not before its end');
    await world.until('the status tells its end', () =>
        world.monitor.json(site('status'), from).at(-1)?.external_limit_a === null);
});

for (const row of [
    { what: 'a mode that does not exist', key: () => connector('set/mode'), value: 'turbo' },
    { what: 'a priority out of range', key: () => connector('set/priority'), value: '11' },
    { what: 'a priority that is no number', key: () => connector('set/priority'), value: '3x' },
    { what: 'an hour that does not exist', key: () => connector('set/departure'),
        value: '24:30' },
    { what: 'a negative limit', key: () => site('set/external_limit'),
        value: '{"a":-5,"ttl":60}' },
    { what: 'a limit that is no JSON', key: () => site('set/external_limit'), value: '{"a":' },
    { what: 'a key that does not exist', key: () => connector('set/colour'), value: 'red' },
    { what: 'an unknown connector', key: () => 'chargehand/connector/CP-X_1/set/mode',
        value: 'off' },
])
    test(`${row.what} is refused with a reason`, async () => {
        const result = await command(row.key(), row.value);
        assert.equal(result.ok, false);
        assert.ok(result.error?.length > 3, JSON.stringify(result));
    });

test('the end of the controller shows', async () => {
    const from = world.monitor.length;
    const { code } = await world.controller.stop();
    assert.equal(code, 0);
    await world.until('offline', () =>
        world.monitor.on('chargehand/status', from).some(m => m.payload === 'offline'));
});

test('a command that was retained while nobody listened is ignored', async () => {
    world.broker.publish(connector('set/pause'), 'true', { retain: true });
    const from = world.monitor.length;
    await world.startController();
    await world.until('online', () =>
        world.monitor.on('chargehand/status', from).at(-1)?.payload === 'online');
    // the broker delivers in order: once the live one is answered, the old one was seen
    assert.equal((await command(connector('set/priority'), '3')).ok, true);
    const [a] = world.chargers;
    await a.follows('charges', limit => limit >= 6, { within: 120_000 });
    const status = await world.until('its status is told', () =>
        world.monitor.json(connector('status'), from).at(-1));
    assert.equal(status.paused, false);
    assert.deepEqual(world.monitor.json('chargehand/result', from)
        .filter(r => r.topic === connector('set/pause') && r.ok), []);
    assert.deepEqual(world.violations(), []);
});
