"""Network interfaces of Linux: what they are, whether they are there, and what they count.

Spec: netdevice(7), packet(7), proc_net(5).
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sensor.capture.errors import CaptureError, CaptureUnreadable

NO_RIGHTS: Final = "run it as root, or grant CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)"

_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP, _MR_PROMISC = 1, 1
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927
_ETH_P_NONE: Final = 0xFFFF
"""An EtherType that no frame has: the number is reserved."""
# Link types (as in captures) by ARPHRD_*: Ethernet, loopback; tunnels and point-to-point links that carry bare IP.
_LINK_TYPES: Final = {1: 1, 772: 1, 65534: 101, 768: 101, 769: 101, 776: 101, 512: 101}
_LOOPBACK: Final = 772
# Columns of /proc/net/dev: packets received, those of them that were dropped, packets sent.
_RECEIVED, _DROPPED, _SENT = 1, 3, 9
_GONE: Final = frozenset({errno.ENETDOWN, errno.ENODEV, errno.ENXIO})


class Interface(NamedTuple):
    """A network interface as it is now. `number` is the kernel's, `link_type` as in captures."""

    number: int
    link_type: int
    loopback: bool


class Port:
    """An interface that packets come from.

    Attributes:
        name: of the interface.
        lost: it is gone or down.
        counters: what was seen of it and what was lost.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lost = False
        self.counters: Counter[str] = Counter()

    def lose(self) -> None:
        """It went down, or away."""
        if not self.lost:
            self.lost = True
            self.counters["interface_losses"] += 1

    def regain(self) -> None:
        """It is there again."""
        self.lost = False
        self.counters["interface_returns"] += 1


class Lookout(Port):
    """A port of Linux's, by a socket that gets no packets: the kernel tells it when the interface goes.

    As long as it is open the interface is promiscuous. It takes CAP_NET_RAW to open it, and none to find the interface
    again.

    Attributes:
        found: the interface as it was last bound.

    Raises:
        CaptureUnreadable: there is no such interface, or no right to listen to it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        found = look_up(name)
        self._moved, self._dropped = _counted(name)
        self._socket = packet_socket(name)
        try:
            self._bind(found)
        except OSError as error:
            self._socket.close()
            raise CaptureUnreadable(Path(name), f"cannot be captured from: {error.strerror}") from error

    def _bind(self, found: Interface) -> None:
        self._socket.bind((self.name, _ETH_P_NONE))
        self.found = found
        if found.link_type == 1 and not found.loopback:
            request = struct.pack("=IHH8s", found.number, _MR_PROMISC, 0, b"")
            self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)

    def watch(self) -> None:
        """Ask whether it went, and whether it is back when it did. One that was made anew is bound anew."""
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in _GONE:
            self.lose()
        if self.lost and self._find_again():
            self.regain()

    def _find_again(self) -> bool:
        try:
            found = look_up(self.name)
            if is_up(self.name) and (found.number != self.found.number or not self._is_bound()):
                self._bind(found)
        except (CaptureError, OSError):
            return False
        return is_up(self.name)

    def _is_bound(self) -> bool:
        """Whether the kernel has not let go of what the socket was bound to; its name is not asked for, nor may it be.

        Spec: packet(7), `sll_hatype`, which is none where there is no interface.
        """
        return bool(self._socket.getsockname()[3])

    def count(self) -> int:
        """Fetch what the interface has dropped since the last time. Returns how many packets it has moved since."""
        moved, dropped = _counted(self.name)
        since = max(0, moved - self._moved)
        self.counters["interface_drops"] += max(0, dropped - self._dropped)
        self._moved, self._dropped = moved, dropped
        return since

    def close(self) -> None:
        """Let the interface go."""
        self._socket.close()


def packet_socket(name: str, protocol: int = 0) -> socket.socket:
    """A socket of AF_PACKET: bound to no interface, and of a protocol (0: none) it gets the frames of all.

    Raises:
        CaptureUnreadable: there is no right to have it; `name` is for that.
    """
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    except PermissionError as error:
        raise CaptureUnreadable(Path(name), "may not be captured from by this user", NO_RIGHTS) from error


def look_up(name: str) -> Interface:
    """The interface of that name.

    Raises:
        CaptureUnreadable: there is none, or of a kind that is not read.
    """
    try:
        kind = _ask(name, _SIOCGIFHWADDR)
        number = socket.if_nametoindex(name)
    except OSError as error:
        raise CaptureUnreadable(Path(name), f"there is no interface {name}", _names()) from error
    if kind not in _LINK_TYPES:
        raise CaptureUnreadable(Path(name), f"an interface of a kind that is not read (ARPHRD {kind})")
    return Interface(number, _LINK_TYPES[kind], kind == _LOOPBACK)


def is_up(name: str) -> bool:
    """Whether the interface is switched on (IFF_UP)."""
    try:
        return bool(_ask(name, _SIOCGIFFLAGS) & 1)
    except OSError:
        return False


def shared(total: int, weights: Sequence[int]) -> list[int]:
    """A number, shared out by weights, of which there is one at least; alike where all are 0."""
    weights = weights if any(weights) else [1] * len(weights)
    parts, done, so_far = [], 0, 0
    for weight in weights:
        so_far += weight
        parts.append(total * so_far // sum(weights) - done)
        done += parts[-1]
    return parts


def _counted(name: str) -> tuple[int, int]:
    """Packets that the interface has moved, and that it, or the queue behind it, dropped before any socket saw them.

    Both are 0 when it is gone.
    """
    try:
        lines = Path("/proc/self/net/dev").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # hidden from us
        return 0, 0
    for line in lines:
        label, _, numbers = line.partition(":")
        if label.strip() == name:
            counts = list(map(int, numbers.split()))
            return counts[_RECEIVED] + counts[_SENT], counts[_DROPPED]
    return 0, 0


def _ask(name: str, request: int) -> int:
    """The number that netdevice(7) puts first into its answer. Any kind of socket may ask."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, request, struct.pack("=16s24x", os.fsencode(name)[:15]))
    return int(struct.unpack_from("=H", answer, 16)[0])


def _names() -> str:
    return "there are: " + ", ".join(sorted(name for _, name in socket.if_nameindex()))
