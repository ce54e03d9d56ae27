// SPDX-License-Identifier: Apache-2.0
// A station of OCPP 2.0.1 that changes its car to one phase, and chooses that phase by
// itself unless it is told: on the phase that it would choose there is no room.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Charger201 } from '../lib/charger201.js';
import { World } from '../lib/site.js';

const LIMIT = 20;

// Its own phases begin with the site's L3.
class Choosing extends Charger201 {
    keys = ['phase_switch: true'];

    constructor(options) {
        super(options);
        this.variables.set('SmartChargingCtrlr.Phases3to1', 'true');
        this.variables.set('SmartChargingCtrlr.ACPhaseSwitchingSupported', 'true');
    }

    // The last profile that says how many phases counts.
    get told() {
        return this.profiles.map(p => p.schedule.chargingSchedulePeriod[0])
            .filter(p => p.numberPhases !== undefined).at(-1) ?? {};
    }

    ampsOn(own) {
        const { numberPhases = 3, phaseToUse = 2 } = this.told;
        return numberPhases === 3 || own === phaseToUse - 1 ? this.amps : 0;
    }
}

let world, station, over;

before(async () => {
    world = new World('phases', {
        broker: false, limit: LIMIT,
        more: ['solar: {stop_delay: 5s}'],
        base: [18, 18, 2],
        chargers: [{ id: 'CS-ONE', wiring: [2, 0, 1], kind: Choosing }],
    });
    await world.start();
    [station] = world.chargers;
    over = 0;
    station.onCurrent = () => {
        world.measure();
        over = Math.max(over, ...[0, 1, 2].map(p => world.load(p)));
    };
    await world.connectAll();
});

after(() => world.stop());

test('it is told the phase on which there is room', async () => {
    await station.plugIn();
    await world.until('it charges on one phase', () => station.amps >= 6 &&
        station.told.numberPhases === 1, { within: 120_000 });
    assert.equal(station.told.phaseToUse, 1);
    await station.follows('it gets what there is', amps => amps > LIMIT - 4,
        { within: 120_000 });
    assert.deepEqual(station.sitePhases(), [0, 0, station.amps]);
});

test('no phase was ever over its limit', () => assert.ok(over <= LIMIT, String(over)));

test('no frame of the controller broke a schema, no profile a rule', () =>
    assert.deepEqual(world.violations(), []));
