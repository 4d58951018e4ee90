# The types of acknowledgment.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.conversation cimport Conversation


cdef class Dialogue:
    cdef readonly list messages
    cdef dict _awaited, _doubtful, _known, _early
    cdef list _framed
    cdef set _told

    cpdef settle(self, whole, said, int side, bytes control_id, bytes secret, Conversation talk)
    cpdef asked(self, int side, bytes control_id, header, bytes secret, Conversation talk)
    @cython.locals(key=bytes)
    cpdef claimed(self, int side, bytes control_id, claim, security, bint twice, Conversation talk)
    @cython.locals(key=bytes)
    cpdef answered(self, int side, str code, bytes control_id, Conversation talk)
    cdef bint _unsure(self, bytes key, Conversation talk) except -1
    cdef _answer(self, bytes key, str code, Conversation talk)
    cdef bint _is_doubtful(self, bytes key, Conversation talk) except -1
    cpdef spoke(self, int side, Conversation talk)


cdef _remember(dict where, key, value)
