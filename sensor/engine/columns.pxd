cimport cython

from sensor.engine.days cimport (
    D_DAY,
    D_FIRST,
    D_INITIATOR,
    D_LABEL,
    D_LAST,
    D_PORT,
    D_RESPONDER,
    D_SEGMENT,
    D_TRANSPORT,
    D_WIDTH,
    E_IP,
    E_MAC,
    E_REST,
    E_WIDTH,
)
from sensor.engine.digests cimport SipHash

# Constants for the compiler; columns.py holds them again for the interpreter, and a test compares both.
cdef enum:
    COLON = 58
    DOT = 46
    IP_CHARACTERS = 39
    IP4_CHARACTERS = 15
    KEY_WORDS = 13

cdef extern from *:
    const long long M32 "0xFFFFFFFFLL"


@cython.locals(made="long long[::1]", row="Py_ssize_t", count="Py_ssize_t")
cpdef object column(const long long[::1] table, Py_ssize_t width, Py_ssize_t at)

@cython.locals(made="int[::1]", row="Py_ssize_t", count="Py_ssize_t")
cpdef object narrow(const long long[::1] table, Py_ssize_t width, Py_ssize_t at)

@cython.locals(made="long long[::1]", row="Py_ssize_t")
cpdef object gathered(const long long[::1] values, const long long[::1] numbers)

@cython.locals(first=cython.longlong, last=cython.longlong, row="Py_ssize_t")
cpdef object extent(const long long[::1] days)

@cython.locals(
    rows="Py_ssize_t",
    row="Py_ssize_t",
    known="int[::1]",
    made="short[::1]",
    different="long long[::1]",
    found=cython.int,
    word=cython.longlong,
    number=cython.int,
)
cpdef tuple picked(const long long[::1] words, Py_ssize_t count)

@cython.locals(
    made="long long[::1]",
    bits="unsigned char[::1]",
    count="Py_ssize_t",
    row="Py_ssize_t",
    missing="Py_ssize_t",
    mac=cython.longlong,
)
cpdef tuple macs(const long long[::1] ends, const long long[::1] numbers)

@cython.locals(
    made="long long[::1]",
    count="Py_ssize_t",
    row="Py_ssize_t",
    at="Py_ssize_t",
    numbers=dict,
    different=list,
    scope=cython.longlong,
    kind=cython.longlong,
    before=cython.longlong,
    number=cython.longlong,
)
cpdef tuple kinds(const long long[::1] days, const long long[::1] ends)

@cython.locals(made="long long[::1]", row="Py_ssize_t")
cpdef object scopes(const long long[::1] ends, const long long[::1] numbers)

@cython.locals(made="long long[::1]", number="Py_ssize_t")
cdef object _listed(list values)


@cython.final
cdef class Texts:
    cdef unsigned char[::1] characters
    cdef int[::1] offsets
    cdef Py_ssize_t at
    cdef Py_ssize_t count

    @cython.locals(character=cython.uchar, at="Py_ssize_t")
    cdef int put(self, bytes text) except -1
    @cython.locals(shift=cython.int)
    cdef int ip4(self, long long word) except -1
    @cython.locals(gap=cython.int, length=cython.int, group=cython.int, zeros=cython.int)
    cdef int ip6(self, const long long[::1] words, Py_ssize_t at) except -1
    cdef int _decimal(self, int value) except -1
    @cython.locals(shift=cython.int)
    cdef int _hexadecimal(self, int value) except -1
    cdef int _digit(self, int value) except -1
    cdef int _character(self, int character) except -1
    cdef int _end(self) except -1


cdef int _group(const long long[::1] words, Py_ssize_t at, int group) except -1

@cython.locals(end=cython.int)
cdef int _zeros(const long long[::1] words, Py_ssize_t at, int group) except -1

@cython.locals(texts=Texts, row="Py_ssize_t", at="Py_ssize_t")
cpdef object ip_texts(const long long[::1] ends, const long long[::1] numbers)

@cython.locals(row="Py_ssize_t")
cdef Py_ssize_t _longest(const long long[::1] ends, const long long[::1] numbers) except -1

@cython.locals(texts=Texts, row="Py_ssize_t")
cpdef object spelled(list words, const long long[::1] numbers)

@cython.locals(texts=Texts, at="Py_ssize_t")
cpdef str ip_text(bytes packed)

@cython.locals(
    made="long long[::1]",
    view="long long[::1]",
    summed=SipHash,
    row="Py_ssize_t",
    at="Py_ssize_t",
    one="Py_ssize_t",
    other="Py_ssize_t",
    kind="Py_ssize_t",
    service=cython.longlong,
    word=cython.int,
)
cpdef object row_ids(
    const long long[::1] days,
    const long long[::1] ends,
    const long long[::1] of_kind,
    const long long[::1] digests,
    tuple key,
)
