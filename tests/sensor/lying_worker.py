"""A worker that has been taken over: a program for `test_recorder`, not a test. Its argument is what it does."""

from __future__ import annotations

import os
import signal
import sys

import msgspec

from sensor.wire import HEADER, BatchEnd, Content, Failure, Hello, Kind, Passed, Summary, send, send_table
from sensor.worker import next_job
from tests.sensor.store.facts import attribute, binding, said
from tests.tables import made

ROWS = said([attribute(0)])
HELLO = Hello("a" * 32, "p1", "b" * 16, 10, "nobody")
PACKED = Hello("c" * 32, "p1", "b" * 16, 10, "nobody", compressed=True)
END = Summary(None, None, 0, 0, True, None, "{}")


def say(kind, what):
    send(OUT, kind, msgspec.json.encode(what))


def table(name, rows):
    send_table(OUT, name, rows)


def rows(tables=ROWS):
    for name, parts in tables.items():
        for part in parts:
            table(name, part)


def greet():
    say(Kind.HELLO, HELLO)
    IN.readline()


def one_batch():
    greet()
    rows()
    say(Kind.BATCH, BatchEnd(0, 10))
    IN.readline()


class Lies:
    def silent(self):
        pass

    def no_greeting(self):
        rows()

    def batch_first(self):
        say(Kind.BATCH, BatchEnd(0, 0))

    def passed_first(self):
        say(Kind.PASSED, Passed(5))

    def passed_before_the_beginning(self):
        greet()
        send(OUT, Kind.PASSED, b'{"byte_offset": -1}')

    def passes_the_end(self):
        greet()
        say(Kind.PASSED, Passed(1 << 62))
        rows()
        say(Kind.BATCH, BatchEnd(0, 10))
        IN.readline()
        say(Kind.SUMMARY, END)

    def greets_twice(self):
        greet()
        greet()

    def says_what_is_inside_unasked(self):
        greet()
        say(Kind.CONTENT, Content("a" * 32))

    def says_nothing_of_what_is_inside(self):
        say(Kind.HELLO, PACKED)
        assert IN.readline() == b"inflate 10\n"
        rows()

    def says_nonsense_of_what_is_inside(self):
        say(Kind.HELLO, PACKED)
        IN.readline()
        send(OUT, Kind.CONTENT, b'{"capture": "all of it"}')

    def wrong_number(self):
        one_batch()
        say(Kind.BATCH, BatchEnd(2, 20))

    def same_table_twice(self):
        greet()
        rows()
        rows()

    def wrong_rows(self):
        greet()
        table("binding", *ROWS["fact_attribute"])

    def no_json(self):
        greet()
        send(OUT, Kind.SUMMARY, b"{")

    def noise(self):
        OUT.write(os.urandom(10_000))
        OUT.flush()

    def too_long(self):
        greet()
        OUT.write(HEADER.pack(Kind.TABLE, 0xFFFF_FFFF) + bytes(100_000))
        OUT.flush()

    def null_where_none_may_be(self):
        one_batch()
        bad = attribute(1, id=2) | {"value": None}
        rows(said([bad]))
        say(Kind.BATCH, BatchEnd(1, 20))

    def dies(self):
        one_batch()
        os.kill(os.getpid(), signal.SIGSEGV)

    def dies_in_a_batch(self):
        one_batch()
        rows()
        table("binding", made("binding", [binding(0)]))

    def is_stuck(self):
        one_batch()
        signal.pause()

    def is_stuck_in_a_frame(self):
        one_batch()
        OUT.write(HEADER.pack(Kind.TABLE, 1000) + bytes(100))
        OUT.flush()
        signal.pause()

    def escapes(self):
        say(Kind.ERROR, Failure("NotACapture", "is \x1b[2Jno capture\n" + "x" * 1000, "\x07"))

    def environment(self):
        say(Kind.ERROR, Failure("NotACapture", " ".join(sorted(os.environ)), "-"))

    def reads_on(self):
        """Not a lie: a reading to its end."""
        one_batch()
        say(Kind.SUMMARY, END)


if __name__ == "__main__":
    IN, OUT, *_ = next_job()
    IN.readline()
    getattr(Lies(), sys.argv[1])()
