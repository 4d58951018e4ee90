"""A network interface: link, addresses, promiscuous mode, offloads, its ring, its drops.

Asked by ioctl rather than in /sys, which shows the interfaces of the namespace it was mounted in.

Spec: netdevice(7), packet(7), linux/ethtool.h, proc_net(5).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sensor.capture.errors import CaptureError
from sensor.capture.ports import look_up
from sensor.doctor.check import Check, ok, problem, warning

_SIOCGIFFLAGS, _SIOCGIFADDR, _SIOCETHTOOL = 0x8913, 0x8915, 0x8946
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
_GET_LINK, _GET_RING, _GET_FLAGS, _GET_GRO = 0x0A, 0x10, 0x25, 0x2B
_FLAG_RXVLAN, _FLAG_LRO = 1 << 8, 1 << 15
_SOL_PACKET, _ADD_MEMBERSHIP, _MR_PROMISC = 263, 1, 1
_NET: Final = Path("/proc/self/net")


class Received(NamedTuple):
    """What /proc/net/dev says of an interface since it was made."""

    packets: int
    errors: int
    drops: int
    overruns: int


def examine(name: str) -> Iterator[Check]:
    """All checks of one interface; one alone when it cannot be captured from."""
    try:
        look_up(name)
    except CaptureError as error:
        yield problem(name, error.what, error.hint or "name another with -i")
        return
    flags = _number(name, _SIOCGIFFLAGS)
    yield link(name, flags)
    yield promiscuous(name)
    if not flags & _IFF_LOOPBACK:
        yield addresses(name)
    yield from offloads(name)
    yield from ring(name)
    yield drops(name)


def link(name: str, flags: int) -> Check:
    """Whether it is switched on, and something is at the other end."""
    if not flags & _IFF_UP:
        return problem(f"{name} link", "is down", f"ip link set dev {name} up")
    carrier = _ethtool(name, _GET_LINK)
    if not (flags & _IFF_RUNNING if carrier is None else carrier):
        return problem(f"{name} link", "is up, but has no carrier", "look at the cable, and at the switch's port")
    return ok(f"{name} link", "is up, with a carrier")


def promiscuous(name: str) -> Check:
    """Whether it shows frames for others. Tried on a socket that is gone at once."""
    title = f"{name} promiscuous"
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            request = struct.pack("=IHH8s", socket.if_nametoindex(name), _MR_PROMISC, 0, b"")
            sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)
    except PermissionError:
        return warning(title, "was not tried, for want of rights", "see rights")
    except OSError as error:
        return problem(title, f"is refused: {error.strerror}", "use a card that can, or allow it in the hypervisor")
    return ok(title, "is possible")


def addresses(name: str) -> Check:
    """A mirror port has none: with one, this machine answers what it sees there."""
    found = [*_ipv4(name), *_ipv6(name)]
    if not found:
        return ok(f"{name} addresses", "none: it stays silent")
    remedy = f"unless it watches itself: ip addr flush dev {name}; sysctl net.ipv6.conf.{name}.disable_ipv6=1"
    return warning(f"{name} addresses", f"{', '.join(found)}: it sends packets of its own", remedy)


def offloads(name: str) -> Iterator[Check]:
    """What the card or the driver does to packets before we see them."""
    title = f"{name} offloads"
    flags, gro = _ethtool(name, _GET_FLAGS), _ethtool(name, _GET_GRO)
    merging = [label for label, on in (("lro", (flags or 0) & _FLAG_LRO), ("gro", gro)) if on]
    if merging:
        switches = " ".join(f"{label} off" for label in merging)
        says = f"{' and '.join(merging)} merges packets: sizes, counts and acknowledgements are not those of the wire"
        yield warning(title, says, f"ethtool -K {name} {switches}")
    elif flags is not None or gro is not None:
        tags = "; VLAN tags that it takes out are put back" if (flags or 0) & _FLAG_RXVLAN else ""
        yield ok(title, f"packets come as they are on the wire{tags}")


def ring(name: str) -> Iterator[Check]:
    """The card's own ring; nothing where it has none."""
    sizes = _ethtool_words(name, _GET_RING, 9)
    if sizes is None or not sizes[1]:
        return
    most, now = sizes[1], sizes[5]
    if now < most:
        yield warning(f"{name} ring", f"{now:,} of {most:,} descriptors", f"ethtool -G {name} rx {most}")
    else:
        yield ok(f"{name} ring", f"{now:,} descriptors, all that there are")


def drops(name: str) -> Check:
    """What was lost below us since the interface was made."""
    seen = received(name)
    lost = seen.drops + seen.overruns
    says = f"{lost:,} of {seen.packets + lost:,} packets were dropped, {seen.errors:,} damaged, since it was made"
    if lost or seen.errors:
        remedy = f"see whether it grows (ethtool -S {name}); a larger ring, another cable, or less on this port"
        return warning(f"{name} drops", says, remedy)
    return ok(f"{name} drops", says)


def received(name: str) -> Received:
    """Counters of what an interface received; zeros when it is gone."""
    for line in _lines(_NET / "dev"):
        label, _, numbers = line.partition(":")
        if label.strip() == name:
            _, packets, errors, dropped, overruns = map(int, numbers.split()[:5])
            return Received(packets, errors, dropped, overruns)
    return Received(0, 0, 0, 0)


def _ipv4(name: str) -> Iterator[str]:
    try:
        yield socket.inet_ntoa(_ifreq(name, _SIOCGIFADDR)[20:24])
    except OSError:  # it has none
        return


def _ipv6(name: str) -> Iterator[str]:
    for line in _lines(_NET / "if_inet6"):
        words = line.split()
        if words and words[-1] == name:
            yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))


def _number(name: str, request: int) -> int:
    return int(struct.unpack_from("=H", _ifreq(name, request), 16)[0])


def _ifreq(name: str, request: int) -> bytes:
    """The answer to a request of netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, struct.pack("=16s24x", os.fsencode(name)[:15]))


def _ethtool(name: str, command: int) -> int | None:
    """The one number of `struct ethtool_value`; None where the driver does not know."""
    words = _ethtool_words(name, command, 2)
    return None if words is None else words[1]


def _ethtool_words(name: str, command: int, count: int) -> tuple[int, ...] | None:
    """The 32-bit words of an ethtool structure, the command first; None where the driver does not know."""
    words = (ctypes.c_uint32 * count)(command)
    request = struct.pack("@16sP16x", os.fsencode(name)[:15], ctypes.addressof(words))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, _SIOCETHTOOL, request)
    except OSError:
        return None
    return tuple(words)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # hidden from us
        return []
