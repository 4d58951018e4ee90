cimport cython

# Constants for the compiler; digests.py holds them again for the interpreter, and a test compares both.
cdef extern from *:
    const unsigned long long M64 "0xFFFFFFFFFFFFFFFFULL"
    const unsigned long long V0 "0x736F6D6570736575ULL"
    const unsigned long long V1 "0x646F72616E646F6DULL"
    const unsigned long long V2 "0x6C7967656E657261ULL"
    const unsigned long long V3 "0x7465646279746573ULL"


@cython.final
cdef class SipHash:
    cdef readonly long long digest
    cdef unsigned long long _k0, _k1, _v0, _v1, _v2, _v3

    @cython.locals(at="Py_ssize_t")
    cpdef int sum(self, const long long[::1] numbers) except -1

    cdef int _take(self, unsigned long long word) except -1

    @cython.locals(v0="unsigned long long", v1="unsigned long long", v2="unsigned long long", v3="unsigned long long")
    cdef int _mix(self, int rounds) except -1
