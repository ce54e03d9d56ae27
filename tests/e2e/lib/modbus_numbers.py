# SPDX-License-Identifier: Apache-2.0
"""Numbers of every type in every order of words and bytes, encoded and served by
pymodbus: Modbus TCP, RTU inside TCP, and RTU on a serial port if one is given.

Prints a line of JSON: the ports, and for each number its type, order, address, value and
registers. Ends with its standard input.
"""
import asyncio
import json
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer

# no two bytes of a number are the same, but for zeros at its begin
VALUES = {
    "u16": ("add_16bit_uint", 0x8102),
    "i16": ("add_16bit_int", -0x0102),
    "u32": ("add_32bit_uint", 0x81020304),
    "i32": ("add_32bit_int", -0x01020304),
    "u64": ("add_64bit_uint", 0x010203040506),
    "i64": ("add_64bit_int", -0x010203040506),
    "f32": ("add_32bit_float", -66051.0),
    "f64": ("add_64bit_float", 16909060.0),
}
# byte order within a word, order of the words
ORDERS = {
    "be": (Endian.Big, Endian.Big),
    "ws": (Endian.Big, Endian.Little),
    "bs": (Endian.Little, Endian.Big),
    "le": (Endian.Little, Endian.Little),
}
PLAIN = 2000  # volts and amperes, tenths and hundredths: 3 * 230 V, 3 * 5 A
STEP = 8


def numbers():
    for i, (kind, (add, value)) in enumerate(VALUES.items()):
        for k, (order, (in_word, words)) in enumerate(ORDERS.items()):
            builder = BinaryPayloadBuilder(byteorder=in_word, wordorder=words)
            getattr(builder, add)(value)
            registers = builder.to_registers()
            at = (i * len(ORDERS) + k) * STEP
            yield {"type": kind, "order": order, "at": at, "value": value, "registers": registers}


async def listening(server):
    serving = asyncio.ensure_future(server.serve_forever())
    while server.server is None and not serving.done():
        await asyncio.sleep(0.01)
    if serving.done():
        serving.result()
    return server.server.sockets[0].getsockname()[1]


async def main(serial):
    all_numbers = list(numbers())
    memory = [0] * (PLAIN + 6)
    memory[PLAIN:] = [2300] * 3 + [500] * 3
    for n in all_numbers:
        memory[n["at"] : n["at"] + len(n["registers"])] = n["registers"]
    block = ModbusSequentialDataBlock(0, memory)
    slave = ModbusSlaveContext(hr=block, ir=block, zero_mode=True)
    context = ModbusServerContext(slaves={7: slave}, single=False)
    local = {"address": ("127.0.0.1", 0), "allow_reuse_address": True}
    tcp = await listening(ModbusTcpServer(context, **local))
    rtutcp = await listening(ModbusTcpServer(context, framer=ModbusRtuFramer, **local))
    if serial:
        server = ModbusSerialServer(context, framer=ModbusRtuFramer, port=serial, baudrate=115200)
        await server.start()
        asyncio.ensure_future(server.serve_forever())
    print(json.dumps({"tcp": tcp, "rtutcp": rtutcp, "numbers": all_numbers}), flush=True)

    end = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(end), sys.stdin
    )
    await end.read()


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
