# cython: boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
cimport cython

from sensor.engine.layout cimport *
from sensor.engine.rows cimport Rows


cdef class Turns(Rows):
    cdef long long head_bytes
    cdef long long head_max
    cdef long long turn_idle_us
    cdef long long shed_after
    cdef long long shed_flows
    cdef bint listening
    cdef long long[::1] leads
    cdef unsigned char[::1] firsts
    cdef long long tcp_leads
    cdef long long all_leads

    @cython.final
    @cython.locals(column=cython.longlong)
    cdef int _init_lane(self, long long base, long long row) except? -2
    @cython.final
    cdef int _leave(self, long long base, long long mode) except? -2
    @cython.final
    cdef bint _is_new_turn(self, long long base, long long ack, bint acks, long long ts) except? -2
    @cython.final
    cdef int _turn(self, long long base, long long ack, bint acks, long long ts) except? -2
    @cython.final
    @cython.locals(pending=cython.longlong, carried=cython.longlong, raised=cython.bint)
    cdef int _fresh_head(self, long long base) except? -2
    @cython.final
    cdef int _raise(self, long long base, long long needed) except? -2
    @cython.final
    @cython.locals(mode=cython.longlong, unknown=cython.bint)
    cdef int _shed_turn(self, long long base) except? -2
    @cython.final
    @cython.locals(lane=cython.longlong, base=cython.longlong)
    cdef int _shed_flow(self, long long row) except? -2
    @cython.final
    @cython.locals(
        place=cython.longlong, first=cython.longlong, second=cython.longlong, known=cython.longlong, further=cython.longlong
    )
    cdef bint _is_lead(self, long long lead, long long last, long long at, long long end, bint stream) except? -2
    @cython.final
    @cython.locals(word=cython.longlong, number=cython.longlong)
    cdef long long _word(self, long long at, long long end, bint stream) except? FAILED

    cdef inline bint _is_shed(self, long long turn) noexcept:
        return turn > self.shed_after and turn % SHED_EACH != 0

    cdef inline bint _is_unknown(self, long long r) except? -2:
        return not self.F[r + LABEL] & TOLD or self.F[r + UNWANTED] != 0
