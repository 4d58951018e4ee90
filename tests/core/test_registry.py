"""Which protocols are probed: the leads decide, ports only order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Lead, Protocol, Registry, Verdict
from parsers.core.registry import BEGINNINGS_MAX, PROBES_MAX

LEADS = (b"A", b"AB", b"ABCD", Lead(b"\x41\x00", b"\xff\x0f"), Lead(b"\x00\x00", b"\x0f\xff"))


def protocol(name: str, lead: tuple[bytes | Lead, ...], *ports: int, over: str = "tcp") -> Protocol:
    return Protocol(name, "none", over, lambda _head, _side: Verdict.NO, iter, lead, frozenset(ports))


protocols = st.builds(
    protocol, st.text("pq", min_size=1, max_size=4), st.lists(st.sampled_from(LEADS), max_size=3).map(tuple),
    st.sampled_from([7, 8]), over=st.sampled_from(["tcp", "udp"]),
)  # fmt: skip
heads = st.lists(st.sampled_from(b"ABCD\x00\x10\xff"), min_size=1, max_size=6).map(bytes)


def plainly(all_of_them: list[Protocol], over: str, head: bytes, ports: tuple[int, ...]) -> list[Protocol]:
    """The rule, without an index."""
    fitting = []
    for one in all_of_them:
        lengths = [len(lead.value) for lead in one.leads() if lead.matches(head)]
        if one.over == over and lengths:
            fitting.append((one.port_hints.isdisjoint(ports), -max(lengths), one.name))
    leadless = [one.name for one in all_of_them if one.over == over and not one.lead]
    names = [name for *_, name in sorted(fitting)] + sorted(leadless)
    by_name = {one.name: one for one in all_of_them}
    return [by_name[name] for name in names][:PROBES_MAX]


@given(
    st.lists(protocols, max_size=6, unique_by=lambda one: one.name),
    st.lists(st.tuples(st.sampled_from(["tcp", "udp", "ethernet"]), heads, st.sampled_from([(), (7,), (8, 9)]))),
)
def test_candidates_are_those_whose_leads_fit(known: list[Protocol], asked: list[tuple[str, bytes, tuple[int, ...]]]):
    registry = Registry(known)
    for over, head, ports in asked:
        assert list(registry.candidates(over, head, ports)) == plainly(known, over, head, ports)


def test_beginnings_that_were_looked_up_are_bounded() -> None:
    registry = Registry([protocol("p", (b"ABCD",))])
    for number in range(BEGINNINGS_MAX + 10):
        assert registry.candidates("tcp", number.to_bytes(4, "big")) == []
    assert len(registry._layers["tcp"].known) <= BEGINNINGS_MAX
    assert registry.candidates("tcp", b"ABCDE") == list(registry.protocols)
