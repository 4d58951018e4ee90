"""The feed: nothing skipped, nothing repeated, never a silent hole."""

from __future__ import annotations

import duckdb
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.stores import SEVERITIES, add_change, add_finding, client_of, empty_store

FEED = "/v1/findings/feed"


def ask(client: TestClient, cursor: str | None, **more: object):
    return client.get(FEED, params={**more, **({"cursor": cursor} if cursor else {})})


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3)), max_size=12),
    wanted=st.sampled_from([None, "low", "high"]),
    severities=st.lists(st.sampled_from(SEVERITIES), min_size=48, max_size=48),
)
def test_inserts_in_between_neither_skip_nor_repeat(
    steps: list[tuple[int, int]], wanted: str | None, severities: list[str]
) -> None:
    connection = empty_store()
    client = client_of(connection)
    got: list[int] = []
    cursor: str | None = None
    written = 0
    filters = {} if wanted is None else {"severity": wanted}
    for inserted, limit in [*steps, (0, 5000)]:
        for _ in range(inserted):
            add_change(connection, written + 1, f"f-{written % 5}", severities[written])
            written += 1
        page = ask(client, cursor, limit=limit, **filters).json()
        got += [item["seq"] for item in page["items"]]
        cursor = page["cursor"]
        assert page["latest_seq"] == written
    assert got == [seq for seq in range(1, written + 1) if wanted in (None, severities[seq - 1])]
    assert ask(client, cursor, **filters).json()["items"] == []


def test_an_empty_page_keeps_its_place(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    page = ask(client, None).json()
    assert [item["seq"] for item in page["items"]] == [1, 2, 3]
    assert page["more"] is False
    empty = ask(client, page["cursor"]).json()
    assert (empty["items"], empty["cursor"]) == ([], page["cursor"])
    add_change(store, 4, "f-9")
    assert [item["seq"] for item in ask(client, empty["cursor"]).json()["items"]] == [4]


def test_a_filtered_empty_page_moves_on(client: TestClient) -> None:
    page = ask(client, None, severity="info").json()
    assert (page["items"], page["more"]) == ([], False)
    assert ask(client, page["cursor"]).json()["items"] == []


def test_the_feed_of_an_empty_store_begins(store: duckdb.DuckDBPyConnection) -> None:
    connection = empty_store()
    client = client_of(connection)
    page = ask(client, None).json()
    assert (page["items"], page["latest_seq"], page["oldest_seq"]) == ([], 0, None)
    add_change(connection, 1, "f-1")
    assert [item["seq"] for item in ask(client, page["cursor"]).json()["items"]] == [1]


def test_past_retention_is_gone_and_says_how_to_resume(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    cursor = ask(client, None, limit=1).json()["cursor"]
    store.execute("DELETE FROM finding_change WHERE seq <= 2")
    answer = ask(client, cursor)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:spanward:problem:past-retention")
    resumed = ask(client, answer.json()["resume"]).json()
    assert [item["seq"] for item in resumed["items"]] == [3]


def test_a_cursor_at_the_edge_of_retention_still_works(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    cursor = ask(client, None, limit=2).json()["cursor"]
    store.execute("DELETE FROM finding_change WHERE seq <= 2")
    assert [item["seq"] for item in ask(client, cursor).json()["items"]] == [3]


def test_a_feed_that_retention_emptied_is_gone(client: TestClient, store: duckdb.DuckDBPyConnection) -> None:
    first, last = (ask(client, None, limit=limit).json()["cursor"] for limit in (1, 3))
    store.execute("DELETE FROM finding_change")
    store.execute("UPDATE finding SET changed_seq = 3 WHERE finding_id = 'f-3'")
    answer = ask(client, first)
    assert answer.status_code == 410
    assert ask(client, answer.json()["resume"]).json()["items"] == []
    assert ask(client, last).json()["items"] == []


def test_a_cursor_of_another_store_is_gone(client: TestClient) -> None:
    cursor = ask(client, None).json()["cursor"]
    connection = empty_store()
    shorter = client_of(connection)
    assert ask(shorter, cursor).json()["type"] == "urn:spanward:problem:other-store"
    for seq in (1, 2, 3, 4):
        add_change(connection, seq, f"other-{seq}")
    assert ask(shorter, cursor).json()["type"] == "urn:spanward:problem:other-store"


def test_other_formats_carry_the_cursor_in_a_header(client: TestClient) -> None:
    page = ask(client, None, format="ndjson", limit=2)
    assert len(page.text.splitlines()) == 2
    rest = ask(client, page.headers["spanward-cursor"], format="csv")
    assert rest.text.splitlines()[1].startswith("3,f-3,opened,")


def test_the_newest_number_survives_in_the_findings(store: duckdb.DuckDBPyConnection) -> None:
    add_finding(store, "f-8", "low", changed_seq=8)
    assert ask(client_of(store), None).json()["latest_seq"] == 8
