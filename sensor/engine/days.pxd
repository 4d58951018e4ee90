cimport cython

# Constants for the compiler; days.py holds them again for the interpreter, and a test compares both.
cdef enum:
    FAILED = -2
    E_REST = 0
    E_MAC = 1
    E_IP = 2
    E_CHAIN = 6
    E_LATEST = 7
    E_WIDTH = 8
    D_DAY = 0
    D_INITIATOR = 1
    D_RESPONDER = 2
    D_TRANSPORT = 3
    D_PORT = 4
    D_LABEL = 5
    D_SEGMENT = 6
    D_CHAIN = 7
    D_FIRST = 8
    D_LAST = 9
    D_FRAME = 10
    D_INITIATOR_PORT = 11
    D_N = 12
    D_HOURS = 13
    D_SUMS = 14
    D_COUNTS = 21
    D_WIDTH = 27
    H_END = 0
    H_FIRST = 1
    H_LAST = 2
    H_N = 3
    H_BEFORE = 4
    H_WIDTH = 5
    DAYS_MAX = 65536
    SLACK = 8
    DAY_BUCKETS = 65536
    END_BUCKETS = 131072

cdef extern from *:
    const long long M62 "0x3FFFFFFFFFFFFFFFLL"
    const long long DAY_US "86400000000LL"
    const long long HOUR_US "3600000000LL"
    const long long JOIN_US "900000000LL"


@cython.final
cdef class Folded:
    cdef readonly bint full
    cdef readonly long long lost
    cdef readonly long long day_count
    cdef readonly long long held_count
    cdef readonly long long end_count
    cdef long long[::1] ends
    cdef long long[::1] days
    cdef long long[::1] held
    cdef long long[::1] end_heads
    cdef long long[::1] day_heads
    cdef long long[::1] keys
    cdef long long odd

    cpdef bint admits(self) except -1

    @cython.locals(total=cython.longlong, bucket=cython.longlong, row=cython.longlong, at=cython.longlong)
    cpdef long long end(
        self, long long rest, long long mac, long long ip0, long long ip1, long long ip2, long long ip3
    ) except? FAILED

    @cython.locals(e=cython.longlong, before=cython.longlong, at=cython.longlong)
    cpdef int hold(self, long long end, long long first, long long last) except -2

    @cython.locals(
        service=cython.longlong, total=cython.longlong, bucket=cython.longlong, row=cython.longlong, at=cython.longlong
    )
    cpdef long long day(
        self,
        long long day,
        long long initiator,
        long long responder,
        long long transport,
        long long port,
        long long label,
        long long segment,
    ) except? FAILED

    @cython.locals(at=cython.longlong)
    cpdef int see(
        self, long long row, long long first, long long last, long long frame, long long initiator_port
    ) except -2

    @cython.locals(at=cython.longlong)
    cpdef int carry(
        self,
        long long row,
        long long packets,
        long long initiator,
        long long responder,
        long long copied,
        long long skipped,
        long long left,
        long long lost,
    ) except -2

    @cython.locals(at=cython.longlong)
    cpdef int mark(
        self,
        long long row,
        long long midstream,
        long long one_sided,
        long long gap,
        long long unanswered,
        long long truncated,
        long long duplicate,
    ) except -2

    @cython.locals(hour=cython.longlong, beyond=cython.longlong)
    cdef long long _hours(self, long long first, long long last) noexcept
    cdef inline long long _spread(self, long long total) noexcept
