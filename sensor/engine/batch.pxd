cimport cython

from sensor.engine.segments cimport Segments
from sensor.engine.window cimport PREFETCH

from sensor.engine.layout cimport *
from sensor.engine.window cimport Window


cdef class Batch(Window):
    cdef long long[::1] keys
    cdef long long odd
    cdef long long[::1] batch
    cdef long long[::1] ring
    cdef long long[::1] heads
    cdef long long buckets
    cdef Segments segments
    cdef unsigned char[::1] scopes
    cdef long long b_at
    cdef long long b_count
    cdef long long b_known
    cdef bint p_whole
    cdef bint p_routed
    cdef bint p_named
    cdef long long p_end
    cdef long long p_said
    cdef long long p_layers
    cdef long long p_whole_at
    cdef long long p_vlan
    cdef long long p_around
    cdef long long p_inside
    cdef long long p_tunnel
    cdef long long p_source
    cdef long long p_segment
    cdef long long p_src_mac
    cdef long long p_dst_mac
    cdef long long p_family
    cdef long long p_proto
    cdef long long p_ident
    cdef long long p_sum
    cdef long long p_flags
    cdef long long p_seq
    cdef long long p_ack
    cdef long long p_len
    cdef long long p_hash
    cdef long long s0
    cdef long long s1
    cdef long long s2
    cdef long long s3
    cdef long long d0
    cdef long long d1
    cdef long long d2
    cdef long long d3

    @cython.final
    @cython.locals(
        b=cython.longlong, sport=cython.longlong, dport=cython.longlong, found_by=cython.longlong, low=cython.longlong, rest=cython.longlong, total=cython.longlong, mine=cython.longlong, theirs=cython.longlong
    )
    cdef int _to_route(self, long long at, long long data, long long end, long long length) except -2
    @cython.final
    cdef inline long long _is_low(self, long long sport, long long dport) except? FAILED
    @cython.final
    @cython.locals(scope=cython.longlong)
    cdef inline long long _scope(self) except? FAILED
    @cython.final
    @cython.locals(total=cython.longlong, word=cython.longlong)
    cdef inline long long _sum(self, long long b) noexcept
    @cython.final
    cdef inline long long _spread(self, long long total) noexcept
    @cython.final
    @cython.locals(length=cython.longlong, begun=cython.longlong, total=cython.longlong, at=cython.longlong, end=cython.longlong)
    cdef int _sum_up(self, long long b) except -2
    @cython.final
    cdef long long _folded(self, long long total) except -2
    @cython.final
    @cython.locals(what=cython.longlong, within=cython.longlong)
    cdef inline int _describe(self, long long b, long long low, long long total) except -2
    @cython.final
    @cython.locals(b=cython.longlong)
    cdef int _recognise(self, long long count) except -2
    @cython.final
    @cython.locals(what=cython.longlong, ts=cython.longlong, within=cython.longlong, at=cython.longlong)
    cdef inline bint _is_copy(self, long long b) except -2
    @cython.final
    @cython.locals(total=cython.longlong, number=cython.longlong, word=cython.longlong)
    cdef long long _secretly(self, ends, long long ident) except? FAILED
