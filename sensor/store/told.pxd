cimport cython

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SPANWARD_PREFETCH(p) __builtin_prefetch(p)
    #else
    #define SPANWARD_PREFETCH(p)
    #endif
    """
    void PREFETCH "SPANWARD_PREFETCH"(const void *p) noexcept

cdef Py_ssize_t _AHEAD
cdef unsigned long long _64_BITS
cdef unsigned long long _DAY_FACTOR
cdef unsigned long long _TABLE_FACTOR
cdef unsigned long long _END
cdef unsigned long long _FACTOR

@cython.locals(row="Py_ssize_t", at="Py_ssize_t", number="unsigned long long")
cpdef mixed(unsigned long long[::1] numbers, const int[::1] offsets, const unsigned char[::1] characters)

@cython.final
cdef class Keys:
    cdef readonly long long count
    cdef unsigned long long[::1] _slots
    cdef int[::1] _batches
    cdef unsigned long long _last

    @cython.locals(slot="unsigned long long")
    cpdef Py_ssize_t batch_of(self, unsigned long long key) except -2
    @cython.locals(slot="unsigned long long", told="Py_ssize_t")
    cpdef Py_ssize_t keep(self, unsigned long long key, int batch, int since) except -2
    @cython.locals(slot="unsigned long long")
    cdef warm(self, unsigned long long key)
    cdef unsigned long long _first(self, unsigned long long key)
    @cython.locals(slot="unsigned long long")
    cdef unsigned long long _slot(self, unsigned long long key)
    @cython.locals(
        held="unsigned long long[::1]", batches="int[::1]", at="Py_ssize_t", count="long long", slot="unsigned long long"
    )
    cdef _grow(self)
    cdef _make(self, unsigned long long count)

@cython.final
cdef class Told:
    cdef readonly bint is_forgetful
    cdef long long _generation
    cdef Keys _young
    cdef Keys _old

    @cython.locals(
        row="Py_ssize_t", count="Py_ssize_t", met_count="Py_ssize_t", told="Py_ssize_t",
        keys="unsigned long long[::1]", batches="int[::1]"
    )
    cpdef batches(self, unsigned long long table, const int[::1] days, const unsigned long long[::1] ids)
    @cython.locals(
        row="Py_ssize_t", count="Py_ssize_t", new_count="Py_ssize_t", told="Py_ssize_t",
        keys="unsigned long long[::1]", new="int[::1]", met="int[::1]", batches="int[::1]"
    )
    cpdef tuple meet(
        self, unsigned long long table, const int[::1] days, const unsigned long long[::1] ids, int batch, int since=*
    )
    cdef _warm(self, unsigned long long key)
    @cython.locals(told="Py_ssize_t")
    cdef Py_ssize_t _batch_of(self, unsigned long long key) except -2
    @cython.locals(held="Py_ssize_t", told="Py_ssize_t")
    cdef Py_ssize_t _remember(self, unsigned long long key, int batch, int since) except -2

@cython.locals(row="Py_ssize_t", keys="unsigned long long[::1]")
cdef _keys(unsigned long long table, const int[::1] days, const unsigned long long[::1] ids)
