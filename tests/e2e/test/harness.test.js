// SPDX-License-Identifier: Apache-2.0
// The frame itself: what it says of the controller is only worth what these hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RPCServer } from 'ocpp-rpc';
import { Broker } from '../lib/broker.js';
import { Charger } from '../lib/charger.js';
import { scratch, waitFor } from '../lib/process.js';

const dir = scratch('harness');
const server = new RPCServer({ protocols: ['ocpp1.6'] }); // not strict: it may be wrong
const calls = [];
let central, http, charger;

function profile(limit, { purpose = 'TxDefaultProfile', level = 0, ...more } = {}) {
    const { duration, ...rest } = more;
    return {
        connectorId: 1,
        csChargingProfiles: {
            chargingProfileId: 10 + level, stackLevel: level,
            chargingProfilePurpose: purpose, chargingProfileKind: 'Absolute', ...rest,
            chargingSchedule: {
                chargingRateUnit: 'A', startSchedule: new Date(Date.now() - 1000).toISOString(),
                ...duration ? { duration } : {},
                chargingSchedulePeriod: [{ startPeriod: 0, limit }],
            },
        },
    };
}

before(async () => {
    server.auth((accept, reject, { identity, password }) =>
        password?.toString() === `pw-${identity}` ? accept() : reject(401));
    server.on('client', client => {
        central = client;
        client.handle(({ method, params }) => {
            calls.push({ method, params });
            const now = new Date().toISOString();
            return {
                BootNotification: { status: 'Accepted', currentTime: now, interval: 300 },
                Authorize: { idTagInfo: { status: 'Accepted' } },
                StartTransaction: { transactionId: 77, idTagInfo: { status: 'Accepted' } },
                Heartbeat: { currentTime: now },
            }[method] ?? {};
        });
    });
    http = await server.listen(0, '127.0.0.1');
    charger = new Charger({
        id: 'CP/1 x', password: 'pw-CP/1 x', port: http.address().port, wiring: [1, 2, 0],
        max: 32,
    });
    await charger.connect();
});

after(async () => {
    await charger.close();
    await server.close({ force: true });
});

test('a car draws what the profiles allow, and nothing below 6 A', async () => {
    charger.configuration.set('MeterValueSampleInterval', '1');
    await charger.plugIn({ max: 20 });
    await waitFor('it draws its own maximum', () => charger.amps === 20);
    assert.deepEqual(charger.sitePhases(), [20, 20, 20]);

    assert.equal((await central.call('SetChargingProfile', profile(16))).status, 'Accepted');
    await waitFor('it follows TxDefaultProfile', () => charger.amps === 16);
    const tx = profile(9.5, { purpose: 'TxProfile', level: 2, transactionId: 77 });
    assert.equal((await central.call('SetChargingProfile', tx)).status, 'Accepted');
    await waitFor('TxProfile overrules it', () => charger.amps === 9.5);
    await central.call('SetChargingProfile',
        profile(4, { purpose: 'TxProfile', level: 3, transactionId: 77, duration: 3 }));
    await waitFor('4 A is no current', () => charger.amps === 0);
    assert.equal(charger.limit(), 4);
    await waitFor('the lease ends by itself', () => charger.amps === 9.5);
    const sample = calls.filter(c => c.method === 'MeterValues').at(-1).params;
    assert.equal(sample.transactionId, 77);
    assert.equal(sample.meterValue[0].sampledValue
        .filter(v => v.measurand === 'Current.Import').length, 3);

    const cleared = await central.call('ClearChargingProfile',
        { chargingProfilePurpose: 'TxProfile' });
    assert.equal(cleared.status, 'Accepted');
    await waitFor('TxDefaultProfile is back', () => charger.amps === 16);
});

test('a TxProfile of another transaction is refused', async () => {
    const wrong = profile(9, { purpose: 'TxProfile', transactionId: 78 });
    assert.equal((await central.call('SetChargingProfile', wrong)).status, 'Rejected');
});

test('what breaks the schema is noticed', async () => {
    assert.deepEqual(charger.violations, []);
    const bad = profile(16);
    bad.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit = 6.25;
    await assert.rejects(central.call('SetChargingProfile', bad));
    assert.deepEqual(charger.violations.map(v => v.name),
        ['limit', 'strictValidationFailure']);
});

test('a cut connection is gone without a word', async () => {
    const gone = new Promise(resolve => central.once('disconnect', resolve));
    charger.cut();
    assert.equal((await gone).code, 1006);
});

test('the broker asks for passwords and tells what is retained', async () => {
    const broker = new Broker(dir);
    await broker.start();
    try {
        broker.publish('a/kept', 'one', { retain: true });
        const monitor = await broker.monitor();
        assert.deepEqual([...monitor.retained(/^a\//)], [['a/kept', 'one']]);
        broker.publish('a/live', '{"x": "ü"}');
        await waitFor('it arrives', () => monitor.on('a/live').length === 1);
        assert.equal(monitor.on('a/live')[0].retain, false);
        assert.deepEqual(monitor.json('a/live'), [{ x: 'ü' }]);
        await monitor.stop();
    } finally {
        await broker.stop();
    }
});
