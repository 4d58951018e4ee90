# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Link layers: from a captured packet to the IP packet in it.

Theory of operation
-------------------
A layer either leads straight on (Ethernet, VLAN tags, IP) or says what comes next and where (`_go_on`), and a loop
takes that up (`_unwrap`), at most `LAYERS_MAX` times: neither stack nor work grows with what a packet nests. Labels and
sessions (MPLS, PPPoE, SNAP, port tags) change no address; a tunnel does (`Tunnels`).

**Most packets** are IPv4 in Ethernet. Such layers are decoded at one go (`_plain`), which decides as the layers do, or
leaves it to them; a test takes it away and compares.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.network import Network


class Links(Network):
    """A packet, by its link type."""

    def _packet(self, link: int, at: int, end: int, original: int) -> int:
        """One captured packet: sets `stage` to ROUTE when it belongs to a flow."""
        self.captured_bytes += end - at
        self.p_said = end
        if original > end - at:
            self.n[C_TRUNCATED] += 1
            self.p_said = at + original
        self.p_end = end
        self.p_routed = False
        if link != 1 or not self._plain(at, end):
            self._layer_by_layer(link, at)
        if self.inner != I_NONE:
            self._unwrap()
        return self._count(end - at, original)

    @cython.boundscheck(False)
    def _plain(self, at: int, end: int) -> bool:
        """Most packets at one go: Ethernet with one tag at most, then IPv4 without options or fragments.

        Decides as the layers below do; False, and nothing is done, where it does not decide.
        """
        if at < 0 or end > self.mem.shape[0] or end - at < 38:
            return False
        ip = at + 14
        vlan = -1
        kind = self._two(at + 12)
        if kind == 0x8100:
            vlan = self._two(at + 14) & 0xFFF
            kind = self._two(at + 16)
            ip = at + 18
        total = self._two(ip + 2)
        if kind != 0x0800 or self.mem[ip] != 0x45 or total < 20 or self._two(ip + 6) & 0x3FFF:
            return False
        self.p_dst_mac = self._six(at)
        self.p_src_mac = self._six(at + 6)
        self.p_vlan = vlan
        if vlan >= 0:
            self.n[C_VLAN] += 1
        self.p_family = 4
        self.p_proto = self.mem[ip + 9]
        self.p_ident = self._two(ip + 4)
        self.s3 = self._four(ip + 12)
        self.d3 = self._four(ip + 16)
        self._above_ip(ip + 20, min(end, ip + total), total - 20)
        return True

    def _count(self, captured: int, original: int) -> int:
        """What was decoded counts for its segment."""
        if self.last_ts >= self.segments.hour_to or self.last_ts < self.segments.hour_from:
            self._turn_hour()
        segment = self.p_source + self.p_vlan + 1
        if self.p_tunnel:
            if self.p_vlan < 0:
                segment = self.p_source + self.p_tunnel
            self.p_tunnel = 0
        if self.p_routed:
            self.batch[(self.b_count - 1) * BATCH_WIDTH + B_SEGMENT] = segment
        to_group = self.p_dst_mac > 0 and self.p_dst_mac & GROUP != 0
        if to_group or original > captured:
            self.segments.count_traits(segment, to_group, original > captured)
        return self.segments.count(segment, max(captured, original))

    def _turn_hour(self) -> int:
        """Copies that are not recognised yet count for the hour that ends."""
        self._recognise(self.b_count - (1 if self.p_routed else 0))
        return self.segments.turn(self.last_ts)

    # ------------------------------------------------------------------ layer by layer

    def _outermost(self) -> int:
        """The next packet is in no tunnel yet."""
        self.inner = I_NONE
        self.p_around = self.p_layers = self.p_inside = 0
        self.p_named = False
        return 0

    def _unwrap(self) -> int:
        """Layer by layer into what a packet carries. A loop, no recursion: the work is bounded, and so is the stack."""
        while self.inner != I_NONE:
            kind = self.inner
            at = self.inner_at
            self.inner = I_NONE
            if self.p_layers >= LAYERS_MAX:
                self.n[C_DEEP] += 1
                break
            self.p_layers += 1
            if kind == I_ETHERNET:
                self._ethernet(at)
            elif kind == I_TYPE:
                self._ether_type(self.inner_kind, at)
            elif kind == I_IP:
                self._raw(at)
            elif kind == I_MPLS:
                self._mpls(at)
            elif kind == I_PPP:
                self._ppp(at)
            elif kind == I_ABOVE:
                self._above_ip(at, self.p_end, self.p_said - at)
            else:
                self._other_link(self.inner_kind, at)
        return self._outermost()

    def _layer_by_layer(self, link: int, at: int) -> int:
        """What is not plain."""
        self.p_src_mac = self.p_dst_mac = self.p_vlan = -1
        return self._ethernet(at) if link == 1 else self._other_link(link, at)

    def _other_link(self, link: int, at: int) -> int:
        if link == 113:
            return self._cooked(at, 16, 14, 4, 6)
        if link == 276:
            return self._cooked(at, 20, 0, 11, 12)
        if link in {101, 12, 14, 228, 229}:
            return self._raw(at)
        if link in {0, 108}:
            return self._loop(at)
        if link in {9, 50, 104, 166}:
            return self._hdlc(at, link)
        if link == 51:
            return self._pppoe(at)
        if link == 10:
            return self._fddi(at)
        if link == 239:
            return self._nflog(at)
        if link == 192:
            return self._ppi(at)
        if link == 1:
            return self._go_on(I_ETHERNET, at, 0)
        self.n[C_LINK] += 1
        return 0

    # ------------------------------------------------------------------ captures that do not begin with Ethernet

    def _hdlc(self, at: int, link: int) -> int:
        """PPP (9, 50, 166), or Cisco's HDLC (104, or 50 with Cisco's address): address, control, Ethernet type."""
        if self.p_end - at < 4:
            return self._bad()
        if link == 104 or (link == 50 and (self.mem[at] == 0x0F or self.mem[at] == 0x8F)):
            return self._go_on(I_TYPE, at + 4, self._be16(at + 2))
        if link == 166:
            at += 2  # its address says which direction the packet went
        return self._ppp(at)

    def _fddi(self, at: int) -> int:
        if self.p_end - at < 13:
            return self._bad()
        self.p_dst_mac, self.p_src_mac = self._mac(at + 1), self._mac(at + 7)
        return self._llc(at + 13)

    def _nflog(self, at: int) -> int:
        """Linux netfilter log: family, version, queue, then attributes (length, type) of which 9 is the packet."""
        at += 4
        seen = 0
        while self.p_end - at >= 4 and seen < ATTRIBUTES_MAX:
            length = self._file16(at)
            kind = self._file16(at + 2) & 0x7FFF
            if length < 4 or length > self.p_end - at:
                return self._bad()
            if kind == 9:
                return self._go_on(I_IP, at + 4, 0)
            at += (length + 3) & ~3
            seen += 1
        return self._bad()

    def _ppi(self, at: int) -> int:
        """Per-packet information: version, flags, length, and the link type of what follows; all little-endian."""
        if self.p_end - at < 8:
            return self._bad()
        length = self._le32(at) >> 16
        if length < 8 or length > self.p_end - at:
            return self._bad()
        return self._go_on(I_LINK, at + length, self._le32(at + 4))

    def _cooked(self, at: int, header: int, proto_at: int, length_at: int, address_at: int) -> int:
        """Linux cooked capture, 1 or 2: the sender's address only, its length in the low byte at `length_at`."""
        if self.p_end - at < header:
            return self._bad()
        length = self.mem[at + 11] if header == 20 else self._be16(at + length_at)
        if length == 6:
            self.p_src_mac = self._mac(at + address_at)
        kind = self._be16(at + proto_at)
        return self._llc(at + header) if kind == 4 else self._ether_type(kind, at + header)

    def _raw(self, at: int) -> int:
        if self.p_end - at < 1:
            return self._bad()
        version = self.mem[at] >> 4
        if version == 4:
            return self._ipv4(at)
        if version == 6:
            return self._ipv6(at)
        return self._bad()

    def _loop(self, at: int) -> int:
        """BSD loopback: an address family in the byte order of the machine that captured."""
        if self.p_end - at < 4:
            return self._bad()
        return self._raw(at + 4)

    # ------------------------------------------------------------------ Ethernet

    def _ethernet(self, at: int) -> int:
        if self.p_end - at < 14:
            return self._bad()
        self.p_dst_mac = self._mac(at)
        self.p_src_mac = self._mac(at + 6)
        return self._ether_type(self._be16(at + 12), at + 14)

    def _ether_type(self, kind: int, at: int) -> int:
        """IP behind any number of VLAN tags (802.1Q, 802.1ad, and what came before it)."""
        tags = 0
        while kind in {0x8100, 0x88A8, 0x9100, 0x9200} and tags < TAGS_MAX:
            if self.p_end - at < 4:
                return self._bad()
            self.p_vlan = self._be16(at) & 0xFFF
            kind = self._be16(at + 2)
            at += 4
            tags += 1
        if tags:
            self.n[C_VLAN] += 1
        if kind == 0x0800:
            return self._ipv4(at)
        if kind == 0x86DD:
            return self._ipv6(at)
        return self._other_ether_type(kind, at)

    def _other_ether_type(self, kind: int, at: int) -> int:
        if kind in {0x8847, 0x8848}:
            return self._mpls(at)
        if kind == 0x8864:
            return self._pppoe(at)
        if kind == 0x88E7:
            return self._service_tag(at)
        if kind == 0x8903:
            return self._go_on(I_ETHERNET, at + 2, 0)  # FabricPath: a forwarding tag, then the frame
        if kind in {0x8926, 0x893F, 0x8909}:
            return self._port_tag(at, 6 if kind == 0x8926 else 8)
        if kind == 0x894F:
            return self._service_header(at)
        if kind <= 1500:
            self.p_end = min(self.p_end, at + kind)
            return self._llc(at)
        self.n[C_NOT_IP] += 1
        return 0

    def _port_tag(self, at: int, size: int) -> int:
        """VN-Tag, 802.1BR E-Tag, Cisco metadata: which port of an extender it was; the next type is its end."""
        if self.p_end - at < size:
            return self._bad()
        return self._go_on(I_TYPE, at + size, self._be16(at + size - 2))

    def _service_header(self, at: int) -> int:
        """RFC 8300: length in words in the low 6 bits of byte 1, and in byte 3 what follows."""
        if self.p_end - at < 8:
            return self._bad()
        size = (self.mem[at + 1] & 63) * 4
        kind = self.mem[at + 3]
        if size < 8 or size > self.p_end - at:
            return self._bad()
        if kind in {1, 2}:
            return self._go_on(I_TYPE, at + size, 0x0800 if kind == 1 else 0x86DD)
        if kind == 3:
            self._leave_outside(self._scope())
            return self._go_on(I_ETHERNET, at + size, 0)
        if kind == 5:
            return self._go_on(I_MPLS, at + size, 0)
        self.n[C_NOT_IP] += 1
        return 0

    def _service_tag(self, at: int) -> int:
        """802.1ah: flags and a 24-bit service instance, then the customer's whole frame."""
        if self.p_end - at < 4:
            return self._bad()
        self._tunnel(T_ISID, self._be32(at) & 0xFFFFFF)
        return self._go_on(I_ETHERNET, at + 4, 0)

    def _llc(self, at: int) -> int:
        """802.2 with SNAP of organisation 0: an Ethernet type follows. Everything else is no IP."""
        if self.p_end - at >= 8 and self._be16(at) == 0xAAAA and self._be32(at + 2) == 0x03000000:
            return self._go_on(I_TYPE, at + 8, self._be16(at + 6))
        self.n[C_NOT_IP] += 1
        return 0

    # ------------------------------------------------------------------ labels and sessions

    def _mpls(self, at: int) -> int:
        """RFC 3032: labels down to the bottom of the stack."""
        labels = 0
        bottom = 0
        while not bottom:
            if self.p_end - at < 5 or labels >= TAGS_MAX:
                return self._bad()
            bottom = self.mem[at + 2] & 1
            at += 4
            labels += 1
        self.n[C_TUNNELLED] += 1
        return self._below_labels(at, self.mem[at] >> 4)

    def _below_labels(self, at: int, nibble: int) -> int:
        """Nothing says what labels carry: IP by its version (RFC 4928), else a frame, perhaps after RFC 4448's word."""
        if nibble in {4, 6} and self._is_ip(at, self.p_said):
            return self._go_on(I_IP, at, 0)
        # a tagged frame without a control word looks like an untagged one with it, not the other way round
        frame = at if nibble or self._is_ethernet(at, self.p_said) else at + 4
        if self._is_ethernet(frame, self.p_said):
            self._leave_outside(self._scope())
            return self._go_on(I_ETHERNET, frame, 0)
        if nibble in {4, 6}:
            return self._go_on(I_IP, at, 0)
        self.n[C_NOT_IP] += 1
        return 0

    def _pppoe(self, at: int) -> int:
        """RFC 2516, a session: version and type, code, session, length, then PPP."""
        if self.p_end - at < 8 or self.mem[at] != 0x11:
            return self._bad()
        self.n[C_TUNNELLED] += 1
        self.p_said = min(self.p_said, at + 6 + self._be16(at + 4))
        self.p_end = min(self.p_end, self.p_said)
        return self._ppp(at + 6)

    def _ppp(self, at: int) -> int:
        """RFC 1661: a protocol of one byte when that is odd (RFC 1662 has two bytes before it)."""
        if self.p_end - at >= 4 and self.mem[at] == 0xFF and self.mem[at + 1] == 3:
            at += 2
        if self.p_end - at < 2:
            return self._bad()
        kind = self.mem[at]
        if kind & 1:
            at += 1
        else:
            kind = self._be16(at)
            at += 2
        if kind in {0x21, 0x57}:
            return self._go_on(I_TYPE, at, 0x0800 if kind == 0x21 else 0x86DD)
        if kind == 0x281:
            return self._go_on(I_MPLS, at, 0)
        self.n[C_NOT_IP] += 1
        return 0
