cimport cython

from sensor.engine.seen cimport Moment, Words

@cython.final
@cython.no_gc
cdef class Said(Moment):
    cdef readonly object protocol
    cdef readonly Words words
    cdef readonly bint continued
    cdef str _community_id
