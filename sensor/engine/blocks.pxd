cimport cython

from sensor.engine.layout cimport *
from sensor.engine.links cimport Links


cdef class Blocks(Links):
    cdef int kind
    cdef list interfaces
    cdef bint in_section
    cdef bint several
    cdef bint is_last
    cdef long long scout
    cdef long long scouted
    cdef long long scouted_ts
    cdef long long oldest
    cdef long long waiting
    cdef long long spare
    cdef long long[::1] pool
    cdef long long[::1] queues

    @cython.final
    cdef int _need(self, long long count) except? -2
    @cython.final
    cdef inline int _stamp(self, long long ts) except? -2
    @cython.final
    cdef int _count_backwards(self, long long ts) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, total=cython.longlong)
    cdef int _fetch_block(self) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong, total=cython.longlong)
    cdef long long _look(self, long long at) except? FAILED
    @cython.final
    @cython.locals(kind=cython.longlong)
    cdef int _take(self, long long at, long long total) except? -2
    @cython.final
    @cython.locals(magic=cython.longlong)
    cdef bint _section(self, long long at) except? -2
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
    cdef long long _ticks(self, long long at) except? FAILED
    @cython.final
    cdef object _expect_several(self)
    @cython.final
    @cython.locals(place=cython.longlong)
    cdef object _clear_rows(self)
    @cython.final
    @cython.locals(found=cython.longlong)
    cdef int _fetch_in_order(self) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, total=cython.longlong, kind=cython.longlong)
    cdef long long _scout_on(self) except? FAILED
    @cython.final
    @cython.locals(
        number=cython.longlong, units=cython.longlong, offset=cython.longlong, queue=cython.longlong,
        place=cython.longlong, last=cython.longlong
    )
    cdef int _wait(self, long long at, long long kind) except? -2
    @cython.final
    @cython.locals(
        chosen=cython.longlong, queue=cython.longlong, place=cython.longlong, latest=cython.longlong, least=cython.longlong
    )
    cdef long long _first(self) except? FAILED
    @cython.final
    @cython.locals(
        queue=cython.longlong, gone=cython.longlong, place=cython.longlong, at=cython.longlong, frame=cython.longlong, count=cython.longlong
    )
    cdef int _let_on(self) except? -2
    @cython.final
    @cython.locals(queue=cython.longlong, place=cython.longlong)
    cdef int _find_oldest(self) except? -2
    @cython.final
    @cython.locals(queue=cython.longlong, place=cython.longlong)
    cdef int _move(self, long long by) except? -2
