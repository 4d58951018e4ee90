cimport cython

from sensor.engine.seen cimport Moment, Words

@cython.final
@cython.no_gc
cdef class Said(Moment):
    cdef readonly object protocol
    cdef readonly Words words
    cdef readonly bint continued

@cython.locals(one=Said)
cpdef Said statement(
    long long ts_us, long long frame, ends, long long port, protocol, Words words, quality, bint continued=*
)
