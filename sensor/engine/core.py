# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True, infer_types=True, auto_pickle=False, binding=False
"""The packet engine: capture bytes in, the head of every turn out.

Theory of operation
-------------------
The engine walks the records of a capture in place, decodes each packet down to its transport, finds its flow in a table,
puts TCP segments in order, and wakes Python only when a dissector's lane has the bytes that it waits for. It is Python
source compiled by Cython in pure Python mode, bounds checks on; the very same file interpreted gives the same events.

**Synchronous waking.** `step()` runs until something needs Python, says what (an event), and goes on from exactly there
at the next call. Whatever the dissector says in between (`want`, `skip`, `skip_until`, `next_turn`, `done`) therefore
takes effect before the next byte is copied. What is under way is a small state machine (`stage`)::

    FETCH ─► ROUTE ─► DAY ─► TRANSPORT ─► SEGMENT ─► CLOSE ─► FETCH ...
               └── a flow has to end first (idle, evicted, port reused): its END comes out, then ROUTE again

**Batches.** FETCH decodes up to 32 packets ahead, asks for the memory of their flows, and then hands them on one by one:
most of the time of small packets was waiting for memory.

**Most packets** are IPv4 in Ethernet, and go on in a flow as it did: an acknowledgement, bytes in order of a lane that is
skipped, drained or closed, a datagram that nobody wants. Such layers are decoded at one go (`_plain`), and what there is to
count is counted from the row of the batch (`_quick`), without the stages. Both decide as the layers and stages do, or leave
it to them; a test takes them away and compares.

**Flows** are rows of 64-bit numbers in a table that comes from `mmap`, what streams need besides in another one (`L`); a
keyed hash with a bounded chain finds them.
Five lists keep them in the order of their last packet, to a second: TCP, UDP, lingering, shunted, and half (one side alone
and no TCP payload: scans; or both have said FIN and something before it is missing). The heads of these lists are what is
idle or evicted first. The columns of a row are named below, and those of each of its two lanes.

**The clock** that tells what is idle only goes forward, and is the newest time seen: of sources whose clocks differ, the one
that is ahead. One time far ahead ends nothing; it is believed when the next packet says so too. Times that stay far
behind for very many packets are a clock that was set back: from there on it goes forward again.

**A lane** knows the next sequence number (`NEXT`) and one of six modes:

    READ     bytes are delivered as soon as `WANT` of them are there
    SKIP     `LEFT` bytes are left out, by sequence number, across turns and loss
    SEARCH   bytes are left out until a mark of 1 to 4 bytes has passed
    DRAIN    the rest of this turn is left out on the dissector's word
    OVER     the rest of this turn is left out because its budget is used up: the next turn begins with a GAP
    CLOSED   nothing more is wanted

**Turns.** The first in-sequence payload byte whose segment acknowledges more of the other lane than the segment did that
began the previous turn begins a new one; so does one after `turn_idle_us` of silence. A one-sided mirror is no hindrance:
the seen lane's acknowledgements show the unseen lane speaking. A new turn has a fresh budget of `head_bytes`, which a
pending message raises up to `head_max`.

**Shedding.** A live worker that falls behind has less done (`shed`): of lanes that have spoken for long only a sample of turns
is read, heads are smaller, and at last some new conversations are passed over. A turn that is shed is one whose budget is used
up (OVER), so that what follows is told by a GAP. A shed turn wakes nobody. A lane that nobody knows is looked at all the same.

**Layers.** A layer either leads straight on (Ethernet, VLAN tags, IP) or says what comes next and where (`_go_on`), and a
loop takes that up (`_unwrap`), at most `LAYERS_MAX` times: neither stack nor work grows with what a packet nests. Labels
and sessions (MPLS, PPPoE, SNAP, port tags) change no address. A tunnel does: MAC addresses and VLAN outside are forgotten,
and the flows inside carry `F_TUNNELLED`, as whoever can send a datagram can write any address inside it. Tunnels over UDP
are believed on what is inside alone: an IP header whose lengths and checksum (if any) fit, or a frame that makes sense; else
the datagram is one like any other. The scope is that of the innermost tunnel that the site names, else of the inner VLAN,
else of what is around.

**Listening.** Told what somebody may want (`listen`), the engine wakes Python only for lanes and datagrams that begin so.
Other lanes drain, and are looked at again in each turn, which costs next to nothing: so TLS is found that begins in the
midst of a protocol that nobody reads. A conversation that was told of, and that nobody knows, is given back (`unlisten`).
DAY and END come for flows that were told of; what a flow was is folded (`days`) by its ends, service, day and the label
that Python gave it, and so is who held which address. FULL says that these tables want to be taken.

**Duplicates.** A mirror of several ports, or of ingress and egress, shows a packet twice: on another VLAN, with another
TTL and other MAC addresses, or in another tunnel. A copy has the same flow, direction, IP ident, transport checksum (which
covers payload and TCP's time stamps), length, flags, sequence and acknowledgement numbers, and comes within `DUPLICATE_US`
of the first, in either direction of time. A sender that repeats itself uses a new ident. Where there is none (IPv6, or 0)
a checksum is needed and a millisecond is the limit, less than any retransmission timer, and pure acknowledgements, which
receivers do repeat, are left alone. A copy taken wrongly costs no byte of a stream, as the first one was read. Copies are
recognised batch by batch, in a small table of two places to a packet, so that ones some thousand packets behind are not;
TCP then takes them for retransmissions. A copy is counted, its flow carries `F_DUPLICATE`, and nothing else happens.

**Segments.** A packet counts for its segment: the innermost VLAN, else the innermost tunnel, else none, of its interface. The
table holds the hour under way; `traffic` gives it out with the hours before. Interfaces and tunnels beyond what it has room
for share the last place, so neither a capture's header nor a forged tunnel makes it grow.

**Holes.** A segment beyond `NEXT` is kept, in order, and of those kept the first bytes win. What is in order is read at once,
whatever was kept for its place: so do receivers. Other bytes for the same place are counted. The hole before it is given up (GAP) when too much
is kept, when the other lane has acknowledged past it and time or segments have gone by, or at the end. A hole inside what
is being left out anyway is no gap. Kept segments, half-read messages and fragments live in dictionaries of byte strings
whose total size, with what Python needs for each, is bounded; the oldest holder loses.
"""

from collections import OrderedDict
from itertools import chain

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.days import Folded
from sensor.engine.fragments import Fragments
from sensor.engine.pages import numbers
from sensor.engine.spans import conflicts, touching, uncovered

COMPILED = cython.compiled

STATS = (
    "first_ts_us", "last_ts_us", "first_frame", "packets_i", "packets_r", "bytes_i", "bytes_r", "copied", "skipped", "left_out",
    "lost", "retransmitted", "reordered", "overlap_conflicts", "flags",
)

# ---------------------------------------------------------------- counters
COUNTERS = (
    "packets", "bytes", "bytes_copied", "truncated", "not_ip", "unsupported_link", "bad_header", "other_transport",
    "tcp_segments", "udp_datagrams", "fragments",
    "flows", "evicted_flows", "evicted_bytes", "late_segments", "holes", "clock_backwards", "vlan_packets", "tunnelled",
    "stray_segments", "duplicates", "tunnels_refused", "nested_too_deep", "probes", "clock_jumps",
    "shed_turns", "shed_datagrams", "shed_flows",
)

# What identifies a tunnel, in the order of the constants T_...: VXLAN and Geneve network, GRE key, NVGRE subnet, ERSPAN
# session, 802.1ah service instance.
TUNNELS = ("", "vni", "gre", "vsid", "erspan", "isid")

# What is counted for a segment, in the order of its columns.
TRAFFIC = ("packets", "bytes", "duplicates", "group_packets", "truncated")

# Constants. The compiler has them from core.pxd, so that they are constants in C too.
if not cython.compiled:
    from sensor.engine.events import EventSource

    # events, reasons, flags (as in __init__)
    NEED = 0
    DATA = 1
    DATAGRAM = 2
    GAP = 3
    DAY = 4
    END = 5
    CORRUPT = 6
    FULL = 7

    R_FIN = 1
    R_RST = 2
    R_IDLE = 3
    R_EVICTED = 4
    R_EOF = 5
    R_REUSED = 6

    F_SYN = 1
    F_SYNACK = 2
    F_FIN = 4
    F_RST = 8
    F_MIDSTREAM = 16
    F_ONE_SIDED = 32
    F_GAP = 64
    F_TRUNCATED = 128
    F_SHUNTED = 256
    F_EVICTED = 512
    F_DUPLICATE = 1024
    F_TUNNELLED = 2048

    # columns of a flow's row, eight to a line of the cache: what each packet needs comes first
    STATE = 0
    LIST = 1
    HASH = 2
    CHAIN = 3
    KPORTS = 4
    KREST = 5
    SEEN = 6
    FLAGS = 7
    K0 = 8
    K1 = 9
    K2 = 10
    K3 = 11
    K4 = 12
    K5 = 13
    K6 = 14
    K7 = 15
    DAYNO = 16
    LINKED = 17
    FIRST_TS = 18
    LAST_TS = 19
    PK0 = 20
    PK1 = 21
    BY0 = 22
    BY1 = 23
    COPIED = 24
    SKIPPED = 25
    LEFT_OUT = 26
    LOST = 27
    MAC0 = 28
    MAC1 = 29
    INIT = 30
    LABEL = 31
    PREV = 32
    NEXTROW = 33
    SERIAL = 34
    FIRST_FRAME = 35
    SEGMENT = 36
    TURN0 = 37
    TURN1 = 38
    UNWANTED = 39
    WIDTH = 40

    # columns of a lane; sequence numbers that are not known are -1
    MODE = 0
    NEXT = 1
    TURN = 2
    TURN_ACK = 3
    DATA_TS = 4
    GAPSIZE = 5
    ACKED = 6
    PIECES = 7
    LEFT = 8
    OVERRUN = 9
    USED = 10
    LIMIT = 11
    HELD = 12
    WANT = 13
    FINSEQ = 14
    HEADS = 15
    ROLL = 16
    ROLLED = 17
    MARK = 18
    MARKMASK = 19
    MARKLEN = 20
    SEARCH_LIMIT = 21
    ISN = 22
    STRAY = 23
    TRUNC_END = 24
    PIECE_BYTES = 25
    HOLE_TS = 26
    AFTER_HOLE = 27
    RETRANS = 28
    REORD = 29
    OVERLAP = 30
    LANE_WIDTH = 32
    LANES_WIDTH = 64

    # columns of a batch; keys as in a flow's row, LANE is the sender's, a packet like WHAT WITHIN so many us is its copy
    B_POSITION = 0
    B_TS = 1
    B_FRAME = 2
    B_WHOLE = 3
    B_K0 = 4
    B_K1 = 5
    B_K2 = 6
    B_K3 = 7
    B_K4 = 8
    B_K5 = 9
    B_K6 = 10
    B_K7 = 11
    B_PORTS = 12
    B_REST = 13
    B_DATA = 14
    B_L4_END = 15
    B_LEN = 16
    B_FLAGS = 17
    B_SEQ = 18
    B_ACK = 19
    B_SEGMENT = 20
    B_SRC_MAC = 21
    B_DST_MAC = 22
    B_LANE = 23
    B_HASH = 24
    B_TRAITS = 25
    B_WHAT = 26
    B_WITHIN = 27
    BATCH_WIDTH = 32
    BATCH = 32
    AHEAD = 4

    # values
    FREE = 0
    LIVE = 1
    LINGER = 2

    L_TCP = 0
    L_UDP = 1
    L_LINGER = 2
    L_SHUNTED = 3
    L_HALF = 4

    READ = 0
    SKIP = 1
    SEARCH = 2
    DRAIN = 3
    OVER = 4
    CLOSED = 5

    S_FETCH = 0
    S_ROUTE = 1
    S_DAY = 2
    S_TRANSPORT = 3
    S_CONSUME = 4
    S_SEGMENT = 5
    S_CLOSE = 6

    K_NONE = 0
    K_PCAP = 1
    K_PCAPNG = 2
    K_TPACKET = 3
    I_NONE = 0
    I_ETHERNET = 1
    I_TYPE = 2
    I_IP = 3
    I_LINK = 4
    I_MPLS = 5
    I_PPP = 6
    I_ABOVE = 7
    T_NONE = 0
    T_VNI = 1
    T_GRE = 2
    T_VSID = 3
    T_ERSPAN = 4
    T_ISID = 5

    TCP_FIN = 1
    TCP_SYN = 2
    TCP_RST = 4
    TCP_ACK = 16

    TOLD = 1

    UNWANTED_MAX = 4
    ENDS_WORDS = 12
    HOUR_US = 3600000000

    M16 = 0xFFFF
    M32 = 0xFFFFFFFF
    HALF32 = 0x80000000
    QUARTER32 = 0x40000000
    M62 = 0x3FFFFFFFFFFFFFFF
    DAY_US = 86400000000
    NEVER = 0x3FFFFFFFFFFFFFFF
    TUNNEL_PORTS = 0x60010001000002

    SWEEP_US = 1000000
    LEAP_US = 3600000000
    SET_BACK_PACKETS = 65536
    SECONDS_MAX = 253402300799
    RECORD_MAX = 262144
    BLOCK_MAX = 16777216
    TAGS_MAX = 8
    EXTENSIONS_MAX = 10
    LAYERS_MAX = 6
    ATTRIBUTES_MAX = 32
    TRAIT_DUPLICATE = 1
    TRAIT_TUNNELLED = 2
    RING = 2048
    DUPLICATE_US = 20000
    UNNAMED_US = 1000
    CHAIN_MAX = 64
    EPHEMERAL_FROM = 32768
    HEADER_SLACK = 64
    PIECES_MAX = 128
    PIECE_BYTES_MAX = 262144
    HOLE_US = 1000000
    HOLE_SEGMENTS = 8
    OVERTAKEN_BYTES = 65536
    OVERTAKEN_PACKETS = 16
    BELIEVED_BYTES = 67108864
    RST_WINDOW = 1048576
    OVERHEAD = 432
    DATAGRAM_MAX = 65535
    SHED_EACH = 16
    INTERFACES_MAX = 4096
    TPACKET_HEADER = 48
    TPACKET_VLAN = 16
    TPACKET_TPID = 64

    # columns of a segment, and its place: none, 4096 VLANs, tunnels, the rest
    N_PACKETS = 0
    N_BYTES = 1
    N_DUPLICATES = 2
    N_GROUP = 3
    N_TRUNCATED = 4
    SEGMENT_WIDTH = 8
    SEGMENTS = 4352
    TUNNELS_FROM = 4097
    SOURCES = 16
    PAST_MAX = 65536
    GROUP = 0x10000000000
    JUMP_US = 1000000

    # counters
    C_PACKETS = 0
    C_BYTES = 1
    C_COPIED = 2
    C_TRUNCATED = 3
    C_NOT_IP = 4
    C_LINK = 5
    C_BAD = 6
    C_OTHER = 7
    C_TCP = 8
    C_UDP = 9
    C_FRAGS = 10
    C_FLOWS = 11
    C_EVICTED = 12
    C_EVICTED_BYTES = 13
    C_LATE = 14
    C_HOLES = 15
    C_BACKWARDS = 16
    C_VLAN = 17
    C_TUNNELLED = 18
    C_STRAY = 19
    C_DUPLICATES = 20
    C_REFUSED = 21
    C_DEEP = 22
    C_PROBES = 23
    C_JUMPS = 24
    C_SHED_TURNS = 25
    C_SHED_DATAGRAMS = 26
    C_SHED_FLOWS = 27


@cython.final
@cython.cclass
class Engine(EventSource):
    """The engine of one capture. Numbers are settings in bytes, microseconds and rows; `seed` keys the hash of flows.

    `responder_ports` are ports that mark a responder where the beginning of a conversation was not seen.
    """

    # settings
    rows: cython.longlong
    head_bytes: cython.longlong
    head_max: cython.longlong
    turn_idle_us: cython.longlong
    tcp_idle_us: cython.longlong
    udp_idle_us: cython.longlong
    linger_us: cython.longlong
    buffer_bytes: cython.longlong
    sample_after: cython.longlong
    sample_each: cython.longlong
    shed_after: cython.longlong
    shed_flows: cython.longlong
    seed: cython.longlong
    key0: cython.longlong
    key1: cython.longlong
    responders: cython.uchar[::1]
    scopes: cython.uchar[::1]
    tunnels: object
    t_key: cython.longlong
    t_scope: cython.longlong
    t_place: cython.longlong

    # segments
    T: cython.longlong[::1]
    touched: list
    past: dict
    places: dict
    place_keys: list
    names: dict
    hour: cython.longlong
    hour_from: cython.longlong
    hour_to: cython.longlong
    p_source: cython.longlong
    p_tunnel: cython.longlong
    p_segment: cython.longlong

    # tables
    F: cython.longlong[::1]
    L: cython.longlong[::1]
    heads: cython.longlong[::1]
    buckets: cython.longlong
    lists: cython.longlong[::1]
    n: cython.longlong[::1]
    free_stream: cython.longlong
    free_datagram: cython.longlong
    free_count: cython.longlong
    fresh_row: cython.longlong
    last_row: cython.longlong
    serial: cython.longlong
    swept: cython.longlong
    now: cython.longlong
    clock: cython.longlong
    shift: cython.longlong
    doubts: cython.longlong
    held: object
    held_bytes: cython.longlong
    pieces: object
    pieces_bytes: cython.longlong
    fragments: object
    ready: list

    # the capture
    w: cython.uchar[::1]
    window: cython.uchar[::1]
    mem: cython.uchar[::1]
    whole: cython.uchar[::1]
    w_other: cython.bint
    w_whole: cython.bint
    cursor: cython.longlong
    frames: cython.longlong
    batch: cython.longlong[::1]
    ring: cython.longlong[::1]
    b_at: cython.longlong
    b_count: cython.longlong
    b_known: cython.longlong
    window_end: cython.longlong
    kind: cython.int
    big: cython.bint
    modified: cython.bint
    nano: cython.bint
    link: cython.longlong
    interfaces: list
    in_section: cython.bint
    last_ts: cython.longlong

    # the packet under way
    stage: cython.int
    p_end: cython.longlong
    p_whole: cython.bint
    p_vlan: cython.longlong
    p_said: cython.longlong
    p_layers: cython.longlong
    p_whole_at: cython.longlong
    p_around: cython.longlong
    p_named: cython.bint
    p_inside: cython.longlong
    inner: cython.longlong
    inner_at: cython.longlong
    inner_kind: cython.longlong
    p_ident: cython.longlong
    p_sum: cython.longlong
    p_traits: cython.longlong
    p_src_mac: cython.longlong
    p_dst_mac: cython.longlong
    p_proto: cython.longlong
    p_l4_end: cython.longlong
    p_family: cython.longlong
    s0: cython.longlong
    s1: cython.longlong
    s2: cython.longlong
    s3: cython.longlong
    d0: cython.longlong
    d1: cython.longlong
    d2: cython.longlong
    d3: cython.longlong
    p_flags: cython.longlong
    p_seq: cython.longlong
    p_ack: cython.longlong
    p_data: cython.longlong
    p_len: cython.longlong
    p_row: cython.longlong
    p_lane: cython.longlong
    p_hash: cython.longlong
    p_batch: cython.longlong
    p_routed: cython.bint

    # bytes of a lane under way
    c_base: cython.longlong
    c_row: cython.longlong
    c_lane: cython.longlong
    c_at: cython.longlong
    c_end: cython.longlong
    c_force: cython.bint

    # a flow that ends
    end_row: cython.longlong
    end_reason: cython.longlong
    end_lane: cython.longlong
    free_row: cython.longlong
    finishing: object
    ends_key: object
    E: cython.longlong[::1]

    # what is told, and what is folded
    listening: cython.bint
    leads: cython.longlong[::1]
    firsts: cython.uchar[::1]
    tcp_leads: cython.longlong
    all_leads: cython.longlong
    days: Folded
    days_full: cython.bint

    def __init__(
        self,
        *,
        flows=262_144,
        head_bytes=16_384,
        head_max=65_536,
        turn_idle_us=5_000_000,
        tcp_idle_us=3_600_000_000,
        udp_idle_us=300_000_000,
        linger_us=30_000_000,
        buffer_bytes=67_108_864,
        sample_after=16_384,
        sample_each=64,
        seed=0x1F3A5C7E9B2D4680,
        responder_ports=(),
    ):
        if flows < 2 or head_bytes < 1 or head_max < head_bytes:
            raise ValueError("flows >= 2, head_bytes >= 1 and head_max >= head_bytes are needed")
        self.rows = flows
        self.head_bytes = head_bytes
        self.head_max = head_max
        self.turn_idle_us = turn_idle_us
        self.tcp_idle_us = tcp_idle_us
        self.udp_idle_us = udp_idle_us
        self.linger_us = linger_us
        self.buffer_bytes = buffer_bytes
        self.sample_after = sample_after
        self.sample_each = max(1, sample_each)
        self.shed_after, self.shed_flows = NEVER, 1
        self.seed = (seed & 0x3FFFFFFFFFFFFFFF) | 1
        # odd multipliers of 30 bits, so that no product leaves 62 bits
        self.key0 = ((seed * 0x9E3779B97F4A7C15 >> 21) & 0x1FFFFFFF) | 0x20000001
        self.key1 = ((seed * 0xC2B2AE3D27D4EB4F >> 24) & 0x1FFFFFFF) | 0x20000001
        self.mark_responders(responder_ports)
        self.scopes = memoryview(bytearray(4096))
        self.tunnels = {}
        self.t_key, self.t_scope, self.t_place = -1, 0, 0
        self.T = numbers(SOURCES * SEGMENTS * SEGMENT_WIDTH, sparse=True)
        self.touched, self.past, self.places, self.place_keys, self.names = [], {}, {}, [], {}
        self.hour = self.hour_from = self.hour_to = self.p_source = self.p_tunnel = self.p_segment = 0
        self.F = numbers(flows * WIDTH)
        self.L = numbers(flows * LANES_WIDTH)
        buckets = 1
        while buckets < flows:
            buckets *= 2
        self.heads = numbers(buckets)
        self.buckets = buckets
        self.lists = memoryview(bytearray(8 * 10)).cast("q")
        self.n = memoryview(bytearray(8 * 32)).cast("q")
        for number in range(10):
            self.lists[number] = -1
        self.free_stream = self.free_datagram = -1
        self.free_count = self.fresh_row = 0
        self.last_row = flows
        self.serial = 0
        self.swept = -SWEEP_US
        self.now = self.clock = self.shift = self.doubts = 0
        self.held = OrderedDict()
        self.held_bytes = 0
        self.pieces = OrderedDict()
        self.pieces_bytes = 0
        self.fragments = Fragments()
        self.ready = []
        self.payload = b""
        self.window = memoryview(bytearray(1))
        self.w = self.window
        self.mem = self.window
        self.whole = self.window
        self.cursor = self.frames = self.b_at = self.b_count = self.b_known = 0
        self.batch = memoryview(bytearray(8 * BATCH * BATCH_WIDTH)).cast("q")
        self.ring = numbers(RING * 4)
        self.w_other = self.w_whole = False
        self.window_end = 0
        self.position = 0
        self.needed = 0
        self.kind = 0
        self.interfaces = []
        self.in_section = False
        self.last_ts = 0
        self.stage = 0
        self.end_row = -1
        self.free_row = -1
        self.c_row = -1
        self.finishing = None
        self.ends_key = bytearray(8 * ENDS_WORDS)
        self.E = memoryview(self.ends_key).cast("q")
        self.listening = self.days_full = False
        self.leads = memoryview(bytearray(8)).cast("q")
        self.firsts = memoryview(bytearray(512))
        self.tcp_leads = self.all_leads = 0
        self.days = Folded(self.seed, self.key0, self.key1)
        self.flow = self.lane = self.ts_us = self.frame = self.turn = self.size = self.reason = 0
        self.big = self.modified = self.nano = self.p_whole = self.c_force = False
        self.link = 1
        self.p_end = self.p_proto = self.p_l4_end = self.p_family = self.p_flags = self.p_seq = self.p_ack = 0
        self.s0 = self.s1 = self.s2 = self.s3 = self.d0 = self.d1 = self.d2 = self.d3 = 0
        self.p_data = self.p_len = self.p_hash = self.p_lane = 0
        self.p_vlan = self.p_src_mac = self.p_dst_mac = self.p_row = -1
        self.p_batch = 0
        self.p_routed = False
        self.p_said = self.p_layers = self.p_whole_at = self.p_around = self.p_inside = 0
        self.inner = self.inner_at = self.inner_kind = self.p_ident = self.p_sum = self.p_traits = 0
        self.p_named = False
        self.c_lane = self.c_base = self.c_at = self.c_end = self.end_reason = self.end_lane = 0

    # ================================================================ input

    def pcap(self, big_endian, nanosecond, link_type, modified=False):
        """Records of a classic pcap file follow. `modified`: records with the longer header of an old Linux variant."""
        self.kind = K_PCAP
        self.big, self.nano, self.modified = bool(big_endian), bool(nanosecond), bool(modified)
        self.link = link_type

    def pcapng(self):
        """Blocks of a pcapng file follow, a Section Header Block first."""
        self.kind = K_PCAPNG
        self.interfaces = []
        self.in_section = False

    def tpacket(self, big_endian, link_type):
        """Blocks of a TPACKET_V3 ring follow, of this machine's byte order: `load` one from its first packet to its end."""
        self.kind = K_TPACKET
        self.big = bool(big_endian)
        self.link = link_type

    def source(self, number, name):
        """What follows comes from the interface of this number and name; a pcapng file says so itself."""
        number = min(number, SOURCES - 1)
        self.p_source = number * SEGMENTS
        self.names[number] = name

    def scope_of_vlan(self, table):
        """Scope numbers (0 to 255) of the 4096 VLAN ids."""
        table = bytes(table)
        if len(table) != 4096:
            raise ValueError("a table of 4096 scope numbers is needed")
        self.scopes = memoryview(bytearray(table))

    def scope_of_tunnel(self, table):
        """Scope numbers (1 to 255) of tunnels, by (kind, identifier); kinds are those of `TUNNELS`."""
        self.tunnels = {TUNNELS.index(kind) << 32 | number: scope for (kind, number), scope in table.items()}
        self.t_key, self.t_scope = -1, 0

    def load(self, window, start, end):
        """A window of capture bytes: records are walked in place from `start` to `end`."""
        view = memoryview(window)
        if not 0 <= start <= end <= len(view):
            raise ValueError("start and end must lie in the window")
        self.window = view
        self.w = self.window
        self.mem = self.window
        self.p_whole = self.w_whole = self.w_other = False
        self.position = self.cursor = start
        self.window_end = end
        self.b_at = self.b_count = self.b_known = 0
        self._outermost()

    def finish(self):
        """No more input: `step` now delivers what is held, and an END for every flow, in the order of their first packets."""
        used = chain(range(self.fresh_row), range(self.last_row, self.rows))
        rows = [row for row in used if self.F[row * WIDTH + STATE] == LIVE]
        rows.sort(key=self._serial_of)
        self.finishing = iter(rows)

    def _serial_of(self, row):
        return self.F[row * WIDTH + SERIAL]

    def mark_responders(self, ports):
        """Ports that mark a responder where the beginning of a conversation was not seen."""
        table = bytearray(65536 // 8)
        for port in ports:
            table[port >> 3] |= 1 << (port & 7)
        self.responders = memoryview(table)

    def listen(self, tcp, udp):
        """Tell only of flows that somebody may want, and fold all of them into days.

        `tcp` and `udp` are values and masks, bytes of equal length, of which eight count: with what any dissector takes a
        lane or datagram begins. Other lanes are looked at again in each turn. DAY and END come for flows that were told of.
        """
        words = []
        for value, mask in (*tcp, *udp):
            if len(value) != len(mask):
                raise ValueError("value and mask of equal length are needed")
            value, mask = value[:8].ljust(8, b"\0"), mask[:8].ljust(8, b"\0")
            for at in (0, 4):
                words += [int.from_bytes(value[at : at + 4], "big"), int.from_bytes(mask[at : at + 4], "big")]
        self.firsts = memoryview(_firsts(tcp) + _firsts(udp))
        self.leads = memoryview(bytearray(8 * max(1, len(words)))).cast("q")
        for number, word in enumerate(words):
            self.leads[number] = word
        self.tcp_leads = 4 * len(tcp)
        self.all_leads = len(words)
        self.listening = True

    # ================================================================ what comes out

    def take(self):
        """The bytes of the DATA or DATAGRAM that `step` has just returned."""
        return self.payload

    def addresses(self, row):
        """(transport, scope, vlan, ip initiator, port, mac, ip responder, port, mac); IPs packed, MACs as numbers or -1."""
        r: cython.longlong = self._row(row)
        low = self._ip(r, K0), self.F[r + KPORTS] >> 16, self.F[r + MAC0]
        high = self._ip(r, K4), self.F[r + KPORTS] & 0xFFFF, self.F[r + MAC1]
        first, second = (high, low) if self.F[r + INIT] else (low, high)
        place: cython.longlong = self.F[r + SEGMENT] % SEGMENTS
        vlan: cython.longlong = place - 1 if place < TUNNELS_FROM else -1
        return (self.F[r + KREST] & 0xFF, self.F[r + KREST] >> 16, vlan, *first, *second)

    @cython.ccall
    @cython.exceptval(-2)
    def ports(self, row: cython.longlong) -> cython.longlong:
        """The initiator's port and the responder's, 16 bits each."""
        r: cython.longlong = self._row(row)
        ports: cython.longlong = self.F[r + KPORTS]
        return (ports >> 16 | (ports & 0xFFFF) << 16) if self.F[r + INIT] else ports

    @cython.ccall
    def ends(self, row: cython.longlong):
        """Who talks with whom at which service, as 64-bit numbers: both IP addresses (four words each), both MAC addresses,
        KREST, and the responder's port.
        """
        r: cython.longlong = self._row(row)
        swap: cython.longlong = self.F[r + INIT]
        word: cython.longlong
        for word in range(4):
            self.E[word] = self.F[r + (K4 if swap else K0) + word]
            self.E[4 + word] = self.F[r + (K0 if swap else K4) + word]
        self.E[8], self.E[9] = self.F[r + MAC0 + swap], self.F[r + MAC1 - swap]
        self.E[10], self.E[11] = self.F[r + KREST], self.ports(row) & 0xFFFF
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.E[0])), 8 * ENDS_WORDS)
        return bytes(self.ends_key)

    def segment(self, row):
        """(interface, segment) of a flow's first packet, as `traffic` names them."""
        return self.segment_name(self.F[self._row(row) + SEGMENT])

    def segment_name(self, segment):
        """(interface, segment) of a segment's number."""
        source, place = divmod(segment, SEGMENTS)
        name = self.names.get(source, str(source) if source else "")
        if place == 0:
            return name, ""
        if place < TUNNELS_FROM:
            return name, f"vlan {place - 1}"
        if place == SEGMENTS - 1:
            return name, "other"
        key = self.place_keys[place - TUNNELS_FROM]
        return name, f"{TUNNELS[key >> 32]} {key & M32}" if key >> 32 else "tunnel"

    def traffic(self):
        """{(interface, segment, hours since 1970): counts of `TRAFFIC`} since the last call."""
        self._settle_hour()
        found = {(*self.segment_name(segment), hour): tuple(counts) for (segment, hour), counts in self.past.items()}
        self.past = {}
        self.hour_from = self.hour_to = 0
        return found

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _turn_hour(self) -> cython.int:
        """Another hour begins; or goes on without an end, when too much is there that nobody fetches."""
        self._recognise(self.b_count - (1 if self.p_routed else 0))
        self._settle_hour()
        if len(self.past) >= PAST_MAX:
            self.hour_from, self.hour_to = 0, M62
            return 0
        self.hour = self.last_ts // HOUR_US
        self.hour_from = self.hour * HOUR_US
        self.hour_to = self.hour_from + HOUR_US
        return 0

    def _settle_hour(self):
        """Put what was counted by."""
        for segment in self.touched:
            at = segment * SEGMENT_WIDTH
            counts = self.past.setdefault((segment, self.hour), [0] * len(TRAFFIC))
            for column in range(len(TRAFFIC)):
                counts[column] += self.T[at + column]
                self.T[at + column] = 0
        self.touched = []

    @cython.cfunc
    def _ip(self, r: cython.longlong, column: cython.longlong):
        words = [self.F[r + column + i] for i in range(4)]
        if (self.F[r + KREST] >> 8) & 0xFF == 4:
            return words[3].to_bytes(4, "big")
        return b"".join([word.to_bytes(4, "big") for word in words])

    def stats(self, row):
        """The numbers that `STATS` names: since the flow began, or since its last DAY."""
        r: cython.longlong = self._row(row)
        flags: cython.longlong = self.F[r + FLAGS]
        if self.F[r + SEEN] != 3:
            flags |= F_ONE_SIDED
        swap: cython.longlong = self.F[r + INIT]
        return (
            self.F[r + FIRST_TS], self.F[r + LAST_TS], self.F[r + FIRST_FRAME],
            self.F[r + PK0 + swap], self.F[r + PK1 - swap], self.F[r + BY0 + swap], self.F[r + BY1 - swap],
            self.F[r + COPIED], self.F[r + SKIPPED], self.F[r + LEFT_OUT], self.F[r + LOST],
            self._of_lanes(row, RETRANS), self._of_lanes(row, REORD), self._of_lanes(row, OVERLAP), flags,
        )

    def _of_lanes(self, row, column):
        """The sum of both lanes; datagrams have none."""
        base = self._lane(row, 0)
        return 0 if base < 0 else self.L[base + column] + self.L[(base ^ LANE_WIDTH) + column]

    @cython.ccall
    @cython.exceptval(-2)
    def flags(self, row: cython.longlong) -> cython.longlong:
        """The last of `STATS` alone."""
        r: cython.longlong = self._row(row)
        return self.F[r + FLAGS] if self.F[r + SEEN] == 3 else self.F[r + FLAGS] | F_ONE_SIDED

    def folded(self):
        """How many rows `take_days` would give."""
        return self.days.row_count()

    def take_days(self):
        """What was folded since the last call: rows of `DAYS`, `HELD` and `ENDS` (see `days`), as 64-bit numbers."""
        self.days_full = False
        return self.days.take()

    def counters(self):
        """Counts of the whole engine, by name."""
        found = {name: self.n[number] for number, name in enumerate(COUNTERS)}
        found.update(self.fragments.counters())
        found["days_lost"] = self.days.lost
        found["rows_in_use"] = self.fresh_row + self.rows - self.last_row - self.free_count
        found["last_packet_us"] = self.last_ts
        found["held_bytes"] = self.held_bytes + self.pieces_bytes + self.fragments.held_bytes
        return found

    # ================================================================ what the dissector says

    @cython.ccall
    def want(self, row: cython.longlong, lane: cython.longlong, n: cython.longlong, message: cython.longlong):
        """Wake when `n` undelivered bytes are there; `message` bytes are still to come of the message being read."""
        base: cython.longlong = self._lane(row, lane)
        if base >= 0 and self.L[base + MODE] != CLOSED:
            self.L[base + WANT] = max(1, min(n, self.head_max + 1))
            used: cython.longlong = self.L[base + USED] - self.L[base + HELD]
            if used < self.head_bytes + HEADER_SLACK:
                self._raise(base, used + max(0, min(max(n, message), self.head_max)))
            if self.L[base + HELD] >= self.L[base + WANT]:
                self.ready.append((row, lane))

    @cython.ccall
    def skip(self, row: cython.longlong, lane: cython.longlong, n: cython.longlong):
        """Leave out exactly `n` bytes by sequence number, across turns and across loss."""
        base: cython.longlong = self._lane(row, lane)
        if self._is_lost(base):
            return
        left: cython.longlong = max(0, min(n, 1 << 60))
        dropped: cython.longlong = min(left, self.L[base + HELD])
        if dropped:
            self.F[row * WIDTH + SKIPPED] += dropped
            self._trim_held(row, lane, dropped)
        self._leave(base, SKIP if left > dropped else READ)
        self.L[base + LEFT] = left - dropped

    @cython.ccall
    def skip_until(self, row: cython.longlong, lane: cython.longlong, mark, limit: cython.longlong):
        """Leave out everything up to and including `mark`, 1 to 4 bytes; past `limit` bytes the rest of the turn."""
        if not 1 <= len(mark) <= 4:
            raise ValueError("a mark has 1 to 4 bytes")
        base: cython.longlong = self._lane(row, lane)
        if self._is_lost(base):
            return
        key = row * 2 + (lane ^ self.F[row * WIDTH + INIT])
        there = bytes(self.held.get(key, b""))
        self._leave(base, SEARCH)
        self.L[base + MARK] = int.from_bytes(mark, "big")
        self.L[base + MARKMASK] = M32 >> (32 - 8 * len(mark))
        self.L[base + MARKLEN] = len(mark)
        self.L[base + SEARCH_LIMIT] = self.L[base + LEFT] = max(1, min(limit, 1 << 60))
        self.L[base + ROLL] = 0
        self.L[base + ROLLED] = 0
        if there:
            self._search_held(row, lane, there, mark)

    @cython.cfunc
    def _search_held(self, row, lane, there, mark):
        """The mark may be in what is held already; else what is held counts as searched."""
        base: cython.longlong = self._lane(row, lane)
        found = there.find(mark, 0, self.L[base + LEFT])
        passed = len(there) if found < 0 else found + len(mark)
        self.F[row * WIDTH + SKIPPED] += passed
        if found >= 0:
            self._found_mark(base)
            self._trim_held(row, lane, passed)
            return
        self._drop_held(row, lane)
        self.L[base + ROLL] = int.from_bytes(there[max(0, passed - 4) :], "big")
        self.L[base + ROLLED] = passed
        self.L[base + LEFT] -= passed
        if self.L[base + LEFT] <= 0:
            self.L[base + MODE] = OVER

    @cython.ccall
    def next_turn(self, row: cython.longlong, lane: cython.longlong):
        """Leave out the rest of this turn; DATA goes on with the first byte of the next."""
        base: cython.longlong = self._lane(row, lane)
        if base < 0 or self.L[base + MODE] == CLOSED:
            return
        self.F[row * WIDTH + SKIPPED] += self.L[base + HELD]
        self._drop_held(row, lane)
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_lost(self, base: cython.longlong) -> cython.bint:
        """The lane is closed, or over its budget: then nobody knows where in the stream it is, until its GAP."""
        return base < 0 or self.L[base + MODE] == CLOSED or self.L[base + MODE] == OVER

    @cython.ccall
    def done(self, row: cython.longlong):
        """Shunt the flow: it is counted and never copied again."""
        self._done(row)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _done(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = self._row(row)
        lane: cython.longlong
        for lane in range(2):
            if self.F[r + KREST] & 0xFF == 6:
                self._close_lane(row, lane, row * LANES_WIDTH + lane * LANE_WIDTH)
            else:
                self.F[r + TURN0 + lane] = -1
        self.F[r + FLAGS] |= F_SHUNTED
        if self.F[r + STATE] == LIVE and self.F[r + LIST] != L_SHUNTED:
            self._unlink(row)
            self._link(row, L_SHUNTED)
        return 0

    @cython.ccall
    def label(self, row: cython.longlong, number: cython.longlong):
        """What the flow is folded under: any number of at most 32 bits. An odd one says that the lanes' roles are swapped."""
        r: cython.longlong = self._row(row)
        self.F[r + LABEL] = number << 1 | (self.F[r + LABEL] & TOLD)

    @cython.ccall
    def forget(self, row: cython.longlong):
        """Nobody wants to hear of this flow's DAY or END."""
        self.F[self._row(row) + LABEL] &= ~TOLD

    @cython.ccall
    def unlisten(self, row: cython.longlong):
        """Nobody knows what this conversation is: from here on it is looked at as those are that nobody was told of.

        The rest of both turns is left out; a turn that begins as somebody may want is DATA again. DAY and END still come.
        """
        r: cython.longlong = self._row(row)
        if self.listening and self.F[r + KREST] & 0xFF == 6:
            self.F[r + UNWANTED] = 1
            self.next_turn(row, 0)
            self.next_turn(row, 1)

    @cython.ccall
    def close_lane(self, row: cython.longlong, lane: cython.longlong):
        """Nothing more of this lane is wanted."""
        base: cython.longlong = self._lane(row, lane)
        if base >= 0:
            self._close_lane(row, lane ^ self.F[row * WIDTH + INIT], base)
        else:
            self.F[row * WIDTH + TURN0 + (lane ^ self.F[row * WIDTH + INIT])] = -1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _close_lane(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        return self._leave(base, CLOSED)

    # ================================================================ shedding load

    def shed(self, after, head_bytes, head_max, flows):
        """Do less: from the next turn on, of a lane all that is behind its first `after` turns is left out but for a sample.

        `head_bytes` and `head_max` are as for a new engine. Of the conversations that begin, one in `flows` is read. `after`
        of None: nothing is shed. A lane that was left out goes on with a GAP, a conversation that was passed over too.
        """
        if head_bytes < 1 or head_max < head_bytes or flows < 1:
            raise ValueError("head_bytes >= 1, head_max >= head_bytes and flows >= 1 are needed")
        self.shed_after = NEVER if after is None else max(0, min(after, NEVER))
        self.head_bytes, self.head_max, self.shed_flows = head_bytes, head_max, flows

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_shed(self, turn: cython.longlong) -> cython.bint:
        return turn > self.shed_after and turn % SHED_EACH != 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _shed_turn(self, base: cython.longlong) -> cython.int:
        """Leave the turn out as if its budget were used up. A message half read, or half left out, goes on.

        To look at the first bytes of a lane that nobody knows is no load, and leaving them out no gap: it is looked at.
        """
        mode: cython.longlong = self.L[base + MODE]
        unknown: cython.bint = self._is_unknown(base // LANES_WIDTH * WIDTH)
        if mode == DRAIN and unknown:
            self.L[base + MODE] = READ
        elif not unknown and (mode == DRAIN or (mode == READ and self.L[base + HELD] == 0)):
            self.L[base + MODE] = OVER
            self.L[base + OVERRUN] = 0
        if self.L[base + MODE] == OVER:
            self.n[C_SHED_TURNS] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_unknown(self, r: cython.longlong) -> cython.bint:
        """Nobody was told of this conversation, or whoever was does not know it: its turns are looked at by their leads."""
        return not self.F[r + LABEL] & TOLD or self.F[r + UNWANTED] != 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _shed_flow(self, row: cython.longlong) -> cython.int:
        """Pass a new conversation over: its lanes stand where those of a long one do."""
        self.n[C_SHED_FLOWS] += 1
        lane: cython.longlong
        for lane in range(2):
            if self.p_proto == 17:
                self.F[row * WIDTH + TURN0 + lane] = self.shed_after
            else:
                base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
                self.L[base + MODE] = OVER
                self.L[base + TURN] = self.shed_after
        return 0

    # ================================================================ the state machine

    @cython.ccall
    @cython.exceptval(-2)
    def step(self) -> cython.int:
        """Go on until something needs Python; returns which event."""
        event: cython.int = 0
        while event == 0:
            if self.ready:
                event = self._deliver_ready()
            elif self.free_row >= 0:
                self._release()
            elif self.days_full:
                self.days_full = False
                event = FULL
            elif self.c_row >= 0:
                event = self._consume()
            elif self.end_row >= 0:
                event = self._end()
            elif self.stage == S_FETCH:
                event = self._fetch()
                if event == -1:
                    return NEED
                if self.stage == S_ROUTE:
                    event = self._through()
            elif self.stage == S_ROUTE:
                self._route()
            elif self.stage == S_DAY:
                event = self._day()
            elif self.stage == S_TRANSPORT:
                event = self._transport()
            elif self.stage == S_SEGMENT:
                self._segment()
            else:
                self._close()
        return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _through(self) -> cython.int:
        """The usual way of a packet, without looking round at every stage; `step` takes up whatever is left."""
        self._route()
        if self.stage != S_DAY:
            return 0
        event: cython.int = self._day()
        if event == 0:
            event = self._transport()
        if event != 0 or self.stage != S_SEGMENT or self.c_row >= 0:
            return event
        self._segment()
        if self.c_row >= 0:
            event = self._consume()
        if event == 0 and self.c_row < 0 and self.end_row < 0:
            self._close()
        return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _event(self, kind: cython.int, row: cython.longlong, lane: cython.longlong) -> cython.int:
        self.flow = row
        if not self.F[row * WIDTH + LABEL] & TOLD:
            self.F[row * WIDTH + LABEL] |= TOLD
        # rows keep lanes in the order of their addresses; the outside counts from the initiator
        self.lane = lane ^ self.F[row * WIDTH + INIT]
        return kind

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _row(self, row: cython.longlong) -> cython.longlong:
        if row < 0 or row >= self.rows:
            raise IndexError("no such flow")
        return row * WIDTH

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _lane(self, row: cython.longlong, lane: cython.longlong) -> cython.longlong:
        """Offset of a lane's columns, for a lane counted from the initiator; -1 for datagrams, which have none."""
        r: cython.longlong = self._row(row)
        if lane < 0 or lane > 1:
            raise IndexError("no such lane")
        if self.F[r + KREST] & 0xFF != 6:
            return -1
        return row * LANES_WIDTH + (lane ^ self.F[r + INIT]) * LANE_WIDTH

    # ================================================================ records

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fetch(self) -> cython.int:
        """The next packet of the batch, or of a new batch. -1: more input is needed."""
        event: cython.int = 0
        while event == 0:
            while self.b_at < self.b_count:
                if not self._quick():
                    return self._unpack()
            if self.finishing is not None:
                return self._finish_next()
            event = self._fill()
            if self.b_count > 0:
                self._warm()
                self._recognise(self.b_count)
                event = 0
        if event != 0:
            self.position, self.ts_us, self.frame = self.cursor, self.last_ts, self.frames
        return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fill(self) -> cython.int:
        """Decode up to a batch of packets. Returns what ended it early: -1 or CORRUPT; both come again when it is worked off."""
        event: cython.int = 0
        tried: cython.int = 0
        self.b_at = self.b_count = self.b_known = 0
        if self.w_whole:
            self.mem = self.window
            self.w_other, self.w_whole = True, False
        while event == 0 and tried < BATCH and not self.p_whole:
            event = self._decode()
            tried += 1
        if self.p_whole:
            # a reassembled packet has memory of its own: it ends its batch
            if self.p_routed:
                self.batch[(self.b_count - 1) * BATCH_WIDTH + B_WHOLE] = 1
            self.whole = self.mem
            self.mem = self.window
            self.p_whole = False
        return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _decode(self) -> cython.int:
        """One record or block; a packet in it that belongs to a flow sets `stage` to ROUTE."""
        if self.kind == K_PCAP:
            return self._fetch_record()
        if self.kind == K_PCAPNG:
            return self._fetch_block()
        if self.kind == K_TPACKET:
            return self._fetch_tpacket()
        return -1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _warm(self) -> cython.int:
        """Ask for the memory of all flows of the batch, so that it is there when their turn comes."""
        if cython.compiled:
            number: cython.longlong
            row: cython.longlong
            place: cython.longlong
            for number in range(self.b_count):
                row = self.heads[self.batch[number * BATCH_WIDTH + B_HASH] & (self.buckets - 1)] - 1
                if row >= 0:
                    self._warm_row(row, self.batch[number * BATCH_WIDTH + B_REST] & 0xFF == 6)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _warm_row(self, row: cython.longlong, has_lanes: cython.bint) -> cython.int:
        """What most packets need: the row, and the first lines of both lanes."""
        r: cython.longlong = row * WIDTH
        base: cython.longlong = row * LANES_WIDTH
        if cython.compiled and 0 <= row < self.rows:
            PREFETCH(cython.address(self.F[r]))
            PREFETCH(cython.address(self.F[r + 8]))
            PREFETCH(cython.address(self.F[r + 16]))
            PREFETCH(cython.address(self.F[r + 24]))
            PREFETCH(cython.address(self.F[r + 32]))
            if has_lanes:
                PREFETCH(cython.address(self.L[base]))
                PREFETCH(cython.address(self.L[base + 8]))
                PREFETCH(cython.address(self.L[base + LANE_WIDTH]))
                PREFETCH(cython.address(self.L[base + LANE_WIDTH + 8]))
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _unpack(self) -> cython.int:
        """The next packet of the batch becomes the one under way."""
        b: cython.longlong = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        self.b_at += 1
        self.p_batch = b
        self.position = self.batch[b + B_POSITION]
        self.ts_us = self.batch[b + B_TS]
        self.frame = self.batch[b + B_FRAME]
        self.p_proto = self.batch[b + B_REST] & 0xFF
        self.p_data = self.batch[b + B_DATA]
        self.p_l4_end = self.batch[b + B_L4_END]
        self.p_len = self.batch[b + B_LEN]
        self.p_flags = self.batch[b + B_FLAGS]
        self.p_seq = self.batch[b + B_SEQ]
        self.p_ack = self.batch[b + B_ACK]
        self.p_segment = self.batch[b + B_SEGMENT]
        self.p_src_mac = self.batch[b + B_SRC_MAC]
        self.p_dst_mac = self.batch[b + B_DST_MAC]
        self.p_lane = self.batch[b + B_LANE]
        self.p_hash = self.batch[b + B_HASH]
        self.p_traits = self.batch[b + B_TRAITS]
        if self.batch[b + B_WHOLE]:
            self.mem = self.whole
            self.w_other = self.w_whole = True
        elif self.w_whole:
            self.mem = self.window
            self.w_other, self.w_whole = True, False
        self._tick()
        self.stage = S_ROUTE
        return 0

    # ---------------------------------------------------------------- most packets

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _quick(self) -> cython.bint:
        """Count the next packet of the batch, if that is all there is to do with it. False: nothing was done.

        Of a flow that is known and goes on as it did: a datagram that nobody wants, an acknowledgement, bytes in order that are
        left out. What it does with them is what the stages below would do.
        """
        b: cython.longlong = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        row: cython.longlong = self.heads[self.batch[b + B_HASH] & (self.buckets - 1)] - 1
        ts: cython.longlong = self.batch[b + B_TS]
        since: cython.longlong = ts + self.shift - self.clock
        length: cython.longlong = self.batch[b + B_LEN]
        if row < 0 or since < -LEAP_US or since > LEAP_US or self.batch[b + B_TRAITS] & TRAIT_DUPLICATE:
            return False
        clock: cython.longlong = self.clock + since if since > 0 else self.clock
        r: cython.longlong = row * WIDTH
        lane: cython.longlong = self.batch[b + B_LANE]
        if (
            clock - self.swept >= SWEEP_US
            or self.batch[b + B_L4_END] - self.batch[b + B_DATA] < length
            or not self._matches(r, b)
            or self.F[r + STATE] != LIVE
            or self.F[r + LIST] == L_HALF
            or ts // DAY_US > self.F[r + DAYNO]
            or not (self.F[r + SEEN] >> lane) & 1
        ):
            return False
        if self.batch[b + B_REST] & 0xFF == 17:
            if length > 0 and self.F[r + TURN0 + lane] >= 0:
                return False
        elif not self._only_counts(b, row, lane):
            return False
        self.now = self.clock = clock
        self.doubts = 0
        self.b_at += 1
        first: cython.longlong = self.F[r + FIRST_TS]
        self.F[r + LAST_TS] = ts if ts > first else first
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += length
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.batch[b + B_SRC_MAC]
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.batch[b + B_DST_MAC]
        since = clock - self.F[r + LINKED]
        if since >= SWEEP_US or since < 0:
            self._relink(row)
        return True

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _only_counts(self, b: cython.longlong, row: cython.longlong, lane: cython.longlong) -> cython.bint:
        """Whether a segment begins, ends and fills nothing: then its lanes are told of it."""
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        other: cython.longlong = base ^ LANE_WIDTH
        if row < 0 or (row + 1) * LANES_WIDTH > self.L.shape[0] or (row + 1) * WIDTH > self.F.shape[0]:
            return self._beyond()
        r: cython.longlong = row * WIDTH
        length: cython.longlong = self.batch[b + B_LEN]
        ack: cython.longlong = self.batch[b + B_ACK]
        heard: cython.longlong = self.L[base + TURN_ACK]
        newer: cython.longlong = self._distance(ack, heard) if heard >= 0 else 1
        if (
            self.batch[b + B_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK) != TCP_ACK
            or self.F[r + FLAGS] & F_FIN
            or self.L[base + PIECES]
            or self.L[other + PIECES]
            or newer > QUARTER32
        ):
            return False
        if length > 0:
            mode: cython.longlong = self.L[base + MODE]
            if self.batch[b + B_SEQ] != self.L[base + NEXT] or self.L[base + GAPSIZE]:
                return False
            if mode != CLOSED and not self._goes_on(base, mode, newer, length, self.batch[b + B_TS]):
                return False
            self.L[base + NEXT] = (self.L[base + NEXT] + length) & M32
            self.F[r + (LEFT_OUT if mode == OVER else SKIPPED)] += length
        if self.L[other + ACKED] < 0 or self._distance(ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = ack
        return True

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _goes_on(
        self, base: cython.longlong, mode: cython.longlong, newer: cython.longlong, length: cython.longlong,
        ts: cython.longlong,
    ) -> cython.bint:
        """Whether bytes in order are in the midst of a turn of which they are left out; if so, they are."""
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        if mode == READ or mode == SEARCH or newer > 0 or ts - self.L[base + DATA_TS] > self.turn_idle_us:
            return False
        if mode == SKIP:
            if self.L[base + LEFT] <= length:
                return False
            self.L[base + LEFT] -= length
        elif mode == OVER:
            self.L[base + OVERRUN] += length
        self.L[base + DATA_TS] = ts
        return True

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _relink(self, row: cython.longlong) -> cython.int:
        """To the end of its list."""
        kind: cython.longlong = self.F[row * WIDTH + LIST]
        self._unlink(row)
        return self._link(row, kind)

    # ---------------------------------------------------------------- the clock

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2)
    def _tick(self) -> cython.int:
        """The clock goes on by what the packet says, unless that is far away (see on top). A copy says nothing new."""
        if self.p_traits & TRAIT_DUPLICATE:
            return 0
        since: cython.longlong = self.ts_us + self.shift - self.clock
        if since < -LEAP_US or since > LEAP_US:
            return self._leap(since)
        if since > 0:
            self.clock += since
        self.now = self.clock
        self.doubts = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-2)
    def _leap(self, since: cython.longlong) -> cython.int:
        """Far ahead or far behind: how many packets in a row have said so decides."""
        self.now = self.clock + max(0, since)
        self.doubts = max(0, self.doubts) + 1 if since > 0 else min(0, self.doubts) - 1
        if self.doubts > 1 or self.serial == 0:
            self.clock = self.now
        elif self.doubts <= -SET_BACK_PACKETS:
            self.shift -= since
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _finish_next(self) -> cython.int:
        row = next(self.finishing, None)
        if row is None:
            return -1
        self._begin_end(row, R_EOF)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _need(self, count: cython.longlong) -> cython.int:
        self.needed = count
        return -1

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _fetch_record(self) -> cython.int:
        """A record of a pcap file: seconds, fraction, captured length, original length; 8 bytes more in the old variant."""
        at: cython.longlong = self.cursor
        header: cython.longlong = 24 if self.modified else 16
        if self.window_end - at < header:
            return self._need(header)
        if at < 0 or at + header > self.window.shape[0]:
            return self._beyond()
        captured: cython.longlong = self._number(at + 8)
        if captured > RECORD_MAX:
            return CORRUPT
        if self.window_end - at < header + captured:
            return self._need(header + captured)
        fraction: cython.longlong = self._number(at + 4)
        self.cursor = at + header + captured
        self._ask_ahead(at + AHEAD * (header + captured))
        self._stamp(self._number(at) * 1000000 + (fraction // 1000 if self.nano else fraction))
        self._packet(self.link, at + header, at + header + captured, self._number(at + 12))
        return 0

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _ask_ahead(self, at: cython.longlong) -> cython.int:
        """Ask for the headers of a packet some packets on, which is there where all are as long as this one: bulk is."""
        if cython.compiled and 0 <= at and at + 128 <= self.window.shape[0]:
            PREFETCH(cython.address(self.window[at]))
            PREFETCH(cython.address(self.window[at + 64]))
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fetch_block(self) -> cython.int:
        """A block of a pcapng file: type, total length, body, total length again."""
        at: cython.longlong = self.cursor
        if self.window_end - at < 12:
            return self._need(12)
        kind: cython.longlong = self._file32(at)
        if kind == 0x0A0D0D0A:
            if self._section(at) < 0:
                return CORRUPT
        elif not self.in_section:
            return CORRUPT
        total: cython.longlong = self._file32(at + 4)
        if total < 12 or total > BLOCK_MAX:
            return CORRUPT
        total = (total + 3) & ~3
        if self.window_end - at < total:
            return self._need(total)
        if (kind == 6 or kind == 2) and not self._sound(at + 8, at + total - 4):
            return CORRUPT
        self.cursor = at + total
        if kind == 6 or kind == 2:
            return self._enhanced(kind, at + 8, at + total - 4)
        if kind == 3:
            return self._simple(at + 8, at + total - 4)
        if kind == 1:
            self._interface(at + 8, at + total - 4)
        elif kind == 0x0A0D0D0A:
            self.interfaces = []
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _section(self, at: cython.longlong) -> cython.int:
        """Byte order of a section, from its magic number. -1: it has none."""
        magic: cython.longlong = self._wide32(at + 8)
        if magic == 0x1A2B3C4D:
            self.big = True
        elif magic == 0x4D3C2B1A:
            self.big = False
        else:
            return -1
        self.in_section = True
        return 0

    @cython.cfunc
    def _interface(self, at: cython.longlong, end: cython.longlong):
        """An Interface Description Block: link type and, in its options, name (2), resolution (9) and offset (14) of time."""
        if end - at < 8 or len(self.interfaces) >= INTERFACES_MAX:
            self.interfaces.append((-1, 1000000, 0))
            return
        link: cython.longlong = self._file16(at)
        units: cython.longlong = 1000000
        offset: cython.longlong = 0
        code: cython.longlong
        length: cython.longlong
        at += 8
        while end - at >= 4:
            code, length = self._file16(at), self._file16(at + 2)
            at += 4
            if code == 0 or length > end - at:
                break
            if code == 9 and length >= 1:
                units = self._resolution(self.window[at])
            elif code == 14 and length >= 8:
                offset = self._seconds(at)
            elif code == 2 and len(self.interfaces) < SOURCES - 1:
                self.names.setdefault(len(self.interfaces), bytes(self.window[at : at + min(length, 64)]).decode("utf-8", "replace"))
            at += (length + 3) & ~3
        self.interfaces.append((link, units, offset))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _resolution(self, code: cython.longlong) -> cython.longlong:
        """Units to the second: a negative power of ten, or of two where the top bit is set."""
        units: cython.longlong = 1
        steps: cython.longlong = min(code & 0x7F, 62 if code & 0x80 else 18)
        while steps > 0:
            units *= 2 if code & 0x80 else 10
            steps -= 1
        return units

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _seconds(self, at: cython.longlong) -> cython.longlong:
        """A signed 64-bit number of seconds, as far as it makes sense: the years 1 to 9999 either way."""
        high: cython.longlong = self._file32(at if self.big else at + 4)
        low: cython.longlong = self._file32(at + 4 if self.big else at)
        if high & HALF32:
            high -= M32 + 1
        return max(-SECONDS_MAX, min(high * (M32 + 1) + low, SECONDS_MAX))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _sound(self, at: cython.longlong, end: cython.longlong) -> cython.bint:
        """Whether the captured length of a packet block fits the block; a block too small for one is left alone."""
        if end - at < 20:
            return True
        captured: cython.longlong = self._file32(at + 12)
        return captured <= end - at - 20 and captured <= RECORD_MAX

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _enhanced(self, kind: cython.longlong, at: cython.longlong, end: cython.longlong) -> cython.int:
        """An Enhanced Packet Block (6), or the old Packet Block (2), whose interface number has 16 bits."""
        if end - at < 20:
            return 0
        number: cython.longlong = self._file32(at) if kind == 6 else self._file16(at)
        captured: cython.longlong = self._file32(at + 12)
        # a time with the top bit set would be negative here: no clock says that
        ticks: cython.longlong = (self._file32(at + 4) & (HALF32 - 1)) << 32 | self._file32(at + 8)
        return self._interface_packet(number, ticks, at + 20, at + 20 + captured, self._file32(at + 16))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _simple(self, at: cython.longlong, end: cython.longlong) -> cython.int:
        """A Simple Packet Block: original length and bytes, on interface 0, without time."""
        if end - at < 4:
            return 0
        original: cython.longlong = self._file32(at)
        captured: cython.longlong = min(original, end - at - 4)
        return self._interface_packet(0, -1, at + 4, at + 4 + captured, original)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _interface_packet(
        self, number: cython.longlong, ticks: cython.longlong, at: cython.longlong, end: cython.longlong,
        original: cython.longlong,
    ) -> cython.int:
        """A packet of interface `number`; `ticks` is its time in that interface's units, or -1."""
        link: cython.longlong = -1
        units: cython.longlong = 0
        offset: cython.longlong = 0
        moment: cython.longlong = self.last_ts
        if number < len(self.interfaces):
            link, units, offset = self.interfaces[number]
            if ticks >= 0:
                moment = self._moment(ticks, units) + offset * 1000000
        self.p_source = min(number, SOURCES - 1) * SEGMENTS
        self._stamp(min(max(moment, 0), SECONDS_MAX * 1000000))
        self._packet(link, at, end, original)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _moment(self, ticks: cython.longlong, units: cython.longlong) -> cython.longlong:
        """Microseconds, in whole numbers of 64 bits."""
        if units == 1000000:
            return min(ticks, SECONDS_MAX * 1000000)
        seconds: cython.longlong = min(ticks // units, SECONDS_MAX)
        rest: cython.longlong = ticks % units
        while units > 1000000000000:
            units //= 1000
            rest //= 1000
        return seconds * 1000000 + rest * 1000000 // units

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fetch_tpacket(self) -> cython.int:
        """A packet of a TPACKET_V3 block. Spec: struct tpacket3_hdr in linux/if_packet.h.

            0 next (0: the last)   4 seconds   8 nanoseconds   12 captured   16 original   20 status   24 offset of the frame
            32 VLAN tag that the kernel has taken out   36 its type
        """
        at: cython.longlong = self.cursor
        if self.window_end - at < TPACKET_HEADER:
            return self._need(TPACKET_HEADER)
        following: cython.longlong = self._file32(at)
        captured: cython.longlong = self._file32(at + 12)
        start: cython.longlong = at + self._file16(at + 24)
        if start < at + TPACKET_HEADER + 4 or self.window_end - start < captured or self.window_end - at < following:
            return CORRUPT
        if following and following < TPACKET_HEADER:
            return CORRUPT
        self.cursor = at + following if following else self.window_end
        self._ask_ahead(at + AHEAD * following)
        self._stamp(self._file32(at + 4) * 1000000 + self._file32(at + 8) // 1000)
        original: cython.longlong = self._file32(at + 16)
        end: cython.longlong = start + captured
        if self.link == 1 and self._file32(at + 20) & TPACKET_VLAN and captured >= 14:
            self._tag_again(at, start)
            start -= 4
            original += 4
        self._packet(self.link, start, end, original)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _tag_again(self, at: cython.longlong, start: cython.longlong) -> cython.int:
        """Put a VLAN tag back where it was on the wire: both addresses move four bytes forward, into room kept for it."""
        tag: cython.longlong = self._file32(at + 32)
        kind: cython.longlong = self._file16(at + 36) if self._file32(at + 20) & TPACKET_TPID else 0x8100
        place: cython.longlong
        for place in range(start - 4, start + 8):
            self.window[place] = self.window[place + 4]
        self.window[start + 8] = cython.cast(cython.uchar, kind >> 8 & 0xFF)
        self.window[start + 9] = cython.cast(cython.uchar, kind & 0xFF)
        self.window[start + 10] = cython.cast(cython.uchar, tag >> 8 & 0xFF)
        self.window[start + 11] = cython.cast(cython.uchar, tag & 0xFF)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2, check=True)
    def _stamp(self, ts: cython.longlong) -> cython.int:
        if ts < self.last_ts:
            self.n[C_BACKWARDS] += 1
            if self.last_ts - ts > JUMP_US:
                self.n[C_JUMPS] += 1
        self.last_ts = ts
        self.frames += 1
        self.n[C_PACKETS] += 1
        return 0

    # ================================================================ loads

    # The checked leaves: one test of the range each, then bytes without one. With them, all that is trusted are the functions
    # of headers (`_fetch_record`, `_plain`, `_tcp_header`, `_udp_header`, `_to_route`), of the batch (`_unpack`, `_hash`,
    # `_describe`, `_recognise`, `_is_copy`, `_matches`, `_quick`, `_only_counts`, `_goes_on`) and of tables (`_count`,
    # `_clear`, `_init_lane`), which test the range of all that they touch once; `boundscheck(False)` marks each of them.

    @cython.cfunc
    @cython.exceptval(-2)
    def _beyond(self) -> cython.int:
        """Raises; a function of its own, so that what calls it is small."""
        raise IndexError("beyond a table, the window or the packet")

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _le32(self, at: cython.longlong) -> cython.longlong:
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        if cython.compiled:
            return FILE32(cython.address(self.window[at]), 0)
        return int.from_bytes(self.window[at : at + 4], "little")

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _wide32(self, at: cython.longlong) -> cython.longlong:
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        if cython.compiled:
            return BE32(cython.address(self.window[at]))
        return int.from_bytes(self.window[at : at + 4], "big")

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _be32(self, at: cython.longlong) -> cython.longlong:
        if at < 0 or at + 4 > self.mem.shape[0]:
            return self._beyond()
        if cython.compiled:
            return BE32(cython.address(self.mem[at]))
        return int.from_bytes(self.mem[at : at + 4], "big")

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _be16(self, at: cython.longlong) -> cython.longlong:
        if at < 0 or at + 2 > self.mem.shape[0]:
            return self._beyond()
        if cython.compiled:
            return BE16(cython.address(self.mem[at]))
        return self.mem[at] << 8 | self.mem[at + 1]

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _mac(self, at: cython.longlong) -> cython.longlong:
        if at < 0 or at + 6 > self.mem.shape[0]:
            return self._beyond()
        if cython.compiled:
            return BE16(cython.address(self.mem[at])) << 32 | BE32(cython.address(self.mem[at + 2]))
        return int.from_bytes(self.mem[at : at + 6], "big")

    # For callers that have tested the range of all they read: a header at a time.

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _two(self, at: cython.longlong) -> cython.longlong:
        if cython.compiled:
            return BE16(cython.address(self.mem[at]))
        return self.mem[at] << 8 | self.mem[at + 1]

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _four(self, at: cython.longlong) -> cython.longlong:
        if cython.compiled:
            return BE32(cython.address(self.mem[at]))
        return int.from_bytes(self.mem[at : at + 4], "big")

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _number(self, at: cython.longlong) -> cython.longlong:
        """As `_file32`."""
        if cython.compiled:
            return FILE32(cython.address(self.window[at]), self.big)
        return int.from_bytes(self.window[at : at + 4], "big" if self.big else "little")

    @cython.cfunc
    def _packet_bytes(self, at: cython.longlong, end: cython.longlong):
        """A copy of bytes of the packet: one test of the range, then one memcpy."""
        if at < 0 or end > self.mem.shape[0]:
            raise IndexError("beyond the packet")
        if at >= end:
            return b""
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.mem[at])), end - at)
        return bytes(self.mem[at:end])

    @cython.cfunc
    def _lane_bytes(self, at: cython.longlong, end: cython.longlong):
        """The same for the bytes of a lane under way: of the packet, or of a segment that was kept."""
        if at < 0 or end > self.w.shape[0]:
            raise IndexError("beyond the segment")
        if at >= end:
            return b""
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.w[at])), end - at)
        return bytes(self.w[at:end])

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2)
    def _file32(self, at: cython.longlong) -> cython.longlong:
        """A number of the capture file, in the byte order of its writer."""
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        return self._number(at)

    @cython.cfunc
    @cython.exceptval(-2)
    def _file16(self, at: cython.longlong) -> cython.longlong:
        if self.big:
            return cython.cast(cython.longlong, self.window[at]) << 8 | cython.cast(cython.longlong, self.window[at + 1])
        return cython.cast(cython.longlong, self.window[at]) | cython.cast(cython.longlong, self.window[at + 1]) << 8

    # ================================================================ link layers

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _packet(
        self, link: cython.longlong, at: cython.longlong, end: cython.longlong, original: cython.longlong
    ) -> cython.int:
        """One captured packet: sets `stage` to ROUTE when it belongs to a flow."""
        self.n[C_BYTES] += end - at
        self.p_said = end
        if original > end - at:
            self.n[C_TRUNCATED] += 1
            self.p_said = at + original
        self.p_src_mac = self.p_dst_mac = self.p_vlan = -1
        self.p_end = end
        self.p_routed = False
        if link != 1:
            self._other_link(link, at)
        elif not self._plain(at, end):
            self._ethernet(at)
        if self.inner != I_NONE:
            self._unwrap()
        return self._count(end - at, original)

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _plain(self, at: cython.longlong, end: cython.longlong) -> cython.bint:
        """Most packets at one go: Ethernet with one tag at most, then IPv4 without options or fragments.

        Decides as the layers below do; False, and nothing is done, where it does not decide.
        """
        if at < 0 or end > self.mem.shape[0] or end - at < 38:
            return False
        ip: cython.longlong = at + 14
        vlan: cython.longlong = -1
        kind: cython.longlong = self._two(at + 12)
        if kind == 0x8100:
            vlan = self._two(at + 14) & 0xFFF
            kind = self._two(at + 16)
            ip = at + 18
        total: cython.longlong = self._two(ip + 2)
        if kind != 0x0800 or self.mem[ip] != 0x45 or total < 20 or self._two(ip + 6) & 0x3FFF:
            return False
        self.p_dst_mac = self._two(at) << 32 | self._four(at + 2)
        self.p_src_mac = self._two(at + 6) << 32 | self._four(at + 8)
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

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _count(self, captured: cython.longlong, original: cython.longlong) -> cython.int:
        """What was decoded counts for its segment."""
        if self.last_ts >= self.hour_to or self.last_ts < self.hour_from:
            self._turn_hour()
        segment: cython.longlong = self.p_source + self.p_vlan + 1
        if self.p_tunnel:
            if self.p_vlan < 0:
                segment = self.p_source + self.p_tunnel
            self.p_tunnel = 0
        self.p_segment = segment
        at: cython.longlong = segment * SEGMENT_WIDTH
        if at < 0 or at + SEGMENT_WIDTH > self.T.shape[0]:
            return self._beyond()
        if self.T[at] == 0:
            self.touched.append(segment)
        self.T[at] += 1
        self.T[at + N_BYTES] += original if original > captured else captured
        if self.p_dst_mac & GROUP and self.p_dst_mac > 0:
            self.T[at + N_GROUP] += 1
        if original > captured:
            self.T[at + N_TRUNCATED] += 1
        if self.p_routed:
            self.batch[(self.b_count - 1) * BATCH_WIDTH + B_SEGMENT] = segment
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _outermost(self) -> cython.int:
        """The next packet is in no tunnel yet."""
        self.inner = I_NONE
        self.p_around = self.p_layers = self.p_inside = 0
        self.p_named = False
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _unwrap(self) -> cython.int:
        """Layer by layer into what a packet carries. A loop, not a recursion: the work is bounded, and so is the stack."""
        while self.inner != I_NONE:
            kind: cython.longlong = self.inner
            at: cython.longlong = self.inner_at
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _go_on(self, kind: cython.longlong, at: cython.longlong, ether_type: cython.longlong) -> cython.int:
        """Another layer follows at `at`: `_unwrap` takes it up."""
        self.inner, self.inner_at, self.inner_kind = kind, at, ether_type
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _other_link(self, link: cython.longlong, at: cython.longlong) -> cython.int:
        if link == 113:
            return self._cooked(at, 16, 14, 4, 6)
        if link == 276:
            return self._cooked(at, 20, 0, 11, 12)
        if link == 101 or link == 12 or link == 14 or link == 228 or link == 229:
            return self._raw(at)
        if link == 0 or link == 108:
            return self._loop(at, link == 108)
        if link == 9 or link == 50 or link == 104 or link == 166:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _hdlc(self, at: cython.longlong, link: cython.longlong) -> cython.int:
        """PPP (9, 50, 166), or Cisco's HDLC (104, or 50 with Cisco's address): address, control, Ethernet type."""
        if self.p_end - at < 4:
            return self._bad()
        if link == 104 or (link == 50 and (self.mem[at] == 0x0F or self.mem[at] == 0x8F)):
            return self._go_on(I_TYPE, at + 4, self._be16(at + 2))
        if link == 166:
            at += 2  # its address says which direction the packet went
        return self._ppp(at)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fddi(self, at: cython.longlong) -> cython.int:
        if self.p_end - at < 13:
            return self._bad()
        self.p_dst_mac, self.p_src_mac = self._mac(at + 1), self._mac(at + 7)
        return self._llc(at + 13)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _nflog(self, at: cython.longlong) -> cython.int:
        """Linux netfilter log: family, version, queue, then attributes (length, type) of which 9 is the packet."""
        at += 4
        seen: cython.int = 0
        while self.p_end - at >= 4 and seen < ATTRIBUTES_MAX:
            length: cython.longlong = self._file16(at)
            kind: cython.longlong = self._file16(at + 2) & 0x7FFF
            if length < 4 or length > self.p_end - at:
                return self._bad()
            if kind == 9:
                return self._go_on(I_IP, at + 4, 0)
            at += (length + 3) & ~3
            seen += 1
        return self._bad()

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ppi(self, at: cython.longlong) -> cython.int:
        """Per-packet information: version, flags, length, and the link type of what follows; all little-endian."""
        if self.p_end - at < 8:
            return self._bad()
        length: cython.longlong = self._le32(at) >> 16
        if length < 8 or length > self.p_end - at:
            return self._bad()
        return self._go_on(I_LINK, at + length, self._le32(at + 4))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ethernet(self, at: cython.longlong) -> cython.int:
        if self.p_end - at < 14:
            return self._bad()
        self.p_dst_mac = self._mac(at)
        self.p_src_mac = self._mac(at + 6)
        return self._ether_type(self._be16(at + 12), at + 14)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _cooked(
        self, at: cython.longlong, header: cython.longlong, proto_at: cython.longlong, length_at: cython.longlong,
        address_at: cython.longlong,
    ) -> cython.int:
        """Linux cooked capture, version 1 or 2: the sender's address only. Its length field is the low byte at `length_at`."""
        if self.p_end - at < header:
            return self._bad()
        length: cython.longlong = self.mem[at + 11] if header == 20 else self._be16(at + length_at)
        if length == 6:
            self.p_src_mac = self._mac(at + address_at)
        kind: cython.longlong = self._be16(at + proto_at)
        return self._llc(at + header) if kind == 4 else self._ether_type(kind, at + header)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _raw(self, at: cython.longlong) -> cython.int:
        if self.p_end - at < 1:
            return self._bad()
        version: cython.int = self.mem[at] >> 4
        if version == 4:
            return self._ipv4(at)
        if version == 6:
            return self._ipv6(at)
        return self._bad()

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _loop(self, at: cython.longlong, network_order: cython.bint) -> cython.int:
        """BSD loopback: an address family in the byte order of the machine that captured."""
        if self.p_end - at < 4:
            return self._bad()
        return self._raw(at + 4)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ether_type(self, kind: cython.longlong, at: cython.longlong) -> cython.int:
        """IP behind any number of VLAN tags (802.1Q, 802.1ad, and what came before it)."""
        tags: cython.int = 0
        while (kind == 0x8100 or kind == 0x88A8 or kind == 0x9100 or kind == 0x9200) and tags < TAGS_MAX:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _other_ether_type(self, kind: cython.longlong, at: cython.longlong) -> cython.int:
        if kind == 0x8847 or kind == 0x8848:
            return self._mpls(at)
        if kind == 0x8864:
            return self._pppoe(at)
        if kind == 0x88E7:
            return self._service_tag(at)
        if kind == 0x8903:
            return self._go_on(I_ETHERNET, at + 2, 0)  # FabricPath: a forwarding tag, then the frame
        if kind == 0x8926 or kind == 0x893F or kind == 0x8909:
            return self._port_tag(at, 6 if kind == 0x8926 else 8)
        if kind == 0x894F:
            return self._service_header(at)
        if kind <= 1500:
            self.p_end = min(self.p_end, at + kind)
            return self._llc(at)
        self.n[C_NOT_IP] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _port_tag(self, at: cython.longlong, size: cython.longlong) -> cython.int:
        """VN-Tag, 802.1BR E-Tag, Cisco metadata: which port of an extender it was; the next Ethernet type is its end."""
        if self.p_end - at < size:
            return self._bad()
        return self._go_on(I_TYPE, at + size, self._be16(at + size - 2))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _service_header(self, at: cython.longlong) -> cython.int:
        """RFC 8300: length in words in the low 6 bits of byte 1, and in byte 3 what follows."""
        if self.p_end - at < 8:
            return self._bad()
        size: cython.longlong = (self.mem[at + 1] & 63) * 4
        kind: cython.longlong = self.mem[at + 3]
        if size < 8 or size > self.p_end - at:
            return self._bad()
        if kind == 1 or kind == 2:
            return self._go_on(I_TYPE, at + size, 0x0800 if kind == 1 else 0x86DD)
        if kind == 3:
            self._leave_outside(self._scope())
            return self._go_on(I_ETHERNET, at + size, 0)
        if kind == 5:
            return self._go_on(I_MPLS, at + size, 0)
        self.n[C_NOT_IP] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _service_tag(self, at: cython.longlong) -> cython.int:
        """802.1ah: flags and a 24-bit service instance, then the customer's whole frame."""
        if self.p_end - at < 4:
            return self._bad()
        self._tunnel(T_ISID, self._be32(at) & 0xFFFFFF)
        return self._go_on(I_ETHERNET, at + 4, 0)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _llc(self, at: cython.longlong) -> cython.int:
        """802.2 with SNAP of organisation 0: an Ethernet type follows. Everything else is no IP."""
        if self.p_end - at >= 8 and self._be16(at) == 0xAAAA and self._be32(at + 2) == 0x03000000:
            return self._go_on(I_TYPE, at + 8, self._be16(at + 6))
        self.n[C_NOT_IP] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _mpls(self, at: cython.longlong) -> cython.int:
        """RFC 3032: labels down to the bottom of the stack."""
        labels: cython.int = 0
        bottom: cython.longlong = 0
        while not bottom:
            if self.p_end - at < 5 or labels >= TAGS_MAX:
                return self._bad()
            bottom = self.mem[at + 2] & 1
            at += 4
            labels += 1
        self.n[C_TUNNELLED] += 1
        return self._below_labels(at, self.mem[at] >> 4)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _below_labels(self, at: cython.longlong, nibble: cython.longlong) -> cython.int:
        """Nothing says what labels carry: IP by its version (RFC 4928), else a frame, with a control word (RFC 4448) or not."""
        if (nibble == 4 or nibble == 6) and self._is_ip(at, self.p_said):
            return self._go_on(I_IP, at, 0)
        # a tagged frame without a control word looks like an untagged one with it, not the other way round
        frame: cython.longlong = at if nibble or self._is_ethernet(at, self.p_said) else at + 4
        if self._is_ethernet(frame, self.p_said):
            self._leave_outside(self._scope())
            return self._go_on(I_ETHERNET, frame, 0)
        if nibble == 4 or nibble == 6:
            return self._go_on(I_IP, at, 0)
        self.n[C_NOT_IP] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _pppoe(self, at: cython.longlong) -> cython.int:
        """RFC 2516, a session: version and type, code, session, length, then PPP."""
        if self.p_end - at < 8 or self.mem[at] != 0x11:
            return self._bad()
        self.n[C_TUNNELLED] += 1
        self.p_said = min(self.p_said, at + 6 + self._be16(at + 4))
        self.p_end = min(self.p_end, self.p_said)
        return self._ppp(at + 6)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ppp(self, at: cython.longlong) -> cython.int:
        """RFC 1661: a protocol of one byte when that is odd (RFC 1662 has two bytes before it)."""
        if self.p_end - at >= 4 and self.mem[at] == 0xFF and self.mem[at + 1] == 3:
            at += 2
        if self.p_end - at < 2:
            return self._bad()
        kind: cython.longlong = self.mem[at]
        if kind & 1:
            at += 1
        else:
            kind = self._be16(at)
            at += 2
        if kind == 0x21 or kind == 0x57:
            return self._go_on(I_TYPE, at, 0x0800 if kind == 0x21 else 0x86DD)
        if kind == 0x281:
            return self._go_on(I_MPLS, at, 0)
        self.n[C_NOT_IP] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _bad(self) -> cython.int:
        self.n[C_BAD] += 1
        return 0

    # ================================================================ network layer

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ipv4(self, at: cython.longlong) -> cython.int:
        """RFC 791. A total length of 0 is a segment that the sender's card has still to cut: the rest of the frame."""
        if self.p_end - at < 20 or self.mem[at] >> 4 != 4:
            return self._bad()
        header: cython.longlong = (self.mem[at] & 15) * 4
        total: cython.longlong = self._be16(at + 2)
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
        end: cython.longlong = min(self.p_end, at + total)
        fragment: cython.longlong = self._be16(at + 6)
        if fragment & 0x3FFF:
            return self._fragment(
                self.p_ident, (fragment & 0x1FFF) * 8, (fragment & 0x2000) != 0, at + header, end, total - header
            )
        return self._above_ip(at + header, end, total - header)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _ipv6(self, at: cython.longlong) -> cython.int:
        """RFC 8200, with its extension headers."""
        if self.p_end - at < 40 or self.mem[at] >> 4 != 6:
            return self._bad()
        length: cython.longlong = self._be16(at + 4)
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _extensions(self, kind: cython.longlong, at: cython.longlong, whole_end: cython.longlong) -> cython.int:
        end: cython.longlong = min(self.p_end, whole_end)
        count: cython.int = 0
        while kind == 0 or kind == 43 or kind == 60 or kind == 51 or kind == 135 or kind == 139 or kind == 140 or kind == 44:
            if end - at < 8 or count >= EXTENSIONS_MAX:
                return self._bad()
            if kind == 44 and self._be16(at + 2) & 0xFFF9:
                return self._fragment_header(at, end, whole_end)
            size: cython.longlong = (self.mem[at + 1] + 1) * 8
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fragment_header(self, at: cython.longlong, end: cython.longlong, whole_end: cython.longlong) -> cython.int:
        """RFC 8200 4.5. Fragments right inside a reassembled packet are refused: they would nest without a bound."""
        if self.p_whole and self.p_whole_at == self.p_layers:
            return self._bad()
        self.p_proto = self.mem[at]
        place: cython.longlong = self._be16(at + 2)
        ident: cython.longlong = self._be32(at + 4)
        self.p_ident = ident & M16
        return self._fragment(ident, place & 0xFFF8, (place & 1) != 0, at + 8, end, whole_end - at - 8)

    @cython.cfunc
    def _fragment(
        self, ident: cython.longlong, offset: cython.longlong, more: cython.bint, at: cython.longlong, end: cython.longlong,
        length: cython.longlong,
    ) -> cython.int:
        """Keep a fragment; when its datagram is whole, go on with that. First bytes win."""
        self.n[C_FRAGS] += 1
        if end - at < length or length < 1 or offset + length > DATAGRAM_MAX or (more and length & 7):
            self.fragments.refuse()
            return 0
        scope: cython.longlong = self._scope()
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _secretly(self, ends, ident: cython.longlong) -> cython.longlong:
        """A keyed hash: Python's own of numbers is the same everywhere, and whoever sends could make them collide."""
        h: cython.longlong = ident
        word: cython.longlong
        for word in ends:
            h = self._mix(h, word)
        return h

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2, check=True)
    def _scope(self) -> cython.longlong:
        """Of the VLAN; inside a tunnel that the site names, of the tunnel; inside another, as around it if all else is silent."""
        if self.p_named:
            return self.p_around
        scope: cython.longlong = self.scopes[self.p_vlan] if self.p_vlan >= 0 else 0
        return scope if scope else self.p_around

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2, check=True)
    def _above_ip(self, at: cython.longlong, end: cython.longlong, length: cython.longlong) -> cython.int:
        """Transport headers. `end`: where the captured bytes end; `length`: how many IP says there are."""
        if self.p_proto == 6:
            return self._tcp_header(at, end, length)
        if self.p_proto == 17:
            return self._udp_header(at, end, length)
        return self._tunnel_of_ip(at, end, at + length)

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _tcp_header(self, at: cython.longlong, end: cython.longlong, length: cython.longlong) -> cython.int:
        if end - at < 20:
            return self._bad()
        if at < 0 or end > self.mem.shape[0]:
            return self._beyond()
        header: cython.longlong = (self.mem[at + 12] >> 4) * 4
        if header < 20 or header > length:
            return self._bad()
        self.p_seq = self._four(at + 4)
        self.p_ack = self._four(at + 8)
        self.p_flags = self.mem[at + 13]
        self.p_sum = self._two(at + 16)
        self.n[C_TCP] += 1
        return self._to_route(at, min(at + header, end), end, length - header)

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _udp_header(self, at: cython.longlong, end: cython.longlong, length: cython.longlong) -> cython.int:
        if end - at < 8:
            return self._bad()
        if at < 0 or end > self.mem.shape[0]:
            return self._beyond()
        said: cython.longlong = self._two(at + 4)
        if said >= 8 and said < length:
            length = said
        if self._may_be_tunnel(at) and self._tunnel_of_udp(at, min(end, at + length), at + length):
            return 0
        self.p_flags = self.p_seq = self.p_ack = 0
        self.p_sum = self._two(at + 6)
        self.n[C_UDP] += 1
        return self._to_route(at, at + 8, min(end, at + length), length - 8)

    # ================================================================ tunnels

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _tunnel(self, kind: cython.longlong, number: cython.longlong) -> cython.int:
        """Go into a tunnel: its endpoints are nobody's address inside, and the site may know it by its number."""
        scope: cython.longlong = self._scope()
        named: cython.longlong = self._scope_named(kind << 32 | number)
        self.n[C_TUNNELLED] += 1
        if named:
            self.p_named = True
            scope = named
        if kind != T_NONE or self.p_tunnel == 0:
            self.p_tunnel = self.t_place
        return self._leave_outside(scope)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave_outside(self, scope: cython.longlong) -> cython.int:
        """Link addresses and VLAN outside are those of who carries, not of who is carried."""
        self.p_around = scope
        self.p_inside = TRAIT_TUNNELLED
        self.p_src_mac = self.p_dst_mac = self.p_vlan = -1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _scope_named(self, key: cython.longlong) -> cython.longlong:
        """The scope that the site gives a tunnel, or 0. The last answer is kept: a mirror's packets come in one tunnel."""
        if key != self.t_key:
            self.t_key = key
            self.t_scope = self.tunnels.get(key, 0)
            self.t_place = self._place(key)
        return self.t_scope

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _place(self, key: cython.longlong) -> cython.longlong:
        """Where a tunnel is counted; those beyond what there is room for share the last place."""
        found = self.places.get(key)
        if found is None:
            found = TUNNELS_FROM + len(self.places)
            if found >= SEGMENTS - 1:
                return SEGMENTS - 1
            self.places[key] = found
            self.place_keys.append(key)
        return found

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _tunnel_of_ip(self, at: cython.longlong, end: cython.longlong, said: cython.longlong) -> cython.int:
        """What IP carries besides TCP and UDP. `end` and `said`: where it ends here, and where it ended on the wire."""
        proto: cython.longlong = self.p_proto
        if proto == 51:
            return self._authenticated(at, end, said)
        if proto != 4 and proto != 41 and proto != 47 and proto != 97 and proto != 137:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _authenticated(self, at: cython.longlong, end: cython.longlong, said: cython.longlong) -> cython.int:
        """RFC 4302 over IPv4: next header, length in words less two. Only one, as its own protocol may not follow."""
        if end - at < 12:
            return self._bad()
        size: cython.longlong = (self.mem[at + 1] + 2) * 4
        self.p_proto = self.mem[at]
        if size < 12 or size > end - at or self.p_proto == 51:
            return self._bad()
        self.p_end, self.p_said = end, said
        return self._go_on(I_ABOVE, at + size, 0)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _gre(self, at: cython.longlong) -> cython.int:
        """RFC 2784 and 2890: flags, type, then checksum, key and sequence if flagged; RFC 2637 has version 1 for PPP."""
        flags: cython.longlong = self._be16(at)
        kind: cython.longlong = self._be16(at + 2)
        size: cython.longlong = 4
        key: cython.longlong = -1
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _in_gre(
        self, kind: cython.longlong, key: cython.longlong, numbered: cython.bint, at: cython.longlong
    ) -> cython.int:
        if kind == 0x88BE or kind == 0x22EB:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _nvgre(self, key: cython.longlong) -> cython.int:
        """The site may know the tunnel by its subnet, or by its whole key."""
        subnet: cython.longlong = T_VSID
        if key >= 0 and self._scope_named(subnet << 32 | key >> 8):
            return self._tunnel(T_VSID, key >> 8)
        return self._tunnel(T_GRE if key >= 0 else T_NONE, max(key, 0))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _erspan(self, at: cython.longlong, numbered: cython.bint) -> cython.int:
        """Type I has no header; II (version 1) has 8 bytes, III (version 2) 12 or 20: version, VLAN, flags, session."""
        if not numbered:
            self._tunnel(T_NONE, 0)
            return self._go_on(I_ETHERNET, at, 0)
        if self.p_end - at < 12:
            return self._bad()
        version: cython.longlong = self.mem[at] >> 4
        if version != 1 and version != 2:
            self.n[C_REFUSED] += 1
            return 0
        vlan: cython.longlong = self._be16(at) & 0xFFF
        size: cython.longlong = 8
        kind: cython.longlong = I_ETHERNET
        if version == 2:
            traits: cython.longlong = self._be16(at + 10)
            size = 20 if traits & 1 else 12
            kind = I_IP if (traits >> 10) & 31 == 2 else I_ETHERNET
        self._tunnel(T_ERSPAN, self._be16(at + 2) & 0x3FF)
        self.p_vlan = vlan if vlan else -1
        return self._go_on(kind, at + size, 0)

    # ---------------------------------------------------------------- tunnels over UDP: believed when what is inside fits

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _may_be_tunnel(self, at: cython.longlong) -> cython.bint:
        """A bit for each tunnel's port modulo 64, so that one test sorts nearly every datagram out."""
        return (TUNNEL_PORTS >> (self._be16(at + 2) & 63)) & 1 == 1 or self._be16(at) == 3544

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _tunnel_of_udp(self, at: cython.longlong, end: cython.longlong, said: cython.longlong) -> cython.bint:
        """Whether a datagram at `at` is a tunnel's. A port proves nothing: on a mismatch it is a datagram like any other."""
        port: cython.longlong = self._be16(at + 2)
        if self._be16(at) == 3544 and port != 4789:
            port = 3544
        if port != 4789 and port != 8472 and port != 4790 and port != 6081 and port != 2152 and port != 3544:
            return False
        if self.p_layers >= LAYERS_MAX:
            self.n[C_DEEP] += 1
            return False
        outer_end: cython.longlong = self.p_end
        self.p_end = end
        if end - at >= 16 and self._in_udp(port, at + 8, said):
            self.p_said = said
            return True
        self.p_end = outer_end
        self.n[C_REFUSED] += 1
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _in_udp(self, port: cython.longlong, at: cython.longlong, said: cython.longlong) -> cython.bint:
        if port == 2152:
            return self._gtp(at, said)
        if port == 3544:
            return self._teredo(at, said)
        if port == 6081:
            return self._geneve(at, said)
        return self._vxlan(at, said, port == 4790)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _vxlan(self, at: cython.longlong, said: cython.longlong, generic: cython.bint) -> cython.bint:
        """RFC 7348: flags with I set, 24-bit network at offset 4, a zero. The generic extension says at 3 what follows."""
        kind: cython.longlong = 3
        if self.mem[at] & 8 == 0 or self.mem[at + 7] != 0:
            return False
        if generic and self.mem[at] & 4:
            kind = self.mem[at + 3]
        return self._believe(T_VNI, self._be32(at + 4) >> 8, 0x6558 if kind == 3 else kind, at + 8, said)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _geneve(self, at: cython.longlong, said: cython.longlong) -> cython.bint:
        """RFC 8926: version 0 and length of options, flags, type, 24-bit network, a zero, options."""
        size: cython.longlong = 8 + (self.mem[at] & 63) * 4
        if self.mem[at] >> 6 or self.mem[at + 1] & 63 or self.mem[at + 7] or size > self.p_end - at:
            return False
        return self._believe(T_VNI, self._be32(at + 4) >> 8, self._be16(at + 2), at + size, said)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _believe(
        self, kind: cython.longlong, number: cython.longlong, ether_type: cython.longlong, at: cython.longlong,
        said: cython.longlong,
    ) -> cython.bint:
        """Go in if what is there is a frame (0x6558) or an IP packet (its Ethernet type, or 1 and 2 of VXLAN-GPE)."""
        if ether_type == 0x6558:
            if not self._is_ethernet(at, said):
                return False
            self._tunnel(kind, number)
            self._go_on(I_ETHERNET, at, 0)
            return True
        if ether_type != 0x0800 and ether_type != 0x86DD and ether_type != 1 and ether_type != 2:
            return False
        if not self._is_ip(at, said):
            return False
        self._tunnel(kind, number)
        self._go_on(I_IP, at, 0)
        return True

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _gtp(self, at: cython.longlong, said: cython.longlong) -> cython.bint:
        """3GPP TS 29.281 5.1, a G-PDU: version 1, type 255, length, tunnel, and if flagged 4 bytes more and extensions."""
        if self.mem[at] >> 4 != 3 or self.mem[at + 1] != 255 or at + 8 + self._be16(at + 2) > said:
            return False
        place: cython.longlong = at + 8
        following: cython.longlong = 0
        count: cython.int = 0
        if self.mem[at] & 7:
            if self.p_end - place < 4:
                return False
            following = self.mem[place + 3] if self.mem[at] & 4 else 0
            place += 4
        while following:
            size: cython.longlong = self.mem[place] * 4 if self.p_end > place else 0
            if size == 0 or size > self.p_end - place or count >= EXTENSIONS_MAX:
                return False
            following = self.mem[place + size - 1]
            place += size
            count += 1
        return self._believe(T_NONE, 0, 0x0800, place, at + 8 + self._be16(at + 2))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _teredo(self, at: cython.longlong, said: cython.longlong) -> cython.bint:
        """RFC 4380 5.1: perhaps an authentication (1) and an origin (0), then IPv6 of a Teredo or link-local address."""
        if self._be16(at) == 1:
            at += 13 + self.mem[at + 2] + self.mem[at + 3]
        if self.p_end - at >= 8 and self._be16(at) == 0:
            at += 8
        if self.p_end - at < 40 or self.mem[at] >> 4 != 6 or at + 40 + self._be16(at + 4) != said:
            return False
        if not self._is_teredo(at + 8) and not self._is_teredo(at + 24):
            return False
        return self._believe(T_NONE, 0, 0x86DD, at, said)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_teredo(self, at: cython.longlong) -> cython.bint:
        return self._be32(at) == 0x20010000 or self._be16(at) == 0xFE80

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_ip(self, at: cython.longlong, said: cython.longlong) -> cython.bint:
        """Whether an IP header that makes sense stands at `at`, of a packet that ends by `said`; IPv4 by its checksum too."""
        if self.p_end - at < 20:
            return False
        if self.mem[at] >> 4 == 4:
            header: cython.longlong = (self.mem[at] & 15) * 4
            total: cython.longlong = self._be16(at + 2)
            if header < 20 or total < header or at + total > said or header > self.p_end - at:
                return False
            return self._be16(at + 10) == 0 or self._checksum(at, header) == M16
        if self.mem[at] >> 4 != 6 or self.p_end - at < 40 or at + 40 + self._be16(at + 4) > said:
            return False
        return self._is_next_header(self.mem[at + 6])

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_next_header(self, kind: cython.longlong) -> cython.bint:
        """What IPv6 is seen to carry, extension headers first."""
        if kind == 0 or kind == 43 or kind == 44 or kind == 50 or kind == 51 or kind == 59 or kind == 60:
            return True
        return kind == 6 or kind == 17 or kind == 58 or kind == 4 or kind == 41 or kind == 47 or kind == 89 or kind == 132

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _checksum(self, at: cython.longlong, size: cython.longlong) -> cython.longlong:
        """RFC 1071 over a header of up to 60 bytes: all ones if it is right."""
        total: cython.longlong = 0
        end: cython.longlong = at + size
        while at < end:
            total += self._be16(at)
            at += 2
        total = (total & M16) + (total >> 16)
        return (total & M16) + (total >> 16)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_ethernet(self, at: cython.longlong, said: cython.longlong) -> cython.bint:
        """Whether a frame that makes sense stands at `at`: a sender that is no group, a known type, IP or ARP that fits it."""
        tags: cython.int = 0
        if self.p_end - at < 18 or self.mem[at + 6] & 1:
            return False
        kind: cython.longlong = self._be16(at + 12)
        at += 14
        while (kind == 0x8100 or kind == 0x88A8) and tags < TAGS_MAX:
            kind = self._be16(at + 2)
            at += 4
            tags += 1
            if self.p_end - at < 4:
                return False
        if kind == 0x0800 or kind == 0x86DD:
            return self._is_ip(at, said) and (self.mem[at] >> 4 == 4) == (kind == 0x0800)
        if kind == 0x0806:
            return self._be32(at) == 0x00010800
        if kind <= 1500:
            return at + kind <= said and self.mem[at + 2] == 3
        return kind == 0x8847 or kind == 0x8864 or kind == 0x8863 or kind == 0x88CC or kind == 0x888E or kind == 0x88F7

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _to_route(
        self, at: cython.longlong, data: cython.longlong, end: cython.longlong, length: cython.longlong
    ) -> cython.int:
        """A packet of a flow: it becomes a row of the batch, with its keys in the order in which flows keep them."""
        b: cython.longlong = self.b_count * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0] or at < 0 or at + 4 > self.mem.shape[0]:
            return self._beyond()
        sport: cython.longlong = self._two(at)
        dport: cython.longlong = self._two(at + 2)
        low: cython.longlong = self._is_low(sport, dport)
        rest: cython.longlong = self._scope() << 16 | self.p_family << 8 | self.p_proto
        mine: cython.longlong = b + (B_K0 if low else B_K4)
        theirs: cython.longlong = b + (B_K4 if low else B_K0)
        if self.p_family == 6:
            self.batch[mine], self.batch[mine + 1], self.batch[mine + 2] = self.s0, self.s1, self.s2
            self.batch[theirs], self.batch[theirs + 1], self.batch[theirs + 2] = self.d0, self.d1, self.d2
        self.batch[mine + 3], self.batch[theirs + 3] = self.s3, self.d3
        self.batch[b + B_PORTS] = sport << 16 | dport if low else dport << 16 | sport
        self.batch[b + B_REST] = rest
        self.batch[b + B_POSITION] = self.cursor
        self.batch[b + B_TS] = self.last_ts
        self.batch[b + B_FRAME] = self.frames
        self.batch[b + B_WHOLE] = 0
        self.batch[b + B_DATA] = data
        self.batch[b + B_L4_END] = end
        self.batch[b + B_LEN] = length
        self.batch[b + B_FLAGS] = self.p_flags
        self.batch[b + B_SEQ] = self.p_seq
        self.batch[b + B_ACK] = self.p_ack
        self.batch[b + B_SRC_MAC] = self.p_src_mac
        self.batch[b + B_DST_MAC] = self.p_dst_mac
        self.batch[b + B_LANE] = 1 - low
        self.p_len = length
        self.p_hash = self._hash(b)
        self.batch[b + B_HASH] = self.p_hash
        self.batch[b + B_TRAITS] = self.p_inside
        self._describe(b, low)
        self.b_count += 1
        self.p_routed = True
        if cython.compiled:
            PREFETCH(cython.address(self.heads[self.p_hash & (self.buckets - 1)]))
        return 0

    # ---------------------------------------------------------------- what a mirror shows twice

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _describe(self, b: cython.longlong, low: cython.longlong) -> cython.int:
        """What a copy of this packet would have in common with it; without an ident, closer than a sender repeats itself."""
        what: cython.longlong = 0
        within: cython.longlong = DUPLICATE_US if self.p_ident else UNNAMED_US
        if self.p_ident or (self.p_sum and (self.p_len or self.p_flags & (TCP_FIN | TCP_SYN | TCP_RST))):
            what = low << 56 | self.p_ident << 40 | self.p_sum << 24 | (self.p_len & M16) << 8 | self.p_flags
            # One after the other: a checksum and the sequence number that it covers would undo each other.
            what = self._mix(self._mix(self.p_hash, what), self.p_seq << 30 | self.p_ack & 0x3FFFFFFF)
            if cython.compiled:
                PREFETCH(cython.address(self.ring[(what & (RING - 1)) * 4]))
        else:
            within = -1
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        self.batch[b + B_WHAT], self.batch[b + B_WITHIN] = what, within
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _recognise(self, count: cython.longlong) -> cython.int:
        """Which of the first packets of the batch went by a moment ago: later than they are described, when memory is there."""
        if count < 0 or count * BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        while self.b_known < count:
            b: cython.longlong = self.b_known * BATCH_WIDTH
            self.b_known += 1
            if self.batch[b + B_WITHIN] >= 0 and self._is_copy(b):
                self.batch[b + B_TRAITS] |= TRAIT_DUPLICATE
                self._count_copy(self.batch[b + B_SEGMENT])
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _count_copy(self, segment: cython.longlong) -> cython.int:
        self.T[segment * SEGMENT_WIDTH + N_DUPLICATES] += 1
        return 0

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _is_copy(self, b: cython.longlong) -> cython.bint:
        """Two places for each packet, side by side: the newer one first, the older one goes. Each has a keyed hash and a time."""
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0] or self.ring.shape[0] < RING * 4:
            return self._beyond()
        what: cython.longlong = self.batch[b + B_WHAT]
        ts: cython.longlong = self.batch[b + B_TS]
        within: cython.longlong = self.batch[b + B_WITHIN]
        at: cython.longlong = (what & (RING - 1)) * 4
        if self.ring[at] == what:
            if -within <= ts - self.ring[at + 1] <= within:  # either clock may be ahead
                return True
        elif self.ring[at + 2] == what:
            if -within <= ts - self.ring[at + 3] <= within:
                return True
        self.ring[at + 2], self.ring[at + 3] = self.ring[at], self.ring[at + 1]
        self.ring[at], self.ring[at + 1] = what, ts
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave_duplicate(self, row: cython.longlong) -> cython.int:
        """Counted, and its flow knows; nothing else happens with it."""
        self.n[C_DUPLICATES] += 1
        if row >= 0:
            self.F[row * WIDTH + FLAGS] |= F_DUPLICATE
        self.stage = S_FETCH
        return 0

    # ================================================================ flows

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_low(self, sport: cython.longlong, dport: cython.longlong) -> cython.longlong:
        """1 if the sender's address and port are the lower ones: rows keep the lower endpoint first."""
        if self.p_family == 6:
            if self.s0 != self.d0:
                return self.s0 < self.d0
            if self.s1 != self.d1:
                return self.s1 < self.d1
            if self.s2 != self.d2:
                return self.s2 < self.d2
        if self.s3 != self.d3:
            return self.s3 < self.d3
        return sport <= dport

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _mix(self, h: cython.longlong, word: cython.longlong) -> cython.longlong:
        """One round of a keyed multiply-and-fold hash, in 62 bits so that both ways of running it agree."""
        x: cython.longlong = (h ^ word ^ self.seed) & M62
        x = ((x & M32) * self.key0 + (x >> 32) * self.key1) & M62
        return x ^ (x >> 29)

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _hash(self, b: cython.longlong) -> cython.longlong:
        """Of both endpoints of a row of the batch, which has them in one order for both directions."""
        low: cython.longlong = 0
        high: cython.longlong = 0
        if self.p_family == 6:
            low = self._mix(self._mix(self._mix(0, self.batch[b + B_K0]), self.batch[b + B_K1]), self.batch[b + B_K2])
            high = self._mix(self._mix(self._mix(0, self.batch[b + B_K4]), self.batch[b + B_K5]), self.batch[b + B_K6])
        beside: cython.longlong = self.batch[b + B_REST] >> 16 << 1 | (self.p_proto & 1)  # TCP is 6, UDP 17
        low = self._mix(low, beside << 48 | self.batch[b + B_K3] << 16 | self.batch[b + B_PORTS] >> 16)
        high = self._mix(high, self.batch[b + B_K7] << 16 | self.batch[b + B_PORTS] & M16)
        # shifted, as equal ends would cancel each other whatever the key
        return self._mix(low, high << 1 & M62)

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _matches(self, r: cython.longlong, b: cython.longlong) -> cython.bint:
        """Whether a row of the batch is a packet of the flow in a row of the table."""
        if r < 0 or r + WIDTH > self.F.shape[0] or b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        if (
            self.F[r + K3] != self.batch[b + B_K3]
            or self.F[r + K7] != self.batch[b + B_K7]
            or self.F[r + KPORTS] != self.batch[b + B_PORTS]
            or self.F[r + KREST] != self.batch[b + B_REST]
        ):
            return False
        return (self.batch[b + B_REST] >> 8) & 0xFF == 4 or (
            self.F[r + K0] == self.batch[b + B_K0]
            and self.F[r + K1] == self.batch[b + B_K1]
            and self.F[r + K2] == self.batch[b + B_K2]
            and self.F[r + K4] == self.batch[b + B_K4]
            and self.F[r + K5] == self.batch[b + B_K5]
            and self.F[r + K6] == self.batch[b + B_K6]
        )

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _route(self) -> cython.int:
        """Find or make the packet's flow. Whatever has to end first ends first; then this is called again."""
        if self.clock - self.swept >= SWEEP_US and self._sweep():
            return 0
        bucket: cython.longlong = self.p_hash & (self.buckets - 1)
        row: cython.longlong = self.heads[bucket] - 1
        length: cython.int = 0
        while row >= 0 and not self._matches(row * WIDTH, self.p_batch):
            row = self.F[row * WIDTH + CHAIN] - 1
            length += 1
        self.n[C_PROBES] += length
        if self.p_traits & TRAIT_DUPLICATE:
            return self._leave_duplicate(row)
        if row >= 0:
            return self._found(row)
        if length >= CHAIN_MAX:
            return self._evict(self.heads[bucket] - 1)
        return self._new_flow(bucket)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _found(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        self.p_row = row
        syn: cython.bint = self.p_proto == 6 and self.p_flags & (TCP_SYN | TCP_ACK) == TCP_SYN
        if self.F[r + STATE] == LINGER:
            if not syn:
                if self.p_len > 0:  # the last acknowledgement comes after the second FIN, and is not late
                    self.n[C_LATE] += 1
                self.stage = S_FETCH
                return 0
            self._unlink(row)
            self._init_flow(row)
        elif syn and self._other_isn(r):
            return self._begin_end(row, R_REUSED)
        self.stage = S_DAY
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _other_isn(self, r: cython.longlong) -> cython.bint:
        """A SYN that does not repeat the one that began this flow begins another."""
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
        if self.L[base + ISN] >= 0:
            return self.L[base + ISN] != self.p_seq
        if self.L[base + NEXT] < 0:
            return (self.F[r + SEEN] >> self.p_lane) & 1 == 1
        # packets that overtook their SYN in the capture are few, and lie shortly behind it
        behind: cython.longlong = self._distance(self.L[base + NEXT], self.p_seq + 1)
        return behind < 0 or behind > OVERTAKEN_BYTES or self.F[r + PK0 + self.p_lane] > OVERTAKEN_PACKETS

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _new_flow(self, bucket: cython.longlong) -> cython.int:
        row: cython.longlong = self._free_row(self.p_proto == 6)
        if row < 0:
            return self._evict(self._oldest())
        r: cython.longlong = row * WIDTH
        self.F[r + CHAIN] = self.heads[bucket]
        self.heads[bucket] = row + 1
        self.F[r + HASH] = self.p_hash
        self.p_row = row
        self._keys(r)
        self._init_flow(row)
        self.stage = S_DAY
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _free_row(self, stream: cython.bint) -> cython.longlong:
        """Streams from the front and datagrams from the back, so that few pages of the table of lanes are touched. -1: none."""
        row: cython.longlong = self.free_stream if stream else self.free_datagram
        if row < 0 and self.fresh_row < self.last_row:
            self.fresh_row += stream
            self.last_row -= not stream
            return self.fresh_row - 1 if stream else self.last_row
        if row < 0:
            stream = not stream
            row = self.free_stream if stream else self.free_datagram
        if row >= 0:
            self.free_count -= 1
            if stream:
                self.free_stream = self.F[row * WIDTH + NEXTROW]
            else:
                self.free_datagram = self.F[row * WIDTH + NEXTROW]
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _keys(self, r: cython.longlong) -> cython.int:
        word: cython.longlong
        wide: cython.bint = (self.batch[self.p_batch + B_REST] >> 8) & 0xFF == 6
        for word in range(8):
            self.F[r + K0 + word] = self.batch[self.p_batch + B_K0 + word] if wide or word & 3 == 3 else 0
        self.F[r + KPORTS] = self.batch[self.p_batch + B_PORTS]
        self.F[r + KREST] = self.batch[self.p_batch + B_REST]
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _init_flow(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        self._clear(r)
        self.F[r + STATE] = LIVE
        self.serial += 1
        self.n[C_FLOWS] += 1
        self.F[r + SERIAL] = self.serial
        self.F[r + LABEL] = 0 if self.listening else TOLD
        self.F[r + SEGMENT] = self.p_segment
        self.F[r + MAC0] = self.F[r + MAC1] = -1
        self.F[r + DAYNO] = self.ts_us // DAY_US
        self.F[r + FIRST_TS] = self.F[r + LAST_TS] = self.ts_us
        self.F[r + FIRST_FRAME] = self.frame
        if self.p_proto == 6:
            self._init_lane(row * LANES_WIDTH)
            self._init_lane(row * LANES_WIDTH + LANE_WIDTH)
        if self.shed_flows > 1 and self.serial % self.shed_flows:
            self._shed_flow(row)
        if self.p_traits & TRAIT_TUNNELLED:
            self.F[r + FLAGS] |= F_TUNNELLED
        self._cast_roles(r)
        self._link(row, L_HALF)
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _clear(self, r: cython.longlong) -> cython.int:
        """All but what finds the flow: its hash, chain and keys."""
        if r < 0 or r + WIDTH > self.F.shape[0]:
            return self._beyond()
        column: cython.longlong
        self.F[r + SEEN] = self.F[r + FLAGS] = 0
        for column in range(r + DAYNO, r + WIDTH):
            self.F[column] = 0
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _init_lane(self, base: cython.longlong) -> cython.int:
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        column: cython.longlong
        for column in range(base, base + LANE_WIDTH):
            self.L[column] = 0
        self.L[base + NEXT] = self.L[base + TURN_ACK] = self.L[base + ACKED] = self.L[base + FINSEQ] = -1
        self.L[base + ISN] = self.L[base + STRAY] = self.L[base + TRUNC_END] = -1
        self.L[base + WANT] = 1
        self.L[base + LIMIT] = self.head_bytes
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _cast_roles(self, r: cython.longlong) -> cython.int:
        """Who began: the sender of SYN, else whoever is not on a responder's port, else the sender of the first packet."""
        sender: cython.longlong = self.p_lane
        if self.p_proto == 6 and self.p_flags & TCP_SYN:
            self.F[r + INIT] = 1 - sender if self.p_flags & TCP_ACK else sender
            if self.p_flags & TCP_ACK:
                self.F[r + FLAGS] |= F_MIDSTREAM
            return 0
        if self.p_proto == 6:
            self.F[r + FLAGS] |= F_MIDSTREAM
        ports: cython.longlong = self.F[r + KPORTS]
        self.F[r + INIT] = 1 - sender if self._responds(self._port(ports, sender), self._port(ports, 1 - sender)) else sender
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _port(self, ports: cython.longlong, lane: cython.longlong) -> cython.longlong:
        return ports & M16 if lane else ports >> 16

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _responds(self, port: cython.longlong, other: cython.longlong) -> cython.bint:
        """Whether whoever is on the first of both ports is the responder."""
        if port == other:
            return False
        marked: cython.longlong = (self.responders[port >> 3] >> (port & 7)) & 1
        if marked != (self.responders[other >> 3] >> (other & 7)) & 1:
            return marked == 1
        if port < 1024 or other < 1024:
            return port < other
        return port < EPHEMERAL_FROM <= other

    # ---------------------------------------------------------------- lists in the order of the last packet

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _link(self, row: cython.longlong, kind: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        last: cython.longlong = self.lists[kind * 2 + 1]
        self.F[r + LIST] = kind
        self.F[r + LINKED] = self.now
        self.F[r + PREV] = last
        self.F[r + NEXTROW] = -1
        if last >= 0:
            self.F[last * WIDTH + NEXTROW] = row
        else:
            self.lists[kind * 2] = row
        self.lists[kind * 2 + 1] = row
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _unlink(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        kind: cython.longlong = self.F[r + LIST]
        before: cython.longlong = self.F[r + PREV]
        after: cython.longlong = self.F[r + NEXTROW]
        if before >= 0:
            self.F[before * WIDTH + NEXTROW] = after
        else:
            self.lists[kind * 2] = after
        if after >= 0:
            self.F[after * WIDTH + PREV] = before
        else:
            self.lists[kind * 2 + 1] = before
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _sweep(self) -> cython.bint:
        """End the longest idle flow, if it has been idle for too long; lingering rows just go. Called once a second."""
        kind: cython.longlong
        for kind in range(5):
            row: cython.longlong = self._first_of(kind)
            if row >= 0 and self.clock - self.F[row * WIDTH + LINKED] > self._idle_us(kind):
                if kind == L_LINGER:
                    self._recycle(row)
                else:
                    self._begin_end(row, self._silent_reason(row))
                return True
        self.swept = self.clock
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _silent_reason(self, row: cython.longlong) -> cython.longlong:
        return R_FIN if self.F[row * WIDTH + KREST] & 0xFF == 6 and self._both_fin(row) else R_IDLE

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _first_of(self, kind: cython.longlong) -> cython.longlong:
        """The head of a list. Flows whose time was ahead of the clock, and was not believed, are as old as the clock."""
        row: cython.longlong = self.lists[kind * 2]
        while row >= 0 and self.F[row * WIDTH + LINKED] > self.clock:
            self._unlink(row)
            self._link(row, kind)
            self.F[row * WIDTH + LINKED] = self.clock
            row = self.lists[kind * 2]
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _idle_us(self, kind: cython.longlong) -> cython.longlong:
        if kind == L_LINGER:
            return self.linger_us
        return self.udp_idle_us if kind == L_UDP or kind == L_HALF else self.tcp_idle_us

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _oldest(self) -> cython.longlong:
        """The least valuable flow: lingering, then half, then shunted, then the one that was silent longest."""
        if self.lists[L_LINGER * 2] >= 0:
            return self.lists[L_LINGER * 2]
        if self.lists[L_HALF * 2] >= 0:
            return self.lists[L_HALF * 2]
        if self.lists[L_SHUNTED * 2] >= 0:
            return self.lists[L_SHUNTED * 2]
        tcp: cython.longlong = self.lists[L_TCP * 2]
        udp: cython.longlong = self.lists[L_UDP * 2]
        if tcp < 0 or udp < 0:
            return udp if tcp < 0 else tcp
        return udp if self.F[udp * WIDTH + LINKED] <= self.F[tcp * WIDTH + LINKED] else tcp

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _evict(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        if self.F[r + STATE] == LINGER:  # it has ended: nothing is lost
            self._recycle(row)
            return 0
        self.n[C_EVICTED] += 1
        self.F[r + FLAGS] |= F_EVICTED
        return self._begin_end(row, R_EVICTED)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _recycle(self, row: cython.longlong) -> cython.int:
        """Out of its list and its chain; the row is free."""
        r: cython.longlong = row * WIDTH
        bucket: cython.longlong = self.F[r + HASH] & (self.buckets - 1)
        at: cython.longlong = self.heads[bucket] - 1
        self._unlink(row)
        self.F[r + STATE] = FREE
        if at == row:
            self.heads[bucket] = self.F[r + CHAIN]
        else:
            while self.F[at * WIDTH + CHAIN] - 1 != row:
                at = self.F[at * WIDTH + CHAIN] - 1
            self.F[at * WIDTH + CHAIN] = self.F[r + CHAIN]
        self.free_count += 1
        if self.F[r + KREST] & 0xFF == 6:
            self.F[r + NEXTROW], self.free_stream = self.free_stream, row
        else:
            self.F[r + NEXTROW], self.free_datagram = self.free_datagram, row
        return 0

    # ---------------------------------------------------------------- the end of a flow

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _begin_end(self, row: cython.longlong, reason: cython.longlong) -> cython.int:
        self.end_row = row
        self.end_reason = reason
        self.end_lane = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _end(self) -> cython.int:
        """What is kept of both lanes comes out, then END."""
        row: cython.longlong = self.end_row
        if self.F[row * WIDTH + KREST] & 0xFF != 6:
            self.end_lane = 2
        while self.end_lane < 2:
            base: cython.longlong = row * LANES_WIDTH + self.end_lane * LANE_WIDTH
            if self.L[base + PIECES]:
                self.c_row, self.c_lane, self.c_base = row, self.end_lane, base
                self.c_at = self.c_end = 0
                self.c_force = True
                return 0
            lane: cython.longlong = self.end_lane
            self.end_lane += 1
            if self.L[base + HELD] and self.L[base + MODE] == READ:
                return self._deliver_held(row, lane, base)
        self.free_row = row
        self.end_row = -1
        self.reason = self.end_reason
        self.size = 0
        if not self.F[row * WIDTH + LABEL] & TOLD:
            return 0
        return self._event(END, row, 0)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _release(self) -> cython.int:
        """The row of a flow whose END has been returned: closed connections linger, so that late segments make no new flow."""
        row: cython.longlong = self.free_row
        self.free_row = -1
        if self.listening:
            self._fold(row * WIDTH)
        if self.F[row * WIDTH + KREST] & 0xFF == 6:
            self._forget(row, 0)
            self._forget(row, 1)
        if self.reason == R_FIN or self.reason == R_RST:
            self._unlink(row)
            self.F[row * WIDTH + STATE] = LINGER
            self._link(row, L_LINGER)
        else:
            self._recycle(row)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _forget(self, row: cython.longlong, lane: cython.longlong) -> cython.int:
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        return 0

    # ---------------------------------------------------------------- days

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _day(self) -> cython.int:
        """The first packet of a flow on a new UTC day: its numbers of the day before go out first."""
        r: cython.longlong = self.p_row * WIDTH
        day: cython.longlong = self.ts_us // DAY_US
        self.stage = S_TRANSPORT
        if day <= self.F[r + DAYNO] or self.F[r + FIRST_FRAME] == 0:
            return 0
        self.F[r + DAYNO] = day
        self.size = 0
        self.p_row = -1 - self.p_row
        if not self.F[r + LABEL] & TOLD:
            return 0
        return self._event(DAY, -1 - self.p_row, 0)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _new_day(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
        if self.listening:
            self._fold(r)
        column: cython.longlong
        for column in range(PK0, LOST + 1):
            self.F[r + column] = 0
        if self.p_proto == 6:
            for column in range(RETRANS, OVERLAP + 1):
                self.L[self.p_row * LANES_WIDTH + column] = self.L[self.p_row * LANES_WIDTH + LANE_WIDTH + column] = 0
        self.F[r + FIRST_TS] = self.ts_us
        self.F[r + FIRST_FRAME] = self.frame
        return 0

    # ---------------------------------------------------------------- what flows were, folded

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fold(self, r: cython.longlong) -> cython.int:
        """What this flow was since it began, or since its last DAY, joins what others of its ends and service were."""
        if self.F[r + FIRST_FRAME] == 0 or not self.days.admits():
            return 0
        init: cython.longlong = self.F[r + INIT] ^ ((self.F[r + LABEL] >> 1) & 1)
        ports: cython.longlong = self.F[r + KPORTS]
        if init:
            ports = (ports & M16) << 16 | ports >> 16
        first: cython.longlong = self.F[r + FIRST_TS]
        last: cython.longlong = self.F[r + LAST_TS]
        one: cython.longlong = self._end_of(r, init)
        other: cython.longlong = self._end_of(r, 1 - init)
        row: cython.longlong = self.days.day(
            first // DAY_US, one, other, self.F[r + KREST] & 0xFF, ports & M16, self.F[r + LABEL] >> 2, self.F[r + SEGMENT]
        )
        self.days.see(row, first, last, self.F[r + FIRST_FRAME], ports >> 16)
        self._add_up(r, row, init)
        self.days.hold(one, first, last)
        if self.F[r + SEEN] == 3:
            self.days.hold(other, first, last)
        self.days_full = self.days.full
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _end_of(self, r: cython.longlong, lane: cython.longlong) -> cython.longlong:
        at: cython.longlong = r + K0 + 4 * lane
        rest: cython.longlong = self.F[r + KREST] & ~0xFF
        return self.days.end(rest, self.F[r + MAC0 + lane], self.F[at], self.F[at + 1], self.F[at + 2], self.F[at + 3])

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _add_up(self, r: cython.longlong, row: cython.longlong, init: cython.longlong) -> cython.int:
        flags: cython.longlong = self.F[r + FLAGS]
        one_sided: cython.longlong = self.F[r + SEEN] != 3
        silent: cython.longlong = self.F[r + BY0] == 0 and self.F[r + BY1] == 0
        self.days.carry(
            row, self.F[r + PK0] + self.F[r + PK1], self.F[r + BY0 + init], self.F[r + BY1 - init],
            self.F[r + COPIED], self.F[r + SKIPPED], self.F[r + LEFT_OUT], self.F[r + LOST],
        )
        self.days.mark(
            row, (flags & F_MIDSTREAM) != 0, one_sided, (flags & F_GAP) != 0, one_sided & silent,
            (flags & F_TRUNCATED) != 0, (flags & F_DUPLICATE) != 0,
        )
        return 0

    # ================================================================ transport

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _transport(self) -> cython.int:
        if self.p_row < 0:
            self.p_row = -1 - self.p_row
            self._new_day()
        self._count_packet()
        if self.p_proto == 17:
            return self._datagram()
        self.stage = S_SEGMENT
        if self.p_flags & TCP_ACK and not self.p_flags & TCP_RST:
            self._acknowledge()
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _count_packet(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
        lane: cython.longlong = self.p_lane
        self.F[r + LAST_TS] = max(self.ts_us, self.F[r + FIRST_TS])
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += self.p_len
        self.F[r + SEEN] |= 1 << lane
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.p_src_mac
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.p_dst_mac
        if self.p_l4_end - self.p_data < self.p_len:
            self.F[r + FLAGS] |= F_TRUNCATED
        kind: cython.longlong = self._list_of(r)
        since: cython.longlong = self.now - self.F[r + LINKED]
        if kind != self.F[r + LIST] or since >= SWEEP_US or since < 0:
            self._unlink(self.p_row)
            self._link(self.p_row, kind)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _list_of(self, r: cython.longlong) -> cython.longlong:
        """A flow is half as long as one side alone was seen; with TCP, payload makes it whole too."""
        kind: cython.longlong = self.F[r + LIST]
        if kind != L_HALF or (self.F[r + SEEN] != 3 and (self.p_proto == 17 or self.p_len == 0)):
            return kind
        return L_TCP if self.p_proto == 6 else L_UDP

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _datagram(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
        self.stage = S_FETCH
        if self.F[r + TURN0 + self.p_lane] < 0 or self.p_l4_end <= self.p_data:
            return 0
        if not self.F[r + LABEL] & TOLD and not self._is_wanted_datagram(r):
            return 0
        self.F[r + TURN0 + self.p_lane] += 1
        self.turn = self.F[r + TURN0 + self.p_lane]
        self.size = self.p_l4_end - self.p_data
        if self._is_shed(self.turn):
            self.F[r + LEFT_OUT] += self.size
            self.n[C_SHED_DATAGRAMS] += 1
            return 0
        self.F[r + COPIED] += self.size
        self.n[C_COPIED] += self.size
        self.payload = self._packet_bytes(self.p_data, self.p_l4_end)
        return self._event(DATAGRAM, self.p_row, self.p_lane)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_wanted_datagram(self, r: cython.longlong) -> cython.bint:
        """Whether anybody may want this datagram of a flow that nobody has wanted so far; after a few it is shunted."""
        at: cython.longlong = self.p_data
        if self._is_lead(self.tcp_leads, self.all_leads, at, self.p_l4_end, False):
            return True
        self.F[r + SKIPPED] += self.p_l4_end - at
        self.F[r + UNWANTED] += 1
        if self.F[r + UNWANTED] >= UNWANTED_MAX:
            self._done(self.p_row)
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_lead(
        self, lead: cython.longlong, last: cython.longlong, at: cython.longlong, end: cython.longlong, stream: cython.bint
    ) -> cython.bint:
        """Whether the bytes there, as far as they go, are those of a lead. Mostly the first one says that they are not."""
        if at < end and not self.firsts[self.w[at] if stream else 256 + self.mem[at]]:
            return False
        first: cython.longlong = self._word(at, end, stream)
        second: cython.longlong = self._word(at + 4, end, stream)
        known: cython.longlong = M32 ^ (M32 >> 8 * min(4, end - at))
        further: cython.longlong = M32 ^ (M32 >> 8 * max(0, min(4, end - at - 4)))
        while lead < last:
            if (
                ((first ^ self.leads[lead]) & self.leads[lead + 1] & known) == 0
                and ((second ^ self.leads[lead + 2]) & self.leads[lead + 3] & further) == 0
            ):
                return True
            lead += 4
        return False

    @cython.cfunc
    @cython.exceptval(-2)
    def _word(self, at: cython.longlong, end: cython.longlong, stream: cython.bint) -> cython.longlong:
        """Four bytes, of the lane under way or of the packet; 0 for those beyond its end."""
        word: cython.longlong = 0
        number: cython.longlong
        for number in range(at, at + 4):
            word = word << 8
            if number < end:
                word |= self.w[number] if stream else self.mem[number]
        return word

    # ---------------------------------------------------------------- TCP

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _distance(self, seq: cython.longlong, origin: cython.longlong) -> cython.longlong:
        """How far `seq` lies behind `origin`, signed, modulo 2^32 (RFC 9293 3.4)."""
        return ((seq - origin + HALF32) & M32) - HALF32

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _segment(self) -> cython.int:
        """RFC 9293: one segment; what is in order is set up to be consumed."""
        r: cython.longlong = self.p_row * WIDTH
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
        self.stage = S_CLOSE
        if self.p_flags & TCP_SYN:
            self._syn(r, base)
        if self.p_flags & TCP_RST:
            return self._reset(r, base)
        if self.p_flags & TCP_FIN:
            self.F[r + FLAGS] |= F_FIN
            self.L[base + FINSEQ] = (self.p_seq + self.p_len) & M32
        if self.p_len > 0:
            self._payload(r, base)
        elif self.p_flags & TCP_FIN and self.L[base + NEXT] < 0:
            self.L[base + NEXT] = self.p_seq
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _syn(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        if self.p_flags & TCP_ACK:
            self.F[r + FLAGS] |= F_SYNACK
        else:
            self.F[r + FLAGS] = (self.F[r + FLAGS] | F_SYN) & ~F_MIDSTREAM
        self.L[base + ISN] = self.p_seq
        if self.L[base + NEXT] < 0:
            self.L[base + NEXT] = (self.p_seq + 1) & M32
        self.p_seq = (self.p_seq + 1) & M32
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _acknowledge(self) -> cython.int:
        """What the other lane sent was received: a hole of its that is acknowledged will not be filled any more."""
        lane: cython.longlong = 1 - self.p_lane
        other: cython.longlong = self.p_row * LANES_WIDTH + lane * LANE_WIDTH
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
        if self.L[base + TURN_ACK] >= 0 and self._distance(self.p_ack, self.L[base + TURN_ACK]) > QUARTER32:
            # gigabytes were heard since this lane spoke: what it acknowledges stays newer than that, modulo 2^32
            self.L[base + TURN_ACK] = (self.p_ack - QUARTER32) & M32
        if self.L[other + ACKED] < 0 or self._distance(self.p_ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = self.p_ack
        if self.L[other + FINSEQ] >= 0 and self.p_ack == (self.L[other + FINSEQ] + 1) & M32:
            self.p_ack = self.L[other + FINSEQ]  # a FIN is no byte: hearing it begins no turn
        if self.L[other + PIECES] and self._give_up_now(other, self.pieces[self.p_row * 2 + lane]):
            self.c_row, self.c_lane, self.c_base = self.p_row, lane, other
            self.c_at = self.c_end = 0
            self.c_force = True
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _reset(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        """RST ends the flow if it could be genuine: within a window of what the lane sends next."""
        if self.L[base + NEXT] >= 0:
            away: cython.longlong = self._distance(self.p_seq, self.L[base + NEXT])
            if away > RST_WINDOW or away < -RST_WINDOW:
                return 0
        self.F[r + FLAGS] |= F_RST
        return self._begin_end(self.p_row, R_RST)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _payload(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        at: cython.longlong = self.p_data
        have: cython.longlong = max(0, self.p_l4_end - at)
        if self.L[base + NEXT] < 0:
            self.L[base + NEXT] = self.p_seq
        ahead: cython.longlong = self._distance(self.p_seq, self.L[base + NEXT])
        if (ahead > BELIEVED_BYTES or ahead < -BELIEVED_BYTES) and self.L[base + MODE] != CLOSED:
            ahead = self._stray(base, ahead)
        if ahead + self.p_len <= 0:
            self.L[base + RETRANS] += 1
            return 0
        if ahead < 0:
            self.L[base + RETRANS] += 1
            at -= ahead
            have += ahead
        elif ahead > 0:
            ahead = self._jump(r, base, ahead)
        if ahead > 0:
            return self._keep(base, have)
        self._truncation(base)
        if have <= 0:
            return 0
        if self.L[base + PIECES]:
            self._compare(base, at, have)
        self.L[base + NEXT] = (self.L[base + NEXT] + have) & M32
        if self.w_other:
            self.w = self.mem
            self.w_other = False
        self._turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us)
        self.c_row, self.c_lane, self.c_base = self.p_row, self.p_lane, base
        self.c_at, self.c_end = at, at + have
        self.c_force = False
        return 0

    @cython.cfunc
    def _compare(self, base: cython.longlong, at: cython.longlong, have: cython.longlong):
        """Bytes in order against those kept for the same place."""
        kept = self.pieces[self.p_row * 2 + self.p_lane]
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, 0, have, offset_of)
        if low < high:
            flat = [(offset_of(piece), piece[1]) for piece in kept[low:high]]
            self.L[base + OVERLAP] += conflicts(flat, 0, self._packet_bytes(at, at + have))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _stray(self, base: cython.longlong, ahead: cython.longlong) -> cython.longlong:
        """A segment far from where the lane is: believed when a second one follows it. Returns how far ahead it is now."""
        believed: cython.bint = self.L[base + STRAY] == self.p_seq
        self.L[base + STRAY] = (self.p_seq + self.p_len) & M32
        if not believed:
            self.n[C_STRAY] += 1
            return -self.p_len
        if ahead > 0 and self.L[base + MODE] != READ:
            return ahead
        self._restart(base)
        return 0

    @cython.cfunc
    def _restart(self, base: cython.longlong):
        """The lane goes on somewhere else; how much is missing cannot be known."""
        self._drop_pieces_of(self.p_row, self.p_lane)
        self.L[base + NEXT] = self.p_seq
        self.L[base + FINSEQ] = -1
        self.L[base + LEFT] = self.L[base + OVERRUN] = 0
        self.L[base + MODE] = READ
        self.L[base + GAPSIZE] = 1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _truncation(self, base: cython.longlong) -> cython.int:
        """The capture cut the packet short: what is missing will never come, so its hole need not be waited for."""
        if self.p_l4_end - self.p_data < self.p_len:
            self.L[base + TRUNC_END] = (self.p_seq + self.p_len) & M32
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _jump(self, r: cython.longlong, base: cython.longlong, ahead: cython.longlong) -> cython.longlong:
        """A hole inside what is left out anyway is no gap: go on behind it. Returns how far ahead the segment still is."""
        mode: cython.longlong = self.L[base + MODE]
        if mode == SKIP and ahead <= self.L[base + LEFT]:
            self.L[base + LEFT] -= ahead
            self.F[r + SKIPPED] += ahead
            if self.L[base + LEFT] == 0:
                self.L[base + MODE] = READ
        elif mode == DRAIN and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us):
            self.F[r + SKIPPED] += ahead
        elif mode == OVER and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us):
            self.L[base + OVERRUN] += ahead
            self.F[r + LEFT_OUT] += ahead
        elif mode != CLOSED:
            return ahead
        self.L[base + NEXT] = self.p_seq
        if self.L[base + PIECES]:
            self._drop_old_pieces(base)
        return 0

    @cython.cfunc
    def _drop_old_pieces(self, base: cython.longlong):
        """Kept segments that lie before the lane's next byte are of no use any more."""
        key = self.p_row * 2 + self.p_lane
        kept = []
        for piece in self.pieces.get(key, ()):
            if self._distance((piece[0] + len(piece[1])) & 0xFFFFFFFF, self.L[base + NEXT]) > 0:
                kept.append(piece)
            else:
                self.pieces_bytes -= len(piece[1]) + OVERHEAD
                self.L[base + PIECE_BYTES] -= len(piece[1])
        if kept:
            self.pieces[key] = kept
        else:
            self.pieces.pop(key, None)
        self.L[base + PIECES] = len(kept)

    # ---------------------------------------------------------------- turns and budgets

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_new_turn(self, base: cython.longlong, ack: cython.longlong, acks: cython.bint, ts: cython.longlong) -> cython.bint:
        if self.L[base + TURN] == 0:
            return True
        if acks and (self.L[base + TURN_ACK] < 0 or self._distance(ack, self.L[base + TURN_ACK]) > 0):
            return True
        return ts - self.L[base + DATA_TS] > self.turn_idle_us

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _turn(self, base: cython.longlong, ack: cython.longlong, acks: cython.bint, ts: cython.longlong) -> cython.int:
        """In-sequence payload arrives: if it begins a turn, the lane has a fresh budget."""
        if self._is_new_turn(base, ack, acks, ts):
            self.L[base + TURN] += 1
            self.L[base + TURN_ACK] = ack if acks else -1
            self._fresh_head(base)
            self.L[base + HEADS] = 0
            if self._is_shed(self.L[base + TURN]):
                self._shed_turn(base)
            elif self.L[base + MODE] == DRAIN:
                self.L[base + MODE] = READ
            elif self.L[base + MODE] == OVER:
                self.L[base + MODE] = READ
                self.L[base + WANT] = 1
                self.L[base + GAPSIZE] = max(1, self.L[base + GAPSIZE] + self.L[base + OVERRUN])
                self.L[base + OVERRUN] = 0
        self.L[base + DATA_TS] = ts
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fresh_head(self, base: cython.longlong) -> cython.int:
        """A new budget. What is held of a message that began before counts, and the message may be read to its end."""
        pending: cython.longlong = self.L[base + WANT] if self.L[base + HELD] else 0
        carried: cython.longlong = self.L[base + LIMIT] - self.L[base + USED]
        raised: cython.bint = self.L[base + LIMIT] > self.head_bytes
        self.L[base + USED] = self.L[base + HELD]
        self.L[base + LIMIT] = self.head_bytes
        self._raise(base, pending)
        if raised:
            self._raise(base, self.L[base + USED] + carried)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _raise(self, base: cython.longlong, needed: cython.longlong) -> cython.int:
        self.L[base + LIMIT] = max(self.L[base + LIMIT], min(needed, self.head_max))
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave(self, base: cython.longlong, mode: cython.longlong) -> cython.int:
        self.L[base + MODE] = mode
        self.L[base + WANT] = 1
        self.L[base + LEFT] = 0
        return 0

    # ---------------------------------------------------------------- bytes

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _consume(self) -> cython.int:
        """Let the lane's mode decide about the bytes under way, and about kept segments that follow them."""
        base: cython.longlong = self.c_base
        while True:
            if self.L[base + GAPSIZE]:
                return self._gap(base)
            if self.c_at >= self.c_end:
                if not self.L[base + PIECES] or not self._next_piece(base):
                    self.c_row = -1
                    return 0
                continue
            mode: cython.longlong = self.L[base + MODE]
            event: cython.int = 0
            if mode == READ:
                event = self._read(base)
            elif mode == SKIP:
                self._skip_bytes(base)
            elif mode == SEARCH:
                self._search(base)
            else:
                self._leave_out(base)
            if event:
                return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _gap(self, base: cython.longlong) -> cython.int:
        # the beginning of a message that waited for its rest is missing too
        self.size = self.L[base + GAPSIZE] + self.L[base + HELD]
        self.F[self.c_row * WIDTH + LEFT_OUT] += self.L[base + HELD]
        self._drop_held_of(self.c_row, self.c_lane, base)
        self.L[base + GAPSIZE] = 0
        self.L[base + WANT] = 1
        self.F[self.c_row * WIDTH + FLAGS] |= F_GAP
        self.turn = self.L[base + TURN]
        if self._is_unknown(self.c_row * WIDTH):
            return 0
        return self._event(GAP, self.c_row, self.c_lane)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _read(self, base: cython.longlong) -> cython.int:
        """Deliver, or hold until enough is there; past the turn's budget leave the rest of it out."""
        if self._is_unknown(self.c_row * WIDTH) and not self._is_wanted(base):
            return 0
        room: cython.longlong = self.L[base + LIMIT] - self.L[base + USED]
        if room <= 0:
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[self.c_row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(self.c_row, self.c_lane, base)
            self.L[base + MODE] = OVER
            return 0
        n: cython.longlong = min(self.c_end - self.c_at, room)
        at: cython.longlong = self.c_at
        self.c_at += n
        self.L[base + USED] += n
        self.F[self.c_row * WIDTH + COPIED] += n
        self.n[C_COPIED] += n
        if self.L[base + HELD] == 0 and n >= self.L[base + WANT]:
            self.payload = self._lane_bytes(at, at + n)
            return self._data(self.c_row, self.c_lane, base)
        if self._hold(base, at, n) and self.L[base + HELD] >= self.L[base + WANT]:
            return self._deliver_held(self.c_row, self.c_lane, base)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_wanted(self, base: cython.longlong) -> cython.bint:
        """Whether anybody may want a lane that nobody has wanted so far; if not, its turn is left out."""
        at: cython.longlong = self.c_at
        if self._is_lead(0, self.tcp_leads, at, self.c_end, True):
            self.F[self.c_row * WIDTH + UNWANTED] = 0
            return True
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _data(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        self.size = len(self.payload)
        self.turn = self.L[base + TURN]
        self.L[base + WANT] = 1
        return self._event(DATA, row, lane)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _skip_bytes(self, base: cython.longlong) -> cython.int:
        n: cython.longlong = min(self.c_end - self.c_at, self.L[base + LEFT])
        self.c_at += n
        self.L[base + LEFT] -= n
        self.F[self.c_row * WIDTH + SKIPPED] += n
        if self.L[base + LEFT] == 0:
            self.L[base + MODE] = READ
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _search(self, base: cython.longlong) -> cython.int:
        """Roll over the bytes until the last ones are the mark."""
        r: cython.longlong = self.c_row * WIDTH
        start: cython.longlong = self.c_at
        roll: cython.longlong = self.L[base + ROLL]
        rolled: cython.longlong = self.L[base + ROLLED]
        mark: cython.longlong = self.L[base + MARK]
        mask: cython.longlong = self.L[base + MARKMASK]
        length: cython.longlong = self.L[base + MARKLEN]
        stop: cython.longlong = min(self.c_end, start + self.L[base + LEFT])
        found: cython.bint = False
        while self.c_at < stop and not found:
            roll = (roll << 8 | self.w[self.c_at]) & M32
            rolled += 1
            self.c_at += 1
            found = rolled >= length and roll & mask == mark
        self.L[base + ROLL], self.L[base + ROLLED] = roll, rolled
        self.L[base + LEFT] -= self.c_at - start
        self.F[r + SKIPPED] += self.c_at - start
        if found:
            self._found_mark(base)
        elif self.L[base + LEFT] <= 0:
            self.L[base + MODE] = OVER
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _found_mark(self, base: cython.longlong) -> cython.int:
        """A fresh head begins; after very many in one turn only each so many-th."""
        self.L[base + HEADS] += 1
        self.L[base + ROLLED] = 0
        heads: cython.longlong = self.L[base + HEADS]
        if heads <= self.sample_after or heads % self.sample_each == 0:
            self.L[base + MODE] = READ
            self.L[base + USED] = 0
            self.L[base + LIMIT] = self.head_bytes
        else:
            self.L[base + LEFT] = self.L[base + SEARCH_LIMIT]
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave_out(self, base: cython.longlong) -> cython.int:
        r: cython.longlong = self.c_row * WIDTH
        n: cython.longlong = self.c_end - self.c_at
        self.c_at = self.c_end
        if self.L[base + MODE] == OVER:
            self.L[base + OVERRUN] += n
            self.F[r + LEFT_OUT] += n
        else:
            self.F[r + SKIPPED] += n
        return 0

    # ---------------------------------------------------------------- bytes held for a lane that wants more of them

    @cython.cfunc
    def _hold(self, base: cython.longlong, at: cython.longlong, n: cython.longlong) -> cython.bint:
        key = self.c_row * 2 + self.c_lane
        buffer = self.held.get(key)
        if buffer is None:
            buffer = self.held[key] = bytearray()
            self.held_bytes += OVERHEAD
        buffer += self._lane_bytes(at, at + n)
        self.L[base + HELD] += n
        self.held_bytes += n
        while self.held_bytes + self.pieces_bytes > self.buffer_bytes:
            self._evict_bytes()
        return self.L[base + HELD] > 0

    @cython.cfunc
    def _deliver_held(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        buffer = self.held.pop(row * 2 + lane)
        self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0
        self.payload = bytes(buffer)
        return self._data(row, lane, base)

    @cython.cfunc
    def _deliver_ready(self) -> cython.int:
        """A lane whose dissector now wants less than is held for it."""
        row, lane = self.ready.pop()
        base: cython.longlong = self._lane(row, lane)
        if self.L[base + HELD] == 0 or self.L[base + HELD] < self.L[base + WANT] or self.L[base + MODE] != READ:
            return 0
        return self._deliver_held(row, lane ^ self.F[row * WIDTH + INIT], base)

    @cython.cfunc
    def _drop_held(self, row, lane):
        """For a lane counted from the initiator."""
        base: cython.longlong = self._lane(row, lane)
        if self.L[base + HELD]:
            self._drop_held_of(row, lane ^ self.F[row * WIDTH + INIT], base)

    @cython.cfunc
    def _drop_held_of(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong):
        buffer = self.held.pop(row * 2 + lane, None)
        if buffer is not None:
            self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0

    @cython.cfunc
    def _trim_held(self, row, lane, n):
        """Drop the first `n` held bytes, of a lane counted from the initiator."""
        base: cython.longlong = self._lane(row, lane)
        key = row * 2 + (lane ^ self.F[row * WIDTH + INIT])
        buffer = self.held.get(key)
        if buffer is None or n >= len(buffer):
            self._drop_held(row, lane)
            return
        del buffer[:n]
        self.held_bytes -= n
        self.L[base + HELD] -= n
        if self.L[base + HELD] >= 1:
            self.ready.append((row, lane))

    @cython.cfunc
    def _evict_bytes(self):
        """Too much is held: whoever has held bytes longest loses them, as if they had been over the budget."""
        self.n[C_EVICTED_BYTES] += 1
        if self.held and (not self.pieces or self.held_bytes >= self.pieces_bytes):
            key = next(iter(self.held))
            row, lane = key // 2, key % 2
            base = row * LANES_WIDTH + lane * LANE_WIDTH
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(row, lane, base)
            if self.L[base + MODE] == READ:
                self.L[base + MODE] = OVER
        else:
            key = next(iter(self.pieces))
            self._drop_pieces_of(key // 2, key % 2)

    # ---------------------------------------------------------------- segments kept until the hole before them is filled

    @cython.cfunc
    def _keep(self, base: cython.longlong, have: cython.longlong):
        """Keep a segment that is ahead, then see whether the hole before it has to be given up."""
        key = self.p_row * 2 + self.p_lane
        kept = self.pieces.setdefault(key, [])
        if not kept:
            self.L[base + HOLE_TS] = self.ts_us
            self.L[base + AFTER_HOLE] = 0
        self.L[base + AFTER_HOLE] += 1
        self.L[base + REORD] += 1
        self._truncation(base)
        acks = bool(self.p_flags & TCP_ACK)
        data = bytearray(self._packet_bytes(self.p_data, self.p_data + have))
        start = self._distance(self.p_seq, self.L[base + NEXT])
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, start, start + len(data), offset_of)
        near = kept[low:high]
        flat = [(offset_of(piece), piece[1]) for piece in near]
        self.L[base + OVERLAP] += conflicts(flat, start, data)
        for offset, new in uncovered(flat, start, data):
            seq = (self.L[base + NEXT] + offset) & 0xFFFFFFFF
            near.append((seq, bytearray(new), self.p_ack, acks, self.ts_us))
            self.pieces_bytes += len(new) + OVERHEAD
            self.L[base + PIECE_BYTES] += len(new)
        kept[low:high] = sorted(near, key=offset_of)
        self.L[base + PIECES] = len(kept)
        if not kept:
            del self.pieces[key]
            return 0
        while self.held_bytes + self.pieces_bytes > self.buffer_bytes:
            self._evict_bytes()
        if self.L[base + PIECES] and self._give_up_now(base, kept):
            self.c_row, self.c_lane, self.c_base = self.p_row, self.p_lane, base
            self.c_at = self.c_end = 0
            self.c_force = True
        return 0

    @cython.cfunc
    def _give_up_now(self, base: cython.longlong, kept):
        if self.L[base + PIECES] > PIECES_MAX or self.L[base + PIECE_BYTES] > PIECE_BYTES_MAX:
            return True
        if self.L[base + TRUNC_END] >= 0 and self._distance(self.L[base + TRUNC_END], kept[0][0]) == 0:
            return True
        if self.L[base + ACKED] < 0 or self._distance(self.L[base + ACKED], kept[0][0]) < 0:
            return False
        return self.ts_us - self.L[base + HOLE_TS] > HOLE_US or self.L[base + AFTER_HOLE] > HOLE_SEGMENTS

    @cython.cfunc
    def _next_piece(self, base: cython.longlong) -> cython.bint:
        """Set up the next kept segment, if it is in order, or the hole before it is given up."""
        key = self.c_row * 2 + self.c_lane
        r: cython.longlong = self.c_row * WIDTH
        kept = self.pieces[key]
        seq, data, ack, acks, ts = kept[0]
        ahead: cython.longlong = self._distance(seq, self.L[base + NEXT])
        if ahead > 0 and not self.c_force:
            self.L[base + HOLE_TS] = self.ts_us
            self.L[base + AFTER_HOLE] = 0
            return False
        self.c_force = self.end_row >= 0
        kept.pop(0)
        self.pieces_bytes -= len(data) + OVERHEAD
        self.L[base + PIECE_BYTES] -= len(data)
        self.L[base + PIECES] = len(kept)
        if not kept:
            del self.pieces[key]
        if ahead > 0:
            self._give_up(r, base, ahead, ack, acks, ts)
            ahead = 0
        if ahead + len(data) <= 0:
            return True
        self.L[base + NEXT] = (seq + len(data)) & M32
        self._turn(base, ack, acks, ts)
        self.w = memoryview(data)
        self.w_other = True
        self.c_at, self.c_end = -ahead, len(data)
        return True

    @cython.cfunc
    def _give_up(self, r, base, ahead, ack, acks, ts):
        """The hole stays a hole. Inside what is left out anyway that is no gap."""
        self.n[C_HOLES] += 1
        mode = self.L[base + MODE]
        if mode == SKIP:
            passed = min(ahead, self.L[base + LEFT])
            self.L[base + LEFT] -= passed
            self.F[r + SKIPPED] += passed
            ahead -= passed
            if self.L[base + LEFT] == 0:
                self.L[base + MODE] = READ
            if ahead == 0:
                return
        self.F[r + LOST] += ahead
        if mode == CLOSED or (mode in (DRAIN, OVER) and not self._is_new_turn(base, ack, acks, ts)):
            if mode == OVER:
                self.L[base + OVERRUN] += ahead
            return
        self.L[base + GAPSIZE] = ahead + self.L[base + OVERRUN]
        self.L[base + OVERRUN] = 0
        self.L[base + MODE] = READ
        self.L[base + LEFT] = 0

    @cython.cfunc
    def _drop_pieces_of(self, row, lane):
        base = row * LANES_WIDTH + lane * LANE_WIDTH
        for piece in self.pieces.pop(row * 2 + lane, ()):
            self.pieces_bytes -= len(piece[1]) + OVERHEAD
        self.L[base + PIECES] = 0
        self.L[base + PIECE_BYTES] = 0

    # ---------------------------------------------------------------- after a segment

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _close(self) -> cython.int:
        """Both lanes have sent FIN and all before it was read, or the other lane is not there to be seen: END."""
        r: cython.longlong = self.p_row * WIDTH
        self.stage = S_FETCH
        if not self.F[r + FLAGS] & F_FIN or self.F[r + STATE] != LIVE:
            return 0
        if self._closed(self.p_row, 0) and self._closed(self.p_row, 1):
            return self._begin_end(self.p_row, R_FIN)
        if self._both_fin(self.p_row) and self.F[r + LIST] != L_HALF:
            # something before a FIN is missing: it may still come, but not for an hour
            self._unlink(self.p_row)
            self._link(self.p_row, L_HALF)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _both_fin(self, row: cython.longlong) -> cython.bint:
        first: cython.longlong = row * LANES_WIDTH
        return self.L[first + FINSEQ] >= 0 and self.L[first + LANE_WIDTH + FINSEQ] >= 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _closed(self, row: cython.longlong, lane: cython.longlong) -> cython.bint:
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        if not (self.F[row * WIDTH + SEEN] >> lane) & 1:
            return True
        return self.L[base + FINSEQ] >= 0 and self._distance(self.L[base + NEXT], self.L[base + FINSEQ]) >= 0


def _firsts(leads):
    """For each first byte, whether any of these begins with it."""
    found = bytearray(256)
    for value, mask in leads:
        for byte in range(256):
            found[byte] |= not mask or (byte ^ value[0]) & mask[0] == 0
    return found


def _offset_from(origin):
    """Sort key: how far a kept segment lies behind `origin`, modulo 2^32."""

    def key(piece):
        return ((piece[0] - origin + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    return key
