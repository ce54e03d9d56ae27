// SPDX-License-Identifier: Apache-2.0
// Waiting for a state, free ports, scratch folders, and child processes by their pid.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

// Polls until `condition` gives something true, and returns that. The one place that
// waits. `detail` says what the world looked like when it never came true.
export async function waitFor(what, condition, { within = 60_000, detail } = {}) {
    const until = performance.now() + within;
    for (;;) {
        const value = await condition();
        if (value)
            return value;
        if (performance.now() > until) {
            const more = detail ? `\n${detail()}` : '';
            throw new Error(`not within ${within / 1000} s: ${what}${more}`);
        }
        await pause(40);
    }
}

// As waitFor(), but the condition has to stay true for `hold` ms.
export async function waitSteady(what, condition, { hold = 3000, ...options } = {}) {
    let since = null;
    return waitFor(what, async () => {
        if (!await condition())
            since = null;
        else
            since ??= performance.now();
        return since !== null && performance.now() - since >= hold;
    }, options);
}

// A port of 127.0.0.1 that the kernel holds to be free.
export async function freePort() {
    const server = createServer();
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address();
    await new Promise(resolve => server.close(resolve));
    return port;
}

// A folder of its own below the build folder; left behind to be looked at.
export function scratch(name) {
    return mkdtempSync(join(process.env.E2E_WORLD ?? '/tmp', `${name}-`));
}

// A child process, its output as lines. It never outlives the tests.
export class Child {
    static all = new Set();

    constructor(name, command, args, { logDir, env, stdin = false } = {}) {
        this.name = name;
        this.lines = []; // standard output and error, in the order of arrival
        this.exit = null; // {code, signal} once it has ended
        this.process = spawn(command, args, {
            stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
            env: { ...process.env, ...env },
        });
        this.log = logDir ? createWriteStream(join(logDir, `${name}.log`), { flags: 'a' }) : null;
        for (const stream of [this.process.stdout, this.process.stderr])
            this.#collect(stream);
        this.ended = new Promise(resolve => {
            const end = result => {
                this.exit ??= result;
                Child.all.delete(this);
                this.log?.end();
                resolve(this.exit);
            };
            this.process.once('error', error => end({ code: null, signal: null, error }));
            this.process.once('close', (code, signal) => end({ code, signal }));
        });
        this.process.stdin?.on('error', () => {}); // it may be gone: that is a test
        Child.all.add(this);
    }

    #collect(stream) {
        let rest = '';
        stream.setEncoding('utf8');
        stream.on('data', text => {
            const parts = (rest + text).split('\n');
            rest = parts.pop();
            for (const line of parts) {
                this.lines.push(line);
                this.onLine?.(line);
                this.log?.write(line + '\n');
            }
        });
    }

    get pid() {
        return this.process.pid;
    }

    get running() {
        return this.exit === null;
    }

    // Lines that match, from the `from`th line on.
    matching(pattern, from = 0) {
        return this.lines.slice(from).filter(line => pattern.test(line));
    }

    async line(pattern, { from = 0, ...options } = {}) {
        const [found] = await waitFor(`${this.name} says ${pattern}`, () => {
            const lines = this.matching(pattern, from);
            if (!lines.length && !this.running)
                throw new Error(`${this.name} has ended: ${JSON.stringify(this.exit)}\n` +
                    this.tail());
            return lines.length ? lines : null;
        }, { detail: () => this.tail(), ...options });
        return found;
    }

    tail(n = 25) {
        return this.lines.slice(-n).map(line => `  ${this.name}| ${line}`).join('\n');
    }

    signal(name) {
        if (this.running && this.pid)
            process.kill(this.pid, name);
    }

    // Ends it and waits for that: politely first, but not for ever.
    async stop(signal = 'SIGTERM', within = 10_000) {
        this.signal(signal);
        const late = setTimeout(() => this.signal('SIGKILL'), within);
        await this.ended;
        clearTimeout(late);
        return this.exit;
    }

    async kill() {
        return this.stop('SIGKILL');
    }
}

process.once('exit', () => {
    for (const child of Child.all)
        child.signal('SIGKILL');
});
