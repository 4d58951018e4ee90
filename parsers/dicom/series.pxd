# The types of series.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.reader cimport Passer, Reader

cdef long long _BOUNDARY
cdef int _LAST


cdef class Series(Passer):
    cdef object _talk
    cdef bytes _text, _mask
    cdef list _told
    cdef readonly bint gives_up
    cdef public int lost

    @cython.locals(
        text=bytearray, mask=bytearray, picked=bytearray, decides=bytearray, data=bytes,
        at=cython.Py_ssize_t, begin=cython.Py_ssize_t, end=cython.Py_ssize_t
    )
    cdef _learn(self, parts, told, bint gives_up)
    @cython.locals(size=cython.Py_ssize_t)
    cpdef bint passes(self, Reader r) except -1
    cdef bint _is_lost(self, Reader r) except -1
    @cython.locals(text=bytes, mask=bytes, at=cython.Py_ssize_t, size=cython.Py_ssize_t)
    cdef bint _fits(self, bytes data) except -1
