// SPDX-License-Identifier: Apache-2.0
// Site files as an electrician would write them, and the world around them: base load,
// chargers, the meter that sees their sum.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from './broker.js';
import { Charger16 } from './charger16.js';
import { Charger201 } from './charger201.js';
import { Controller } from './controller.js';
import { Meter } from './meter.js';
import { freePort, scratch, waitFor } from './process.js';

const PHASES = ['L1', 'L2', 'L3'];
export const kinds = { '1.6': Charger16, '2.0.1': Charger201 };

// The text of a site file. `world` has the ports and the chargers.
export function siteFile(world) {
    const { site } = world;
    const lines = [
        'site:',
        '  name: End to end',
        '  voltage: 230',
        ...site.keys.map(line => `  ${line}`),
        'circuits:',
        '- name: grid',
        `  limit: ${site.limit}`,
        '  meter: main',
        `  base_load: ${site.base_load}`,
        'meters:',
        '- name: main',
        ...world.meter.lines(),
        `  interval: ${site.interval}`,
        `  max_age: ${site.max_age}`,
        `  max_same: ${site.max_same}`,
        ...site.meters,
        'chargers:',
    ];
    for (const c of world.chargers)
        lines.push(
            `- id: ${c.id}`,
            '  circuit: grid',
            `  password_file: ${c.passwordFile}`,
            '  connectors:',
            ...Array(c.evses ?? 1).fill([
                `  - wiring: ${c.wiring.map(p => PHASES[p]).join(' ')}`,
                `    max: ${c.max}`,
                '    min: 6',
                '    fallback: 6',
                ...(c.keys ?? []).map(line => `    ${line}`)]).flat());
    lines.push(
        'ocpp:',
        `  listen: 127.0.0.1:${world.ocppPort}`,
        ...site.ocpp.map(line => `  ${line}`));
    if (world.broker)
        lines.push(
            'mqtt:',
            '  host: 127.0.0.1',
            `  port: ${world.broker.port}`,
            '  user: chargehand',
            `  password_file: ${world.broker.passwordFile}`,
            '  homeassistant: true');
    lines.push('history:', `  folder: ${world.historyFolder}`, ...site.history);
    lines.push(...site.more);
    if (site.journal)
        lines.push('journal:', `  file: ${join(world.dir, 'journal')}`);
    lines.push('http:', `  listen: 127.0.0.1:${world.httpPort}`);
    return lines.join('\n') + '\n';
}

// A site: the controller under test between parts of others.
export class World {
    // chargers: [{id, wiring: [phases], max, version, kind: a class}]; without a version, every other one
    // is of 2.0.1, or all are what E2E_GARAGE says
    constructor(name, { chargers, base = [0, 0, 0], broker = true, ...site }) {
        this.dir = scratch(name);
        this.site = {
            limit: 40, base_load: 20, interval: '1s', max_age: '5s', max_same: '2min', keys: [],
            meters: [],
            ocpp: ['sample: 2s'], history: [], more: [], ...site,
        };
        this.base = base;
        this.path = join(this.dir, 'site.yaml');
        this.historyFolder = join(this.dir, 'history');
        this.meter = new Meter(this.dir);
        this.broker = broker ? new Broker(this.dir) : null;
        this.specs = chargers.map((spec, i) => ({
            version: process.env.E2E_GARAGE || (i % 2 ? '2.0.1' : '1.6'), ...spec,
        }));
        this.chargers = [];
    }

    async start({ wrap } = {}) {
        this.ocppPort = await freePort();
        this.httpPort = await freePort();
        mkdirSync(this.historyFolder);
        if (!this.broker?.child)
            await this.broker?.start();
        await this.meter.start();
        for (const spec of this.specs) {
            const passwordFile = join(this.dir, `${spec.id}.key`);
            const password = `secret-of-${spec.id}`;
            writeFileSync(passwordFile, password + '\n', { mode: 0o600 });
            const charger = new (spec.kind ?? kinds[spec.version])({
                port: this.ocppPort, password, ...spec, onCurrent: () => this.measure(),
            });
            charger.passwordFile = passwordFile;
            this.chargers.push(charger);
        }
        this.measure();
        this.monitor = await this.broker?.monitor();
        this.writeSite();
        await this.startController({ wrap });
        return this;
    }

    async startController(options) {
        this.controller = new Controller(this.path, this.dir, options);
        await this.controller.ready(this.ocppPort);
    }

    writeSite(text = siteFile(this)) {
        writeFileSync(this.path, text);
    }

    // The meter at the grid connection sees the base load and all cars.
    measure() {
        const sum = [...this.base];
        for (const c of this.chargers)
            c.sitePhases().forEach((amps, phase) => { sum[phase] += amps; });
        this.meter.set(sum);
    }

    setBase(...base) {
        this.base = base;
        this.measure();
    }

    charger(id) {
        return this.chargers.find(c => c.id === id);
    }

    async connectAll() {
        for (const c of this.chargers)
            await c.connect();
    }

    async plugInAll() {
        for (const c of this.chargers)
            await c.plugIn();
    }

    limits(chargers = this.chargers) {
        return chargers.map(c => c.limit());
    }

    // What the grid connection carries on a phase, A.
    load(phase) {
        return this.meter.current[phase];
    }

    describe() {
        const cars = this.chargers.map(c => `${c.id} (${c.wiring.map(p => PHASES[p])}): ` +
            `may ${c.limit()} A, draws ${c.amps} A, ${c.status}`);
        return [`base ${this.base}, the meter shows ${this.meter.current}`, ...cars,
            this.controller?.child.tail() ?? ''].join('\n');
    }

    until(what, condition, options) {
        return waitFor(what, condition, { detail: () => this.describe(), ...options });
    }

    // Of the schema, and of the rules for limits. One for a transaction that is over may
    // have crossed its end.
    violations() {
        const crossed = (c, { why, profile }) => why === 'TxNotFound' &&
            c.transactions.has(profile.transactionId);
        return this.chargers.flatMap(c => [...c.violations,
            ...c.refusals.filter(r => !crossed(c, r))].map(v => ({ charger: c.id, ...v })));
    }

    // Does it with all chargers at once.
    each(doIt) {
        return Promise.all(this.chargers.map(doIt));
    }

    // Looks at the broker anew, as somebody does who comes just now.
    async renewMonitor() {
        await this.monitor?.stop();
        this.monitor = await this.broker.monitor();
    }

    async stop() {
        for (const c of this.chargers)
            await c.close();
        await this.controller?.stop();
        await this.monitor?.stop();
        await this.meter.stop();
        await this.broker?.stop();
    }
}
