cimport cython

from sensor.engine.layout cimport *
from sensor.engine.tunnels cimport Tunnels


cdef class Network(Tunnels):
    cdef object fragments

    @cython.final
    @cython.locals(header=cython.longlong, total=cython.longlong, end=cython.longlong, fragment=cython.longlong)
    cdef int _ipv4(self, long long at) except? -2
    @cython.final
    @cython.locals(length=cython.longlong)
    cdef int _ipv6(self, long long at) except? -2
    @cython.final
    @cython.locals(end=cython.longlong, count=cython.int, size=cython.longlong)
    cdef int _extensions(self, long long kind, long long at, long long whole_end) except? -2
    @cython.final
    @cython.locals(place=cython.longlong, ident=cython.longlong)
    cdef int _fragment_header(self, long long at, long long end, long long whole_end) except? -2
    @cython.final
    @cython.locals(scope=cython.longlong)
    cdef int _fragment(
        self, long long ident, long long offset, bint more, long long at, long long end, long long length
    ) except? -1
    @cython.final
    cdef int _above_ip(self, long long at, long long end, long long length) except? -2
    @cython.final
    @cython.locals(header=cython.longlong)
    cdef inline int _tcp_header(self, long long at, long long end, long long length) except -2
    @cython.final
    @cython.locals(said=cython.longlong)
    cdef int _udp_header(self, long long at, long long end, long long length) except -2
    @cython.final
    cdef inline bint _may_be_tunnel(self, long long at) except? -2
