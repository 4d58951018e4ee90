# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, annotation_typing=False, auto_pickle=False, binding=False
"""What the engine and whoever takes its events have in common: the event under way, and what can be said to it.

`core.Engine` is what is behind it. It is a class of its own so that `flows` need not know the engine's inside to read an
event, or answer it, without a call into Python.
"""


class EventSource:
    """Gives one event after the other.

    Attributes:
        flow, lane, turn: what the event is about: the flow's row, the lane counted from the initiator.
        ts_us, frame: of the bytes that it is about, or else of the packet under way.
        size, reason: bytes that the event is about; why a flow ends.
        payload: the bytes of the last DATA or DATAGRAM.
        position, needed: where the records end that are worked off; bytes that the next one has.
    """

    def step(self):
        """Go on until something needs attention; returns which event."""
        raise NotImplementedError

    def want(self, row, lane, n, message):
        """Wake when `n` undelivered bytes are there; `message` bytes are still to come of the message being read."""
        raise NotImplementedError

    def skip(self, row, lane, n):
        """Leave out exactly `n` bytes."""
        raise NotImplementedError

    def skip_until(self, row, lane, mark, limit):
        """Leave out everything up to and including `mark`; past `limit` bytes the rest of the turn."""
        raise NotImplementedError

    def next_turn(self, row, lane):
        """Leave out the rest of this turn."""
        raise NotImplementedError

    def close_lane(self, row, lane):
        """Nothing more of this lane is wanted."""
        raise NotImplementedError

    def done(self, row):
        """Nothing more of this flow is wanted."""
        raise NotImplementedError

    def unlisten(self, row):
        """Nobody knows what this conversation is."""
        raise NotImplementedError

    def label(self, row, number):
        """What the flow is folded under."""
        raise NotImplementedError

    def forget(self, row):
        """Nobody wants to hear of this flow's DAY or END."""
        raise NotImplementedError

    def flags(self, row):
        """What is known of the flow, as bits."""
        raise NotImplementedError

    def ports(self, row):
        """The initiator's port and the responder's, 16 bits each."""
        raise NotImplementedError

    def ends(self, row):
        """Who talks with whom at which service: bytes that are equal where all that is."""
        raise NotImplementedError
