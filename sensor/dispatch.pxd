cimport cython

from parsers.core.reader cimport Demand as _Demand
from parsers.core.session cimport Session as _Session
from sensor.engine.courses cimport Step as _Step
from sensor.engine.events cimport EventSource
from sensor.engine.flows cimport Flow as _Flow
from sensor.engine.flows cimport Reader
from sensor.engine.seen cimport Counted
from sensor.sighting cimport Said, statement

cdef class Dispatcher(Reader):
    cdef EventSource _engine
    cdef object _registry, _site, _key
    cdef public object tell
    cdef bint _bulkhead
    cdef dict _claims, _claimed, _numbers
    cdef object _recall, _counters
    cdef readonly object flows
    cdef readonly list labels
    cdef long long _failures, _number
    cdef object _protocol, _confidence, _name

    @cython.locals(session=_Session, failures="long long")
    cpdef _Step read(self, _Flow flow, long long lane, long long turn, bytes data)
    @cython.locals(session=_Session)
    cpdef _Step read_datagram(self, _Flow flow, long long lane, bytes data)
    @cython.locals(session=_Session)
    cpdef _Step miss(self, _Flow flow, long long lane)
    @cython.locals(session=_Session, failures="long long", step=_Step)
    cpdef _Step end(self, _Flow flow)
    @cython.locals(session=_Session)
    cpdef _Step let_go(self, _Flow flow)
    cdef _Step _dismiss(self, _Session session)
    cpdef ends_of(self, bytes key)
    cpdef Counted say(self, _Flow flow, words, quality, bint continued)
    cpdef condense(self, _Flow flow)
    cdef _Session _session_of(self, _Flow flow)
    @cython.locals(session=_Session)
    cdef _Session _catch_up(self, _Flow flow)
    cdef list _guarded(self, _Session session, int what, long long lane, bytes data=*, long long turn=*)
    cdef _count_failure(self, _Session session, error)
    @cython.locals(lane="long long")
    cdef _Step _settled(self, _Flow flow, _Session session, list facts, tuple lanes)
    @cython.locals(demand=_Demand)
    cdef _settle_lane(self, _Flow flow, _Session session, _Step step, list facts, long long lane)
    cdef list _hand_over(self, _Flow flow, _Session session, long long lane)
    cdef _Step _step(self, _Session session, list facts, long long last)
    cdef _Step _finished(self, _Step step, _Session session, list facts)
    cdef _number_of(self, name, confidence)
    cdef _learn(self, _Flow flow, _Session session, long long lane, long long turn, bytes data, _Step step)
    cdef _words(self, list facts)
    cdef _known_claim(self, fact)
    @cython.locals(at=Py_ssize_t, kept=list, marks=list)
    cdef tuple _without_secrets(self, list facts)
    cdef _named(self, principal, sensitivity)

