# The types of progress.py for the compiler; without one the source runs as it is.
cimport cython


@cython.final
@cython.freelist(64)
cdef class Progress:
    cdef public long long count, telling, fresh_at, heads
    cdef long long _heard

    cpdef bint turns(self, long long heard) except -1
