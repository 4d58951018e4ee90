cimport cython

from sensor.engine.layout cimport *
from sensor.engine.packets cimport Packets


cdef class Pieces(Packets):
    cdef long long buffer_bytes
    cdef object held
    cdef object pieces
    cdef long long held_bytes
    cdef long long pieces_bytes
    cdef list ready
    cdef object early
    cdef long long early_until
    cdef long long patience
    cdef long long c_row
    cdef long long c_lane
    cdef long long c_base
    cdef long long c_at
    cdef long long c_end
    cdef long long c_frame
    cdef bint c_force
    cdef bint c_lost

    @cython.final
    cdef bint _hold(self, long long base, long long at, long long n) except? -2
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef object _drop_held(self, long long row, long long lane)
    @cython.final
    cdef object _drop_held_of(self, long long row, long long lane, long long base)
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef object _trim_held(self, long long row, long long lane, long long n)
    @cython.final
    cdef object _evict_bytes(self)
    @cython.final
    cdef int _keep(self, long long base) except? -2
    @cython.final
    cdef int _take_up(self, long long row, long long lane) except? -2
    @cython.final
    @cython.locals(base=cython.longlong, other=cython.bint)
    cdef int _force(self, long long row, long long lane) except? -2
    @cython.final
    cdef int _truncation(self, long long base) except? -2
    @cython.final
    cdef bint _give_up_now(self, long long base, list kept) except? -2
    @cython.final
    cdef object _compare(self, long long base, long long at, long long have)
    @cython.final
    @cython.locals(r=cython.longlong, ahead=cython.longlong, early=cython.bint)
    cdef bint _next_piece(self, long long base) except? -2
    @cython.final
    cdef bint _is_early(self, long long base, long long ack, bint acks) except? -2
    @cython.final
    @cython.locals(heard=cython.longlong, beyond=cython.longlong, r=cython.longlong, both=cython.bint)
    cdef bint _is_missing(self, long long base, long long ack) except? -2
    @cython.final
    cdef bint _is_waiting(self, long long base, list kept) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef object _wait_for_other(self, long long key)
    @cython.final
    cdef bint _waits_in_vain(self, long long other, list kept) except? -2
    @cython.final
    @cython.locals(other=cython.longlong)
    cdef bint _go_over(self) except? -2
    @cython.final
    cdef bint _has_waited(self, long long base, list kept) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef int _resume(self, long long row, long long lane) except? -2
    @cython.final
    cdef object _give_up(self, long long r, long long base, long long ahead, long long ack, bint acks, long long ts)
    @cython.final
    cdef object _drop_old_pieces(self, long long base)
    @cython.final
    cdef object _drop_pieces_of(self, long long row, long long lane)
