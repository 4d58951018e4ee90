cimport cython

from sensor.engine.window cimport PREFETCH

from sensor.engine.layout cimport *
from sensor.engine.blocks cimport Blocks


cdef class Records(Blocks):
    cdef bint modified
    cdef bint nano
    cdef long long link
    cdef long long way
    cdef long long way_count
    cdef long long[::1] ways

    @cython.final
    cdef int _begin_batch(self) except? -2
    @cython.final
    @cython.locals(event=cython.int)
    cdef int _fill(self, int most) except? -2
    @cython.final
    cdef int _end_batch(self) except? -2
    @cython.final
    cdef inline int _decode(self) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, header=cython.longlong, captured=cython.longlong, fraction=cython.longlong)
    cdef inline int _fetch_record(self) except -2
    @cython.final
    cdef inline int _ask_ahead(self, long long at) noexcept
    @cython.final
    @cython.locals(
        at=cython.longlong, following=cython.longlong, captured=cython.longlong, start=cython.longlong, original=cython.longlong, end=cython.longlong
    )
    cdef int _fetch_tpacket(self) except? -2
    @cython.final
    @cython.locals(place=cython.longlong)
    cdef int _come_by(self, long long way) except? -2
    @cython.final
    @cython.locals(tag=cython.longlong, kind=cython.longlong, place=cython.longlong)
    cdef int _tag_again(self, long long at, long long start) except? -2
