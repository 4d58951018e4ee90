# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, annotation_typing=False, auto_pickle=False
"""When and how often something was said at a place: what the fold counts in, and `flows` too where it is said again."""

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from seen.pxd, so that they are constants in C too.
if not cython.compiled:
    DAY_US = 86_400_000_000
    HOUR_US = 3_600_000_000


@cython.no_gc  # what it holds never leads back to it
@cython.cclass
class Seen:
    """When and how often something was said at a place, in which quality, and the evidence of the first time.

    Made of what was said first, which still has to be counted.
    """

    def __init__(self, said):
        self.first = self.last = said.ts_us
        self.n = self.hours = 0
        self.quality = said.quality
        self.frame, self.ends, self.port = said.frame, said.ends, said.port

    def once(self, said):
        """Once more."""
        self.again(said.ts_us, said.quality)

    def again(self, ts_us, quality):
        """Once more, at this time."""
        if ts_us > self.last:
            self.last = ts_us
        elif ts_us < self.first:
            self.first = ts_us
        self.n += 1
        self.hours |= cython.cast(cython.longlong, 1) << ts_us % DAY_US // HOUR_US
        if quality is not self.quality:
            self.quality = self.quality.joined(quality)

    def join(self, other):
        """What was said another time, too."""
        if other.first < self.first:
            self.first = other.first
            self.frame, self.ends, self.port = other.frame, other.ends, other.port
        self.last = max(self.last, other.last)
        self.n += other.n
        self.hours |= other.hours
        self.quality = self.quality.joined(other.quality)

    def joined(self, other):
        """Both together; neither changes."""
        both = Seen(self)
        both.join(self)
        both.join(other)
        return both

    @property
    def ts_us(self):
        """The first time, as what was said has it."""
        return self.first
