"""Real captures of tunnels and link types: as many segments and datagrams as tshark finds, innermost ones only."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.sensor.engine.harness import new_engine, run

UDP_TUNNELS = ("vxlan", "geneve", "teredo")
# What tshark counts in another way, and why.
ELSEWHERE = {
    "encap-erspan_mixed__arkime-arkime__arkime_synthetic.pcap": "GTP, and packets quoted in ICMP",
    "encap-erspan_mixed__idaholab-Malcolm-Test-Artifacts__Tunnels.pcap": "GTP and AYIYA, packets quoted in ICMP",
    "encap-ip4frag_krb-des__the-tcpdump-group-tcpdump__afs.pcap": "packets quoted in ICMP",
    "encap-ip4frag_http2__OISF-suricata-verify__drop-protocol-change~input.pcap": "a TCP header that cannot be",
    "encap-ip4frag_ntp__zeek-zeek__fragmented-1.pcap": "overlapping fragments, of which first bytes win here",
    "encap-ipinip_radius__idaholab-Malcolm-Test-Artifacts__RADIUS.pcap": "broken on purpose",
    "link-ppi_dns__dotpcap-packetnet__80211_ppi_multiplefields.pcap": "802.11 is not read",
}


def expectations(shared: Path) -> dict[str, dict[str, int]]:
    rows = map(json.loads, (shared / "EXPECTED.jsonl").read_text().splitlines())
    return {row["file"]: row["protocols"] for row in rows if row["file"].startswith(("encap-", "link-"))}


def counters_of(path: Path) -> dict[str, int]:
    raw = path.read_bytes()
    engine = new_engine(flows=4096)
    run(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw, engine=engine)
    return engine.counters()


def test_as_many_packets_as_tshark_finds(shared_pcaps: Path) -> None:
    checked, wrong = 0, {}
    for name, protocols in expectations(shared_pcaps).items():
        if name not in ELSEWHERE:
            found = counters_of(shared_pcaps / name)
            expected = protocols.get("tcp", 0), protocols.get("udp", 0) - sum(protocols.get(t, 0) for t in UDP_TUNNELS)
            checked += expected != (0, 0)
            if (found["tcp_segments"], found["udp_datagrams"]) != expected:
                wrong[name] = (found["tcp_segments"], found["udp_datagrams"]), expected
    assert wrong == {}
    assert checked > 30


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("encap-erspan_icmp__zeek-zeek__erspanI.pcap", {"tunnelled": 10, "other_transport": 10}),
        ("encap-erspan_icmp__zeek-zeek__erspanIII.pcap", {"tunnelled": 2, "other_transport": 2}),
        (
            "encap-erspan_icmp__zeek-zeek__gre-erspan3-dot1q.pcap",
            {"tunnelled": 2, "vlan_packets": 2, "other_transport": 2},
        ),
        (
            "encap-erspan_cdp__OISF-suricata-verify__decode-erspan-typeII-01~input.pcap",
            {"tunnelled": 6, "not_ip": 2, "other_transport": 4},
        ),
        ("encap-geneve_icmp__zeek-zeek__geneve.pcap", {"tunnelled": 6, "other_transport": 6, "udp_datagrams": 0}),
        ("encap-vxlan_icmp__zeek-zeek__vxlan.pcap", {"tunnelled": 10, "not_ip": 2, "other_transport": 8}),
        (
            "encap-mpls_misc__zeek-zeek__mpls-6in6-6in6-4in6-trunc.pcap",
            {"tunnelled": 3, "bad_header": 1, "nested_too_deep": 0},
        ),
        ("encap-pbb_misc__zeek-zeek__pbb-recursive-frames.pcapng", {"nested_too_deep": 1}),
        ("link-nflog_misc__zeek-zeek__nflog-bad-tlv-len.pcap", {"bad_header": 1}),
        (
            "encap-erspan_mixed__idaholab-Malcolm-Test-Artifacts__Tunnels.pcap",
            {"bad_header": 2, "nested_too_deep": 0},
        ),
    ],
)
def test_what_real_tunnels_hold(shared_pcaps: Path, name: str, expected: dict[str, int]) -> None:
    found = counters_of(shared_pcaps / name)
    assert {key: found[key] for key in expected} == expected
