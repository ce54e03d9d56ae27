// SPDX-License-Identifier: Apache-2.0
// Modbus between strangers: pymodbus, modbus-serial and mbpoll (libmodbus) agree with us on
// every type and order of words, over TCP, RTU inside TCP, and RTU on a serial line.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import ModbusRTU from 'modbus-serial';
import { Child, scratch } from '../lib/process.js';

const run = promisify(execFile);
const dir = scratch('modbus');
const UNIT = 7;
let server, socat, numbers;
const ends = ['a', 'b'].map(name => join(dir, `tty-${name}`));

before(async () => {
    socat = new Child('socat', 'socat', ['-d', '-d',
        ...ends.map(path => `pty,raw,echo=0,link=${path}`)], { logDir: dir });
    await socat.line(/starting data transfer loop/);
    server = new Child('pymodbus', '/usr/bin/python3',
        [new URL('../lib/modbus_numbers.py', import.meta.url).pathname, ends[0]],
        { logDir: dir, stdin: true });
    server.ports = JSON.parse(await server.line(/^\{/));
    numbers = server.ports.numbers;
});

after(async () => {
    for (const child of [...Child.all]) // also what a test that failed has left
        await child.stop();
});

// A model with one number as its energy, which may have any size, in Wh.
function model(number, fc = 3) {
    const id = `${number.type}-${number.order}-${fc}`;
    const path = join(dir, `${id}.yaml`);
    writeFileSync(path, `format: 1
id: ${id}
name: X
kind: meter
bus: {via: [tcp, rtu, rtutcp], unit: ${UNIT}, serial: 115200 8N1, gap_ms: 0, timeout_ms: 10000}
limits: {max_regs: 6, direction: none}
defaults: {fc: ${fc}, type: u16}
fast: [v, i]
points:
  v: {at: [2000, 2001, 2002], x: 0.1, unit: V}
  i: {at: [2003, 2004, 2005], x: 0.01, unit: A}
  e_imp: {at: ${number.at}, type: ${number.type}, order: ${number.order}, ` +
        `x: ${number.value < 0 ? -0.001 : 0.001}, unit: kWh}
`);
    return path;
}

async function read(model, ...where) {
    const { stdout } = await run(process.env.CHARGEHAND,
        ['meter', 'read', ...where, '--model', model, '--json', '--raw']);
    return JSON.parse(stdout);
}

async function readsAll(fc, ...where) {
    for (const number of numbers) {
        const got = await read(model(number, fc), ...where, '--unit', String(UNIT));
        const name = `${number.type} ${number.order}`;
        assert.deepEqual(got.voltage_v, [230, 230, 230], name);
        assert.equal(Math.round(got.import_kwh * 1000), Math.abs(number.value), name);
    }
}

test('pymodbus serves every type and order over TCP', () =>
    readsAll(3, '--tcp', `127.0.0.1:${server.ports.tcp}`));

test('pymodbus serves every type and order in RTU frames over TCP', () =>
    readsAll(4, '--rtutcp', `127.0.0.1:${server.ports.rtutcp}`));

test('pymodbus serves every type and order on a serial line', () =>
    readsAll(3, '--rtu', `${ends[1]}:115200:8N1`));

test('modbus-serial serves every type and order over TCP', async () => {
    const memory = new Map(numbers.flatMap(n => n.registers.map((word, k) => [n.at + k, word])));
    const plain = at => at < 2003 ? 2300 : 500;
    const word = (at, unit) => unit === UNIT ? memory.get(at) ?? plain(at) : 0;
    const other = new ModbusRTU.ServerTCP({ getHoldingRegister: word, getInputRegister: word },
        { host: '127.0.0.1', port: 0, unitID: UNIT });
    try {
        await once(other, 'initialized');
        const { port } = other._server.address();
        await readsAll(3, '--tcp', `127.0.0.1:${port}`);
        await readsAll(4, '--tcp', `127.0.0.1:${port}`);
    } finally {
        await new Promise(resolve => other.close(resolve));
    }
});

// ---- the other way round: strangers read what our simulated meter says

async function simulate(name, ...where) {
    const child = new Child('simulate', process.env.CHARGEHAND,
        ['meter', 'simulate', name, ...where, '--unit', String(UNIT), '--current', '10,4,-2'],
        { logDir: dir });
    const [, place] = /answers on (\S+)$/.exec(await child.line(/answers on/));
    return { child, place };
}

const mbpollTypes = [
    { type: 'i16', order: 'be', flag: '3', options: [] },
    { type: 'i32', order: 'be', flag: '3:int', options: ['-B'] },
    { type: 'i32', order: 'ws', flag: '3:int', options: [] },
    { type: 'f32', order: 'be', flag: '3:float', options: ['-B'] },
    { type: 'f32', order: 'ws', flag: '3:float', options: [] },
];

function simulated({ type, order }) {
    const path = join(dir, `sim-${type}-${order}.yaml`);
    const at = [0, 1, 2, 3, 4, 5].map(i => i * (type === 'i16' ? 1 : 2));
    writeFileSync(path, `format: 1
id: sim-${type}-${order}
name: X
kind: meter
bus: {via: [tcp, rtu], unit: ${UNIT}, serial: 115200 8N1, gap_ms: 0, timeout_ms: 10000}
limits: {max_regs: 20}
defaults: {fc: 4, type: ${type}, order: ${order}}
fast: [v, i, pp]
points:
  v:  {at: [${at.slice(0, 3)}], unit: V}
  i:  {at: [20, 22, 24], unit: A, sign: pp}
  pp: {at: [${at.slice(3)}], unit: W}
`);
    return path;
}

async function mbpollReads(type, args, place) {
    const { stdout } = await run('mbpoll', [...args, '-a', String(UNIT), '-t', type.flag,
        ...type.options, '-0', '-r', '0', '-c', '6', '-o', '10', '-1', place]);
    const values = [...stdout.matchAll(/^\[\d+\]:\s+(-?[\d.]+)(?: \((-?\d+)\))?/gm)]
        .map(([, value, signed]) => Number(signed ?? value)); // 16 bits: "65076 (-460)"
    assert.deepEqual(values, [230, 230, 230, 2300, 920, -460],
        `${type.type} ${type.order}\n${stdout}`);
}

test('mbpoll reads our simulated meter over TCP and on a serial line', async () => {
    for (const type of mbpollTypes) {
        const tcp = await simulate(simulated(type), '--tcp', '0');
        await mbpollReads(type, ['-m', 'tcp', '-p', tcp.place.split(':')[1]], '127.0.0.1');
        await tcp.child.stop();
        const rtu = await simulate(simulated(type), '--pty');
        await mbpollReads(type, ['-m', 'rtu', '-b', '115200', '-P', 'none'], rtu.place);
        await rtu.child.stop();
    }
});

test('modbus-serial reads our simulated meter over TCP, RTU in TCP and serial', async () => {
    for (const [where, connect] of [
        ['--tcp', (c, place) => c.connectTCP('127.0.0.1', { port: Number(place.split(':')[1]) })],
        ['--rtutcp', (c, place) =>
            c.connectTelnet('127.0.0.1', { port: Number(place.split(':')[1]) })],
        ['--pty', (c, place) => c.connectRTUBuffered(place, { baudRate: 115200 })],
    ]) {
        const { child, place } = await simulate('eastron-sdm630', where,
            ...where === '--pty' ? [] : ['0']);
        const client = new ModbusRTU();
        client.setTimeout(10_000);
        await connect(client, place);
        client.setID(UNIT);
        const { buffer } = await client.readInputRegisters(0, 18);
        const floats = Array.from({ length: 9 }, (_, i) => buffer.readFloatBE(4 * i));
        assert.deepEqual(floats, [230, 230, 230, 10, 4, 2, 2300, 920, -460], where);
        await new Promise(resolve => client.close(resolve));
        await child.stop();
    }
});
