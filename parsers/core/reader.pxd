# The types of reader.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.cursor cimport cut

cdef tuple _LEAVES
cdef int _NOTHING, _BYTES, _UNTIL_MARK, _TURN


@cython.final
@cython.freelist(64)
cdef class Demand:
    cdef readonly object leave
    cdef readonly long long count
    cdef readonly bytes mark
    cdef readonly long long want, message


cdef class Passer:
    cpdef bint passes(self, Reader r) except -1


@cython.freelist(256)
cdef class Reader:
    cdef public bint resumed
    cdef public long long offset
    cdef readonly long long held
    cdef public Passer passer
    cdef bytes _buffer
    cdef long long _at
    cdef list _messages
    cdef long long _want, _message
    cdef int _leave
    cdef long long _count
    cdef bytes _mark
    cdef long long _turn
    cdef Demand _demand
    cdef long long _demand_want, _demand_message

    cpdef bytes ready(self, n)
    cpdef bytes seen(self, long long n)
    cpdef expect(self, long long n)
    cpdef bint skipped(self, n) except -1
    cpdef pass_over(self, long long n)
    cpdef give_up_turn(self)
    @cython.locals(asleep=cython.bint)
    cpdef bint sleeps(self) except -1
    @cython.locals(held=cython.longlong, is_reading=cython.bint, want=cython.longlong, message=cython.longlong)
    cpdef Demand needs(self)
    cpdef hand_over(self)
    cpdef feed(self, bytes data, long long turn)
    cpdef feed_datagram(self, bytes data)
    cpdef bytes drain(self)
    cdef _hold(self, bytes data)
    @cython.locals(at=cython.longlong)
    cdef bytes _read(self, long long n)
    @cython.locals(held=cython.longlong)
    cdef bint _passed(self, long long n) except -1
    cdef _forget(self)
    cdef _drop(self, long long n)
    @cython.locals(dropped=cython.longlong)
    cdef _feed_skipping(self, bytes data, long long turn)
    @cython.locals(at=cython.longlong)
    cdef _feed_searching(self, bytes data)
