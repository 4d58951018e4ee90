cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.string cimport memcmp, memcpy

from sensor.engine.events cimport EventSource
from sensor.engine.window cimport PREFETCH

# Constants for the compiler; courses.py holds them again for the interpreter, and a test compares both.
cdef enum:
    MARK_BYTES = 4
    TURNS_MAX = 1048576
    BYTES = 1
    UNTIL_MARK = 2
    TURN = 3
    WAIT = 1
    CLOSE = 2
    DONE = 1
    UNLISTEN = 2

cdef extern from *:
    const long long COUNT_MAX "1152921504606846976LL"

@cython.final
cdef class Name:
    cdef readonly long long start, end
    cdef dict known
    cdef object make

    cpdef words(self, bytes data)

@cython.final
@cython.freelist(64)
cdef class Step:
    cdef public object words, protocol
    cdef public tuple names, leaves
    cdef public long long label, last
    cdef public bint ends
    cdef public Node node
    cdef long long left[2]
    cdef long long count[2]
    cdef long long then[2]
    cdef long long wanted[2]
    cdef long long message[2]
    cdef tuple marks

    cpdef leave(self, long long lane, int what, count, bytes mark)
    cpdef wait(self, long long lane, wanted, message)
    cpdef close(self, long long lane)
    cpdef tell(self, EventSource engine, long long row)
    cdef _leave_out(self, EventSource engine, long long row, long long lane)

@cython.final
cdef class Shape:
    cdef long long mark
    cdef int mark_at, mark_end, length, outside
    cdef int piece_count, own_count, refused_count, own_at, earlier_at, refused_at
    cdef set marks
    cdef tuple refused
    cdef bytes latest_key
    cdef Step latest
    cdef int[::1] plan
    cdef dict steps
    cdef readonly object blanks
    cdef readonly tuple spans

    cdef Step find(self, bytes data, list runs)
    cdef int _ask_ahead(self) except? -2
    cdef Py_ssize_t _mark(self, bytes data) except? -2
    cdef bint _is_refused(self, bytes data) except? -2
    cpdef key(self, bytes data, list runs)
    cdef _key(self, bytes data, list runs)
    cdef bint _is_key(self, bytes key, bytes data, list runs) except? -2
    cdef Py_ssize_t _size(self, long long piece, long long at_key, bytes data) except -1
    cdef Py_ssize_t _earlier(self, bytes data, long long blank, list runs) except? -2

@cython.final
cdef class Node:
    cdef long long latest_where
    cdef Shape latest
    cdef readonly tuple lanes, turns, begins, before
    cdef readonly long long size
    cdef dict shapes, put_off
    cdef public Step end

    cpdef Step find(self, long long lane, long long turn, bytes data, list runs)
    cdef Step _search(self, long long where, bytes data, list runs)
    cpdef lead(self, Node node, Shape shape)
    cdef list _learn(self, long long where)

cdef Py_ssize_t _clamped(number) except? -1
cdef bint _is_equal(bytes one, long long at, bytes other, long long other_at, long long size) except? -2
