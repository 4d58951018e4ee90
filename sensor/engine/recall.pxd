from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcmp, memcpy

# Constants for the compiler; recall.py holds them again for the interpreter, and a test compares both.
cdef enum:
    MARK_BYTES = 4
    TURNS_MAX = 1048576
    STATED_MAX = 256
    PLACES_MAX = 32768
    TCP = 6
    ONE_SIDED = 32
    TRUNCATED = 128
    DUPLICATE = 1024

cdef extern from *:
    const long long DAY_US "86400000000LL"
    const long long HOUR_US "3600000000LL"
