cimport cython

from sensor.engine.layout cimport *
from sensor.engine.table cimport Table
from sensor.engine.window cimport PREFETCH


cdef class Packets(Table):
    cdef long long shift
    cdef long long doubts
    cdef long long p_data
    cdef long long p_l4_end

    @cython.final
    @cython.locals(
        event=cython.int, decoded=cython.int, part=cython.int, lanes=cython.longlong, rows=cython.longlong,
        known=cython.longlong
    )
    cdef int _gather(self) except? -2
    @cython.final
    @cython.locals(number=cython.longlong, row=cython.longlong, place=cython.longlong)
    cdef int _warm(self, long long begin, long long end) except? -2
    @cython.final
    @cython.locals(number=cython.longlong, row=cython.longlong, base=cython.longlong)
    cdef int _warm_lanes(self, long long begin, long long end) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef inline int _warm_row(self, long long row, bint wide) except? -2
    @cython.final
    @cython.locals(b=cython.longlong)
    cdef int _unpack(self) except? -2
    @cython.final
    @cython.locals(
        b=cython.longlong, row=cython.longlong, ts=cython.longlong, since=cython.longlong, length=cython.longlong,
        clock=cython.longlong, r=cython.longlong, lane=cython.longlong, first=cython.longlong
    )
    cdef bint _quick(self) except? -2
    @cython.final
    @cython.locals(
        other=cython.longlong, length=cython.longlong, ack=cython.longlong, heard=cython.longlong, newer=cython.longlong, mode=cython.longlong
    )
    cdef inline bint _only_counts(self, long long b, long long r, long long base) except? -2
    @cython.final
    cdef inline bint _goes_on(self, long long base, long long mode, long long newer, long long length, long long ts) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, lane=cython.longlong, kind=cython.longlong, since=cython.longlong)
    cdef int _count_packet(self) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef int _count_copy(self) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong)
    cdef long long _list_of(self, long long r) except? FAILED
    @cython.final
    @cython.locals(since=cython.longlong)
    cdef inline int _tick(self) except? -2
    @cython.final
    cdef int _leap(self, long long since) except? -2
