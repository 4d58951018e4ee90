cimport cython

from sensor.engine.layout cimport *
from sensor.engine.batch cimport Batch


cdef class Tunnels(Batch):
    cdef dict tunnels
    cdef long long t_key
    cdef long long t_scope
    cdef long long t_place
    cdef long long inner
    cdef long long inner_at
    cdef long long inner_kind

    @cython.final
    cdef int _go_on(self, long long kind, long long at, long long ether_type) except? -2
    @cython.final
    cdef int _bad(self) except? -2
    @cython.final
    @cython.locals(scope=cython.longlong, named=cython.longlong)
    cdef int _tunnel(self, long long kind, long long number) except? -2
    @cython.final
    cdef int _leave_outside(self, long long scope) except? -2
    @cython.final
    cdef long long _scope_named(self, long long key) except? FAILED
    @cython.final
    @cython.locals(proto=cython.longlong)
    cdef int _tunnel_of_ip(self, long long at, long long end, long long said) except? -2
    @cython.final
    @cython.locals(size=cython.longlong)
    cdef int _authenticated(self, long long at, long long end, long long said) except? -2
    @cython.final
    @cython.locals(flags=cython.longlong, kind=cython.longlong, size=cython.longlong, key=cython.longlong)
    cdef int _gre(self, long long at) except? -2
    @cython.final
    cdef int _in_gre(self, long long kind, long long key, bint numbered, long long at) except? -2
    @cython.final
    @cython.locals(subnet=cython.longlong)
    cdef int _nvgre(self, long long key) except? -2
    @cython.final
    @cython.locals(
        version=cython.longlong, vlan=cython.longlong, size=cython.longlong, kind=cython.longlong, traits=cython.longlong
    )
    cdef int _erspan(self, long long at, bint numbered) except? -2
    @cython.final
    @cython.locals(port=cython.longlong, outer_end=cython.longlong)
    cdef bint _tunnel_of_udp(self, long long at, long long end, long long said) except? -2
    @cython.final
    cdef bint _in_udp(self, long long port, long long at, long long said) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong)
    cdef bint _vxlan(self, long long at, long long said, bint generic) except? -2
    @cython.final
    @cython.locals(size=cython.longlong)
    cdef bint _geneve(self, long long at, long long said) except? -2
    @cython.final
    cdef bint _believe(
        self, long long kind, long long number, long long ether_type, long long at, long long said
    ) except? -2
    @cython.final
    @cython.locals(place=cython.longlong, following=cython.longlong, count=cython.int, size=cython.longlong)
    cdef bint _gtp(self, long long at, long long said) except? -2
    @cython.final
    cdef bint _teredo(self, long long at, long long said) except? -2
    @cython.final
    cdef bint _is_teredo(self, long long at) except? -2
    @cython.final
    @cython.locals(header=cython.longlong, total=cython.longlong)
    cdef bint _is_ip(self, long long at, long long said) except? -2
    @cython.final
    cdef bint _is_next_header(self, long long kind) except? -2
    @cython.final
    @cython.locals(total=cython.longlong, end=cython.longlong)
    cdef long long _checksum(self, long long at, long long size) except? FAILED
    @cython.final
    @cython.locals(tags=cython.int, kind=cython.longlong)
    cdef bint _is_ethernet(self, long long at, long long said) except? -2
