# The types of files.py for the compiler; without one the source runs as it is.
cimport cython

from parsers.core.reader cimport Passer, Reader

cdef int _HEADER_BYTES, _MESSAGE_BYTES, _PACKET_BYTES, _COMMAND_MAX
cdef unsigned long long _BEGIN, _KIND, _COMMANDS, _NO_SESSION


cdef class Files(Passer):
    cdef int _answer
    cdef object _connection, _talk
    cdef public int strange

    @cython.locals(data=bytes, session=cython.ulonglong)
    cpdef bint passes(self, Reader r) except -1
    @cython.locals(command=cython.ulonglong)
    cdef bint _is_about_files(self, bytes data) except -1


cdef long long _length(bytes data) except? -1
@cython.locals(value=cython.ulonglong, place=cython.Py_ssize_t)
cdef unsigned long long _number(bytes data, Py_ssize_t at, Py_ssize_t size) except? 255
