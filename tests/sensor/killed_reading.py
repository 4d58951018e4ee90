"""`spanward read` that ends by SIGKILL at a chosen moment: a program for `test_kill`, not a test.

    python killed_reading.py STORE KEY BATCH_BYTES VICTIM MOMENT COUNT CAPTURE...

VICTIM is `recorder`, `worker` or `parent`, which forks workers; it dies when MOMENT happens for the COUNT-th time;
batches that an earlier reading has committed do not count. Prints the process ids of all that were started.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sensor import inference, reading, recorder, wire, worker
from sensor.store import Ledger


class Bomb:
    def __init__(self, victim, moment, count):
        self.victim, self.moment, self.left, self.worker, self.parent, self.new = victim, moment, count, 0, 0, True

    def look(self, ledger, number, _offset, _batch):
        self.new = number not in ledger._batches

    def finished(self):
        self.new = True
        self.tick("finished")

    def tick(self, moment):
        if moment != self.moment or not self.new:
            return
        self.left -= 1
        if self.left == 0:
            victims = {"recorder": os.getpid(), "worker": self.worker, "parent": self.parent}
            os.kill(victims[self.victim], signal.SIGKILL)


def after(owner, name, then):
    whole = getattr(owner, name)

    def wrapped(*arguments, **named):
        result = whole(*arguments, **named)
        then(*arguments)
        return result

    setattr(owner, name, wrapped)


def before(owner, name, first):
    whole = getattr(owner, name)

    def wrapped(*arguments, **named):
        first(*arguments)
        return whole(*arguments, **named)

    setattr(owner, name, wrapped)


def arm(bomb):
    def note(talk, *_):
        bomb.worker = talk.pid
        sys.stdout.write(f"{talk.pid}\n")
        sys.stdout.flush()

    def note_parent(workers):
        bomb.parent = workers._process.pid
        sys.stdout.write(f"{workers._process.pid}\n")
        sys.stdout.flush()

    after(recorder.Talk, "__init__", note)
    after(recorder.Workers, "_start", note_parent)
    after(recorder._Reading, "_greet", lambda *_: bomb.tick("greeted"))
    before(Ledger, "commit", lambda *_: bomb.tick("received"))
    before(Ledger, "commit", bomb.look)  # outermost: runs first
    before(Ledger, "_note", lambda *_: bomb.tick("merged"))
    after(Ledger, "commit", lambda *_: bomb.tick("committed"))
    after(recorder._Reading, "_commit", lambda *_: bomb.tick("acknowledged"))
    after(Ledger, "finish", lambda *_: bomb.finished())
    before(inference, "infer", lambda *_: bomb.tick("inferring"))


def main(store, key, batch_bytes, victim, moment, count, *captures):
    command = recorder.WORKER
    if (victim, moment) == ("worker", "half_frame"):
        command = (sys.executable, "-P", __file__, count)
    arm(Bomb(victim, moment, int(count)))
    paths = [Path(capture) for capture in captures]
    summary = reading.read_captures(paths, Path(store), None, Path(key), batch_bytes=int(batch_bytes), command=command)
    if summary.failures:
        sys.exit(str(summary.failures[0]))


def half_frame(count):
    """A worker that is killed in the middle of its COUNT-th frame."""
    left = [int(count)]

    def counted(whole, payload_of):
        def send(pipe, *what):
            left[0] -= 1
            if left[0] == 0:
                kind, payload = payload_of(*what)
                frame = wire.HEADER.pack(kind, len(payload)) + payload
                pipe.write(frame[: len(frame) // 2])
                pipe.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            whole(pipe, *what)

        return send

    worker.send = counted(wire.send, lambda kind, payload: (kind, payload))
    worker.send_table = counted(wire.send_table, lambda *table: (wire.Kind.TABLE, b"".join(wire.table_pieces(*table))))
    worker.main()


if __name__ == "__main__":
    half_frame(sys.argv[1]) if len(sys.argv) == 2 else main(*sys.argv[1:])
