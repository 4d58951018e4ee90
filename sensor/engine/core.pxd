from cpython.bytes cimport PyBytes_FromStringAndSize

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SPANWARD_PREFETCH(p) __builtin_prefetch(p)
    #else
    #define SPANWARD_PREFETCH(p)
    #endif
    """
    void PREFETCH "SPANWARD_PREFETCH"(const void *p) noexcept

# Constants of the engine for the compiler; core.py holds them again for the interpreter, and a test compares both.
cdef enum:
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
    # columns of a flow's row
    STATE = 0
    HASH = 1
    CHAIN = 2
    PREV = 3
    NEXTROW = 4
    LIST = 5
    K0 = 6
    K1 = 7
    K2 = 8
    K3 = 9
    K4 = 10
    K5 = 11
    K6 = 12
    K7 = 13
    KPORTS = 14
    KREST = 15
    INIT = 16
    DAYNO = 17
    SERIAL = 18
    FIRST_TS = 19
    LAST_TS = 20
    FIRST_FRAME = 21
    PK0 = 22
    PK1 = 23
    BY0 = 24
    BY1 = 25
    COPIED = 26
    SKIPPED = 27
    LEFT_OUT = 28
    LOST = 29
    RETRANS = 30
    REORD = 31
    OVERLAP = 32
    FLAGS = 33
    SEEN = 34
    MAC0 = 35
    MAC1 = 36
    SEGMENT = 37
    LABEL = 38
    LINKED = 39
    LANES = 40
    LANE_WIDTH = 40
    WIDTH = 120
    MODE = 0
    NEXT = 1
    VALID = 2
    TURN = 3
    TURN_ACK = 4
    TURN_ACKED = 5
    DATA_TS = 6
    USED = 7
    LIMIT = 8
    WANT = 9
    HELD = 10
    LEFT = 11
    GAPSIZE = 12
    OVERRUN = 13
    FINSEQ = 14
    FIN_OK = 15
    ACKED = 16
    ACKED_OK = 17
    ROLL = 18
    ROLLED = 19
    MARK = 20
    MARKMASK = 21
    MARKLEN = 22
    HEADS = 23
    PIECES = 24
    PIECE_BYTES = 25
    HOLE_TS = 26
    AFTER_HOLE = 27
    TRUNC_END = 28
    TRUNC_OK = 29
    SEARCH_LIMIT = 30
    STRAY = 31
    STRAY_OK = 32
    ISN = 33
    ISN_OK = 34
    UNWANTED = 35
    # columns of a batch
    B_POSITION = 0
    B_TS = 1
    B_FRAME = 2
    B_WHOLE = 3
    B_PROTO = 4
    B_FAMILY = 5
    B_S0 = 6
    B_S1 = 7
    B_S2 = 8
    B_S3 = 9
    B_D0 = 10
    B_D1 = 11
    B_D2 = 12
    B_D3 = 13
    B_SPORT = 14
    B_DPORT = 15
    B_DATA = 16
    B_L4_END = 17
    B_LEN = 18
    B_FLAGS = 19
    B_SEQ = 20
    B_ACK = 21
    B_SCOPE = 22
    B_SEGMENT = 23
    B_SRC_MAC = 24
    B_DST_MAC = 25
    B_FORWARD = 26
    B_HASH = 27
    B_TRAITS = 28
    BATCH_WIDTH = 32
    BATCH = 32
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
    D_DAY = 0
    D_REST = 1
    D_PORT = 2
    D_INITIATOR = 3
    D_RESPONDER = 7
    D_MACS = 11
    D_LABEL = 13
    D_SEGMENT = 14
    D_KEYS = 15
    D_FIRST = 15
    D_LAST = 16
    D_FRAME = 17
    D_PORTS = 18
    D_N = 19
    D_HOURS = 20
    D_SUMS = 21
    D_WIDTH = 34
    H_REST = 0
    H_MAC = 1
    H_IP = 2
    H_KEYS = 6
    H_FIRST = 6
    H_LAST = 7
    H_N = 8
    H_WIDTH = 9
    DAYS_MAX = 65536
    DAYS_SLACK = 8
    UNWANTED_MAX = 4
    JOIN_US = 900000000
    M16 = 0xFFFF
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
    SWEEP_US = 1000000
    SET_BACK_PACKETS = 65536
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
    # columns of a segment, and its place
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
    C_DAYS_LOST = 23
    C_PROBES = 24
    C_JUMPS = 25
    C_SHED_TURNS = 26
    C_SHED_DATAGRAMS = 27
    C_SHED_FLOWS = 28

cdef extern from *:
    const long long M32 "0xFFFFFFFFLL"
    const long long HALF32 "0x80000000LL"
    const long long QUARTER32 "0x40000000LL"
    const long long M62 "0x3FFFFFFFFFFFFFFFLL"
    const long long DAY_US "86400000000LL"
    const long long HOUR_US "3600000000LL"
    const long long LEAP_US "3600000000LL"
    const long long GROUP "0x10000000000LL"
    const long long NEVER "0x3FFFFFFFFFFFFFFFLL"
    const long long TUNNEL_PORTS "0x60010001000002LL"
    const long long SECONDS_MAX "253402300799LL"
