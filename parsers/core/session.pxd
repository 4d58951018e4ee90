# The types of session.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.conversation cimport Conversation
from parsers.core.exchange cimport Exchange
from parsers.core.lane cimport Lane
from parsers.core.reader cimport Demand, Reader
from parsers.core.registry cimport Registry

cdef tuple _SIDES
cdef object _CONFIRMED, _LIKELY, _MORE, _NO
cdef int PROBING, READING, RESUMING, CLOSED


@cython.freelist(256)
cdef class Session:
    cdef Registry _registry
    cdef str _over
    cdef object _ports
    cdef tuple _lanes, _said
    cdef Exchange _exchange
    cdef list _facts
    cdef tuple _excluded
    cdef bint _swapped, _roles_guessed, _midstream
    cdef long long _unknown_datagrams
    cdef Conversation _talk
    cdef public object protocol, confidence
    cdef public bint done
    cdef public long long failed_candidates

    cdef Conversation _conversation(self)

    @cython.locals(taken=Lane, facts=list)
    cpdef list feed(self, int lane, bytes data, long long turn=*)
    cpdef list feed_datagram(self, int lane, bytes data)
    @cython.locals(taken=Lane)
    cpdef list gap(self, int lane)
    @cython.locals(lane=Lane)
    cpdef list end(self)
    @cython.locals(taken=Lane)
    cpdef list fail(self, int lane)
    cpdef side(self, int lane)
    cpdef int lane(self, int side) except -1
    @cython.locals(taken=Lane)
    cpdef Demand demand(self, int lane)
    @cython.locals(taken=Lane)
    cpdef list hand_over(self, int lane)
    @cython.locals(taken=Lane)
    cpdef bint can_hand_over(self, int lane) except -1
    @cython.locals(taken=Lane)
    cpdef bint closed(self, int lane) except -1
    @cython.locals(lane=Lane, held=Py_ssize_t)
    cdef Py_ssize_t _held_bytes(self) except -1
    @cython.locals(lane=Lane, weight=Py_ssize_t)
    cpdef Py_ssize_t weighs(self) except -1
    @cython.locals(lane=Lane)
    cpdef reconsider(self)

    cdef list _exchanged(self, int lane, bytes data, long long turn)
    @cython.locals(candidates=list, exchange=Exchange, facts=list)
    cdef list _asked(self, bytes data)
    cdef Lane _taken(self, int index)
    @cython.locals(lane=Lane, reader=Reader, index=cython.int)
    cdef _go_on(self, Exchange exchange)

    @cython.locals(new_turn=cython.bint)
    cdef _feed(self, Lane lane, int index, bytes data, long long turn)
    cdef _read(self, Lane lane, int index, bytes data, long long turn)
    @cython.locals(joined=bytes, beyond=bytes)
    cdef bytes _remember(self, Lane lane, bytes data)
    @cython.locals(beyond=bytes)
    cdef _consider(self, Lane lane, int index, bytes data, bint new_turn)
    cdef _try(self, Lane lane, int index)
    cdef bint _due(self, Lane lane) except -1
    @cython.locals(midway=cython.bint, searches=cython.bint)
    cdef _try_known(self, Lane lane, int index, protocol)
    cdef _refuse(self, Lane lane, int index, protocol)
    cdef _candidate_failed(self, Lane lane)
    @cython.locals(undecided=cython.bint, candidates=list)
    cdef _try_all(self, Lane lane, int index)
    cdef _probe_sides(self, protocol, bytes head, int index)

    @cython.locals(candidates=list)
    cdef _feed_datagram(self, Lane lane, int index, bytes data)
    cdef _read_datagram(self, Lane lane, int index, bytes data)

    cdef _start(self, Lane lane, int index, protocol, bint resumed)
    cdef _begin(self, Lane lane, int index, protocol, bint resumed)
    @cython.locals(reader=Reader)
    cdef _heard(self, Lane lane, int index)
    cdef _pump(self, Lane lane, int index)
    cdef _take(self, Lane lane, int index, step)
    cdef _state(self, Lane lane, fact)
    cdef _take_stated(self, Lane lane)
    cdef _confirm(self, Lane lane)
    cdef _finished(self, Lane lane)
    cdef _failed(self, Lane lane, int index, error)
    cdef _break_off(self, Lane lane, int index, error)
    @cython.locals(lane=Lane, index=cython.int)
    cdef _exclude(self, protocol)
    @cython.locals(one=Lane, other=Lane, each=Lane, unread=tuple, number=cython.int)
    cdef _hand_off(self, Lane lane, int index, step)
    cdef _settle_done(self)
    cdef list _collect(self)
