# The types of again.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.reader cimport Passer, Reader
from parsers.hl7.acknowledgment cimport Dialogue
from parsers.hl7.pattern cimport Pattern

cdef int _CR


cdef class Again(Passer):
    cdef object _messages, _side, _talk
    cdef list _patterns
    cdef Dialogue _dialogue
    cdef public long long fresh_until

    @cython.locals(data=bytes, at=cython.Py_ssize_t, end=cython.Py_ssize_t)
    cpdef bint passes(self, Reader r) except -1
    @cython.locals(pattern=Pattern)
    cdef Py_ssize_t _hear(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(count=cython.longlong)
    cdef bint _is_told(self, whole) except -1
    cdef _settle(self, Pattern pattern)
