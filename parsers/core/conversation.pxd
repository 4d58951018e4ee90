# The types of conversation.py for the compiler; without one the source runs as it is.
cimport cython

cdef object _UNKNOWN
cdef dict _NO_DETAILS
cdef long long WAITING_BYTES
cdef tuple _SIDES


@cython.final
@cython.freelist(64)
cdef class _Question:
    cdef object fact
    cdef bint positional


@cython.final
cdef class _Answer:
    cdef object outcome
    cdef dict details


@cython.final
@cython.freelist(64)
cdef class _Answered:
    cdef object fact, outcome, stated
    cdef dict details


@cython.freelist(64)
cdef class Conversation:
    cdef public bint midstream
    cdef public long long gaps, kept_bytes
    cdef dict _questions, _answers, _deferred
    cdef readonly dict _shared, _answered
    cdef list _emitted

    cpdef me(self, int side)
    cpdef peer(self, int side)
    cpdef shared(self, kind)
    @cython.locals(question=_Question)
    cpdef gap(self)
    cpdef Py_ssize_t weight(self) except -1
    @cython.locals(question=_Question)
    cpdef end(self)
    cpdef forget(self)
    cpdef list collect(self)
    cpdef collect_into(self, list facts)
    @cython.locals(question=_Question)
    cpdef answer_with(self, key, outcome, dict details, bint positional)
    @cython.locals(question=_Question)
    cpdef asked(self, key)
    @cython.locals(answer=_Answer, question=_Question)
    cdef _ask(self, key, fact, bint positional)
    cdef _close(self, key, _Question question)
    @cython.locals(last=_Answered)
    cdef _emit_answered(self, fact, outcome, dict details)
    cdef _emit_made(self, make)
