# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""What the engine has folded, as columns: numbers, texts that are made of numbers, and ids.

Theory of operation
-------------------
A column is memory as Arrow has it. Numbers are memoryviews of format `q`, `i` or `h`. Texts are their bytes, one after
the other, and where each ends. Most texts stand in many rows: their column is numbers of words, of which each is made
once. `picked` finds out which addresses a column has, `kinds` which scopes, transports, labels and
segments, which come together.

`row_ids` makes the ids by which conversations are recognised: SipHash of their key, which is numbers. What is a text
in a key is a digest of 16 bytes here.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.digests import SipHash

# Constants. The compiler has them from columns.pxd and days.pxd, so that they are constants in C too.
if not cython.compiled:
    from sensor.engine.days import (
        D_DAY,
        D_FIRST,
        D_INITIATOR,
        D_LABEL,
        D_LAST,
        D_PORT,
        D_RESPONDER,
        D_SEGMENT,
        D_TRANSPORT,
        D_WIDTH,
        E_IP,
        E_MAC,
        E_REST,
        E_WIDTH,
    )

    COLON = 58
    DOT = 46
    IP_CHARACTERS = 39
    IP4_CHARACTERS = 15
    KEY_WORDS = 13
    M32 = 0xFFFFFFFF

Buffers = tuple[memoryview, memoryview]
"""Of an array of texts: offsets and bytes."""


# ---------------------------------------------------------------------- numbers


def column(table: memoryview, width: int, at: int) -> memoryview:
    """One column of a table whose rows lie one after the other."""
    count = len(table) // width
    made = _numbers(count)
    for row in range(count):
        made[row] = table[row * width + at]
    return memoryview(made)


def narrow(table: memoryview, width: int, at: int) -> memoryview:
    """The same, of 32 bits."""
    count = len(table) // width
    made = memoryview(bytearray(4 * count)).cast("i")
    for row in range(count):
        made[row] = table[row * width + at]
    return memoryview(made)


def gathered(values: memoryview, numbers: memoryview) -> memoryview:
    """Of the values those with these numbers."""
    made = _numbers(len(numbers))
    for row in range(len(numbers)):
        made[row] = values[numbers[row]]
    return memoryview(made)


def extent(days: memoryview) -> tuple[int, int] | None:
    """The first and the last time of rows of `DAYS`; None where there is no row."""
    if not len(days):
        return None
    first, last = days[D_FIRST], days[D_LAST]
    for row in range(0, len(days), D_WIDTH):
        first = min(first, days[row + D_FIRST])
        last = max(last, days[row + D_LAST])
    return first, last


def _numbers(count: int) -> memoryview:
    return memoryview(bytearray(8 * count)).cast("q")


# ---------------------------------------------------------------------- words


def picked(words: memoryview, count: int) -> tuple[memoryview, memoryview]:
    """Which words, of `count`, a column has: each row's among them, and these. There are at most `PART_ROWS` rows."""
    rows = len(words)
    known = memoryview(bytearray(4 * count + 4)).cast("i")
    made = memoryview(bytearray(2 * rows)).cast("h")
    different = _numbers(rows)
    found = 0
    for row in range(rows):
        word = words[row]
        number = known[word]
        if number == 0:
            different[found] = word
            found += 1
            number = known[word] = found
        made[row] = number - 1
    return memoryview(made), memoryview(different)[:found]


def macs(ends: memoryview, numbers: memoryview) -> tuple[memoryview, memoryview | None]:
    """The MAC addresses of ends with these numbers, and a bit for each that there is; None where all are."""
    count = len(numbers)
    made = _numbers(count)
    bits = memoryview(bytearray((count + 7) // 8))
    missing = 0
    for row in range(count):
        mac = ends[numbers[row] * E_WIDTH + E_MAC]
        if mac < 0:
            missing += 1
            continue
        made[row] = mac
        bits[row >> 3] |= 1 << (row & 7)
    return memoryview(made), memoryview(bits) if missing else None


def kinds(days: memoryview, ends: memoryview) -> tuple[memoryview, list[tuple[int, int, int, int]]]:
    """For each row of `DAYS` which of the different (scope, label, segment, transport) it has, and these."""
    count = len(days) // D_WIDTH
    made = _numbers(count)
    numbers: dict[int, int] = {}
    different: list[tuple[int, int, int, int]] = []
    before = number = -1
    for row in range(count):
        at = row * D_WIDTH
        scope = ends[days[at + D_INITIATOR] * E_WIDTH + E_REST] >> 16
        kind = scope << 48 | days[at + D_TRANSPORT] << 40 | days[at + D_LABEL] << 17 | days[at + D_SEGMENT]
        if kind != before:
            before = kind
            number = numbers.setdefault(kind, len(numbers))
            if number == len(different):
                different.append((scope, days[at + D_LABEL], days[at + D_SEGMENT], days[at + D_TRANSPORT]))
        made[row] = number
    return memoryview(made), different


def scopes(ends: memoryview, numbers: memoryview) -> memoryview:
    """The scopes of ends with these numbers."""
    made = _numbers(len(numbers))
    for row in range(len(numbers)):
        made[row] = ends[numbers[row] * E_WIDTH + E_REST] >> 16
    return memoryview(made)


def _listed(values: list[int]) -> memoryview:
    made = _numbers(len(values))
    for number in range(len(values)):
        made[number] = values[number]
    return memoryview(made)


# ---------------------------------------------------------------------- texts


class Texts:
    """Texts one after the other, as Arrow keeps them.

    Args:
        count: how many, at most.
        longest: how many bytes the longest has, at most.
    """

    def __init__(self, count: int, longest: int) -> None:
        self.characters = memoryview(bytearray(count * longest))
        self.offsets = memoryview(bytearray(4 * count + 4)).cast("i")
        self.at = 0
        self.count = 0

    def buffers(self) -> Buffers:
        """All so far."""
        return memoryview(self.offsets)[: self.count + 1], memoryview(self.characters)[: self.at]

    def put(self, text: bytes) -> None:
        """A text that there is."""
        at = self.at
        for character in text:
            self.characters[at] = character
            at += 1
        self.at = at
        self._end()

    def ip4(self, word: int) -> None:
        """An IPv4 address."""
        for shift in range(24, -1, -8):
            self._decimal(word >> shift & 0xFF)
            if shift:
                self._character(DOT)
        self._end()

    def ip6(self, words: memoryview, at: int) -> None:
        """An IPv6 address, of four words: the longest run of zeros is left out. Spec: RFC 5952 4."""
        gap, length = 8, 1
        for group in range(8):
            zeros = _zeros(words, at, group)
            if zeros > length:
                gap, length = group, zeros
        for group in range(8):
            if group == gap:
                self._character(COLON)
            if group >= gap and group < gap + length:
                continue
            if group:
                self._character(COLON)
            self._hexadecimal(_group(words, at, group))
        if gap + length == 8:
            self._character(COLON)
        self._end()

    def _decimal(self, value: int) -> None:
        if value >= 100:
            self._digit(value // 100)
        if value >= 10:
            self._digit(value // 10 % 10)
        self._digit(value % 10)

    def _hexadecimal(self, value: int) -> None:
        shift = 12
        while shift > 0 and not value >> shift:
            shift -= 4
        while shift >= 0:
            self._digit(value >> shift & 0xF)
            shift -= 4

    def _digit(self, value: int) -> None:
        self._character(value + 48 if value < 10 else value + 87)

    def _character(self, character: int) -> None:
        self.characters[self.at] = character
        self.at += 1

    def _end(self) -> None:
        self.count += 1
        self.offsets[self.count] = self.at


def _group(words: memoryview, at: int, group: int) -> int:
    """One of the eight groups of an IPv6 address."""
    return words[at + (group >> 1)] >> (0 if group & 1 else 16) & 0xFFFF


def _zeros(words: memoryview, at: int, group: int) -> int:
    """How many groups from one on are zero."""
    end = group
    while end < 8 and not _group(words, at, end):
        end += 1
    return end - group


def ip_texts(ends: memoryview, numbers: memoryview) -> Buffers:
    """The IP addresses of ends with these numbers. IPv4 mapped into IPv6 stays IPv6."""
    texts = Texts(len(numbers), _longest(ends, numbers))
    for row in range(len(numbers)):
        at = numbers[row] * E_WIDTH
        if ends[at + E_REST] >> 8 & 0xFF == 4:
            texts.ip4(ends[at + E_IP + 3])
        else:
            texts.ip6(ends, at + E_IP)
    return texts.buffers()


def _longest(ends: memoryview, numbers: memoryview) -> int:
    """How many characters one of these IP addresses has at most."""
    for row in range(len(numbers)):
        if ends[numbers[row] * E_WIDTH + E_REST] >> 8 & 0xFF != 4:
            return IP_CHARACTERS
    return IP4_CHARACTERS


def spelled(words: list[bytes], numbers: memoryview) -> Buffers:
    """Of the words those with these numbers."""
    texts = Texts(len(numbers), max(map(len, words), default=0))
    for row in range(len(numbers)):
        texts.put(words[numbers[row]])
    return texts.buffers()


def mac_text(mac: int) -> str | None:
    """`00:11:22:33:44:55` for a 48-bit number; None where there was no link layer address (-1)."""
    return None if mac < 0 else mac.to_bytes(6, "big").hex(":")


def ip_text(packed: bytes) -> str:
    """The usual text of a packed IPv4 or IPv6 address. IPv4 mapped into IPv6 stays IPv6."""
    if len(packed) == 4:
        return ".".join([str(part) for part in packed])
    texts = Texts(1, IP_CHARACTERS)
    texts.ip6(_listed([int.from_bytes(packed[at : at + 4], "big") for at in range(0, len(packed), 4)]), 0)
    return bytes(texts.buffers()[1]).decode()


# ---------------------------------------------------------------------- ids


def row_ids(
    days: memoryview, ends: memoryview, of_kind: memoryview, digests: memoryview, key: tuple[int, int]
) -> memoryview:
    """Ids of rows of `DAYS`, of 64 bits each: of their day, ends, service and kind.

    `of_kind` is the kind of each row, as `kinds` says it; `digests` are 16 bytes for each kind, as two numbers. Who
    does not know the secret `key` cannot make two of them meet.
    """
    made = _numbers(len(of_kind))
    view = _numbers(KEY_WORDS)
    summed = SipHash(key)
    for row in range(len(of_kind)):
        at = row * D_WIDTH
        one, other, kind = days[at + D_INITIATOR] * E_WIDTH, days[at + D_RESPONDER] * E_WIDTH, of_kind[row] * 2
        service = ends[one + E_REST] >> 8 << 24 | days[at + D_TRANSPORT] << 16 | days[at + D_PORT]
        view[0], view[1], view[2] = days[at + D_DAY] << 32 | service & M32, digests[kind], digests[kind + 1]
        for word in range(5):
            view[3 + word] = ends[one + E_MAC + word]
            view[8 + word] = ends[other + E_MAC + word]
        summed.sum(view)
        made[row] = summed.digest
    return memoryview(made)
