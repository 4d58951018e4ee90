"""A controller that speaks Modbus, and those who ask it: ``_modbus.py serve|read|write ADDRESS``, by pymodbus."""

from __future__ import annotations

import asyncio
import sys

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

PORT = 502
ANY_UNIT = 0
REGISTERS, TENTHS_OF_DEGREES = 100, 215
SETPOINT, READ_COUNT = 10, 8


async def serve(address: str) -> None:
    """Answer for a unit with some registers, until the end."""
    registers = SimData(0, values=[TENTHS_OF_DEGREES] * REGISTERS, datatype=DataType.REGISTERS)
    await StartAsyncTcpServer(context=SimDevice(ANY_UNIT, simdata=[registers]), address=(address, PORT))


async def ask(address: str, what: str) -> None:
    """Read registers, or set one. Raises SystemExit with the unit's exception."""
    client = AsyncModbusTcpClient(address, port=PORT)
    await client.connect()
    if what == "write":
        answer = await client.write_register(SETPOINT, TENTHS_OF_DEGREES + 5)
    else:
        answer = await client.read_holding_registers(SETPOINT, count=READ_COUNT)
    client.close()
    if answer.isError():
        raise SystemExit(str(answer))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[2]) if sys.argv[1] == "serve" else ask(sys.argv[2], sys.argv[1]))
