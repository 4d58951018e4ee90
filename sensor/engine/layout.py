# cython: annotation_typing=False, auto_pickle=False
"""What the columns of the engine's tables are, and the other numbers that its rooms have in common.

A flow is a row of `F`, and its lanes are two parts of a row of `L`; packets that were decoded and wait are rows of the
`batch`; what is counted for a segment is a row of `Segments.T`. All of them are 64-bit numbers.
"""

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from layout.pxd, so that they are constants in C too.
if not cython.compiled:
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
    F_UNHEARD = 4096  # of the first lane; the next bit is the other one's
    F_AWAITED = 16384
    F_RENUMBERED = 32768
    F_WATCHED = 65536

    # columns of a flow's row, eight to a line of the cache: what each packet needs is in three of them. An IPv6 address
    # has four words; the last ones of both, K3 and K7, are all that IPv4 has. Some columns have two names:
    # LANES says where a stream's lanes are, in place of TURN0; ENDED0 and ENDED1 say where its sides had ended in a row
    # that lingers, whose bytes have been told
    STATE = 0
    LIST = 1
    CHAIN = 2
    KPORTS = 3
    KREST = 4
    K3 = 5
    K7 = 6
    SEEN = 7
    DAYNO = 8
    LINKED = 9
    FIRST_TS = 10
    LAST_TS = 11
    PK0 = 12
    PK1 = 13
    BY0 = 14
    BY1 = 15
    MAC0 = 16
    MAC1 = 17
    TURN0 = 18
    LANES = 18
    TURN1 = 19
    FLAGS = 20
    SKIPPED = 21
    PREV = 22
    NEXTROW = 23
    COPIED = 24
    ENDED0 = 24
    LEFT_OUT = 25
    ENDED1 = 25
    LOST = 26
    LABEL = 27
    SERIAL = 28
    FIRST_FRAME = 29
    SEGMENT = 30
    UNWANTED = 31
    K0 = 32
    K1 = 33
    K2 = 34
    K4 = 35
    K5 = 36
    K6 = 37
    HASH = 38
    INIT = 39
    WIDTH = 40
    ROWS_CACHED = 4096

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
    MARKLEN = 19
    SEARCH_LIMIT = 20
    DATA_FRAME = 21
    ISN = 22
    STRAY = 23
    TRUNC_END = 24
    PIECE_BYTES = 25
    HOLE_TS = 26
    AFTER_HOLE = 27
    RETRANS = 28
    REORD = 29
    OVERLAP = 30
    OWNER = 31
    LANE_WIDTH = 32
    LANES_WIDTH = 64
    LANES_CACHED = 65536

    # columns of a batch; keys as in a flow's row, LANE is the sender's, a copy is like WHAT, and WITHIN so many us
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
    PART = 8
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
    SOONER = 8
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
    TRAIT_RENUMBERED = 4
    RING = 2048
    DUPLICATE_US = 20000
    UNNAMED_US = 1000
    SUMMED_BYTES = 2048
    CHAIN_MAX = 64
    EPHEMERAL_FROM = 32768
    HEADER_SLACK = 64
    PIECES_MAX = 128
    PIECE_BYTES_MAX = 262144
    HOLE_US = 1000000
    HOLE_SEGMENTS = 8
    EARLY_BYTES = 1048576
    EARLY_US = 1000000
    PATIENCE_MAX = 256
    PATIENCE_EACH = 64
    PATIENCE_MORE = 8
    OVERTAKEN_BYTES = 65536
    OVERTAKEN_PACKETS = 16
    BELIEVED_BYTES = 67108864
    HANDSHAKE_US = 500000
    WATCHED_MAX = 1024
    WATCHED_SEGMENTS = 32
    WATCHED_LEAST = 8
    RST_WINDOW = 1048576
    OVERHEAD = 432
    DATAGRAM_MAX = 65535
    SHED_EACH = 16
    INTERFACES_MAX = 4096
    TPACKET_HEADER = 68
    TPACKET_INTERFACE = 52
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
    SECTION = 168627466
    AMISS = 1
    NEW_SECTION = 2
    LARGE = 3
    AHEAD_BYTES = 1048576
    APART_US = 2000000
    FINE_UNITS = 10000
    WAITING_MAX = 8192
    WAIT_AT = 0
    WAIT_TS = 1
    WAIT_FRAME = 2
    WAIT_NEXT = 3
    WAIT_WIDTH = 4
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
    C_EVICTED_BUFFERS = 13
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
    C_EARLY = 28
    C_UNHEEDED = 29
    C_RENUMBERED = 30
