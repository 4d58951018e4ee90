# The types of session.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.conversation cimport Conversation
from parsers.core.exchange cimport Exchange
from parsers.core.reader cimport Reader
from parsers.core.registry cimport Registry

cdef tuple _SIDES
cdef object _CONFIRMED, _LIKELY, _MORE, _NO
cdef int _PROBING, _READING, _RESUMING, _CLOSED


@cython.final
@cython.freelist(512)
cdef class _Lane:
    cdef int state
    cdef Reader reader
    cdef object steps
    cdef bytes head
    cdef bint overflowed
    cdef long long turn, probed_turn
    cdef bint confirmed
    cdef long long failed
    cdef list held

    cdef reset(self, int state)
    cdef Py_ssize_t held_bytes(self) except -1
    cdef bytes drain(self)
    cdef forget(self)


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

    @cython.locals(taken=_Lane, facts=list)
    cpdef list feed(self, int lane, bytes data, long long turn=*)
    cpdef list feed_datagram(self, int lane, bytes data)
    @cython.locals(taken=_Lane)
    cpdef list gap(self, int lane)
    @cython.locals(lane=_Lane)
    cpdef list end(self)
    @cython.locals(taken=_Lane)
    cpdef list fail(self, int lane)
    cpdef side(self, int lane)
    cpdef int lane(self, int side) except -1
    @cython.locals(taken=_Lane)
    cpdef demand(self, int lane)
    @cython.locals(taken=_Lane)
    cpdef list hand_over(self, int lane)
    @cython.locals(taken=_Lane)
    cpdef bint can_hand_over(self, int lane) except -1
    @cython.locals(taken=_Lane)
    cpdef bint closed(self, int lane) except -1
    @cython.locals(lane=_Lane, held=Py_ssize_t)
    cdef Py_ssize_t _held_bytes(self) except -1
    @cython.locals(lane=_Lane, weight=Py_ssize_t)
    cdef Py_ssize_t _weight(self) except -1
    @cython.locals(lane=_Lane)
    cpdef reconsider(self)

    cdef list _exchanged(self, int lane, bytes data, long long turn)
    @cython.locals(candidates=list, exchange=Exchange, facts=list)
    cdef list _asked(self, bytes data)
    cdef _Lane _taken(self, int index)
    @cython.locals(lane=_Lane, reader=Reader, index=cython.int)
    cdef _go_on(self, Exchange exchange)

    @cython.locals(new_turn=cython.bint)
    cdef _feed(self, _Lane lane, int index, bytes data, long long turn)
    cdef _read(self, _Lane lane, int index, bytes data, long long turn)
    @cython.locals(joined=bytes, beyond=bytes)
    cdef bytes _remember(self, _Lane lane, bytes data)
    @cython.locals(beyond=bytes)
    cdef _consider(self, _Lane lane, int index, bytes data, bint new_turn)
    cdef _try(self, _Lane lane, int index)
    cdef bint _due(self, _Lane lane) except -1
    @cython.locals(midway=cython.bint, searches=cython.bint)
    cdef _try_known(self, _Lane lane, int index, protocol)
    cdef _refuse(self, _Lane lane, int index, protocol)
    cdef _candidate_failed(self, _Lane lane)
    @cython.locals(undecided=cython.bint, candidates=list)
    cdef _try_all(self, _Lane lane, int index)
    cdef _probe_sides(self, protocol, bytes head, int index)

    @cython.locals(candidates=list)
    cdef _feed_datagram(self, _Lane lane, int index, bytes data)
    cdef _read_datagram(self, _Lane lane, int index, bytes data)

    cdef _start(self, _Lane lane, int index, protocol, bint resumed)
    cdef _begin(self, _Lane lane, int index, protocol, bint resumed)
    @cython.locals(reader=Reader)
    cdef _heard(self, _Lane lane, int index)
    cdef _pump(self, _Lane lane, int index)
    cdef _take(self, _Lane lane, int index, step)
    cdef _state(self, _Lane lane, fact)
    cdef _take_stated(self, _Lane lane)
    cdef _confirm(self, _Lane lane)
    cdef _finished(self, _Lane lane)
    cdef _failed(self, _Lane lane, int index, error)
    cdef _break_off(self, _Lane lane, int index, error)
    @cython.locals(lane=_Lane, index=cython.int)
    cdef _exclude(self, protocol)
    @cython.locals(one=_Lane, other=_Lane, each=_Lane, unread=tuple, number=cython.int)
    cdef _hand_off(self, _Lane lane, int index, step)
    cdef _settle_done(self)
    cdef list _collect(self)
