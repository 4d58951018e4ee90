"""MLLP between the lab's machines (HL7 v2 transport specification, appendix C), by libraries that hospitals run.

python-hl7's server and its two clients work in this process; hl7apy's server too; three libraries of Node.js work in
``mllp.cjs``. Each of them frames, sends and acknowledges by its own code.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import hl7
from _hl7 import MLLP, acknowledge
from _net import LabError
from _software import debian, npm, npm_root
from hl7.client import MLLPClient
from hl7.mllp import InvalidBlockError, open_hl7_connection, start_hl7_server
from hl7.mllp.streams import CARRIAGE_RETURN, END_BLOCK, START_BLOCK
from hl7apy.core import Message
from hl7apy.mllp import AbstractErrorHandler, AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

if TYPE_CHECKING:
    import ssl
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

    from _lab import Lab
    from _net import Host

    Answer = Callable[[str], Sequence[str]]

PYTHON_HL7 = "hl7"
HL7APY = "hl7apy"
SIMPLE = npm("simple-hl7")
MEDPLUM = npm("@medplum/hl7")
NODE_CLIENT = npm("node-hl7-client")
NODE_SERVER = npm("node-hl7-server")
NODE = debian("Node.js", "nodejs", "node")
STUNNEL = debian("stunnel", "stunnel4", "stunnel4")
SOCAT = debian("socat", "socat", "socat")
SCRIPT = str(Path(__file__).with_name("mllp.cjs"))
PATIENCE_S = 10.0
PAUSE_S = 0.01
LIMIT_BYTES = 1 << 20


def accepting(text: str) -> list[str]:
    """Answer AA."""
    return [acknowledge(text)]


class _Listener(threading.Thread):
    """python-hl7's asyncio server; the thread stays in the network namespace that it was started from."""

    def __init__(self, ip: str, port: int, answer: Answer, tls: ssl.SSLContext | None, encoding: str) -> None:
        super().__init__(daemon=True)
        self._where, self._answer, self._tls, self._encoding = (ip, port), answer, tls, encoding
        self.ready, self.faults = threading.Event(), []  # type: tuple[threading.Event, list[BaseException]]

    def run(self) -> None:
        """Serve until ``finish``."""
        asyncio.run(self._serve())

    def finish(self) -> None:
        """End the server; conversations that are open end with it."""
        self._loop.call_soon_threadsafe(self._end.set)
        self.join(PATIENCE_S)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        options = {"limit": LIMIT_BYTES, "encoding": self._encoding, "ssl": self._tls}
        server = await start_hl7_server(self._talk, *self._where, **options)
        self.ready.set()
        async with server:
            await self._end.wait()

    async def _talk(self, reader: hl7.mllp.HL7StreamReader, writer: hl7.mllp.HL7StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, InvalidBlockError, ConnectionError):
            while True:
                text = (await reader.readblock()).decode(self._encoding)
                for reply in self._answer(text) if text else [""]:
                    writer.writeblock(reply.encode(self._encoding))
                    await writer.drain()
        writer.close()


@contextlib.contextmanager
def listening(
    host: Host,
    answer: Answer = accepting,
    port: int = MLLP,
    *,
    tls: ssl.SSLContext | None = None,
    encoding: str = "utf-8",
    ip: str = "",
) -> Iterator[None]:
    """Let python-hl7 listen on a machine during the block; an empty block is answered by an empty block."""
    listener = _Listener(ip or host.ip, port, answer, tls, encoding)
    with host.inside():
        listener.start()
    if not listener.ready.wait(PATIENCE_S):
        raise LabError(f"python-hl7 does not listen on {port}")
    try:
        yield
    finally:
        listener.finish()


def send(host: Host, peer: Host, *messages: str, port: int = MLLP, encoding: str = "utf-8") -> list[str]:
    """Send messages in one connection by python-hl7's blocking client, each after the answer to the one before."""
    with host.inside(), MLLPClient(peer.ip, port, encoding) as client:
        return [client.send_message(text).decode(encoding) for text in messages]


def send_raw(host: Host, peer: Host, *blocks: bytes, port: int = MLLP) -> list[bytes]:
    """Send bytes as they are by the same client; it waits for something after each."""
    with host.inside(), MLLPClient(peer.ip, port) as client:
        return [client.send(block) for block in blocks]


def stream(
    host: Host,
    peer: Host,
    *messages: str,
    port: int = MLLP,
    answers: int,
    tls: ssl.SSLContext | None = None,
    name: str = "",
    piece_bytes: int = 0,
) -> list[str]:
    """Send messages at once, by python-hl7's asyncio client, and read so many answers.

    All messages are one write, or pieces of so many bytes with a pause after each. ``name`` is for SNI.
    """
    data = b"".join(START_BLOCK + text.encode() + END_BLOCK + CARRIAGE_RETURN for text in messages)

    async def talk() -> list[str]:
        options = {"ssl": tls, "server_hostname": name} if tls else {}
        reader, writer = await open_hl7_connection(peer.ip, port, encoding="utf-8", **options)
        for at in range(0, len(data), piece_bytes or len(data)):
            writer.write(data[at : at + (piece_bytes or len(data))])
            await asyncio.sleep(PAUSE_S)
        found = [(await reader.readblock()).decode() for _ in range(answers)]
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return found

    with host.inside():
        return asyncio.run(talk())


# ------------------------------------------------------------------ hl7apy


class Accept(AbstractHandler):
    """Answers AA by a message that hl7apy builds."""

    code = "AA"

    def reply(self) -> str:
        """Return the framed acknowledgement."""
        asked = parse_message(self.incoming_message, find_groups=False).msh
        made = Message("ACK", version="2.5.1")
        made.msh.msh_3, made.msh.msh_4 = asked.msh_5.value, asked.msh_6.value
        made.msh.msh_5, made.msh.msh_6 = asked.msh_3.value, asked.msh_4.value
        made.msh.msh_9, made.msh.msh_10, made.msh.msh_11 = "ACK", f"A{asked.msh_10.value}", asked.msh_11.value
        made.add_segment("MSA")
        made.msa.msa_1, made.msa.msa_2 = self.code, asked.msh_10.value
        return made.to_mllp()


class Refuse(AbstractErrorHandler, Accept):
    """Answers AR to a message that has no handler."""

    code = "AR"

    def reply(self) -> str:
        """Return the framed rejection."""
        return Accept.reply(self)


@contextlib.contextmanager
def apy_listening(host: Host, *kinds: str, port: int = MLLP) -> Iterator[None]:
    """Let hl7apy's server listen during the block; it takes these MSH-9 and closes after each message."""
    handlers = dict.fromkeys(kinds, (Accept,)) | {"ERR": (Refuse,)}
    with host.inside():
        server = MLLPServer(host.ip, port, handlers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)


# ------------------------------------------------------------------ Node.js


def _node() -> dict[str, str]:
    return {"NODE_PATH": str(npm_root())}


def node_serve(lab: Lab, host: Host, library: str, *options: str, port: int = MLLP) -> subprocess.Popen[bytes]:
    """Start a server of a Node.js library: simple, medplum or server."""
    return lab.serve(host, ["node", SCRIPT, "serve", library, str(port), *options], port, env=_node())


def node_send(
    lab: Lab, host: Host, peer: Host, library: str, *messages: str, port: int = MLLP, options: str = ""
) -> bytes:
    """Send messages by a client of a Node.js library: simple, medplum or client."""
    argv = ["node", SCRIPT, "send", library, peer.ip, str(port), *options.split()]
    return lab.run(host, argv, "\x1e".join(messages).encode(), env=_node())
