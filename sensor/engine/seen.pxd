cimport cython

from sensor.engine.window cimport PREFETCH

# Constants for the compiler; seen.py holds them again for the interpreter, and a test compares both.
cdef enum:
    IN_TURN = 8

cdef extern from *:
    const long long DAY_US "86400000000LL"
    const long long HOUR_US "3600000000LL"

@cython.final
cdef class Words:
    cdef readonly tuple facts, marks
    cdef readonly bint known

cdef class Moment:
    cdef public long long ts_us, frame, port
    cdef public object quality, ends

cdef class Seen(Moment):
    cdef public long long last, n, hours

    cpdef once(self, Moment said)
    cpdef again(self, long long ts_us, quality)
    cpdef join(self, Seen other)
    cdef _begin_with(self, Moment other)
    cpdef Seen joined(self, Seen other)

@cython.final
cdef class Counted:
    cdef dict counts
    cdef void *words[IN_TURN]
    cdef void *turns[IN_TURN]

    cpdef Seen get(self, Words words)
    cpdef keep(self, Words words, Seen seen)
    cpdef clear(self)
    @cython.locals(seen=Seen)
    cpdef Seen in_turn(self, int turn, Words words)
    cdef int ask_ahead(self, int turn) except -1
