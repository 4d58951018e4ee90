# cython: boundscheck=False, wraparound=False, initializedcheck=False
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

    cdef int _beyond(self) except -2
    cdef int _touch(self, long long segment) except -2
    cdef int count_traits(self, long long segment, bint to_group, bint truncated) except -2
    cdef int count_copy(self, long long segment) except -2
    cdef long long place(self, long long key) except? FAILED
    cdef int turn(self, long long ts) except -2

    @cython.locals(at=cython.longlong, segment=cython.longlong)
    cdef _settle(self)

    cdef inline int count(self, long long segment, long long size) except -2:
        cdef long long at = segment * SEGMENT_WIDTH
        if at < 0 or at + SEGMENT_WIDTH > self.table.shape[0]:
            return self._beyond()
        self.table[at + N_BYTES] += size
        self.table[at] += 1
        return self._touch(segment) if self.table[at] == 1 else 0
