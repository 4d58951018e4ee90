"""A BACnet/IP device, and who asks it: ``_bacnet.py NAME INSTANCE OWN_ADDRESS [PEER PEERS_INSTANCE]``, by bacpypes3.

Without a peer it answers until the end; with one it reads the peer's name and ends.
"""

from __future__ import annotations

import asyncio
import sys

from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser

PORT = 47808
PATIENCE_S = 10


async def main(name: str, instance: str, own: str, peer: str = "", asked: str = "") -> None:
    """Answer, or ask. Raises TimeoutError when nobody answers."""
    said = ["--name", name, "--instance", instance, "--address", f"{own}/24:{PORT}"]
    application = Application.from_args(SimpleArgumentParser().parse_args(said))
    if not peer:
        await asyncio.Event().wait()
    async with asyncio.timeout(PATIENCE_S):
        print(await application.read_property(peer, f"device,{asked}", "object-name"))
    application.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
