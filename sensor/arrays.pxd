cimport cython

cdef extern from *:
    ctypedef unsigned long long twice "unsigned __int128"

ctypedef fused whole:
    short
    int
    long long

ctypedef fused numeric:
    short
    int
    long long
    double

@cython.final
cdef class Numbers:
    cdef int[::1] held
    cdef readonly int count

    cpdef add(self, int number)
    @cython.locals(part=Numbers)
    cpdef Numbers cut(self, int begin, int end)
    @cython.locals(found=Numbers, row=int)
    cpdef Numbers of(self, Numbers at)
    cpdef column(self, kind, is_known=*)

@cython.final
cdef class Longs:
    cdef long long[::1] held
    cdef readonly int count

    cpdef add(self, long long number)
    cpdef of(self, Numbers at, kind)
    @cython.locals(column="long long[::1]", row=int)
    cpdef taken(self, Numbers at, int flip=*)

@cython.final
cdef class Index:
    cdef int _shift
    cdef unsigned long long _factor
    cdef unsigned long long[::1] _keys
    cdef int[::1] _numbers
    cdef readonly long long count

    cdef _begin(self, int bits)
    @cython.locals(slot="Py_ssize_t")
    cpdef int get(self, unsigned int one, unsigned int other) except? -1
    @cython.locals(slot="Py_ssize_t", key="unsigned long long")
    cpdef put(self, unsigned int one, unsigned int other, int number)
    @cython.locals(slot="Py_ssize_t", last="Py_ssize_t", low="unsigned long long")
    cdef Py_ssize_t _slot(self, unsigned long long key) except -1
    @cython.locals(
        keys="unsigned long long[::1]", numbers="int[::1]", at="Py_ssize_t", slot="Py_ssize_t", key="unsigned long long"
    )
    cdef _grow(self)

cdef unsigned long long _pair(unsigned long long one, unsigned long long other) except? 0

@cython.final
cdef class Numbered:
    cdef int[::1] _known

    @cython.locals(found=Numbers, different=list, row=int, number=int)
    cpdef tuple anew(self, Numbers numbers)

cpdef list spread(values, columns, Numbers at)
cdef _spread(values, kind, Numbers at)

@cython.locals(number=dict, which=Numbers, indices="short[::1]", row=int)
cdef _words(texts, Numbers at, is_known)

cpdef words(numbers, texts)

cpdef id_column(unsigned long long[::1] values)

@cython.locals(found="unsigned long long[::1]", row=int)
cpdef ids_of(unsigned long long[::1] values, Numbers at)

@cython.locals(marks=bytearray, packed=bytearray, row=int)
cdef bytearray _bits(list values, Numbers at)

@cython.locals(prime="unsigned long long", rest="unsigned long long", low="unsigned long long", found="unsigned long long[::1]",
               product=twice, row=int, at=int)
cpdef ids(Numbers where, Numbers what, unsigned long long[::1] functions, unsigned long long[::1] hashes)

@cython.locals(least=whole, most=whole, at="Py_ssize_t")
cpdef tuple extent(const whole[::1] numbers)

@cython.locals(totals=dict, at="Py_ssize_t", count="Py_ssize_t", key="unsigned long long", total="long long")
cpdef dict sums(const unsigned long long[::1] keys, const long long[::1] numbers)

@cython.locals(total="long long", row="Py_ssize_t")
cpdef long long spoken(const short[::1] indices, const int[::1] offsets, const unsigned char[::1] bits) except -1

@cython.locals(at="Py_ssize_t")
cpdef bint rises(const int[::1] offsets) except -1

@cython.locals(at="Py_ssize_t", end="Py_ssize_t")
cpdef bint splits(const int[::1] offsets, const unsigned char[::1] characters) except -1

@cython.locals(row="Py_ssize_t")
cpdef pick(numeric[::1] made, const numeric[::1] numbers, const int[::1] at)

@cython.locals(packed=bytearray, row="Py_ssize_t")
cpdef bits_at(const unsigned char[::1] bits, const int[::1] at)

@cython.locals(begins="int[::1]", made="unsigned char[::1]", total="long long", row="Py_ssize_t", begin="Py_ssize_t",
               from_="Py_ssize_t", place="Py_ssize_t")
cpdef tuple texts_at(const int[::1] offsets, const unsigned char[::1] characters, const int[::1] at)

@cython.locals(slots="int[::1]", first=Numbers, is_any=bint, bits=int, shift=int, last=int, low="unsigned long long",
               factor="unsigned long long", key="unsigned long long", row=int, slot=int)
cpdef Numbers repeats(unsigned long long[::1] ids, int count)
