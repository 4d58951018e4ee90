# The types of pattern.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.cursor cimport cut

cdef int _START, _END, _CR, _LF, _ASCII_MAX, _BLANK, _ORDER, _CONTROL_ID, _MY_NAME, _ITS_NAME, _NAME_MAX, _MAX_BYTES
cdef int _CONTROL_ID_MAX


@cython.final
cdef class Pattern:
    cdef bytes _text
    cdef unsigned char _separator, _escape
    cdef readonly object whole
    cdef bytes _control_id
    cdef readonly bytes mine, its
    cdef readonly Py_ssize_t end

    @cython.locals(control_id=bytes)
    cpdef bytes take_control_id(self)
    @cython.locals(begin=cython.Py_ssize_t, size=cython.Py_ssize_t, octet=cython.uchar)
    cpdef bint fits(self, bytes data, Py_ssize_t at) except -1
    @cython.locals(end=cython.Py_ssize_t)
    cdef Py_ssize_t _special(self, bytes data, Py_ssize_t at, int kind) except -2
    @cython.locals(separator=cython.uchar, octet=cython.uchar, place=cython.Py_ssize_t)
    cdef Py_ssize_t _end_of_blank(self, bytes data, Py_ssize_t at) except -2
    @cython.locals(last=cython.uchar, octet=cython.uchar, place=cython.Py_ssize_t)
    cdef bint _may_name(self, bytes data, Py_ssize_t at, Py_ssize_t end) except -1


cdef bint _begins_name(unsigned char last, unsigned char octet) except -1
@cython.locals(octet=cython.uchar, place=cython.Py_ssize_t)
cdef bint _is_plain(bytes data, Py_ssize_t at, Py_ssize_t end) except -1
cdef bint _is_alphanumeric(unsigned char octet) except -1
