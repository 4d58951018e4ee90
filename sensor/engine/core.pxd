cimport cython

from sensor.engine.lanes cimport Lanes
from sensor.engine.layout cimport *


@cython.final
cdef class Engine(Lanes):
    cdef long long free_row
    cdef object finishing

    @cython.final
    @cython.locals(event=cython.int)
    cdef int _through(self) except? -2
    @cython.final
    @cython.locals(event=cython.int)
    cdef int _fetch(self) except? -2
    @cython.final
    cdef int _finish_next(self) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, day=cython.longlong)
    cdef int _day(self) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, base=cython.longlong, column=cython.longlong)
    cdef int _new_day(self) except? -2
    @cython.final
    cdef int _transport(self) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef int _datagram(self) except? -2
    @cython.final
    @cython.locals(at=cython.longlong)
    cdef bint _is_wanted_datagram(self, long long r) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, base=cython.longlong)
    cdef int _segment(self) except? -2
    @cython.final
    cdef int _syn(self, long long r, long long base) except? -2
    @cython.final
    @cython.locals(lane=cython.longlong, other=cython.longlong, base=cython.longlong)
    cdef int _acknowledge(self) except? -2
    @cython.final
    @cython.locals(away=cython.longlong, acked=cython.longlong)
    cdef int _reset(self, long long r, long long base) except? -2
    @cython.final
    @cython.locals(at=cython.longlong, have=cython.longlong, ahead=cython.longlong)
    cdef int _payload(self, long long r, long long base) except? -2
    @cython.final
    @cython.locals(begin=cython.longlong, ahead=cython.longlong, known=cython.bint)
    cdef int _begin_lane(self, long long base) except? -2
    @cython.final
    cdef bint _is_told_again(self, long long have) except? -2
    @cython.final
    @cython.locals(believed=cython.bint)
    cdef long long _stray(self, long long base, long long ahead) except? FAILED
    @cython.final
    cdef object _restart(self, long long base)
    @cython.final
    @cython.locals(mode=cython.longlong)
    cdef long long _jump(self, long long r, long long base, long long ahead) except? FAILED
    @cython.final
    @cython.locals(r=cython.longlong, reason=cython.longlong, lane=cython.longlong, base=cython.longlong, acked=cython.bint)
    cdef int _close(self) except? -2
    @cython.final
    @cython.locals(row=cython.longlong, lane=cython.longlong, reason=cython.longlong)
    cdef bint _take_overdue(self) except? -2
    @cython.final
    cdef long long _left(self, long long base) except? FAILED
    @cython.final
    cdef long long _ended(self, long long base) except? FAILED
    @cython.final
    @cython.locals(flags=cython.longlong)
    cdef int _reason(self, long long row) except? -2
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef bint _closed(self, long long row, long long lane) except? -2
    @cython.final
    @cython.locals(row=cython.longlong, base=cython.longlong, lane=cython.longlong)
    cdef int _end(self) except? -2
    @cython.final
    @cython.locals(row=cython.longlong)
    cdef int _release(self) except? -2
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef int _forget(self, long long row, long long lane) except? -2
