"""Every error is a problem; nothing answers to foreign hosts; limits hold."""

from __future__ import annotations

import json
import socket
import threading

import duckdb
import pytest
from fastapi.testclient import TestClient

from api.app import ListenError, _bound, create_app
from api.database import Database
from api.paging import pack
from api.problems import Problem
from tests.api.stores import T1, client_of, insert


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/nope", 404, "not-found"),
        ("/v1/devices/", 404, "not-found"),
        ("/v1/devices/nobody", 404, "not-found"),
        ("/v1/identities/nobody", 404, "not-found"),
        ("/v1/certificates/00", 404, "not-found"),
        ("/v1/findings/nothing", 404, "not-found"),
        ("/v1/rules/NO-1", 404, "not-found"),
        ("/v1/devices?limit=0", 422, "invalid-request"),
        ("/v1/devices?severty=high", 422, "invalid-request"),
        ("/v1/devices?ip=10.0.0.300", 422, "invalid-request"),
        ("/v1/devices?mac=zz", 422, "invalid-request"),
        ("/v1/devices?since=0.5", 422, "invalid-request"),
        ("/v1/devices?format=xml", 422, "invalid-request"),
        ("/v1/devices?cursor=%20", 400, "bad-cursor"),
        ("/v1/findings/feed?cursor=abc", 400, "bad-cursor"),
    ],
)
def test_errors_are_problems(client: TestClient, path: str, status: int, name: str) -> None:
    answer = client.get(path)
    body = answer.json()
    assert (answer.status_code, body["status"], body["type"]) == (status, status, f"urn:spanward:problem:{name}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["instance"] == path.partition("?")[0]


def test_other_methods_are_a_problem_that_names_the_right_one(client: TestClient) -> None:
    answer = client.post("/v1/devices")
    assert (answer.status_code, answer.headers["allow"], answer.json()["status"]) == (405, "GET", 405)


def test_an_error_of_ours_is_a_problem_without_details(store: duckdb.DuckDBPyConnection) -> None:
    client = client_of(store)
    store.execute("DROP VIEW certificates")
    answer = client.get("/v1/certificates")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:spanward:problem:internal")
    assert "DROP" not in answer.text
    assert "certificates does not exist" not in answer.text


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_cursor_is_refused(client: TestClient, position: int) -> None:
    cursor = client.get("/v1/devices?limit=1").json()["next_cursor"]
    other = "B" if cursor[position % len(cursor)] == "A" else "A"
    changed = cursor[: position % len(cursor)] + other + cursor[position % len(cursor) + 1 :]
    assert client.get("/v1/devices", params={"cursor": changed}).status_code == 400
    assert client.get("/v1/devices", params={"cursor": cursor[:-3]}).status_code == 400


def test_a_cursor_belongs_to_its_list_and_its_filters(client: TestClient) -> None:
    cursor = client.get("/v1/devices?limit=1").json()["next_cursor"]
    assert client.get("/v1/devices", params={"limit": 7, "cursor": cursor}).status_code == 200
    assert client.get("/v1/devices", params={"vendor": "other", "cursor": cursor}).status_code == 400
    assert client.get("/v1/findings", params={"cursor": cursor}).status_code == 400
    assert client.get("/v1/findings/feed", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("values", [["devices", "x", 1, 2], ["feed", "1", ""], ["feed", -1, ""], {"a": 1}, []])
def test_a_well_made_cursor_with_other_values_is_refused(client: TestClient, values: list[object]) -> None:
    cursor = pack(values)
    assert client.get("/v1/devices", params={"cursor": cursor}).status_code == 400
    assert client.get("/v1/findings/feed", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.4:8470", "[2001:db8::1]", "", "x@y"]
)
def test_foreign_hosts_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/v1/devices", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (421, "urn:spanward:problem:foreign-host")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8470", "127.0.0.1:1", "127.5.0.1", "[::1]:8470", "localhost."]
)
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/devices", "/nope", "/v1/devices?limit=0"])
def test_security_headers_are_on_every_answer(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in headers


def test_the_page_for_people_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/", headers={"Accept": "text/html"}).text
    assert "/v1/findings/feed" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_a_query_that_takes_too_long_is_interrupted(store: duckdb.DuckDBPyConnection) -> None:
    database = Database(store, timeout_s=0.05)
    with pytest.raises(duckdb.InterruptException), database._cursor() as cursor:
        cursor.execute("SELECT count(*) FROM range(100000) AS a(x), range(100000) AS b(x) WHERE (a.x ^ b.x) % 7 = 3")
    assert database.rows("rule_counts")


def test_wide_queries_wait_their_turn(store: duckdb.DuckDBPyConnection) -> None:
    database = Database(store, timeout_s=0.05, wide=1)
    with database._turn(), pytest.raises(Problem) as refused:
        database.rows("rule_counts", wide=True)
    assert refused.value.status == 503
    assert database.rows("rule_counts", wide=True)


def test_many_requests_at_once_never_share_a_cursor(client: TestClient) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get("/v1/findings").status_code)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8


def test_ready_says_which_key_stands_twice(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    assert client.get("/readyz").json()["devices"] == 2
    insert(store, "batch", capture="c", parser_set="p", number=0, byte_offset=1, row_count=1, committed_at="2026-01-01")
    insert(store, "batch", capture="c", parser_set="p", number=0, byte_offset=1, row_count=1, committed_at="2026-01-01")
    answer = client.get("/readyz")
    assert (answer.status_code, [table["name"] for table in answer.json()["tables"]]) == (503, ["batch"])


def test_not_ready_without_a_schema() -> None:
    answer = client_of(duckdb.connect(":memory:")).get("/readyz")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:spanward:problem:store-unreadable")


def test_metrics_say_how_well_live_interfaces_are_seen(client: TestClient) -> None:
    text = client.get("/metrics").text
    for line in (
        'spanward_mirror_up{interface="eth1"} 0.0',
        'spanward_mirror_packets_total{interface="eth1"} 200.0',
        'spanward_mirror_kernel_drops_total{interface="eth1"} 7.0',
        'spanward_mirror_last_packet_timestamp_seconds{interface="eth1"} 1.795457564e+09',
        'spanward_segment_duplicates_total{interface="eth1",segment="vlan 12"} 90.0',
        'spanward_mirror_warning{interface="eth1",kind="duplicated"} 1.0',
    ):
        assert line in text.splitlines()
    assert "a.pcap" not in text


def test_metrics_have_a_bounded_number_of_series(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    for vlan in range(1000):
        insert(
            store, "fact_traffic", reading=2, batch=0, hour=T1, interface=f"eth{vlan}",
            segment=f"vlan {vlan}", packets=vlan, bytes=1, duplicates=0, group_packets=0, truncated=0,
        )  # fmt: skip
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith("spanward_")]
    packets = [line for line in lines if line.startswith("spanward_segment_packets_total")]
    assert len(packets) == 65
    assert sum(float(line.rpartition(" ")[2]) for line in packets) == 200 + sum(range(1000))
    assert len(lines) < 1000


def test_metrics_count_by_route_not_by_path(client: TestClient) -> None:
    client.get("/v1/devices/d-1")
    client.get("/etc/passwd")
    text = client.get("/metrics").text
    assert 'spanward_http_requests_total{route="/v1/devices/{device_id}",status="200"} 1.0' in text
    assert "passwd" not in text
    assert "spanward_devices 2.0" in text


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8470", "192.0.2.1:8470", "[::]:8470", "spanward.example:1", "127.0.0.1", "127.0.0.1:x"]
)
def test_other_addresses_than_loopback_are_refused(listen: str) -> None:
    with pytest.raises(ListenError):
        _bound(listen)


def test_a_taken_port_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ListenError, match="taken"):
        _bound(f"127.0.0.1:{taken.getsockname()[1]}")


def test_openapi_names_every_route_and_no_docs_come_from_elsewhere(store: duckdb.DuckDBPyConnection) -> None:
    document = create_app(store).openapi()
    assert "/v1/findings/feed" in document["paths"]
    assert "ProblemBody" in document["components"]["schemas"]
    assert "HTTPValidationError" not in json.dumps(document)
    assert client_of(store).get("/docs").status_code == 404
