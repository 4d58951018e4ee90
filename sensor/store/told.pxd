cimport cython

cdef unsigned long long _64_BITS
cdef unsigned long long _DAY_FACTOR
cdef unsigned long long _TABLE_FACTOR
cdef unsigned long long _FACTOR

@cython.final
cdef class Keys:
    cdef readonly long long count
    cdef unsigned long long[::1] _slots
    cdef int[::1] _batches
    cdef unsigned long long _last

    @cython.locals(slot="unsigned long long")
    cpdef Py_ssize_t batch_of(self, unsigned long long key) except -2
    @cython.locals(slot="unsigned long long")
    cpdef add(self, unsigned long long key, int batch)
    @cython.locals(mixed="unsigned long long", slot="unsigned long long")
    cdef unsigned long long _slot(self, unsigned long long key)
    @cython.locals(held="unsigned long long[::1]", batches="int[::1]", at="Py_ssize_t")
    cdef _grow(self)
    cdef _make(self, unsigned long long count)

@cython.final
cdef class Told:
    cdef readonly bint is_forgetful
    cdef long long _generation
    cdef Keys _young
    cdef Keys _old

    @cython.locals(row="Py_ssize_t", key="unsigned long long", told="Py_ssize_t", since="Py_ssize_t", met=list)
    cpdef tuple meet(self, unsigned long long table, const int[::1] days, const unsigned long long[::1] ids, int batch)
