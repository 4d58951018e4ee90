# The types of cursor.py for the compiler; without one the source runs as it is.
cimport cython


# A pointer is sliced as it is: the range is tested before.
@cython.locals(size=cython.Py_ssize_t, octets="const char*")
cpdef bytes cut(bytes data, Py_ssize_t begin, Py_ssize_t end)

@cython.freelist(64)
cdef class Cursor:
    cdef bytes _data
    cdef Py_ssize_t _at, _end
    cdef long long _base

    @cython.locals(at=cython.Py_ssize_t)
    cpdef bytes take(self, n)
    cpdef bytes rest(self)
    cpdef skip(self, n)
    @cython.locals(at=cython.Py_ssize_t)
    cpdef u8(self)
    cdef _refuse(self, str needed)
    @cython.locals(at=cython.Py_ssize_t, place=cython.Py_ssize_t, value=cython.ulonglong)
    cdef _big(self, Py_ssize_t n)
    @cython.locals(at=cython.Py_ssize_t, place=cython.Py_ssize_t, value=cython.ulonglong)
    cdef _little(self, Py_ssize_t n)
    cdef _octets(self, Py_ssize_t n)
