"""A mirror of one's own: a pair of virtual interfaces in two network namespaces."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_SENDER = Path(__file__).with_name("replay.py")


def ip(*words, namespace=None):
    where = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *where, *words], check=True, capture_output=True)


def step_into(path):
    with Path(path).open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def inside(namespace):
    with Path("/proc/thread-self/ns/net").open("rb") as home:
        step_into(f"/run/netns/{namespace}")
        try:
            yield
        finally:
            step_into(f"/proc/self/fd/{home.fileno()}")


class Mirror:
    """`mirror` is the interface that sees what `send` plays; with `tap`, together with `second`, each one direction."""

    name = "mirror"
    second = "second"

    def __init__(self, number):
        self.sender, self.receiver = f"spanward-s{number}", f"spanward-r{number}"

    def make(self):
        ip("netns", "add", self.sender)
        ip("netns", "add", self.receiver)
        for namespace in (self.sender, self.receiver):
            # no router solicitations of the kernel's own among the packets
            subprocess.run(
                ["ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"], check=True
            )
        self.plug()

    def plug(self, far="source", near=name):
        ends = ("link", "add", far, "netns", self.sender, "type", "veth", "peer", "name", near, "netns", self.receiver)
        ip(*ends)
        ip("link", "set", far, "up", "mtu", "9000", namespace=self.sender)
        ip("link", "set", near, "up", "mtu", "9000", namespace=self.receiver)

    def tap(self):
        self.plug("source2", self.second)

    def unplug(self):
        ip("link", "delete", self.name, namespace=self.receiver)

    def switch(self, how, name=name):
        ip("link", "set", name, how, namespace=self.receiver)

    def send(self, capture, *ways):
        interfaces = ways or ("source",)
        command = ["ip", "netns", "exec", self.sender, sys.executable, str(_SENDER), str(capture), *interfaces]
        subprocess.run(command, check=True)

    def remove(self):
        for namespace in (self.sender, self.receiver):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)
