"""What will hurt before it does: rights, kernel, network card, clock, disk; and a short look at what a mirror shows.

`machine` looks at this computer, `card` at an interface, `listening` at its traffic. Each gives `Check`s: what is so,
how bad that is, and one line on how to mend it. Nothing is changed, nothing is sent, and no other program is started
but the worker that listens.
"""

from sensor.doctor.check import Check, Verdict

__all__ = ["Check", "Verdict"]
