cimport cython

from sensor.engine.courses cimport Name, Node, Step
from sensor.engine.events cimport EventSource
from sensor.engine.seen cimport Counted, Seen, Words
from sensor.engine.window cimport PREFETCH

# Constants for the compiler; flows.py holds them again for the interpreter, and a test compares both.
cdef enum:
    DATA = 1
    DATAGRAM = 2
    GAP = 3
    DAY = 4
    END = 5
    MIDSTREAM = 16
    ONE_SIDED = 32
    GAP_SEEN = 64
    TRUNCATED = 128
    DUPLICATE = 1024
    UNLISTEN = 2
    TCP = 6
    STATED_MAX = 256
    FACT_BYTES = 512
    PAIRS_MAX = 65536
    ROWS_MIN = 1024
    EVENTS_MAX = 4096

cdef extern from *:
    const long long DAY_US "86400000000LL"
    const long long MIDSTREAM_ROOT "4294967296LL"

@cython.final
cdef class Pair:
    cdef readonly object ends
    cdef object protocol
    cdef long long day
    cdef Counted counted

@cython.final
cdef class Flow:
    cdef readonly long long row, ports
    cdef public bint midstream, gap, done
    cdef public object session
    cdef public long long held_bytes, leaving
    cdef long long weighed
    cdef public Node node
    cdef public list runs
    cdef Pair pair
    cdef readonly object ends, protocol
    cdef readonly long long port, label, ts_us, frame
    cdef public list stated
    cdef public long long stated_count
    cdef long long stated_bytes
    cdef bint is_tcp
    cdef long long day
    cdef Counted counted
    cdef int said

    cdef begin(self, long long row, Pair pair, long long ports, long long flags)

cdef class Reader:
    cpdef ends_of(self, bytes key)
    cpdef Step read(self, Flow flow, long long lane, long long turn, bytes data)
    cpdef Step read_datagram(self, Flow flow, long long lane, bytes data)
    cpdef Step miss(self, Flow flow, long long lane)
    cpdef Step end(self, Flow flow)
    cpdef Step let_go(self, Flow flow)
    cpdef condense(self, Flow flow)
    cpdef Counted say(self, Flow flow, words, quality, bint continued)

@cython.final
cdef class Flows:
    cdef EventSource engine
    cdef Reader reader
    cdef tuple qualities
    cdef long long held_max_bytes, courses_max, runs_max_bytes, held_bytes, run_bytes
    cdef readonly bint is_crowded
    cdef list rows
    cdef long long count
    cdef dict pairs, held, roots
    cdef bytes hinted
    cdef Flow newest
    cdef readonly long long courses, known, unkept

    cpdef int step(self) except? -2
    @cython.locals(counted=Counted)
    cdef _hear(self)
    cdef _hear_datagram(self)
    cdef _miss(self)
    cdef _begin_day(self)
    cdef _end(self)
    cdef Flow _flow(self)
    cdef Flow _heard(self)
    cdef Flow _open(self, long long row)
    cdef Pair _pair(self, key, ends)
    cdef Node _root(self, bint midstream, long long ports)
    cdef _drop(self, Flow flow)
    cdef _drop_session(self, Flow flow)
    cdef _go(self, Flow flow, Step step, bytes data)
    cdef _keep_run(self, long long more)
    cdef _relabel(self, Flow flow, Step step)
    cdef _finish(self, Flow flow)
    cdef _state(self, Flow flow, Words words)
    cdef Py_ssize_t _weight(self, Words words) except -1
    cdef _condense(self, Flow flow)
    cdef _unstate(self, Flow flow)
    @cython.locals(before=Counted)
    cdef _say(self, Flow flow, Words words)
    cdef _quality(self, Flow flow)
    cdef _weigh(self, Flow flow)
    cdef _order(self, Flow flow)
    cdef _let_go(self, Flow flow)
