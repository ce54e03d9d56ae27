// SPDX-License-Identifier: Apache-2.0
// Debian's mosquitto with user names and passwords, and its own clients to look at it.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Child, freePort, waitFor } from './process.js';

const users = { chargehand: 'controller-secret', tester: 'tester-secret' };

// True when something accepts connections there.
export function listens(port) {
    return new Promise(resolve => {
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => { socket.destroy(); resolve(true); });
        socket.once('error', () => resolve(false));
    });
}

export class Broker {
    constructor(dir) {
        this.dir = dir;
        this.passwordFile = join(dir, 'mqtt.key'); // the controller's
    }

    async start() {
        this.port ??= await freePort();
        const passwords = join(this.dir, 'mosquitto.passwd');
        writeFileSync(passwords, '', { mode: 0o600 });
        for (const [user, password] of Object.entries(users)) {
            const done = spawnSync('mosquitto_passwd', ['-b', passwords, user, password]);
            if (done.status !== 0)
                throw new Error(`mosquitto_passwd: ${done.error ?? done.stderr}`);
        }
        writeFileSync(this.passwordFile, users.chargehand + '\n', { mode: 0o600 });
        const conf = join(this.dir, 'mosquitto.conf');
        writeFileSync(conf, [
            `listener ${this.port} 127.0.0.1`,
            'allow_anonymous false',
            `password_file ${passwords}`,
            'persistence false',
            process.getuid() === 0 ? 'user root' : '',
            '',
        ].join('\n'));
        this.child = new Child('mosquitto', 'mosquitto', ['-c', conf], { logDir: this.dir });
        await waitFor('the broker listens', () => {
            if (!this.child.running)
                throw new Error(`mosquitto has ended\n${this.child.tail()}`);
            return listens(this.port);
        });
    }

    kill() {
        return this.child.kill();
    }

    async stop() {
        await this.child?.stop();
    }

    #client() {
        return ['-h', '127.0.0.1', '-p', String(this.port), '-u', 'tester',
            '-P', users.tester];
    }

    publish(topic, payload, { retain = false } = {}) {
        const args = [...this.#client(), '-q', '1', '-t', topic, '-m', payload];
        const done = spawnSync('mosquitto_pub', retain ? [...args, '-r'] : args);
        if (done.status !== 0)
            throw new Error(`mosquitto_pub: ${done.error ?? done.stderr}`);
    }

    // Each line that is written to its standard input is a message on that topic.
    publisher(topic) {
        return new Child('mosquitto_pub', 'mosquitto_pub',
            [...this.#client(), '-l', '-t', topic], { logDir: this.dir, stdin: true });
    }

    // Listens to everything from now on; ready once the broker has confirmed it.
    async monitor() {
        const monitor = new Monitor(this.#client(), this.dir);
        await waitFor('the subscription stands', () => {
            this.publish('e2e/ping', 'ping');
            return monitor.on('e2e/ping').length > 0;
        });
        return monitor;
    }
}

// What mosquitto_sub hears: {topic, payload, retain}, in order.
export class Monitor {
    constructor(client, dir) {
        this.messages = [];
        this.child = new Child('mosquitto_sub', 'mosquitto_sub',
            [...client, '-q', '1', '-t', '#', '-F', '%j'], { logDir: dir });
        this.child.onLine = line => {
            if (!line.startsWith('{'))
                return;
            const { topic, payload, retain } = JSON.parse(line);
            this.messages.push({ topic, payload: payload ?? '', retain: retain === 1 });
        };
    }

    // Messages on a topic, from the `from`th message on.
    on(topic, from = 0) {
        return this.messages.slice(from).filter(m => m.topic === topic);
    }

    json(topic, from = 0) {
        return this.on(topic, from).map(m => JSON.parse(m.payload));
    }

    get length() {
        return this.messages.length;
    }

    // What stands retained under `pattern`: topic -> payload.
    retained(pattern) {
        const kept = new Map();
        for (const m of this.messages)
            if (m.retain && pattern.test(m.topic))
                kept.set(m.topic, m.payload);
        return kept;
    }

    stop() {
        return this.child.stop();
    }
}
