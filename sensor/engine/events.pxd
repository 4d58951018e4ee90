# The types of events.py for the compiler, and for the modules that are compiled against it.

cdef class EventSource:
    cdef public long long flow, lane, turn
    cdef public long long ts_us, frame
    cdef public long long size, reason
    cdef public long long position, needed
    cdef public object payload

    cpdef int step(self) except? -2
    cpdef want(self, long long row, long long lane, long long n, long long message)
    cpdef skip(self, long long row, long long lane, long long n)
    cpdef skip_until(self, long long row, long long lane, mark, long long limit)
    cpdef next_turn(self, long long row, long long lane)
    cpdef close_lane(self, long long row, long long lane)
    cpdef done(self, long long row)
    cpdef unlisten(self, long long row)
    cpdef label(self, long long row, long long number)
    cpdef forget(self, long long row)
    cpdef long long flags(self, long long row) except? -2
    cpdef long long ports(self, long long row) except? -2
    cpdef ends(self, long long row)
