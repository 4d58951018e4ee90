cimport cython

from sensor.arrays cimport Longs, Numbered, Numbers, Texts, id_array, ids, ids_of, repeats, spread
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
cdef class Wheres:
    cdef unsigned long long[::1] functions
    cdef unsigned long long[::1] ids
    cdef dict _kinds
    cdef dict _ends
    cdef Numbers _day
    cdef Numbers _kind
    cdef Numbers _end
    cdef Numbers _peer
    cdef Numbers _mac
    cdef Numbers _ip
    cdef list _rows
    cdef Numbered _numbered
    cdef Texts _macs
    cdef Texts _ips

    @cython.locals(number=int, one=int, other=int)
    cdef _add(self, tuple kind, initiator, responder)
    @cython.locals(different=list)
    cdef list columns(self, Numbers where)
    cdef days(self, Numbers where)
    cdef list _addresses(self, Numbers ends)

@cython.final
cdef class Counts:
    cdef list _seen
    cdef Longs _first
    cdef Longs _last
    cdef Longs _n
    cdef Longs _frame
    cdef Numbers _hours
    cdef Numbers _quality
    cdef Numbers _community
    cdef dict _qualities
    cdef dict _conversations
    cdef Texts _communities

    cdef _add(self, Seen seen)
    cdef int both(self, int one, int other) except -1
    cdef list columns(self, Numbers seen)
    cdef list flags(self, Numbers seen)
    cdef quality(self, Numbers seen)
    cdef list _flags(self)

@cython.final
cdef class Folded:
    cdef Wheres _wheres
    cdef Counts _counts

    @cython.locals(whole=Facts, now=Numbers, row=int, at=int)
    cdef Facts _joined(self, Facts facts, Numbers first)

cdef Numbers _used(Numbers numbers, int count)

@cython.locals(different=list)
cdef list _what_columns(list told, Facts facts, Numbered of_whats, Numbers what)

@cython.locals(known=dict, number=Numbers)
cdef tuple _numbered(list values)

@cython.locals(hashes="unsigned long long[::1]", at=int)
cdef _hashes(Facts facts)
