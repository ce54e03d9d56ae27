// SPDX-License-Identifier: Apache-2.0
// The program under test: `chargehand run` as a process.
import { readFileSync } from 'node:fs';
import { listens } from './broker.js';
import { Child, waitFor } from './process.js';

export class Controller {
    // wrap: a command that is put before it, ends by exec'ing it
    constructor(path, dir, { wrap = [] } = {}) {
        const [command, ...args] = [...wrap, process.env.CHARGEHAND, 'run', '-c', path];
        this.child = new Child('chargehand', command, args, { logDir: dir });
    }

    ready(port) {
        return waitFor('chargehand listens for chargers', () => {
            if (!this.child.running)
                throw new Error(`chargehand has ended: ${JSON.stringify(this.child.exit)}\n` +
                    this.child.tail());
            return listens(port);
        }, { detail: () => this.child.tail() });
    }

    get lines() {
        return this.child.lines;
    }

    matching(pattern, from) {
        return this.child.matching(pattern, from);
    }

    reload() {
        this.child.signal('SIGHUP');
    }

    // Resident memory in bytes.
    rss() {
        const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
        return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) * 1024;
    }

    // Processor time used so far in seconds, all threads.
    cpu() {
        const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ is 100
    }

    // As by a power cut.
    kill() {
        return this.child.kill();
    }

    async stop() {
        return this.child.stop('SIGTERM');
    }
}
