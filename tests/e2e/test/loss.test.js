// SPDX-License-Identifier: Apache-2.0
// What breaks while cars charge: a charger, the broker, the meter, the disk. Nothing
// else stops, and each is told once at its begin and once at its end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { World } from '../lib/site.js';

const LIMIT = 40;
let world, disk;

before(async () => {
    world = new World('loss', {
        limit: LIMIT, base: [4, 4, 4], base_load: 20, history: ['  commit: 1s'],
        chargers: [
            { id: 'CP-A', wiring: [0] },
            { id: 'CP-B', wiring: [0] },
            { id: 'CP-C', wiring: [1] },
        ],
    });
    disk = smallDisk(world.historyFolder);
    await world.start({ wrap: disk.wrap });
    await world.connectAll();
    await world.plugInAll();
    await world.until('all charge', () => world.chargers.every(c => c.amps >= 6),
        { within: 120_000 });
});

after(() => world.stop());

// A history folder whose disk can be filled up while the controller runs. Best a file
// system of its own, seen by the controller only; where we may not mount, a limit on
// the size of files does it (every write past it fails).
function smallDisk(folder) {
    const inside = 'mount -t tmpfs -o size=2m tmpfs "$1" && shift && exec "$@"';
    for (const unshare of [['unshare', '-m'], ['unshare', '-Urm']]) {
        const tried = spawnSync(unshare[0],
            [...unshare.slice(1), 'sh', '-c', inside, 'sh', '/mnt', 'true']);
        if (tried.status !== 0)
            continue;
        const seen = pid => join(`/proc/${pid}/root`, folder);
        return {
            how: `a tmpfs of 2 MB by ${unshare.join(' ')}`,
            wrap: [...unshare, 'sh', '-c', inside, 'sh', folder],
            fill(pid) {
                const filler = join(seen(pid), 'filler');
                for (const size of [1 << 20, 1 << 16, 4096, 1])
                    for (let full = false; !full;)
                        try {
                            writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
                        } catch (error) {
                            assert.equal(error.code, 'ENOSPC');
                            full = true;
                        }
            },
            empty: pid => rmSync(join(seen(pid), 'filler')),
            files: pid => readdirSync(seen(pid)),
        };
    }
    const limit = (pid, size) => {
        const done = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);
        assert.equal(done.status, 0, String(done.stderr));
    };
    return {
        how: 'a limit on the size of its files',
        wrap: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh'],
        fill: pid => limit(pid, 4096),
        empty: pid => limit(pid, 'unlimited'),
        files: () => readdirSync(folder),
    };
}

// A base load that leaves the two on L1 `room` A: they follow within a few seconds.
async function stillControls(room, chargers = [world.charger('CP-A'), world.charger('CP-B')]) {
    const marks = chargers.map(c => c.history.length);
    world.setBase(LIMIT - room, 4, 4);
    await world.until(`the cars keep to ${room} A`, () => world.load(0) <= LIMIT &&
        chargers.every((c, i) => c.history.length > marks[i]), { within: 20_000 });
}

async function calm() {
    world.setBase(4, 4, 4);
    await world.until('L1 is used again', () => world.load(0) > LIMIT - 3,
        { within: 180_000 });
}

// What the log says about it since line `from`, without the limits it sends.
function told(from, pattern) {
    return world.controller.matching(pattern, from)
        .filter(line => !/: \d+\.\d A \(/.test(line));
}

// Its begin has been told, once: `most` counts the neighbours that may notice it, each
// by its own.
function toldOnce(from, pattern, most = 1) {
    const warnings = told(from, pattern).filter(line => /warning: /.test(line));
    assert.ok(warnings.length >= 1 && warnings.length <= most, warnings.join('\n'));
}

// Events on MQTT about somebody: each code once at its begin and once at its end.
function heardTwice(heard, filter) {
    const events = world.monitor.json('chargehand/event', heard).filter(filter);
    const text = JSON.stringify(events);
    assert.ok(events.length > 0, text);
    for (const code of new Set(events.map(e => e.code)))
        assert.deepEqual(events.filter(e => e.code === code).map(e => e.level),
            ['warning', 'info'], text);
}

test('a charger whose network is cut', async () => {
    await calm();
    const from = world.controller.lines.length;
    const heard = world.monitor.length;
    const c = world.charger('CP-C');
    const marks = c.history.length;
    c.cut();
    try {
        await stillControls(18);
        await world.until('it is told', () =>
            told(from, /CP-C/).some(line => /warning: /.test(line)));
        await world.until('it is offline on MQTT', () => world.monitor
            .on('chargehand/connector/CP-C_1/availability', heard)
            .at(-1)?.payload === 'offline');
        toldOnce(from, /CP-C/);
    } finally {
        await c.connect(); // the other tests want it, too
    }
    await world.until('it is online on MQTT', () => world.monitor
        .on('chargehand/connector/CP-C_1/availability', heard).at(-1)?.payload === 'online');
    await c.follows('is told its limit anew', () => c.history.length > marks && c.amps >= 6);
    toldOnce(from, /CP-C/);
    heardTwice(heard, e => e.who === 'CP-C' && e.code === 'charger');
});

test('the broker is killed', async () => {
    await calm();
    const from = world.controller.lines.length;
    const about = /mqtt/;
    await world.broker.kill();
    await world.until('it is told', () => told(from, about).length > 0);
    await stillControls(20);
    await calm();
    await stillControls(18);
    toldOnce(from, about);
    const lines = world.controller.lines.length;
    await world.broker.start();
    await world.renewMonitor();
    await world.until('it is back', () => world.monitor.on('chargehand/status')
        .some(m => m.payload === 'online'), { within: 90_000 });
    await world.until('its end is told', () => told(lines, about).length > 0);
    await world.until('all that is retained has been said again', () =>
        world.monitor.on('chargehand/connector/CP-A_1/status').length > 0 &&
        world.monitor.messages.some(m => m.topic.startsWith('homeassistant/')));
    toldOnce(from, about);
    assert.equal(told(lines, about).length, 1, told(lines, about).join('\n'));
});

test('the meter is killed', async () => {
    await calm();
    const from = world.controller.lines.length;
    const heard = world.monitor.length;
    const { base_load: assumed } = world.site;
    const [a, b, c] = world.chargers;
    await world.meter.kill();
    try {
        // the base load is unknown: the cars get what the assumed one leaves
        await world.until('the assumed base load is kept free', () =>
            a.limit() + b.limit() <= LIMIT - assumed && c.limit() <= LIMIT - assumed,
        { within: 30_000 });
        await world.until('the site says so', () => world.monitor.messages.slice(heard)
            .some(m => /^chargehand\/site\/[^/]+\/status$/.test(m.topic) &&
                JSON.parse(m.payload).state === 'meter_lost'));
        // a person's wish still gets through
        world.broker.publish('chargehand/connector/CP-C_1/set/pause', 'true');
        await c.follows('is paused', limit => limit === 0);
        world.broker.publish('chargehand/connector/CP-C_1/set/pause', 'false');
        toldOnce(from, /main/, 2); // the line that reads it, and the site that lacks it
    } finally {
        await world.meter.start();
    }
    await calm();
    await world.until('both ends are told', () => world.monitor
        .json('chargehand/event', heard).filter(e => e.who === 'main').length >= 4);
    toldOnce(from, /main/, 2);
    heardTwice(heard, e => e.who === 'main');
});

const ofHistory = e => e.code === 'history' && e.who === 'history.db';

test('the disk of the history is full', async t => {
    t.diagnostic(disk.how);
    await calm();
    const { pid } = world.controller.child;
    await world.until('there is a history', () => disk.files(pid).includes('history.db'));
    const from = world.controller.lines.length;
    const heard = world.monitor.length;
    const about = /history history\.db/; // the ledger's trouble may come, too
    disk.fill(pid);
    await world.until('it is told', () => told(from, about).length > 0);
    await stillControls(20);
    await calm();
    await stillControls(18);
    toldOnce(from, about);
    const lines = world.controller.lines.length;
    disk.empty(pid);
    await world.until('its end is told', () => told(lines, about).length > 0,
        { within: 120_000 });
    toldOnce(from, about);
    await world.until('both are told on MQTT', () => world.monitor
        .json('chargehand/event', heard).filter(ofHistory).length >= 2);
    heardTwice(heard, ofHistory);
});

test('through all of it the controller never stopped, and kept to the schema', () => {
    assert.ok(world.controller.child.running);
    assert.deepEqual(world.violations(), []);
});
