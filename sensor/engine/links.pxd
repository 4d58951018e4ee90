cimport cython

from sensor.engine.layout cimport *
from sensor.engine.network cimport Network


cdef class Links(Network):

    @cython.final
    cdef int _packet(self, long long link, long long at, long long end, long long original) except? -2
    @cython.final
    @cython.locals(ip=cython.longlong, vlan=cython.longlong, kind=cython.longlong, total=cython.longlong)
    cdef inline bint _plain(self, long long at, long long end) except -2
    @cython.final
    @cython.locals(segment=cython.longlong, to_group=cython.bint)
    cdef inline int _count(self, long long captured, long long original) except -2
    @cython.final
    cdef int _turn_hour(self) except? -2
    @cython.final
    cdef int _outermost(self) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong, at=cython.longlong)
    cdef int _unwrap(self) except? -2
    @cython.final
    cdef int _layer_by_layer(self, long long link, long long at) except? -2
    @cython.final
    cdef int _other_link(self, long long link, long long at) except? -2
    @cython.final
    cdef int _hdlc(self, long long at, long long link) except? -2
    @cython.final
    cdef int _fddi(self, long long at) except? -2
    @cython.final
    @cython.locals(seen=cython.int, length=cython.longlong, kind=cython.longlong)
    cdef int _nflog(self, long long at) except? -2
    @cython.final
    @cython.locals(length=cython.longlong)
    cdef int _ppi(self, long long at) except? -2
    @cython.final
    @cython.locals(length=cython.longlong, kind=cython.longlong)
    cdef int _cooked(
        self, long long at, long long header, long long proto_at, long long length_at, long long address_at
    ) except? -2
    @cython.final
    @cython.locals(version=cython.int)
    cdef int _raw(self, long long at) except? -2
    @cython.final
    cdef int _loop(self, long long at) except? -2
    @cython.final
    cdef int _ethernet(self, long long at) except? -2
    @cython.final
    @cython.locals(tags=cython.int)
    cdef int _ether_type(self, long long kind, long long at) except? -2
    @cython.final
    cdef int _other_ether_type(self, long long kind, long long at) except? -2
    @cython.final
    cdef int _port_tag(self, long long at, long long size) except? -2
    @cython.final
    @cython.locals(size=cython.longlong, kind=cython.longlong)
    cdef int _service_header(self, long long at) except? -2
    @cython.final
    cdef int _service_tag(self, long long at) except? -2
    @cython.final
    cdef int _llc(self, long long at) except? -2
    @cython.final
    @cython.locals(labels=cython.int, bottom=cython.longlong)
    cdef int _mpls(self, long long at) except? -2
    @cython.final
    @cython.locals(frame=cython.longlong)
    cdef int _below_labels(self, long long at, long long nibble) except? -2
    @cython.final
    cdef int _pppoe(self, long long at) except? -2
    @cython.final
    @cython.locals(kind=cython.longlong)
    cdef int _ppp(self, long long at) except? -2
