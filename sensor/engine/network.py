# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""IPv4 and IPv6 with fragments and extension headers, and the headers of TCP and UDP."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.fragments import Fragments

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.tunnels import Tunnels


class Network(Tunnels):
    """From an IP header to a row of the batch, or to a layer that follows."""

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.fragments = Fragments()

    def _ipv4(self, at: int) -> int:
        """RFC 791. A total length of 0 is a segment that the sender's card has still to cut: the rest of the frame."""
        if self.p_end - at < 20 or self.mem[at] >> 4 != 4:
            return self._bad()
        header = (self.mem[at] & 15) * 4
        total = self._be16(at + 2)
        if total == 0:
            total = self.p_end - at
        if header < 20 or total < header or self.p_end - at < header:
            return self._bad()
        self.p_family = 4
        self.s0 = self.s1 = self.s2 = self.d0 = self.d1 = self.d2 = 0
        self.s3 = self._be32(at + 12)
        self.d3 = self._be32(at + 16)
        self.p_proto = self.mem[at + 9]
        self.p_ident = self._be16(at + 4)
        end = min(self.p_end, at + total)
        fragment = self._be16(at + 6)
        if fragment & 0x3FFF:
            return self._fragment(
                self.p_ident, (fragment & 0x1FFF) * 8, (fragment & 0x2000) != 0, at + header, end, total - header
            )
        return self._above_ip(at + header, end, total - header)

    def _ipv6(self, at: int) -> int:
        """RFC 8200, with its extension headers."""
        if self.p_end - at < 40 or self.mem[at] >> 4 != 6:
            return self._bad()
        length = self._be16(at + 4)
        if length == 0:
            length = self.p_end - at - 40
        self.p_family = 6
        self.p_ident = 0
        self.s0 = self._be32(at + 8)
        self.s1 = self._be32(at + 12)
        self.s2 = self._be32(at + 16)
        self.s3 = self._be32(at + 20)
        self.d0 = self._be32(at + 24)
        self.d1 = self._be32(at + 28)
        self.d2 = self._be32(at + 32)
        self.d3 = self._be32(at + 36)
        return self._extensions(self.mem[at + 6], at + 40, at + 40 + length)

    def _extensions(self, kind: int, at: int, whole_end: int) -> int:
        end = min(self.p_end, whole_end)
        count = 0
        while kind in {0, 43, 60, 51, 135, 139, 140, 44}:
            if end - at < 8 or count >= EXTENSIONS_MAX:
                return self._bad()
            if kind == 44 and self._be16(at + 2) & 0xFFF9:
                return self._fragment_header(at, end, whole_end)
            size = (self.mem[at + 1] + 1) * 8
            if kind == 51:
                size = (self.mem[at + 1] + 2) * 4
            elif kind == 44:
                size = 8  # a fragment that is the whole packet (atomic) is none
            kind = self.mem[at]
            at += size
            count += 1
        if at > end:
            return self._bad()
        self.p_proto = kind
        return self._above_ip(at, end, whole_end - at)

    # ------------------------------------------------------------------ fragments

    def _fragment_header(self, at: int, end: int, whole_end: int) -> int:
        """RFC 8200 4.5. Fragments right inside a reassembled packet are refused: they would nest without a bound."""
        if self.p_whole and self.p_whole_at == self.p_layers:
            return self._bad()
        self.p_proto = self.mem[at]
        place = self._be16(at + 2)
        ident = self._be32(at + 4)
        self.p_ident = ident & M16
        return self._fragment(ident, place & 0xFFF8, (place & 1) != 0, at + 8, end, whole_end - at - 8)

    def _fragment(self, ident: int, offset: int, more: bool, at: int, end: int, length: int) -> int:
        """Keep a fragment; when its datagram is whole, go on with that. First bytes win."""
        self.n[C_FRAGS] += 1
        if end - at < length or length < 1 or offset + length > DATAGRAM_MAX or (more and length & 7):
            self.fragments.refuse()
            return 0
        scope = self._scope()
        ends = (self.s0, self.s1, self.s2, self.s3, self.d0, self.d1, self.d2, self.d3)
        key = (self._secretly(ends, ident), self.p_family, scope, *ends, self.p_proto, ident)
        whole = self.fragments.add(key, self.last_ts, offset, self._packet_bytes(at, end), more=more)
        if whole is None:
            return 0
        self.mem = memoryview(bytearray(whole))
        self.p_whole = True
        self.p_whole_at = self.p_layers
        self.p_end = self.p_said = len(whole)
        if self.p_family == 6:
            return self._extensions(self.p_proto, 0, self.p_end)
        return self._above_ip(0, self.p_end, self.p_end)

    # ------------------------------------------------------------------ transport

    def _above_ip(self, at: int, end: int, length: int) -> int:
        """Transport headers. `end`: where the captured bytes end; `length`: how many IP says there are."""
        if self.p_proto == 6:
            return self._tcp_header(at, end, length)
        if self.p_proto == 17:
            return self._udp_header(at, end, length)
        return self._tunnel_of_ip(at, end, at + length)

    @cython.boundscheck(False)
    def _tcp_header(self, at: int, end: int, length: int) -> int:
        if end - at < 20:
            return self._bad()
        if at < 0 or end > self.mem.shape[0]:
            return self._beyond()
        header = (self.mem[at + 12] >> 4) * 4
        if header < 20 or header > length:
            return self._bad()
        self.p_seq = self._four(at + 4)
        self.p_ack = self._four(at + 8)
        self.p_flags = self.mem[at + 13]
        self.p_sum = self._two(at + 16)
        self.n[C_TCP] += 1
        return self._to_route(at, min(at + header, end), end, length - header)

    @cython.boundscheck(False)
    def _udp_header(self, at: int, end: int, length: int) -> int:
        if end - at < 8:
            return self._bad()
        if at < 0 or end > self.mem.shape[0]:
            return self._beyond()
        said = self._two(at + 4)
        if said >= 8 and said < length:
            length = said
        if self._may_be_tunnel(at) and self._tunnel_of_udp(at, min(end, at + length), at + length):
            return 0
        self.p_flags = self.p_seq = self.p_ack = 0
        self.p_sum = self._two(at + 6)
        self.n[C_UDP] += 1
        return self._to_route(at, at + 8, min(end, at + length), length - 8)

    def _may_be_tunnel(self, at: int) -> bool:
        """A bit for each tunnel's port modulo 64, so that one test sorts nearly every datagram out."""
        return (TUNNEL_PORTS >> (self._two(at + 2) & 63)) & 1 == 1 or self._two(at) == 3544
