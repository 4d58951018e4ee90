cimport cython

from sensor.engine.layout cimport *


@cython.final
cdef class Segments:
    cdef long long[::1] table
    cdef list touched
    cdef dict past
    cdef readonly dict names
    cdef dict places
    cdef list place_keys
    cdef long long hour
    cdef readonly long long hour_from
    cdef readonly long long hour_to

    @cython.locals(at=cython.longlong)
    cdef int count(self, long long segment, long long size) except -2
    cdef int _touch(self, long long segment) except -2
    cdef int count_traits(self, long long segment, bint to_group, bint truncated) except -2
    cdef int count_copy(self, long long segment) except -2
    cdef long long place(self, long long key) except? FAILED
    cdef int turn(self, long long ts) except -2

    @cython.locals(at=cython.longlong, segment=cython.longlong)
    cdef _settle(self)
