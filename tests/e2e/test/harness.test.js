// SPDX-License-Identifier: Apache-2.0
// The frame itself: what it says of the controller is only worth what these hold.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RPCServer } from 'ocpp-rpc';
import { Broker } from '../lib/broker.js';
import { scratch, waitFor } from '../lib/process.js';
import { kinds } from '../lib/site.js';

const dir = scratch('harness');
const server = new RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'] }); // not strict: it may be wrong
const calls = [], centrals = new Map(), chargers = {};
let http;

// Payloads in each version.
const words = {
    1.6: {
        profile(limit, { purpose = 'Default', level = 0, transaction, duration } = {}) {
            return {
                connectorId: 1,
                csChargingProfiles: {
                    chargingProfileId: 10 + level, stackLevel: level,
                    chargingProfilePurpose: purpose === 'Tx' ? 'TxProfile' : 'TxDefaultProfile',
                    chargingProfileKind: 'Absolute',
                    ...transaction ? { transactionId: transaction } : {},
                    chargingSchedule: schedule(limit, duration),
                },
            };
        },
        clear: { chargingProfilePurpose: 'TxProfile' },
        other: 78,
        answers: now => ({
            BootNotification: { status: 'Accepted', currentTime: now, interval: 300 },
            Authorize: { idTagInfo: { status: 'Accepted' } },
            StartTransaction: { transactionId: 77, idTagInfo: { status: 'Accepted' } },
            Heartbeat: { currentTime: now },
        }),
        sampled: ({ method, params }) => method === 'MeterValues' &&
            { transaction: params.transactionId, meterValue: params.meterValue },
    },
    '2.0.1': {
        profile(limit, { purpose = 'Default', level = 0, transaction, duration } = {}) {
            return {
                evseId: 1,
                chargingProfile: {
                    id: 10 + level, stackLevel: level,
                    chargingProfilePurpose: purpose === 'Tx' ? 'TxProfile' : 'TxDefaultProfile',
                    chargingProfileKind: 'Absolute',
                    ...transaction ? { transactionId: transaction } : {},
                    chargingSchedule: [{ id: 1, ...schedule(limit, duration) }],
                },
            };
        },
        clear: { chargingProfileCriteria: { chargingProfilePurpose: 'TxProfile' } },
        other: 'another',
        answers: now => ({
            BootNotification: { status: 'Accepted', currentTime: now, interval: 300 },
            Authorize: { idTokenInfo: { status: 'Accepted' } },
            TransactionEvent: { idTokenInfo: { status: 'Accepted' } },
            Heartbeat: { currentTime: now },
        }),
        sampled: ({ method, params }) => method === 'TransactionEvent' &&
            { transaction: params.transactionInfo.transactionId, meterValue: params.meterValue },
    },
};

function schedule(limit, duration) {
    return {
        chargingRateUnit: 'A', startSchedule: new Date(Date.now() - 1000).toISOString(),
        ...duration ? { duration } : {}, chargingSchedulePeriod: [{ startPeriod: 0, limit }],
    };
}

before(async () => {
    server.auth((accept, reject, { identity, password }) =>
        password?.toString() === `pw-${identity}` ? accept() : reject(401));
    server.on('client', client => {
        centrals.set(client.identity, client);
        client.handle(({ method, params }) => {
            calls.push({ of: client.identity, method, params });
            const { answers } = words[client.protocol.slice(4)];
            return answers(new Date().toISOString())[method] ?? {};
        });
    });
    http = await server.listen(0, '127.0.0.1');
    for (const [version, Kind] of Object.entries(kinds)) {
        const id = `CP/${version} x`;
        chargers[version] = new Kind({ id, password: `pw-${id}`, port: http.address().port,
            wiring: [1, 2, 0], max: 32 });
        await chargers[version].connect();
    }
});

after(async () => {
    for (const charger of Object.values(chargers))
        await charger.close();
    await server.close({ force: true });
});

for (const version of Object.keys(kinds)) {
    const { profile, clear, other, sampled } = words[version];
    const id = `CP/${version} x`;
    let charger;
    const central = () => centrals.get(id);
    const install = p => central().call('SetChargingProfile', p);

    test(`${version}: a car draws what the profiles allow, and nothing below 6 A`, async () => {
        charger = chargers[version];
        charger.sampleS = 1;
        const transaction = await charger.plugIn({ max: 20 });
        await waitFor('it draws its own maximum', () => charger.amps === 20);
        assert.deepEqual(charger.sitePhases(), [20, 20, 20]);

        assert.equal((await install(profile(16))).status, 'Accepted');
        await waitFor('it follows TxDefaultProfile', () => charger.amps === 16);
        assert.equal((await install(profile(9.5, { purpose: 'Tx', level: 2, transaction })))
            .status, 'Accepted');
        await waitFor('TxProfile overrules it', () => charger.amps === 9.5);
        await install(profile(4, { purpose: 'Tx', level: 3, transaction, duration: 3 }));
        await waitFor('4 A is no current', () => charger.amps === 0);
        assert.equal(charger.limit(), 4);
        await waitFor('the lease ends by itself', () => charger.amps === 9.5);
        const sample = calls.filter(c => c.of === id).map(sampled)
            .filter(s => s?.meterValue).at(-1);
        assert.equal(sample.transaction, transaction);
        assert.equal(sample.meterValue[0].sampledValue
            .filter(v => v.measurand === 'Current.Import').length, 3);

        assert.equal((await central().call('ClearChargingProfile', clear)).status, 'Accepted');
        await waitFor('TxDefaultProfile is back', () => charger.amps === 16);
    });

    test(`${version}: a TxProfile of another transaction is refused`, async () => {
        const wrong = profile(9, { purpose: 'Tx', transaction: other });
        assert.equal((await install(wrong)).status, 'Rejected');
        assert.equal(charger.refusals.at(-1).why, 'TxNotFound');
    });

    test(`${version}: what breaks the schema is noticed`, async () => {
        assert.deepEqual(charger.violations, []);
        const one = charger.violations;
        const bad = profile(16.25);
        await assert.rejects(install(bad).then(r => {
            if (version === '2.0.1') // its schema does not say so
                throw new Error(r.status);
        }));
        assert.deepEqual(one.map(v => v.name),
            version === '1.6' ? ['limit', 'strictValidationFailure'] : ['limit']);
    });

    test(`${version}: a cut connection is gone without a word, what was to be said is kept`,
        async () => {
            const gone = new Promise(resolve => central().once('disconnect', resolve));
            charger.cut();
            assert.equal((await gone).code, 1006);
            const ended = charger.unplug();
            const from = calls.length;
            await charger.connect();
            await ended;
            const said = calls.slice(from).filter(c => c.of === id).map(c => c.method);
            assert.equal(said[0], 'BootNotification');
            assert.ok(said.includes(version === '1.6' ? 'StopTransaction' : 'TransactionEvent'));
        });
}

test('2.0.1: two profiles on one level are refused', async () => {
    const { profile } = words['2.0.1'];
    const charger = new kinds['2.0.1']({ id: 'CS', password: 'pw-CS', wiring: [0],
        port: http.address().port });
    await charger.connect();
    try {
        const set = p => centrals.get('CS').call('SetChargingProfile', p);
        assert.equal((await set(profile(16))).status, 'Accepted');
        const twice = profile(16);
        twice.chargingProfile.id = 99;
        assert.deepEqual(await set(twice),
            { status: 'Rejected', statusInfo: { reasonCode: 'DuplicateProfile' } });
    } finally {
        await charger.close();
    }
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
