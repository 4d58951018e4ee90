cimport cython

# Constants for the compiler; digests.py holds them again for the interpreter, and a test compares both.
cdef enum:
    BLOCK_BYTES = 64
    ROUNDS = 80

cdef extern from *:
    const unsigned int M32 "0xFFFFFFFFU"
    const unsigned int H0 "0x67452301U"
    const unsigned int H1 "0xEFCDAB89U"
    const unsigned int H2 "0x98BADCFEU"
    const unsigned int H3 "0x10325476U"
    const unsigned int H4 "0xC3D2E1F0U"
    const unsigned int K0 "0x5A827999U"
    const unsigned int K1 "0x6ED9EBA1U"
    const unsigned int K2 "0x8F1BBCDCU"
    const unsigned int K3 "0xCA62C1D6U"
    const unsigned long long M64 "0xFFFFFFFFFFFFFFFFULL"
    const unsigned long long V0 "0x736F6D6570736575ULL"
    const unsigned long long V1 "0x646F72616E646F6DULL"
    const unsigned long long V2 "0x6C7967656E657261ULL"
    const unsigned long long V3 "0x7465646279746573ULL"


@cython.final
cdef class Sha1:
    cdef readonly unsigned char[::1] block
    cdef readonly unsigned char[::1] digest
    cdef unsigned int[::1] _schedule
    cdef size_t _end

    @cython.locals(
        a=cython.uint, b=cython.uint, c=cython.uint, d=cython.uint, e=cython.uint, mixed=cython.uint, t="size_t"
    )
    cpdef int sum(self, size_t size) except -1

    @cython.locals(at="size_t")
    cdef int _pad(self, size_t size) except -1

    @cython.locals(t="size_t", word=cython.uint, words="unsigned int[::1]")
    cdef int _expand(self) except -1

    @cython.locals(place="size_t")
    cdef int _put(self, size_t at, unsigned int word) except -1


@cython.final
cdef class SipHash:
    cdef readonly long long digest
    cdef unsigned long long _k0, _k1, _v0, _v1, _v2, _v3

    @cython.locals(at="Py_ssize_t")
    cpdef int sum(self, const long long[::1] numbers) except -1

    cdef int _take(self, unsigned long long word) except -1

    @cython.locals(v0="unsigned long long", v1="unsigned long long", v2="unsigned long long", v3="unsigned long long")
    cdef int _mix(self, int rounds) except -1
