// SPDX-License-Identifier: Apache-2.0
// What a car tells its station changes who gets how much, and so does what others limit
// a station to. Two stations on one phase, of which the earlier departure comes first.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Charger201 } from '../lib/charger201.js';
import { World } from '../lib/site.js';

const LIMIT = 35;
const BASE = 5;
const soon = { within: 180_000 };

// A station that others limit, too.
class Limited extends Charger201 {
    external = Infinity;

    limit() {
        return Math.min(super.limit(), this.external);
    }

    // What Chargehand alone has told it.
    get ours() {
        return super.limit();
    }

    needs(more) {
        return this.client.call('NotifyEVChargingNeeds', { evseId: 1, chargingNeeds: {
            requestedEnergyTransfer: 'AC_single_phase', ...more } });
    }

    // From now on; with a schedule where `tells`.
    limited(amps, { evseId, tells = true } = {}) {
        this.external = amps;
        return this.client.call('NotifyChargingLimit', {
            ...evseId === undefined ? {} : { evseId },
            chargingLimit: { chargingLimitSource: 'EMS', isGridCritical: false },
            ...tells ? { chargingSchedule: [schedule(amps)] } : {},
        });
    }

    unlimited() {
        this.external = Infinity;
        return this.client.call('ClearedChargingLimit', { chargingLimitSource: 'EMS' });
    }
}

const schedule = (amps, more = {}) => ({ id: 1, chargingRateUnit: 'A', ...more,
    chargingSchedulePeriod: [{ startPeriod: 0, limit: amps }] });

let world, a, b;

before(async () => {
    world = new World('needs', {
        limit: LIMIT, base: [BASE, BASE, BASE], keys: ['policy: edf'], journal: true,
        chargers: ['CS-A', 'CS-B'].map(id =>
            ({ id, wiring: [0], kind: Limited, version: '2.0.1' })),
    });
    await world.start();
    [a, b] = world.chargers;
    await world.connectAll();
    await world.plugInAll();
});

after(() => world.stop());

const status = c => world.monitor.json(`chargehand/connector/${c.id}_1/status`).at(-1);
const hours = n => new Date(Date.now() + n * 3_600_000).toISOString();
const told = c => c.history.filter(h => h.profile.chargingProfilePurpose === 'TxProfile').length;

test('who leaves first, as the car says, comes first', async () => {
    assert.deepEqual(await a.needs({ departureTime: hours(2) }), { status: 'Accepted' });
    await a.follows('more than the other', limit => limit >= 20 && b.limit() <= 10, soon);
    const before_ = told(b);
    assert.deepEqual(await b.needs({ departureTime: hours(1) }), { status: 'Accepted' });
    await world.until('the station gets the profile that it waits for',
        () => told(b) > before_, { within: 10_000 });
    await b.follows('more than the other', limit => limit >= 20 && a.limit() <= 10, soon);
    await world.until('it is told', () => status(b)?.departs_by === 'car' &&
        Math.abs(Date.parse(status(b).departs) - Date.now() - 3_600_000) < 120_000);
});

test('a person counts more than the car, for what he says', async () => {
    world.broker.publish('chargehand/connector/CS-B_1/set/departure', hours(5).slice(0, 19) + 'Z');
    await world.until('it is told', () => status(b)?.departs_by === 'person');
    await a.follows('more than the other', limit => limit >= 20 && b.limit() <= 10, soon);
    world.broker.publish('chargehand/connector/CS-B_1/set/departure', 'none');
    await b.follows('more than the other', limit => limit >= 20 && a.limit() <= 10, soon);
});

test('what a car cannot take goes to the other', async () => {
    await b.needs({ departureTime: hours(1), acChargingParameters: {
        energyAmount: 9000, evMinCurrent: 6, evMaxCurrent: 10, evMaxVoltage: 230 } });
    await b.follows('10 A', limit => limit === 10, soon);
    await a.follows('the rest', limit => limit > 17, soon);
    await world.until('it is told', () => status(b).car_max_a === 10 &&
        status(b).reason === 'satisfied' && status(b).energy_wanted_by === 'car' &&
        status(b).energy_wanted_kwh > 8.5 && status(b).energy_wanted_kwh <= 9);
});

test('without departure again, and with energy: it is over with the session', async () => {
    await b.unplug();
    await world.until('it is told', () => status(b).departs_by === null &&
        status(b).energy_wanted_by === null && status(b).car_max_a === null);
    await b.plugIn();
    await world.until('the other goes on before it', () => status(b).session, soon);
    assert.ok(b.limit() < a.limit(), world.describe());
});

test('a limit by others moves amperes to the neighbour', async () => {
    await a.follows('most', limit => limit >= 20, soon);
    await a.limited(8, { evseId: 1 });
    await world.until('ours follows', () => a.ours === 8, soon);
    await b.follows('the rest', limit => limit > 18, soon);
    await world.until('it is told why', () => status(a).reason === 'external' &&
        status(a).external_a === 8);
    assert.ok(world.load(0) <= LIMIT, world.describe());
    await a.limited(0);
    await world.until('it gets nothing', () => a.ours === 0, soon);
    await b.follows('nearly all', limit => limit > 26, soon);
    await a.unlimited();
    await a.follows('most', limit => limit >= 20, soon);
    await world.until('it is told', () => status(a).external_a === null &&
        status(a).reason !== 'external');
    assert.match(world.monitor.json('chargehand/event')
        .filter(e => e.code === 'charger_limit').map(e => e.text).join('\n'),
    /limit its connector 1 to 8\.0 A(.|\n)*no longer limit/);
});

test('one that does not tell to what is asked', async () => {
    a.more.GetChargingProfiles = ({ requestId, chargingProfile }) => {
        assert.equal(chargingProfile.chargingProfilePurpose, 'ChargingStationExternalConstraints');
        if (a.external === Infinity)
            return { status: 'NoProfiles' };
        setImmediate(() => a.client.call('ReportChargingProfiles', {
            requestId, evseId: 0, chargingLimitSource: 'EMS', tbc: false,
            chargingProfile: [{ id: 90, stackLevel: 0, chargingProfileKind: 'Absolute',
                chargingProfilePurpose: 'ChargingStationExternalConstraints',
                chargingSchedule: [schedule(7, { startSchedule: hours(-1) })] }],
        }).catch(() => {}));
        return { status: 'Accepted' };
    };
    a.client.handle('GetChargingProfiles', ({ params }) => a.more.GetChargingProfiles(params));
    await a.limited(7, { tells: false });
    await world.until('ours follows', () => a.ours === 7, soon);
    // its connection is gone, and so is the limit when it is back
    a.cut();
    a.external = Infinity;
    await a.connect({ boot: false });
    await a.follows('most', limit => limit >= 20, soon);
});

test('the journal gives the same orders again, and none breaks a promise', async () => {
    await world.controller.stop();
    const audit = spawnSync(process.env.CHARGEHAND, ['audit', join(world.dir, 'journal')],
        { encoding: 'utf8' });
    assert.equal(audit.status, 0, audit.stdout + audit.stderr);
});

test('no frame broke a schema, no profile a rule', () => {
    assert.deepEqual(world.violations(), []);
    for (const c of world.chargers)
        assert.deepEqual(c.refusals.filter(r => r.why !== 'TxNotFound'), []);
});
