// SPDX-License-Identifier: Apache-2.0
// Meters that are no Modbus devices: a Dutch smart meter whose P1 port is passed on over
// TCP, and something that says its values to the broker. In place of lib/meter.js.
import { createServer } from 'node:net';
import { Child } from './process.js';

const VOLTAGE = 230;

// CRC-16 as DSMR 4 has it.
function crc(bytes) {
    let sum = 0;
    for (const byte of bytes) {
        sum ^= byte;
        for (let bit = 0; bit < 8; bit++)
            sum = sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1;
    }
    return sum.toString(16).toUpperCase().padStart(4, '0');
}

const kW = watts => (Math.max(0, watts) / 1000).toFixed(3).padStart(6, '0');

// Whole amperes without a sign; powers to the watt; the voltage is never still, or
// nobody would be raised on it.
export function telegram(current, second = 0) {
    const watts = current.map(amps => Math.round(amps * VOLTAGE));
    const total = watts.reduce((sum, w) => sum + w, 0);
    const lines = ['/KFM5KAIFA-METER', '', '1-3:0.2.8(50)',
        `0-0:1.0.0(2611261200${String(second % 60).padStart(2, '0')}W)`,
        `1-0:1.7.0(${kW(total)}*kW)`, `1-0:2.7.0(${kW(-total)}*kW)`];
    watts.forEach((w, phase) => lines.push(
        `1-0:${3 + 2 * phase}2.7.0(${VOLTAGE}.${second % 2}*V)`,
        `1-0:${3 + 2 * phase}1.7.0(${String(Math.floor(Math.abs(current[phase])))
            .padStart(3, '0')}*A)`,
        `1-0:${2 + 2 * phase}1.7.0(${kW(w)}*kW)`, `1-0:${2 + 2 * phase}2.7.0(${kW(-w)}*kW)`));
    const text = lines.join('\r\n') + '\r\n!';
    return `${text}${crc(Buffer.from(text))}\r\n`;
}

export class P1Meter {
    current = [0, 0, 0];
    sockets = new Set();
    seconds = 0;

    async start() {
        this.server = createServer(socket => {
            this.sockets.add(socket);
            socket.on('error', () => {});
            socket.on('close', () => this.sockets.delete(socket));
            socket.write(telegram(this.current, this.seconds).slice(40)); // in its middle
        });
        await new Promise((resolve, reject) => {
            this.server.once('error', reject);
            this.server.listen(this.port ?? 0, '127.0.0.1', resolve);
        });
        this.port = this.server.address().port;
        this.timer = setInterval(() => this.tell(), 1000);
    }

    tell() {
        const text = telegram(this.current, ++this.seconds);
        for (const socket of this.sockets) {
            socket.write(text.slice(0, 100));
            setImmediate(() => socket.write(text.slice(100)));
        }
    }

    set(current) {
        this.current = [...current];
    }

    async kill() {
        clearInterval(this.timer);
        for (const socket of this.sockets)
            socket.destroy();
        if (this.server?.listening)
            await new Promise(resolve => this.server.close(resolve));
    }

    stop() {
        return this.kill();
    }

    lines() {
        return [`  p1tcp: 127.0.0.1:${this.port}`];
    }
}

// Says JSON to the broker each second, with one mosquitto_pub.
export class MqttMeter {
    current = [0, 0, 0];
    topic = 'house/meter:0/status';

    // `broker` has to be started before.
    constructor(dir, broker) {
        Object.assign(this, { dir, broker });
    }

    told = 0;

    payload() {
        const noise = this.told++ % 2 / 100; // on a meter that stands still nobody is raised

        return JSON.stringify({
            em: { a: this.current.map(a => (a + noise).toFixed(3)), v: [VOLTAGE, VOLTAGE, VOLTAGE] },
            total: this.current.reduce((sum, a) => sum + a * VOLTAGE, 0) / 1000,
        });
    }

    async start() {
        this.child = this.broker.publisher(this.topic);
        this.timer = setInterval(() => this.tell(), 1000);
    }

    tell() {
        if (this.child.running)
            this.child.process.stdin.write(this.payload() + '\n');
    }

    set(current) {
        this.current = [...current];
    }

    async kill() {
        clearInterval(this.timer);
        await this.child?.kill();
    }

    stop() {
        return this.kill();
    }

    lines() {
        return [`  mqtt: ${this.topic}`, '  values:',
            ...[0, 1, 2].map(p => `  - {value: i${p + 1}, at: /em/a/${p}}`),
            '  - {value: v1, at: /em/v/0}',
            '  - {value: p, at: /total, unit: kW}'];
    }
}
