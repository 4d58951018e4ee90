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
