# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Tunnels: over IP, and over UDP.

Theory of operation
-------------------
A layer says what comes next and where (`_go_on`), and `Links._unwrap` takes that up. A tunnel changes whose addresses
are seen: MAC addresses and VLAN outside are forgotten, and the flows inside carry `F_TUNNELLED`, as whoever can send a
datagram can write any address inside it. Tunnels over UDP are believed on what is inside alone: an IP header whose
lengths and checksum (if any) fit, or a frame that makes sense; else the datagram is one like any other.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from collections.abc import Mapping

from sensor.engine.segments import TUNNELS

if not cython.compiled:
    from sensor.engine.batch import Batch
    from sensor.engine.layout import *


class Tunnels(Batch):
    """Into what a packet carries. Where a tunnel is known by its number, the site may have named a scope for it."""

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.tunnels: dict[int, int] = {}
        self.t_key, self.t_scope, self.t_place = -1, 0, 0
        self.inner = self.inner_at = self.inner_kind = 0

    def scope_of_tunnel(self, table: Mapping[tuple[str, int], int]) -> None:
        """Scope numbers (1 to 255) of tunnels, by (kind, identifier); kinds are those of `TUNNELS`."""
        self.tunnels = {TUNNELS.index(kind) << 32 | number: scope for (kind, number), scope in table.items()}
        self.t_key, self.t_scope = -1, 0

    def _go_on(self, kind: int, at: int, ether_type: int) -> int:
        """Another layer follows at `at`: `_unwrap` takes it up."""
        self.inner, self.inner_at, self.inner_kind = kind, at, ether_type
        return 0

    def _bad(self) -> int:
        self.n[C_BAD] += 1
        return 0

    # ------------------------------------------------------------------ into a tunnel

    def _tunnel(self, kind: int, number: int) -> int:
        """Go into a tunnel: its endpoints are nobody's address inside, and the site may know it by its number."""
        scope = self._scope()
        named = self._scope_named(kind << 32 | number)
        self.n[C_TUNNELLED] += 1
        if named:
            self.p_named = True
            scope = named
        if kind != T_NONE or self.p_tunnel == 0:
            self.p_tunnel = self.t_place
        return self._leave_outside(scope)

    def _leave_outside(self, scope: int) -> int:
        """Link addresses and VLAN outside are those of who carries, not of who is carried."""
        self.p_around = scope
        self.p_inside = TRAIT_TUNNELLED
        self.p_src_mac = self.p_dst_mac = self.p_vlan = -1
        return 0

    def _scope_named(self, key: int) -> int:
        """The scope that the site gives a tunnel, or 0. The last answer is kept: a mirror comes in one tunnel."""
        if key != self.t_key:
            self.t_key = key
            self.t_scope = self.tunnels.get(key, 0)
            self.t_place = self.segments.place(key)
        return self.t_scope

    # ------------------------------------------------------------------ over IP

    def _tunnel_of_ip(self, at: int, end: int, said: int) -> int:
        """What IP carries besides TCP and UDP. `end` and `said`: where it ends here, and where it ended on the wire."""
        proto = self.p_proto
        if proto == 51:
            return self._authenticated(at, end, said)
        if proto not in {4, 41, 47, 97, 137}:
            self.n[C_OTHER] += 1
            return 0
        if end - at < 4:
            return self._bad()
        self.p_end, self.p_said = end, said
        if proto == 47:
            return self._gre(at)
        if proto == 97 and self._be16(at) != 0x3000:
            return self._bad()
        self._tunnel(T_NONE, 0)
        if proto == 97:  # RFC 3378: version 3, then a frame
            return self._go_on(I_ETHERNET, at + 2, 0)
        if proto == 137:
            self.n[C_TUNNELLED] -= 1  # labels count themselves
            return self._go_on(I_MPLS, at, 0)
        return self._go_on(I_TYPE, at, 0x0800 if proto == 4 else 0x86DD)

    def _authenticated(self, at: int, end: int, said: int) -> int:
        """RFC 4302 over IPv4: next header, length in words less two. Only one, as its own protocol may not follow."""
        if end - at < 12:
            return self._bad()
        size = (self.mem[at + 1] + 2) * 4
        self.p_proto = self.mem[at]
        if size < 12 or size > end - at or self.p_proto == 51:
            return self._bad()
        self.p_end, self.p_said = end, said
        return self._go_on(I_ABOVE, at + size, 0)

    def _gre(self, at: int) -> int:
        """RFC 2784, 2890: flags, type, then checksum, key and sequence if flagged; RFC 2637: version 1 for PPP."""
        flags = self._be16(at)
        kind = self._be16(at + 2)
        size = 4
        key = -1
        if flags & 0x4000 or flags & 7 > 1 or (flags & 7 == 1 and kind != 0x880B):
            self.n[C_REFUSED] += 1
            return 0
        if flags & 0x8000:
            size += 4
        if flags & 0x2000:
            if self.p_end - at < size + 4:
                return self._bad()
            key = self._be32(at + size)
            size += 4
        size += (4 if flags & 0x1000 else 0) + (4 if flags & 0x81 == 0x81 else 0)
        if self.p_end - at <= size:
            self.n[C_OTHER] += 1  # a keepalive, or an acknowledgement alone
            return 0
        return self._in_gre(kind, key, (flags & 0x1000) != 0, at + size)

    def _in_gre(self, kind: int, key: int, numbered: bool, at: int) -> int:
        if kind in {0x88BE, 0x22EB}:
            return self._erspan(at, numbered or kind == 0x22EB)
        if kind == 0x6558:  # NVGRE (RFC 7637) has its subnet in the upper 24 bits of the key
            self._nvgre(key)
            return self._go_on(I_ETHERNET, at, 0)
        if kind == 0x880B:
            self._tunnel(T_NONE, 0)
            return self._go_on(I_PPP, at, 0)
        self._tunnel(T_GRE if key >= 0 else T_NONE, max(key, 0))
        if kind == 0x883E:  # WCCP: a redirect header, unless IP begins at once
            at += 0 if self.mem[at] >> 4 == 4 else 4
            kind = 0x0800
        return self._go_on(I_TYPE, at, kind)

    def _nvgre(self, key: int) -> int:
        """The site may know the tunnel by its subnet, or by its whole key."""
        subnet = T_VSID
        if key >= 0 and self._scope_named(subnet << 32 | key >> 8):
            return self._tunnel(T_VSID, key >> 8)
        return self._tunnel(T_GRE if key >= 0 else T_NONE, max(key, 0))

    def _erspan(self, at: int, numbered: bool) -> int:
        """Type I has no header; II (version 1) has 8 bytes, III (version 2) 12 or 20: version, VLAN, flags, session."""
        if not numbered:
            self._tunnel(T_NONE, 0)
            return self._go_on(I_ETHERNET, at, 0)
        if self.p_end - at < 12:
            return self._bad()
        version = self.mem[at] >> 4
        if version not in {1, 2}:
            self.n[C_REFUSED] += 1
            return 0
        vlan = self._be16(at) & 0xFFF
        size = 8
        kind = I_ETHERNET
        if version == 2:
            traits = self._be16(at + 10)
            size = 20 if traits & 1 else 12
            kind = I_IP if (traits >> 10) & 31 == 2 else I_ETHERNET
        self._tunnel(T_ERSPAN, self._be16(at + 2) & 0x3FF)
        self.p_vlan = vlan or -1
        return self._go_on(kind, at + size, 0)

    # ------------------------------------------------------------------ over UDP: believed when what is inside fits

    def _tunnel_of_udp(self, at: int, end: int, said: int) -> bool:
        """Whether a datagram at `at` is a tunnel's. A port proves nothing: on a mismatch it is like any other."""
        port = self._be16(at + 2)
        if self._be16(at) == 3544 and port != 4789:
            port = 3544
        if port not in {4789, 8472, 4790, 6081, 2152, 3544}:
            return False
        if self.p_layers >= LAYERS_MAX:
            self.n[C_DEEP] += 1
            return False
        outer_end = self.p_end
        self.p_end = end
        if end - at >= 16 and self._in_udp(port, at + 8, said):
            self.p_said = said
            return True
        self.p_end = outer_end
        self.n[C_REFUSED] += 1
        return False

    def _in_udp(self, port: int, at: int, said: int) -> bool:
        if port == 2152:
            return self._gtp(at, said)
        if port == 3544:
            return self._teredo(at, said)
        if port == 6081:
            return self._geneve(at, said)
        return self._vxlan(at, said, port == 4790)

    def _vxlan(self, at: int, said: int, generic: bool) -> bool:
        """RFC 7348: flags with I set, 24-bit network at 4, a zero. The generic extension says at 3 what follows."""
        kind = 3
        if self.mem[at] & 8 == 0 or self.mem[at + 7] != 0:
            return False
        if generic and self.mem[at] & 4:
            kind = self.mem[at + 3]
        return self._believe(T_VNI, self._be32(at + 4) >> 8, 0x6558 if kind == 3 else kind, at + 8, said)

    def _geneve(self, at: int, said: int) -> bool:
        """RFC 8926: version 0 and length of options, flags, type, 24-bit network, a zero, options."""
        size = 8 + (self.mem[at] & 63) * 4
        if self.mem[at] >> 6 or self.mem[at + 1] & 63 or self.mem[at + 7] or size > self.p_end - at:
            return False
        return self._believe(T_VNI, self._be32(at + 4) >> 8, self._be16(at + 2), at + size, said)

    def _believe(self, kind: int, number: int, ether_type: int, at: int, said: int) -> bool:
        """Go in if what is there is a frame (0x6558) or an IP packet (its Ethernet type, or 1 and 2 of VXLAN-GPE)."""
        if ether_type == 0x6558:
            if not self._is_ethernet(at, said):
                return False
            self._tunnel(kind, number)
            self._go_on(I_ETHERNET, at, 0)
            return True
        if ether_type not in {0x0800, 0x86DD, 1, 2}:
            return False
        if not self._is_ip(at, said):
            return False
        self._tunnel(kind, number)
        self._go_on(I_IP, at, 0)
        return True

    def _gtp(self, at: int, said: int) -> bool:
        """3GPP TS 29.281 5.1, a G-PDU: version 1, type 255, length, tunnel; if flagged 4 bytes more, extensions."""
        if self.mem[at] >> 4 != 3 or self.mem[at + 1] != 255 or at + 8 + self._be16(at + 2) > said:
            return False
        place = at + 8
        following = 0
        count = 0
        if self.mem[at] & 7:
            if self.p_end - place < 4:
                return False
            following = self.mem[place + 3] if self.mem[at] & 4 else 0
            place += 4
        while following:
            size = self.mem[place] * 4 if self.p_end > place else 0
            if size == 0 or size > self.p_end - place or count >= EXTENSIONS_MAX:
                return False
            following = self.mem[place + size - 1]
            place += size
            count += 1
        return self._believe(T_NONE, 0, 0x0800, place, at + 8 + self._be16(at + 2))

    def _teredo(self, at: int, said: int) -> bool:
        """RFC 4380 5.1: perhaps an authentication (1), an origin (0), then IPv6 of a Teredo or link-local address."""
        if self._be16(at) == 1:
            at += 13 + self.mem[at + 2] + self.mem[at + 3]
        if self.p_end - at >= 8 and self._be16(at) == 0:
            at += 8
        if self.p_end - at < 40 or self.mem[at] >> 4 != 6 or at + 40 + self._be16(at + 4) != said:
            return False
        if not self._is_teredo(at + 8) and not self._is_teredo(at + 24):
            return False
        return self._believe(T_NONE, 0, 0x86DD, at, said)

    def _is_teredo(self, at: int) -> bool:
        return self._be32(at) == 0x20010000 or self._be16(at) == 0xFE80

    # ------------------------------------------------------------------ whether it makes sense

    def _is_ip(self, at: int, said: int) -> bool:
        """Whether a sound IP header stands at `at`, of a packet that ends by `said`; IPv4 by its checksum too."""
        if self.p_end - at < 20:
            return False
        if self.mem[at] >> 4 == 4:
            header = (self.mem[at] & 15) * 4
            total = self._be16(at + 2)
            if header < 20 or total < header or at + total > said or header > self.p_end - at:
                return False
            return self._be16(at + 10) == 0 or self._checksum(at, header) == M16
        if self.mem[at] >> 4 != 6 or self.p_end - at < 40 or at + 40 + self._be16(at + 4) > said:
            return False
        return self._is_next_header(self.mem[at + 6])

    def _is_next_header(self, kind: int) -> bool:
        """What IPv6 is seen to carry, extension headers first."""
        if kind in {0, 43, 44, 50, 51, 59, 60}:
            return True
        return kind in {6, 17, 58, 4, 41, 47, 89, 132}

    def _checksum(self, at: int, size: int) -> int:
        """RFC 1071 over a header of up to 60 bytes: all ones if it is right."""
        total = 0
        end = at + size
        while at < end:
            total += self._be16(at)
            at += 2
        total = (total & M16) + (total >> 16)
        return (total & M16) + (total >> 16)

    def _is_ethernet(self, at: int, said: int) -> bool:
        """Whether a sound frame stands at `at`: a sender that is no group, a known type, IP or ARP that fits it."""
        tags = 0
        if self.p_end - at < 18 or self.mem[at + 6] & 1:
            return False
        kind = self._be16(at + 12)
        at += 14
        while kind in {0x8100, 0x88A8} and tags < TAGS_MAX:
            kind = self._be16(at + 2)
            at += 4
            tags += 1
            if self.p_end - at < 4:
                return False
        if kind in {0x0800, 0x86DD}:
            return self._is_ip(at, said) and (self.mem[at] >> 4 == 4) == (kind == 0x0800)
        if kind == 0x0806:
            return self._be32(at) == 0x00010800
        if kind <= 1500:
            return at + kind <= said and self.mem[at + 2] == 3
        return kind in {0x8847, 0x8864, 0x8863, 0x88CC, 0x888E, 0x88F7}
