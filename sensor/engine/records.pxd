cimport cython

from sensor.engine.window cimport PREFETCH

from sensor.engine.layout cimport *
from sensor.engine.links cimport Links


cdef class Records(Links):
    cdef int kind
    cdef bint modified
    cdef bint nano
    cdef bint in_section
    cdef long long link
    cdef list interfaces
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
    cdef int _need(self, long long count) except? -2
    @cython.final
    cdef inline int _stamp(self, long long ts) except? -2
    @cython.final
    cdef int _count_backwards(self, long long ts) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, header=cython.longlong, captured=cython.longlong, fraction=cython.longlong)
    cdef inline int _fetch_record(self) except -2
    @cython.final
    cdef inline int _ask_ahead(self, long long at) noexcept
    @cython.final
    @cython.locals(at=cython.longlong, kind=cython.longlong, total=cython.longlong)
    cdef int _fetch_block(self) except? -2
    @cython.final
    @cython.locals(magic=cython.longlong)
    cdef int _section(self, long long at) except? -2
    @cython.final
    @cython.locals(
        link=cython.longlong, units=cython.longlong, offset=cython.longlong, code=cython.longlong, length=cython.longlong
    )
    cdef object _interface(self, long long at, long long end)
    @cython.final
    @cython.locals(units=cython.longlong, steps=cython.longlong)
    cdef long long _resolution(self, long long code) except? FAILED
    @cython.final
    @cython.locals(high=cython.longlong, low=cython.longlong)
    cdef long long _seconds(self, long long at) except? FAILED
    @cython.final
    @cython.locals(captured=cython.longlong)
    cdef bint _sound(self, long long at, long long end) except? -2
    @cython.final
    @cython.locals(number=cython.longlong, captured=cython.longlong, ticks=cython.longlong)
    cdef int _enhanced(self, long long kind, long long at, long long end) except? -2
    @cython.final
    @cython.locals(original=cython.longlong, captured=cython.longlong)
    cdef int _simple(self, long long at, long long end) except? -2
    @cython.final
    @cython.locals(link=cython.longlong, units=cython.longlong, offset=cython.longlong, moment=cython.longlong)
    cdef int _interface_packet(
        self, long long number, long long ticks, long long at, long long end, long long original
    ) except? -2
    @cython.final
    @cython.locals(seconds=cython.longlong, rest=cython.longlong)
    cdef long long _moment(self, long long ticks, long long units) except? FAILED
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
