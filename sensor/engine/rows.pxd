# cython: boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize

from sensor.engine.days cimport Folded
from sensor.engine.layout cimport *
from sensor.engine.records cimport Records


cdef class Rows(Records):
    cdef long long rows
    cdef long long[::1] F
    cdef long long[::1] L
    cdef long long[::1] E
    cdef object ends_key
    cdef Folded days
    cdef bint days_full
    cdef long long p_ts
    cdef long long p_frame

    @cython.final
    cdef long long _row(self, long long row) except? FAILED
    @cython.final
    @cython.locals(r=cython.longlong, first=cython.longlong)
    cdef long long _lane(self, long long row, long long lane) except? FAILED
    @cython.final
    cdef int _event(self, int kind, long long row, long long lane) except? -2
    @cython.final
    @cython.locals(first=cython.longlong)
    cdef bint _both_fin(self, long long row) except? -2
    @cython.locals(r=cython.longlong, ports=cython.longlong)
    cpdef long long ports(self, long long row) except? -2
    @cython.locals(r=cython.longlong, swap=cython.longlong, word=cython.longlong)
    cpdef object ends(self, long long row)
    @cython.final
    @cython.locals(first=cython.longlong)
    cdef object _ip(self, long long r, long long lane)
    @cython.locals(r=cython.longlong)
    cpdef long long flags(self, long long row) except? -2
    @cython.locals(r=cython.longlong)
    cpdef object label(self, long long row, long long number)
    cpdef object forget(self, long long row)
    @cython.final
    @cython.locals(
        init=cython.longlong, ports=cython.longlong, first=cython.longlong, last=cython.longlong, one=cython.longlong,
        other=cython.longlong, row=cython.longlong
    )
    cdef int _fold(self, long long r) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, rest=cython.longlong, last=cython.longlong)
    cdef long long _end_of(self, long long r, long long lane) except? FAILED
    @cython.final
    @cython.locals(flags=cython.longlong, one_sided=cython.longlong, silent=cython.longlong)
    cdef int _add_up(self, long long r, long long row, long long init) except? -2

    cdef inline long long _distance(self, long long seq, long long origin) noexcept:
        return ((seq - origin + HALF32) & M32) - HALF32

    cdef inline long long _base(self, long long row, long long lane) except? FAILED:
        return self.F[row * WIDTH + LANES] + lane * LANE_WIDTH
