// SPDX-License-Identifier: Apache-2.0
// Debian's pymodbus as an Eastron SDM630, and what it measures.
import { fileURLToPath } from 'node:url';
import { Child } from './process.js';

const program = fileURLToPath(new URL('meter.py', import.meta.url));

export class Meter {
    constructor(dir) {
        this.dir = dir;
        this.port = 0;
        this.current = [0, 0, 0]; // A, import positive
    }

    // The first start lets the kernel choose the port; a later one takes the same.
    async start() {
        this.child = new Child('meter', '/usr/bin/python3', [program, String(this.port)],
            { logDir: this.dir, stdin: true });
        const line = await this.child.line(/^listening \d+$/);
        this.port = Number(line.split(' ')[1]);
        this.set(this.current);
    }

    set(current) {
        this.current = [...current];
        if (this.child?.running)
            this.child.process.stdin.write(JSON.stringify({ i: this.current }) + '\n');
    }

    // It goes on answering, with the same registers for ever; or measures again.
    freeze(frozen) {
        this.child.process.stdin.write(JSON.stringify({ freeze: frozen }) + '\n');
    }

    // Its part of a site file.
    lines() {
        return ['  model: eastron-sdm630', `  tcp: 127.0.0.1:${this.port}`, '  unit: 1'];
    }

    kill() {
        return this.child.kill();
    }

    stop() {
        return this.child?.stop();
    }
}
