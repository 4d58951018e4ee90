# The types of again.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.conversation cimport Conversation
from parsers.core.reader cimport Passer, Reader
from parsers.hl7.acknowledgment cimport Dialogue
from parsers.hl7.pattern cimport Pattern
from parsers.hl7.progress cimport Progress

cdef int _CR
cdef long long _EACH, _FRESH


@cython.final
@cython.freelist(64)
cdef class _Kind:
    cdef Pattern pattern
    cdef object whole, claim
    cdef bytes mine, its
    cdef str code
    cdef bint asks, twice
    cdef long long told_in


cdef class Again(Passer):
    cdef int _side, _peer
    cdef Conversation _talk
    cdef Dialogue _dialogue
    cdef list _kinds
    cdef readonly Progress progress
    cdef public long long fresh_until

    @cython.locals(kind=_Kind)
    cpdef learn(self, whole, list pieces)
    @cython.locals(data=bytes, at=cython.Py_ssize_t, end=cython.Py_ssize_t)
    cpdef bint passes(self, Reader r) except -1
    cdef bint _turns(self, long long offset) except -1
    @cython.locals(kind=_Kind, pattern=Pattern)
    cdef Py_ssize_t _hear(self, bytes data, Py_ssize_t at) except -1
    cdef _settle(self, _Kind kind, bytes control_id)
