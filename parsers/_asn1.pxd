# The types of _asn1.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.cursor cimport cut


@cython.locals(begin=Py_ssize_t, length=Py_ssize_t, end=Py_ssize_t)
cpdef tuple element(bytes data, Py_ssize_t at=*)
@cython.locals(tag=cython.longlong, octet=cython.longlong)
cdef tuple _tag(bytes data, Py_ssize_t at)
@cython.locals(first=cython.int, n=Py_ssize_t)
cdef tuple _length(bytes data, Py_ssize_t at)
@cython.locals(found=list, at=Py_ssize_t, end=Py_ssize_t)
cpdef list children(bytes content)
cpdef list some(bytes content, Py_ssize_t at_least=*)
