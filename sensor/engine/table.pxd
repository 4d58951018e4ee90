# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython

from sensor.engine.layout cimport *
from sensor.engine.numberings cimport Numberings


cdef class Table(Numberings):
    cdef long long tcp_idle_us
    cdef long long udp_idle_us
    cdef long long linger_us
    cdef unsigned char[::1] responders
    cdef long long[::1] lists
    cdef long long free
    cdef long long free_lanes
    cdef long long free_count
    cdef long long half_count
    cdef long long fresh_row
    cdef long long fresh_lanes
    cdef long long serial
    cdef long long swept
    cdef long long now
    cdef long long clock
    cdef int stage
    cdef long long p_row
    cdef long long p_lane
    cdef long long p_batch
    cdef long long p_traits
    cdef long long end_row
    cdef long long end_reason
    cdef long long end_lane

    @cython.final
    @cython.locals(bucket=cython.longlong, row=cython.longlong, length=cython.int)
    cdef int _route(self) except? -2
    @cython.final
    cdef int _leave_duplicate(self, long long row) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, syn=cython.bint, moved=cython.bint)
    cdef int _found(self, long long row) except? -2
    @cython.final
    @cython.locals(ended=cython.longlong)
    cdef bint _outlives(self, long long r) except? -2
    @cython.final
    @cython.locals(base=cython.longlong, behind=cython.longlong)
    cdef bint _other_isn(self, long long r) except? -2
    @cython.final
    @cython.locals(row=cython.longlong, r=cython.longlong)
    cdef int _new_flow(self, long long bucket) except? -2
    @cython.final
    @cython.locals(row=cython.longlong)
    cdef long long _free_row(self) except? FAILED
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef int _take_lanes(self, long long row) except? -2
    @cython.final
    @cython.locals(base=cython.longlong)
    cdef int _give_lanes(self, long long row) except? -2
    @cython.final
    @cython.locals(word=cython.longlong, wide=cython.bint)
    cdef int _keys(self, long long r) except? -2
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef int _init_flow(self, long long row) except? -2
    @cython.final
    @cython.locals(column=cython.longlong)
    cdef int _clear(self, long long r) except? -2
    @cython.final
    @cython.locals(sender=cython.longlong, ports=cython.longlong)
    cdef int _cast_roles(self, long long r) except? -2
    @cython.final
    cdef long long _port(self, long long ports, long long lane) except? FAILED
    @cython.final
    @cython.locals(marked=cython.longlong)
    cdef bint _responds(self, long long port, long long other) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, last=cython.longlong)
    cdef int _link(self, long long row, long long kind) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, kind=cython.longlong, before=cython.longlong, after=cython.longlong)
    cdef int _unlink(self, long long row) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong)
    cdef int _relink(self, long long row) except? -2
    @cython.final
    @cython.locals(row=cython.longlong)
    cdef long long _first_of(self, long long kind) except? FAILED
    @cython.final
    @cython.locals(kind=cython.longlong, row=cython.longlong)
    cdef bint _sweep(self) except? -2
    @cython.final
    cdef long long _silent_reason(self, long long row) except? FAILED
    @cython.final
    cdef long long _idle_us(self, long long kind) except? FAILED
    @cython.final
    @cython.locals(oldest=cython.longlong, longest=cython.longlong, kind=cython.longlong, row=cython.longlong, silence=cython.longlong)
    cdef long long _oldest(self) except? FAILED
    @cython.final
    @cython.locals(r=cython.longlong)
    cdef int _evict(self, long long row) except? -2
    @cython.final
    cdef int _begin_end(self, long long row, long long reason) except? -2
    @cython.final
    @cython.locals(r=cython.longlong, bucket=cython.longlong, at=cython.longlong)
    cdef int _recycle(self, long long row) except? -2

    cdef inline bint _matches(self, long long r, long long b) except? -2:
        if r < 0 or r + WIDTH > self.F.shape[0] or b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        if (
            self.F[r + K3] != self.batch[b + B_K3]
            or self.F[r + K7] != self.batch[b + B_K7]
            or self.F[r + KPORTS] != self.batch[b + B_PORTS]
            or self.F[r + KREST] != self.batch[b + B_REST]
        ):
            return False
        return (self.batch[b + B_REST] >> 8) & 0xFF == 4 or (
            self.F[r + K0] == self.batch[b + B_K0]
            and self.F[r + K1] == self.batch[b + B_K1]
            and self.F[r + K2] == self.batch[b + B_K2]
            and self.F[r + K4] == self.batch[b + B_K4]
            and self.F[r + K5] == self.batch[b + B_K5]
            and self.F[r + K6] == self.batch[b + B_K6]
        )
