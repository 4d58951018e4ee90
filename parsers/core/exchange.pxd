# The types of exchange.py for the compiler; without one the source runs as it is.
cdef class Exchange:
    cpdef list ask(self, bytes data)
    cpdef list answer(self, bytes data)
    cpdef list end(self)
