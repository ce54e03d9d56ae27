# SPDX-License-Identifier: Apache-2.0
"""A Modbus TCP meter that nobody of this project wrote: pymodbus with the input
registers of an Eastron SDM630 (floats, most significant word first, function 4).

Each line of standard input is a JSON object with any of "i" (A, signed, import
positive), "v" (V), "hz", "freeze" (true: the registers stay as they are). Prints "listening PORT". Ends with its standard input.
"""
import asyncio
import json
import math
import struct
import sys
import time

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.server.async_io import ModbusTcpServer

SERIAL = 12345678


class Sdm630(ModbusSequentialDataBlock):
    """Input registers that are reckoned when they are read."""

    SIZE = 382

    def __init__(self):
        super().__init__(0, [0] * self.SIZE)
        self.i = [0.0, 0.0, 0.0]
        self.v = [230.0, 230.0, 230.0]
        self.hz = 50.0
        self.import_kwh = 1000.0
        self.export_kwh = 10.0
        self.reads = 0
        self.frozen = None
        self.since = time.monotonic()

    def set(self, values):
        """Takes new values over; energy up to now was drawn at the old ones."""
        self.count()
        self.i = [float(x) for x in values.get("i", self.i)]
        self.v = [float(x) for x in values.get("v", self.v)]
        self.hz = float(values.get("hz", self.hz))
        if "freeze" in values:
            self.frozen = self.floats() if values["freeze"] else None

    def count(self):
        now = time.monotonic()
        kwh = sum(i * v for i, v in zip(self.i, self.v)) * (now - self.since) / 3.6e6
        self.since = now
        if kwh > 0:
            self.import_kwh += kwh
        else:
            self.export_kwh -= kwh

    def floats(self):
        """Address -> value. A real meter never shows the same twice: the voltage
        moves by a few hundredths of a volt from read to read."""
        self.count()
        self.reads += 1
        noise = 0.05 * math.sin(self.reads)
        v = [x + noise for x in self.v]
        power = [i * x for i, x in zip(self.i, v)]
        values = {52: sum(power), 70: self.hz, 72: self.import_kwh, 74: self.export_kwh}
        values[342] = self.import_kwh + self.export_kwh
        for phase in range(3):
            values[2 * phase] = v[phase]
            values[6 + 2 * phase] = abs(self.i[phase])  # as the device: without sign
            values[12 + 2 * phase] = power[phase]
            values[18 + 2 * phase] = abs(power[phase])
        return values

    def validate(self, address, count=1):
        return 0 <= address and address + count <= self.SIZE and count <= 80

    def getValues(self, address, count=1):  # pylint: disable=invalid-name
        words = [0] * self.SIZE
        for at, value in (self.frozen or self.floats()).items():
            words[at : at + 2] = struct.unpack(">HH", struct.pack(">f", value))
        return words[address : address + count]


class Serial(ModbusSequentialDataBlock):
    """Holding registers: only the serial number is there."""

    def __init__(self):
        super().__init__(0xFC00, [SERIAL >> 16, SERIAL & 0xFFFF])


async def main(port):
    meter = Sdm630()
    slave = ModbusSlaveContext(ir=meter, hr=Serial(), zero_mode=True)
    server = ModbusTcpServer(
        ModbusServerContext(slaves={1: slave}, single=False),
        address=("127.0.0.1", port),
        allow_reuse_address=True,
    )
    serving = asyncio.ensure_future(server.serve_forever())
    while server.server is None and not serving.done():
        await asyncio.sleep(0.01)
    if serving.done():
        serving.result()
    print("listening", server.server.sockets[0].getsockname()[1], flush=True)

    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        meter.set(json.loads(line))
        print("set", flush=True)


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
