# The types of registry.py for the compiler; without one the source runs as it is.
cimport cython


@cython.final
cdef class _Layer:
    cdef list by_byte
    cdef readonly list leadless
    cdef Py_ssize_t longest
    cdef readonly dict known

    cdef list candidates(self, bytes head, ports)
    cdef list _learn(self, bytes beginning)


cdef class Registry:
    cdef readonly tuple protocols
    cdef dict _by_name
    cdef readonly dict _layers

    cpdef get(self, str name)
    @cython.locals(layer=_Layer)
    cpdef list candidates(self, str over, bytes head, ports=*)
