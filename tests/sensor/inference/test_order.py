"""The partition does not depend on the order of facts, and ids that ever stood keep resolving."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.inference.addresses import Sight
from sensor.inference.devices import resolve
from sensor.inference.evidence import Endpoint, Evidence, Saying, Span, Trait
from sensor.inference.run import infer
from sensor.rules.cases import add_rows, build_store
from sensor.site import Site

DAY = datetime(2026, 11, 23)  # noqa: DTZ001 - naive UTC, as everything in the store
SCOPES = ["default", "south"]
MACS = ["8c:ec:4b:00:00:0a", "88:4b:39:10:20:31", "8c:ec:4b:00:00:ff", "00:00:5e:00:01:0a", "da:a1:19:00:00:01", None]
IPS = ["10.0.4.1", "10.0.4.2", "10.0.5.1", "10.0.6.1", "192.0.2.7", "fd00::8eec:4bff:fe00:a", "169.254.1.1"]
SUBJECTS = [
    "serial:SIEMENS|INV1", "serial:SIEMENS|INV2", "serial:SIEMENS|0000", "station:CTAWP1", "device-uid:1.2.3",
    "serial:|INV3", "eui64:8cec4bfffe00000a", "eui64:884b39ffff102031", "equipment:WARD|BED7", "udi:00884838000001",
]  # fmt: skip
SAID = [
    ("dicom.manufacturer", "SIEMENS"), ("dicom.manufacturer", "Philips"), ("dicom.station_name", "CTAWP1"),
    ("dicom.performed_station_ae_title", "CT01"), ("dicom.via", "C-STORE"), ("dicom.via", "C-STORE moved"),
    ("hl7.eui64", "8cec4bfffe00000a"), ("hl7.mac_address", "88:4b:39:10:20:31"), ("hl7.device_serial_number", "INV1"),
    ("hl7.equipment_instance_identifier", "BED7^WARD"), ("hl7.equipment_state", "OP"),
]  # fmt: skip
TRAITS = [
    ("certificate-key", "k1"), ("certificate-key", "k2"), ("ae-title", "CT01"), ("ae-title", "CT02"),
    ("hostname", "ctawp1"), ("implementation-class-uid", "1.3.12.2.1107.5.1"), ("keeps-objects", "C-STORE"),
    ("hostname", "bed7"), ("hl7-application", "LAB"), ("hl7-application", "EPIC"), ("hl7-application", "MIRTH"),
    ("network-address", "^884B39102031^MAC"), ("network-address", "8CEC4B00000A"),
]  # fmt: skip

endpoints = st.builds(Endpoint, st.sampled_from(SCOPES), st.sampled_from(MACS), st.sampled_from(IPS))
spans = st.integers(0, 6).map(lambda d: Span(DAY + timedelta(days=d), DAY + timedelta(days=d, hours=1)))
seen = st.lists(st.tuples(endpoints, spans), min_size=1, max_size=14)


@st.composite
def two_orders(draw):
    """The same evidence, gathered in two orders."""
    sights = draw(seen)
    there = [endpoint for endpoint, _ in sights]
    traits = draw(
        st.lists(st.builds(lambda e, t: Trait(e, *t), st.sampled_from(there), st.sampled_from(TRAITS)), max_size=10)
    )
    sayings = draw(
        st.lists(
            st.builds(
                lambda e, about, said, span: Saying(e, about, *said, span),
                st.sampled_from(there), st.sampled_from(SUBJECTS), st.sampled_from(SAID), spans,
            ),
            max_size=12,
        )
    )  # fmt: skip
    orders = [(sights, traits, sayings), tuple(draw(st.permutations(part)) for part in (sights, traits, sayings))]
    return [gather(*order) for order in orders]


def gather(sights, traits, sayings) -> Evidence:
    joined: dict[Endpoint, Span] = {}
    holders: dict[tuple[str, str], set[str]] = {}
    for endpoint, span in sights:
        joined[endpoint] = joined[endpoint].join(span) if endpoint in joined else span
        if endpoint.mac:
            holders.setdefault((endpoint.scope, endpoint.ip), set()).add(endpoint.mac)
    days = frozenset(Sight(*endpoint, span.first.date()) for endpoint, span in sights)
    return Evidence(days, joined, frozenset(traits), frozenset(sayings), {k: frozenset(v) for k, v in holders.items()})


def plain(resolution):
    """A resolution without the order of its dicts."""
    devices = sorted(
        (d.device_id, d.anchors, d.span, d.described, d.forwards, tuple(d.reasons)) for d in resolution.devices.values()
    )
    places = sorted(resolution.endpoint_device.items(), key=str), sorted(resolution.subject_device.items(), key=str)
    return devices, places, sorted(resolution.aliases.items())


@settings(max_examples=400, deadline=None)
@given(two_orders())
def test_order_does_not_matter(orders) -> None:
    one, other = (resolve(evidence, Site().internal) for evidence in orders)
    assert plain(one) == plain(other)


@settings(max_examples=200, deadline=None)
@given(two_orders())
def test_a_resolution_is_a_partition(orders) -> None:
    resolution = resolve(orders[0], Site().internal)
    named = {device_id for device_id, _ in resolution.endpoint_device.values()} | set(
        resolution.subject_device.values()
    )
    assert named == set(resolution.devices)
    anchors = [anchor for device in resolution.devices.values() for anchor in device.anchors]
    assert len(anchors) == len(set(anchors))
    assert not resolution.aliases.keys() & resolution.devices.keys()
    assert set(resolution.aliases.values()) <= set(resolution.devices)


ROWS = [
    {"conversation": {}, "from": "10.0.4.1", "from_mac": None},
    {"conversation": {}, "from": "10.0.4.1", "from_mac": "8c:ec:4b:00:00:0a"},
    {"conversation": {}, "from": "10.0.5.1", "from_mac": "8c:ec:4b:00:00:0a"},
    {"conversation": {}, "from": "10.0.6.1", "from_mac": "8c:ec:4b:00:00:0a", "at": "+3d"},
    {
        "attribute": {"dicom.manufacturer": "SIEMENS", "dicom.via": "C-STORE"},
        "about": "serial:SIEMENS|INV1",
        "from": "10.0.4.1",
    },
    {
        "attribute": {"dicom.manufacturer": "SIEMENS", "dicom.via": "C-STORE"},
        "about": "serial:SIEMENS|INV2",
        "from": "10.0.4.1",
    },
    {"attribute": {"dicom.implementation_class_uid": "1.3.12.2.1107.5.1"}, "from": "10.0.4.1"},
    {"certificate": {"role": "client", "spki_sha256": "aa"}, "side": "initiator", "from": "10.0.4.1"},
    {"attribute": {"hl7.eui64": "8cec4bfffe00000a"}, "about": "eui64:8cec4bfffe00000a", "from": "10.0.6.1"},
    {"attribute": {"hl7.eui64": "8cec4bfffe00000a"}, "about": "serial:SIEMENS|INV1", "from": "10.0.6.1"},
    {"attribute": {"hl7.equipment_state": "OP"}, "about": "equipment:WARD|BED7", "from": "10.0.4.1"},
]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(ROWS), min_size=2, max_size=6), st.integers(1, 4))
def test_an_id_that_stood_keeps_resolving(rows, cut) -> None:
    with build_store(rows[:cut]) as connection:
        infer(connection, Site(), rules=())
        before = ids(connection)
        add_rows(connection, rows[cut:])
        infer(connection, Site(), rules=())
        after = ids(connection)
        aliases = dict(connection.execute("SELECT device_id, now_id FROM device_alias").fetchall())
    assert {aliases.get(old, old) for old in before} <= after


def ids(connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT device_id FROM device").fetchall()}
