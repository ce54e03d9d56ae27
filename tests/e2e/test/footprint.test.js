// SPDX-License-Identifier: Apache-2.0
// What it costs: memory and processor time with ten chargers and a meter every second.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { waitFor } from '../lib/process.js';
import { World } from '../lib/site.js';

const MB = 1e6;
let world;

before(async () => {
    const chargers = Array.from({ length: 10 }, (_, i) =>
        ({ id: `CP-${i}`, wiring: i < 9 ? [i % 3] : [0, 1, 2], max: 16 }));
    world = new World('footprint', { limit: 63, base: [8, 6, 7], chargers, ocpp: [] });
    await world.start();
    await world.connectAll();
    await world.plugInAll();
    await world.until('all ten charge', () => world.chargers.every(c => c.amps >= 6),
        { within: 180_000 });
});

after(() => world.stop());

test('ten charging cars: under 12 MB resident and 1 % of a core', async t => {
    const span = 20_000;
    const cpu = world.controller.cpu();
    const from = performance.now();
    await waitFor('the span to measure', () => performance.now() - from >= span);
    const seconds = (performance.now() - from) / 1000;
    const percent = (world.controller.cpu() - cpu) / seconds * 100;
    const rss = world.controller.rss();
    t.diagnostic(`resident ${(rss / MB).toFixed(1)} MB, ` +
        `${percent.toFixed(2)} % of a core over ${seconds.toFixed(0)} s`);
    assert.ok(rss < 12 * MB, `${(rss / MB).toFixed(1)} MB resident`);
    assert.ok(percent < 1, `${percent.toFixed(2)} % of a core`);
    assert.deepEqual(world.violations(), []);
});
