"""What is made of the numbers in a store: MAC addresses as text, and Community IDs, whoever wrote the rows."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import struct
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensor.capture.pcapfile import CaptureFile
from sensor.days import ip_text, mac_text
from sensor.pipeline import Pipeline
from sensor.reading import read_captures
from sensor.sighting import community_id
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.store import Store
from sensor.store.sql import statement

PCAPS = Path(__file__).parents[3] / "pcaps"
PUBLISHED = [
    ("tcp", "128.232.110.120", 34_855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("udp", "192.168.1.52", 54_585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (
        "tcp",
        "2607:f8b0:400c:c03::1a",
        25,
        "2001:470:e5bf:dead:4957:2174:e82c:4887",
        63_943,
        "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
    ),
]
"""From the specification's baseline: protocol, two ends, and what comes of them."""


@pytest.fixture(scope="module")
def said():
    """What an expression comes to."""
    with duckdb.connect() as connection:
        connection.execute(statement("macros"))
        yield lambda expression, *values: connection.execute(f"SELECT {expression}", values).fetchone()[0]


@pytest.mark.parametrize(("transport", "ip", "port", "peer_ip", "peer_port", "expected"), PUBLISHED)
def test_community_ids_are_the_published_ones(said, transport, ip, port, peer_ip, peer_port, expected):
    assert said("community_id($1, $2, $3, $4, $5)", transport, ip, port, peer_ip, peer_port) == expected
    assert said("community_id($1, $2, $3, $4, $5)", transport, peer_ip, peer_port, ip, port) == expected


bytes_of = {
    size: st.lists(st.sampled_from([0, 0, 1, 0x10, 0xFF]) | st.integers(0, 255), min_size=size, max_size=size)
    for size in (4, 16)
}
pairs = st.one_of(*(st.tuples(some.map(bytes), some.map(bytes)) for some in bytes_of.values()))
ports = st.sampled_from([0, 1, 443, 65_535]) | st.integers(0, 65_535)


@settings(max_examples=300, deadline=None)
@given(pairs, ports, ports, st.sampled_from(["tcp", "udp"]))
@example((bytes(16), bytes(15) + b"\x01"), 443, 443, "tcp")
@example((b"\x0a\0\0\1", b"\x0a\0\0\1"), 65_535, 0, "udp")
def test_community_ids_are_the_same_in_a_store_and_of_bytes(said, pair, port, peer_port, transport):
    one, other = pair
    number = {"tcp": 6, "udp": 17}[transport]
    (low, low_port), (high, high_port) = sorted([(one, port), (other, peer_port)])
    packed = b"\0\0" + low + high + struct.pack(">BxHH", number, low_port, high_port)
    expected = "1:" + base64.b64encode(hashlib.sha1(packed).digest()).decode()
    assert community_id(number, one, port, other, peer_port) == expected
    ips = ip_text(one), ip_text(other)
    assert [ipaddress.ip_address(ip).packed for ip in ips] == [one, other]
    assert said("community_id($1, $2, $3, $4, $5)", transport, ips[0], port, ips[1], peer_port) == expected
    for side, at in (("initiator", ips), ("responder", ips[::-1])):
        own, others = (f"{whose}_port($1, $5, $6)" for whose in ("own", "peer"))
        asked = (side, transport, *at, peer_port, port)
        assert said(f"community_id($2, $3, {own}, $4, {others})", *asked) == expected


@pytest.mark.parametrize(
    ("transport", "ip", "port"),
    [("tcp", None, 1), ("tcp", "10.0.0.1", None), (None, "10.0.0.1", 1), ("icmp", "10.0.0.1", 1),
     ("tcp", "10.0.0", 1), ("tcp", "", 1), ("tcp", "a.b.c.d", 1), ("tcp", "zz::1", 1)],
)  # fmt: skip
def test_what_is_not_known_or_no_address_has_none(said, transport, ip, port):
    """A row may say anything, as may the worker that wrote it: who asks gets an answer all the same."""
    assert said("community_id($1, $2, $3, '10.0.0.2', 80)", transport, ip, port) is None
    assert said("community_id($1, '10.0.0.2', 80, $2, $3)", transport, ip, port) is None


@given(st.integers(0, (1 << 48) - 1))
@example(0)
@example((1 << 48) - 1)
def test_mac_addresses_are_written_as_everywhere_and_read_again(said, mac):
    text = said("mac_text($1::BIGINT)", mac)
    assert text == mac_text(mac)
    assert said("mac_number($1)", text) == mac


@pytest.mark.parametrize("mac", [-1, 1 << 48, -(1 << 63), (1 << 63) - 1])
def test_a_number_that_is_no_mac_address_is_text_all_the_same(said, mac):
    assert len(said("mac_text($1::BIGINT)", mac)) == len("00:11:22:33:44:55")


def test_no_mac_address_is_no_text(said):
    assert said("mac_text(NULL::BIGINT)") is said("mac_number(NULL)") is None


@pytest.mark.parametrize("capture", ["dicom/echo.pcap", "hl7/adt_a01.pcap", "smb/account_disabled.pcap"])
def test_a_store_shows_the_ids_that_facts_are_printed_with(tmp_path, capture):
    key = tmp_path / "key"
    read_captures([PCAPS / capture], tmp_path / "s.duckdb", None, key)
    with CaptureFile(PCAPS / capture) as source:
        sightings = list(Pipeline(source, Site(), SiteKey.load(key)).sightings())
    printed = {(s.community_id, s.endpoint.mac, s.endpoint.ip, s.peer.mac, s.peer.ip) for s in sightings}
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        shown = {
            row
            for view in ("attributes", "channels", "authentications", "certificate_sightings", "anomalies")
            for row in store.query(f"SELECT community_id, mac, ip, peer_mac, peer_ip FROM {view}")
        }
        talks = {one for (one,) in store.query("SELECT community_id FROM conversations")}
    assert shown
    assert shown <= printed
    assert {row[0] for row in shown} <= talks
