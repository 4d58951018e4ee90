cimport cython

from sensor.arrays cimport Longs, Numbered, Numbers, id_column, ids, ids_of, repeats, spread, words
from sensor.engine.seen cimport Seen

@cython.final
cdef class Facts:
    cdef readonly str name
    cdef public dict known
    cdef readonly Numbers where
    cdef readonly Numbers what
    cdef readonly Numbers seen

    cdef int number(self, key) except -1
    cdef int add(self, int where, int what, int seen) except -1
    cdef count(self, int row, int seen)

@cython.final
cdef class Places:
    cdef tuple _scopes
    cdef readonly int count
    cdef int _end_count
    cdef readonly object functions
    cdef readonly dict kinds
    cdef readonly Numbers kind
    cdef readonly Longs end
    cdef readonly Longs ends

    @cython.locals(ip=bytes, mac="long long")
    cdef int add_end(self, tuple address) except -1
    cdef int add(self, long long day, ends, protocol, bint continued, int one, int other) except -1

@cython.final
cdef class Wheres:
    cdef unsigned long long[::1] functions
    cdef unsigned long long[::1] ids
    cdef Numbers _days
    cdef Numbers _kind
    cdef Longs _end
    cdef object _ends
    cdef list _rows
    cdef Numbered _numbered

    @cython.locals(different=list)
    cdef list columns(self, Numbers where)
    cdef days(self, Numbers where)
    cdef list _addresses(self, ends)

@cython.final
cdef class Counts:
    cdef list _seen
    cdef Longs _first
    cdef Longs _last
    cdef Longs _n
    cdef Longs _frame
    cdef Numbers _hours
    cdef Numbers _quality
    cdef Numbers _port
    cdef dict _qualities

    @cython.locals(seen=Seen)
    cdef _take_apart(self, int number)
    @cython.locals(seen=Seen, number=int)
    cdef int both(self, int one, int other) except -1
    cdef list columns(self, Numbers seen)
    cdef quality(self, Numbers seen)

@cython.final
cdef class Sayings:
    cdef tuple _kinds
    cdef list _told
    cdef Numbered _numbered

    @cython.locals(different=list)
    cpdef list columns(self, Numbers what)

@cython.final
cdef class Folded:
    cdef Wheres _wheres
    cdef Counts _counts

    @cython.locals(whole=Facts, now=Numbers, row=int, at=int)
    cdef Facts _joined(self, Facts facts, Numbers first)

@cython.locals(both=Numbers, at=int)
cdef Numbers _of_sides(Numbers numbers)

@cython.locals(used="unsigned char[::1]", numbers=Numbers, at=int, number=int)
cdef Numbers _used(several, int count)

@cython.locals(hashes="unsigned long long[::1]", at=int)
cdef _hashes(Facts facts)
