cimport cython

from sensor.engine.layout cimport *
from sensor.engine.pieces cimport Pieces


cdef class Lanes(Pieces):
    cdef long long sample_after
    cdef long long sample_each

    @cython.locals(base=cython.longlong, used=cython.longlong)
    cpdef object want(self, long long row, long long lane, long long n, long long message)
    @cython.locals(base=cython.longlong, left=cython.longlong, dropped=cython.longlong)
    cpdef object skip(self, long long row, long long lane, long long n)
    @cython.locals(base=cython.longlong)
    cpdef object skip_until(self, long long row, long long lane, mark, long long limit)
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef object _search_held(self, long long row, long long lane, bytes there, mark)
    @cython.locals(base=cython.longlong)
    cpdef object next_turn(self, long long row, long long lane)
    @cython.final
    cdef bint _is_lost(self, long long base) except? -2
    cpdef object done(self, long long row)
    @cython.final
    @cython.locals(r=cython.longlong, lane=cython.longlong)
    cdef int _done(self, long long row) except? -2
    @cython.locals(r=cython.longlong)
    cpdef object unlisten(self, long long row)
    @cython.locals(base=cython.longlong)
    cpdef object close_lane(self, long long row, long long lane)
    @cython.final
    cdef int _close_lane(self, long long row, long long lane, long long base) except? -2
    @cython.final
    @cython.locals(base=cython.longlong, mode=cython.longlong, event=cython.int)
    cdef int _consume(self) except? -2
    @cython.final
    cdef int _gap(self, long long base) except? -2
    @cython.final
    @cython.locals(room=cython.longlong, n=cython.longlong, at=cython.longlong)
    cdef int _read(self, long long base) except? -2
    @cython.final
    @cython.locals(at=cython.longlong)
    cdef bint _is_wanted(self, long long base) except? -2
    @cython.final
    @cython.locals(n=cython.longlong)
    cdef int _skip_bytes(self, long long base) except? -2
    @cython.final
    @cython.locals(
        r=cython.longlong, start=cython.longlong, roll=cython.longlong, rolled=cython.longlong, mark=cython.longlong,
        mask=cython.longlong, length=cython.longlong, stop=cython.longlong, found=cython.bint
    )
    cdef int _search(self, long long base) except? -2
    @cython.final
    @cython.locals(heads=cython.longlong)
    cdef int _found_mark(self, long long base) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, n=cython.longlong)
    cdef int _leave_out(self, long long base) except? -2
    @cython.final
    cdef int _data(self, long long row, long long lane, long long base) except? -2
    @cython.final
    cdef int _event_of(self, int kind, long long row, long long lane, long long base) except? -2
    @cython.final
    cdef int _deliver_held(self, long long row, long long lane, long long base) except? -2
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef int _deliver_ready(self) except? -2
