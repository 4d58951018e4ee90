"""Lists: filters, formats, paging, ETags."""

from __future__ import annotations

import csv
import io
import json

import duckdb
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.stores import SEVERITIES, add_device, add_finding, client_of, empty_store

LISTS = (
    "devices", "identities", "certificates", "authentications", "conversations", "findings", "blindspots", "sensors",
    "segments",
)  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_rows_in_every_format(client: TestClient, name: str) -> None:
    items = client.get(f"/v1/{name}").json()["items"]
    ndjson = client.get(f"/v1/{name}", params={"format": "ndjson"})
    table = list(csv.DictReader(io.StringIO(client.get(f"/v1/{name}", params={"format": "csv"}).text)))
    assert items
    assert [json.loads(line) for line in ndjson.text.splitlines()] == items
    assert [list(row) for row in table] == [list(item) for item in items]
    assert ndjson.headers["content-type"] == "application/x-ndjson"


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_one_row_are_the_whole_list(client: TestClient, name: str) -> None:
    whole = client.get(f"/v1/{name}").json()["items"]
    assert list(pages(client, f"/v1/{name}", 1)) == whole


def pages(client: TestClient, path: str, limit: int, **filters: object):
    cursor: str | None = None
    while True:
        page = client.get(path, params={"limit": limit, **filters, **({"cursor": cursor} if cursor else {})}).json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
        assert len(page["items"]) == limit


@settings(max_examples=25, deadline=None)
@given(
    labels=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=12),
    severities=st.lists(st.sampled_from([*SEVERITIES, "odd"]), max_size=12),
    limit=st.integers(1, 5),
)
def test_concatenated_pages_are_the_list_whatever_it_holds(
    labels: list[str], severities: list[str], limit: int
) -> None:
    connection = empty_store()
    for number, label in enumerate(labels):
        add_device(connection, f"d-{number}", label)
    for number, severity in enumerate(severities):
        add_finding(connection, f"f-{number}", severity)
    client = client_of(connection)
    assert sorted(row["device_id"] for row in pages(client, "/v1/devices", limit)) == sorted(
        f"d-{number}" for number in range(len(labels))
    )
    found = [row["severity"] for row in pages(client, "/v1/findings", limit)]
    order = [*SEVERITIES, "odd"]
    assert found == sorted(severities, key=order.index)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=example", ["d-1"]),
        ("q=EXAMPLE%20medical", ["d-1"]),
        ("ip=10.0.0.5", ["d-1"]),
        ("ip=2001:0db8::0009", ["d-2"]),
        ("mac=00-11-22-33-44-55", ["d-1"]),
        ("severity=critical&severity=high", ["d-2", "d-1"]),
        ("severity=info", []),
        ("rule=TLS-001&vendor=other", ["d-2"]),
        ("since=2026-11-23T19:12:45%2B01:00", []),
        ("since=2026-11-23T19:12:44%2B01:00", ["d-2", "d-1"]),
        ("until=2026-11-23T10:00:00.123456Z", []),
        ("described=true", []),
    ],
)
def test_filters_of_devices(client: TestClient, query: str, expected: list[str]) -> None:
    assert [row["device_id"] for row in client.get(f"/v1/devices?{query}").json()["items"]] == expected


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/v1/findings?status=open", 2),
        ("/v1/findings?status=resolved&severity=low", 1),
        ("/v1/findings?rule=NO-1", 0),
        ("/v1/findings?device=d-old", 1),
        ("/v1/findings?identity=i-1", 1),
        ("/v1/identities?shared=true&strength=none&device=d-1", 1),
        ("/v1/identities?shared=false", 0),
        ("/v1/authentications?device=d-1&principal=ANY-SCU", 2),
        ("/v1/authentications?device=d-2", 0),
        ("/v1/conversations?ip=10.0.0.9&port=104", 1),
        ("/v1/certificates?q=DNS:pacs&expires_before=2027-01-01T00:00:00Z", 1),
        ("/v1/blindspots?device=d-old&since=2026-11-23T12:00:00Z", 1),
        ("/v1/sensors?live=true", 2),
        ("/v1/sensors?state=read", 1),
        ("/v1/sensors?state=running", 0),
        ("/v1/segments?interface=eth1", 2),
        ("/v1/segments?segment=vlan%2012&since=2026-11-23T12:00:00Z", 1),
        ("/v1/segments?source=a.pcap&until=2026-11-22T12:00:00Z", 0),
        ("/v1/conversations?segment=vlan%2012", 0),
    ],
)
def test_filters(client: TestClient, path: str, count: int) -> None:
    assert len(client.get(path).json()["items"]) == count


def test_accept_chooses_the_format_and_format_wins(client: TestClient) -> None:
    accept = {"Accept": "text/html, text/csv;q=0.9, application/json;q=0.1"}
    assert client.get("/v1/devices", headers=accept).headers["content-type"].startswith("text/csv")
    assert client.get("/v1/devices?format=json", headers=accept).headers["content-type"] == "application/json"
    refused = client.get("/v1/devices", headers={"Accept": "image/png, application/json;q=0"})
    assert refused.status_code == 406


def test_csv_of_hostile_names_runs_no_formula(client: TestClient) -> None:
    assert ",'=PACS()," in client.get("/v1/devices?format=csv").text


def test_an_empty_csv_still_has_its_header(client: TestClient) -> None:
    assert client.get("/v1/devices?format=csv&q=nobody").text.startswith("device_id,label,")


def test_the_same_answer_is_sent_once(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    first = client.get("/v1/devices")
    again = client.get("/v1/devices", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    add_device(store, "d-3", "new")
    changed = client.get("/v1/devices", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_the_link_header_leads_to_the_next_page(client: TestClient) -> None:
    first = client.get("/v1/devices?limit=1&vendor=other")
    assert "link" not in first.headers
    link = client.get("/v1/devices?limit=1").headers["link"]
    following = client.get(link.removeprefix("<").partition(">")[0])
    assert [row["device_id"] for row in following.json()["items"]] == ["d-1"]
