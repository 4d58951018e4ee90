# The types of again.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.reader cimport Passer, Reader
from parsers.hl7.acknowledgment cimport Dialogue

cdef int _START, _END, _CR, _LF, _BLANK, _ORDER, _CONTROL_ID, _NAME_MAX, _MAX_BYTES


@cython.final
cdef class Pattern:
    cdef bytes _text
    cdef unsigned char _separator, _escape
    cdef readonly object whole
    cdef readonly bytes ids
    cdef readonly Py_ssize_t end

    @cython.locals(begin=cython.Py_ssize_t, size=cython.Py_ssize_t, first=cython.Py_ssize_t, octet=cython.uchar)
    cpdef bint fits(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(last=cython.uchar, octet=cython.uchar, place=cython.Py_ssize_t)
    cdef Py_ssize_t _blank(self, bytes data, Py_ssize_t at, bint is_order) except -2


cdef class Again(Passer):
    cdef object _messages, _side, _talk
    cdef list _patterns
    cdef Dialogue _dialogue
    cdef public long long fresh_until

    @cython.locals(data=bytes, at=cython.Py_ssize_t, end=cython.Py_ssize_t)
    cpdef bint passes(self, Reader r) except -1
    @cython.locals(pattern=Pattern)
    cdef Py_ssize_t _hear(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(count=cython.longlong, telling=cython.longlong)
    cdef bint _is_told(self, whole) except -1
    cdef _settle(self, whole, bytes ids)


cdef bint _begins_name(unsigned char last, unsigned char octet) except -1
