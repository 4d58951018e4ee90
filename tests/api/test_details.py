"""Single objects: devices under old ids, identities, certificates, findings, rules."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient

from tests.api.stores import add_finding


def test_a_device_with_everything_about_it(client: TestClient) -> None:
    device = client.get("/v1/devices/d-1").json()
    assert device["why"] == {"vendor": "oui"}
    assert device["endpoints"][0]["ip"] == "10.0.0.5"
    assert device["attributes"][0]["chosen"] is True
    assert [use["identity_id"] for use in device["identities"]] == ["i-1"]
    assert [finding["finding_id"] for finding in device["findings"]] == ["f-1"]
    assert device["blindspots"][0]["reason"] == "TLS 1.3"
    assert device["aliases"] == ["d-old", "d-older"]


def test_a_finding_about_an_identity_concerns_every_device_that_uses_it(client: TestClient, store) -> None:
    before = client.get("/v1/devices/d-2").json()
    add_finding(store, "f-key", "high", rule_id="CERT-008", identity_id="i-1")
    after = client.get("/v1/devices/d-2").json()
    assert after["open_findings"] == before["open_findings"] + 1
    assert "f-key" in {finding["finding_id"] for finding in after["findings"]}
    concerned = client.get("/v1/devices?rule=CERT-008").json()["items"]
    assert {(device["device_id"], device["open_findings"]) for device in concerned} == {("d-1", 2), ("d-2", 2)}
    assert [row["finding_id"] for row in client.get("/v1/findings?rule=CERT-008&device=d-1").json()["items"]] == [
        "f-key"
    ]


def test_an_old_id_leads_to_the_device_of_today(client: TestClient) -> None:
    old = client.get("/v1/devices/d-old")
    assert old.json() == client.get("/v1/devices/d-1").json()
    assert old.headers["content-location"] == "/v1/devices/d-1"


def test_an_alias_that_leads_in_circles_is_not_found(client: TestClient, store) -> None:
    store.execute("INSERT INTO device_alias VALUES ('a', 'b'), ('b', 'a')")
    assert client.get("/v1/devices/a").status_code == 404


def test_who_uses_an_identity(client: TestClient) -> None:
    identity = client.get("/v1/identities/i-1").json()
    assert [(use["device_label"], use["peer_label"]) for use in identity["uses"]] == [
        ("CT01", "=PACS()"),
        ("=PACS()", None),
    ]
    assert identity["findings"][0]["finding_id"] == "f-1"
    assert identity["secrets"] == []


def test_an_identity_tells_its_secrets_apart_without_giving_them_out(client: TestClient, store) -> None:
    seen = {"first_ts": "2026-11-23T10:00:00Z", "last_ts": "2026-11-24T10:00:00Z", "device_count": 1}
    secrets = [{"secret": 1, "class": "other", "length": "8-11", **seen}]
    why = json.dumps({"secrets": secrets, "secret": "the same at least since 2026-11-23"})
    store.execute("UPDATE identity SET why = $why WHERE identity_id = 'i-1'", {"why": why})
    identity = client.get("/v1/identities/i-1").json()
    assert identity["secrets"] == secrets
    assert identity["why"] == {"secret": "the same at least since 2026-11-23"}


def test_where_a_certificate_was_shown(client: TestClient) -> None:
    certificate = client.get("/v1/certificates/" + "AB" * 32).json()
    assert certificate["sans"] == ["DNS:pacs", "IP:10.0.0.9"]
    assert [(place["ip"], place["port"]) for place in certificate["shown"]] == [("10.0.0.5", 104)]


def test_a_finding_says_why_and_what_to_do(client: TestClient) -> None:
    finding = client.get("/v1/findings/f-1").json()
    assert finding["evidence"] == {"frame": 12}
    assert finding["rule"]["remedy"] == "Let it speak TLS 1.2."
    assert [change["seq"] for change in finding["changes"]] == [1]


def test_rules_count_their_open_findings(client: TestClient) -> None:
    assert [rule["open_findings"] for rule in client.get("/v1/rules").json()["items"]] == [2]
    assert client.get("/v1/rules/TLS-001").json()["references"] == ["RFC 8996"]


def test_ids_beyond_javascript_stay_exact(client: TestClient) -> None:
    ids = {row["id"] for row in client.get("/v1/authentications").json()["items"]}
    assert ids == {str(2**63 + 1), "2"}
