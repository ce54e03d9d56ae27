// SPDX-License-Identifier: Apache-2.0
// SIGHUP: a broken file changes nothing, a good one takes effect while cars charge.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { siteFile, World } from '../lib/site.js';

let world;

before(async () => {
    world = new World('reload', {
        broker: false, limit: 32,
        chargers: [{ id: 'CP-A', wiring: [0] }, { id: 'CP-B', wiring: [0] }],
    });
    await world.start();
    await world.connectAll();
    await world.plugInAll();
});

after(() => world.stop());

const load = () => world.load(0);

test('at first the limit of the file holds', async () => {
    await world.until('32 A are used', () => load() > 30 && load() <= 32,
        { within: 180_000 });
});

test('a broken file is refused with its place, and nothing else happens', async () => {
    const good = readFileSync(world.path, 'utf8');
    const lines = good.split('\n');
    const at = lines.findIndex(line => line.startsWith('  limit:'));
    lines[at] = '  limit: 20A5';
    lines.push('colour: blue');
    world.writeSite(lines.join('\n'));
    const from = world.controller.lines.length;
    const links = world.chargers.map(c => c.client.state);
    world.controller.reload();
    const place = new RegExp(`site\\.yaml:${at + 1}:\\d+: `);
    await world.controller.child.line(place, { from });
    // every error at once
    await world.controller.child.line(/site\.yaml:\d+:\d+: .*colour/, { from });
    // and it goes on: a base load moves the same limit as before
    world.setBase(8, 0, 0);
    await world.until('32 A are kept with a base load of 8 A', () =>
        load() <= 32 && world.limits()[0] + world.limits()[1] < 26, { within: 30_000 });
    assert.deepEqual(world.chargers.map(c => c.client.state), links);
    world.setBase(0, 0, 0);
});

test('a good file takes effect; no charger, session or current is lost', async () => {
    const disconnects = [];
    const marks = world.chargers.map(c => c.history.length);
    await world.until('32 A are used', () => load() > 30 && load() <= 32,
        { within: 180_000 });
    for (const c of world.chargers)
        c.client.on('disconnect', () => disconnects.push(c.id));
    world.site.limit = 20;
    world.writeSite(siteFile(world));
    world.controller.reload();
    await world.until('20 A are kept and used', () => load() <= 20 && load() > 18,
        { within: 120_000 });
    world.site.limit = 32;
    world.writeSite(siteFile(world));
    world.controller.reload();
    await world.until('32 A are used again', () => load() > 30 && load() <= 32,
        { within: 180_000 });
    assert.deepEqual(disconnects, []);
    assert.deepEqual(world.violations(), []);
    // 20 A are enough for both: nobody was stopped on the way
    world.chargers.forEach((c, i) => {
        for (const { limit, profile } of c.history.slice(marks[i]))
            assert.ok(limit >= 6,
                `${c.id} was stopped: ${JSON.stringify(profile)}`);
    });
    assert.ok(world.chargers.every(c => c.transaction));
});
