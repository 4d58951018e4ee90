cimport cython

# Constants for the compiler; seen.py holds them again for the interpreter, and a test compares both.
cdef extern from *:
    const long long DAY_US "86400000000LL"
    const long long HOUR_US "3600000000LL"

@cython.final
cdef class Seen:
    cdef public long long first, last, n, hours, frame, port
    cdef public object quality, ends

    cpdef again(self, long long ts_us, quality)
    cpdef join(self, Seen other)
