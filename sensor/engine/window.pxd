# cython: boundscheck=False, wraparound=False, initializedcheck=False
cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize

from sensor.engine.events cimport EventSource
from sensor.engine.layout cimport *

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SPANWARD_PREFETCH(p) __builtin_prefetch(p)
    #else
    #define SPANWARD_PREFETCH(p)
    #endif

    /* Numbers of the wire and of files, from a pointer: written so that the compiler makes one load of the bytes. */
    static inline long long spanward_be16(const unsigned char *p) { return (long long)((uint32_t)p[0] << 8 | p[1]); }
    static inline long long spanward_be32(const unsigned char *p) {
        return (long long)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
    }
    static inline long long spanward_be48(const unsigned char *p) {  /* reads eight */
        return (long long)(((uint64_t)spanward_be32(p) << 32 | (uint64_t)spanward_be32(p + 4)) >> 16);
    }
    static inline long long spanward_file16(const unsigned char *p, int big) {
        return (long long)(big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0]);
    }
    static inline long long spanward_file32(const unsigned char *p, int big) {
        uint32_t v = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        return (long long)(big ? v << 24 | (v & 0xFF00) << 8 | (v >> 8 & 0xFF00) | v >> 24 : v);
    }
    """
    void PREFETCH "SPANWARD_PREFETCH"(const void *p) noexcept
    long long BE16 "spanward_be16"(const unsigned char *p) noexcept
    long long BE32 "spanward_be32"(const unsigned char *p) noexcept
    long long BE48 "spanward_be48"(const unsigned char *p) noexcept
    long long FILE16 "spanward_file16"(const unsigned char *p, int big) noexcept
    long long FILE32 "spanward_file32"(const unsigned char *p, int big) noexcept


cdef class Window(EventSource):
    cdef unsigned char[::1] window
    cdef unsigned char[::1] mem
    cdef unsigned char[::1] w
    cdef unsigned char[::1] whole
    cdef bint w_other
    cdef bint w_whole
    cdef long long cursor
    cdef long long window_end
    cdef bint big
    cdef long long last_ts
    cdef long long frames
    cdef long long captured_bytes
    cdef long long[::1] n

    @cython.final
    cdef int _beyond(self) except -2
    @cython.final
    cdef object _packet_bytes(self, long long at, long long end)
    @cython.final
    cdef object _lane_bytes(self, long long at, long long end)

    cdef inline long long _be16(self, long long at) except -2:
        if at < 0 or at + 2 > self.mem.shape[0]:
            return self._beyond()
        return BE16(&self.mem[at])

    cdef inline long long _be32(self, long long at) except -2:
        if at < 0 or at + 4 > self.mem.shape[0]:
            return self._beyond()
        return BE32(&self.mem[at])

    cdef inline long long _mac(self, long long at) except -2:
        if at < 0 or at + 6 > self.mem.shape[0]:
            return self._beyond()
        return BE16(&self.mem[at]) << 32 | BE32(&self.mem[at + 2])

    cdef inline long long _two(self, long long at) noexcept:
        return BE16(&self.mem[at])

    cdef inline long long _four(self, long long at) noexcept:
        return BE32(&self.mem[at])

    cdef inline long long _six(self, long long at) except -2:
        return BE48(&self.mem[at])

    cdef inline long long _file16(self, long long at) except -2:
        if at < 0 or at + 2 > self.window.shape[0]:
            return self._beyond()
        return FILE16(&self.window[at], self.big)

    cdef inline long long _file32(self, long long at) except -2:
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        return FILE32(&self.window[at], self.big)

    cdef inline long long _number(self, long long at) noexcept:
        return FILE32(&self.window[at], self.big)

    cdef inline long long _le32(self, long long at) except -2:
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        return FILE32(&self.window[at], False)

    cdef inline long long _wide32(self, long long at) except -2:
        if at < 0 or at + 4 > self.window.shape[0]:
            return self._beyond()
        return BE32(&self.window[at])
