cimport cython

from sensor.arrays cimport Index
from sensor.engine.seen cimport Counted, Moment, Seen, Words
from sensor.folded cimport Facts, Places
from sensor.sighting cimport Said

@cython.final
@cython.no_gc
cdef class Kept:
    cdef set _values
    cdef dict _counts
    cdef long long count

    @cython.locals(count=int)
    cdef bint admit(self, value) except -1

@cython.final
cdef class Held:
    cdef long long count

@cython.final
@cython.no_gc
cdef class Values:
    cdef long long batch
    cdef int end
    cdef list _told
    cdef Kept _kept
    cdef Held _held

    cdef count_in(self, Held held)
    @cython.locals(kept=Kept, before=cython.longlong, admitted=cython.bint)
    cdef bint admit(self, value) except -1

@cython.final
@cython.no_gc
cdef class Told:
    cdef object key
    cdef Facts facts
    cdef tuple what
    cdef int side
    cdef object value
    cdef int text_bytes
    cdef int number
    cdef int order
    cdef int place
    cdef int row
    cdef long long moment

@cython.final
@cython.no_gc
cdef class Group(Seen):
    cdef int number
    cdef int size
    cdef long long moment
    cdef int met
    cdef int part

@cython.final
@cython.no_gc
cdef class Place:
    cdef int number
    cdef Counted seen
    cdef Values _initiator
    cdef Values _responder

    cdef Values values(self, int side)

cdef class Fold:
    cdef tuple _scopes
    cdef set _certificates_sent
    cdef dict _kinds
    cdef dict _values
    cdef dict _older
    cdef Held _held
    cdef long long _values_day
    cdef long long _moment
    cdef public long long lost
    cdef public long long row_count
    cdef public long long text_bytes
    cdef readonly long long held_bytes
    cdef public long long room_bytes
    cdef long long _held_max
    cdef dict _places
    cdef long long _batch
    cdef Places _where
    cdef Index _rows
    cdef list _counting
    cdef list _counts
    cdef dict _tables
    cdef dict _told
    cdef dict _spoken
    cdef dict _certificates

    cdef _clear(self)
    @cython.locals(day_us="long long", place=Place, words=Words, seen=Seen, here=dict)
    cpdef add(self, Said said)
    cdef bint _is_full(self) except -1
    cdef _weigh(self, long long size)
    @cython.locals(initiator=Values, responder=Values, place=Place, day="long long")
    cdef Place _place(self, tuple key, ends)
    @cython.locals(values=Values)
    cdef Values _values_of(self, tuple subject)

    @cython.locals(spoken=list, told=Told, number=int, seen=Seen)
    cdef Seen _add_known(self, Place place, Said said, Words words)
    @cython.locals(told=Told)
    cdef Told _heard(self, fact, mark)

    @cython.locals(told=Told, new=Group, row=int, at=Py_ssize_t, facts=tuple, marks=tuple)
    cdef _add_each(self, Place place, Said said)
    cdef int _row(self, Place place, Told told) except? -1
    cdef bint _is_admitted(self, Place place, Told told) except -1
    cdef Told _overflow(self, Told told)
    @cython.locals(row=int)
    cdef _state(self, Place place, Told told, Group group)
    cdef int _add_row(self, Place place, Told told, int counted) except -1
    cdef int _count_in(self, Seen seen) except -1
    @cython.locals(group=Group)
    cdef Group _group(self, Moment first)
    cdef Group _group_of(self, Told told, int row)
    @cython.locals(group=Group)
    cdef _meet(self, Told told, int row, list met)
    @cython.locals(group=Group, part=Group, told=Told, is_split=bint, row=int)
    cdef _count(self, Place place, Said said, list met, list before)
    @cython.locals(group=Group, row=int)
    cdef _count_alone(self, Place place, Said said, Told told)
    @cython.locals(part=Group)
    cdef Group _split(self, Group group, int size)

    @cython.locals(told=Told)
    cdef Told _told_by(self, fact, mark)
    @cython.locals(told=Told)
    cdef Told _told_of(self, str name, tuple what, side)
    cdef Told _new(self, key, str name, tuple what, side)
    @cython.locals(kinds="long long", hashes="long long", number="long long")
    cdef _value(self, str name, tuple what)
    cdef _keep(self, Told told, fact)
    cdef _keep_certificate(self, fact)

cdef tuple _attribute(fact)
cdef tuple _what(fact, mark)
cdef tuple _authentication(str about, fact, mark)
cdef str _details(details)
