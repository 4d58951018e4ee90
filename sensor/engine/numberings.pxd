# cython: boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
cimport cython

from sensor.engine.layout cimport *
from sensor.engine.turns cimport Turns


cdef class Numberings(Turns):
    cdef long long[::1] shifts
    cdef object watched

    @cython.final
    @cython.locals(shift=cython.longlong, other=cython.longlong, moved=cython.bint)
    cdef bint _renumber(self, long long row, long long lane) except? -2
    @cython.final
    @cython.locals(near=cython.longlong, there=cython.longlong, here=cython.longlong)
    cdef bint _is_moved(self, long long row, long long lane, long long number, long long shift) except? -2
    @cython.final
    cdef long long _near(self, long long row, long long lane) except? FAILED
    @cython.final
    @cython.locals(r=cython.longlong, isn=cython.longlong, since=cython.longlong, shift=cython.longlong, said=cython.bint)
    cdef bint _begins_in_others(self, long long row, long long lane) except? -2
    @cython.final
    cdef int _shift(self, long long row, long long lane, long long by) except? -2
    @cython.final
    @cython.locals(flags=cython.longlong)
    cdef int _forget_numbers(self, long long row) except? -2
    @cython.final
    @cython.locals(key=cython.longlong, twin=cython.longlong, known=cython.bint)
    cdef bint _tell_apart(self, long long row, long long lane, bytes said) except? -2
    @cython.final
    @cython.locals(
        away=cython.longlong, before=cython.longlong, by=cython.longlong, base=cython.longlong, is_own=cython.bint
    )
    cdef bint _is_known_by(self, long long row, long long lane, watched, long long twin) except? -2
    @cython.final
    @cython.locals(near=cython.longlong)
    cdef int _bring_over(self, long long row, long long lane, long long at, long long by) except? -2
    @cython.final
    cdef int _unwatch(self, long long key) except? -2
