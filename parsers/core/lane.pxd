# The types of lane.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.reader cimport Reader


@cython.final
@cython.freelist(512)
cdef class Lane:
    cdef int state
    cdef Reader reader
    cdef object steps
    cdef bytes head
    cdef bint overflowed
    cdef long long turn, probed_turn
    cdef bint confirmed
    cdef long long failed
    cdef list held

    cdef reset(self, int state)
    cdef Py_ssize_t held_bytes(self) except -1
    @cython.locals(weight=Py_ssize_t)
    cdef Py_ssize_t weight(self) except -1
    cdef bytes drain(self)
    cdef forget(self)
