"""The API over a store that the real line has filled: capture, engine, parsers, inference, rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.schemas.certificates import CertificateDetail
from api.schemas.devices import DeviceDetail
from api.schemas.facts import Authentication, Conversation
from api.schemas.findings import Feed, FindingDetail
from api.schemas.identities import IdentityDetail
from sensor.reading import read_captures
from sensor.store import Store
from tests.api.stores import client_of
from tests.conftest import PCAPS

CAPTURES = [PCAPS / "dicom" / "store20.pcap", PCAPS / "quiet" / "dicom_tls12_mutual.pcap"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("real")
    read_captures(CAPTURES, folder / "s.duckdb", None, folder / "site.key")
    with Store.open(folder / "s.duckdb", read_only=True) as store:
        yield client_of(store)


@pytest.mark.parametrize(
    ("name", "key", "detail"),
    [
        ("devices", "device_id", DeviceDetail),
        ("identities", "identity_id", IdentityDetail),
        ("certificates", "sha256", CertificateDetail),
        ("findings", "finding_id", FindingDetail),
    ],
)
def test_everything_that_is_listed_has_a_page(client: TestClient, name: str, key: str, detail: type[BaseModel]) -> None:
    rows = client.get(f"/v1/{name}").json()["items"]
    assert rows
    for row in rows:
        page = client.get(f"/v1/{name}/{row[key]}")
        assert page.status_code == 200
        assert {name: page.json()[name] for name in row} == row
        detail.model_validate(page.json())


@pytest.mark.parametrize(("name", "item"), [("authentications", Authentication), ("conversations", Conversation)])
def test_facts_of_a_device_are_found_by_its_id(client: TestClient, name: str, item: type[BaseModel]) -> None:
    rows = client.get(f"/v1/{name}").json()["items"]
    assert rows
    for row in rows:
        item.model_validate(row)
    devices = client.get("/v1/devices?described=false").json()["items"]
    found = [
        len(client.get(f"/v1/{name}", params={"device": device["device_id"]}).json()["items"]) for device in devices
    ]
    assert sum(found) == 2 * len(rows)  # each has two ends, and both are devices


def test_the_feed_tells_how_the_findings_came_to_be(client: TestClient) -> None:
    feed = Feed.model_validate(client.get("/v1/findings/feed").json())
    standing = {row["finding_id"]: row for row in client.get("/v1/findings").json()["items"]}
    assert [change.seq for change in feed.items] == list(range(1, feed.latest_seq + 1))
    assert {change.finding_id for change in feed.items} == set(standing)
    assert {change.change for change in feed.items if standing[change.finding_id]["status"] == "open"} == {"opened"}


def test_ready_over_a_store_that_is_open_for_reading(client: TestClient) -> None:
    assert client.get("/readyz").json()["devices"] > 2
