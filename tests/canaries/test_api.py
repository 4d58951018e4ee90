"""Every GET of the API, walked by its own description over the store of the real command: no canary in any answer."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from sensor.store import Store
from tests.api.stores import client_of
from tests.canaries.needles import all_needles
from tests.canaries.reading import Reading, environment
from tests.conftest import ROOT

PASSCODE = "GIXG7GU6HJHUX5"
FORMATS = ("json", "ndjson", "csv")
PAGE = 500
PAGES_MAX = 100
DEADLINE_S = 60


@pytest.fixture(scope="module")
def client(reading: Reading) -> Iterator[TestClient]:
    with Store.open(reading.store, read_only=True) as store:
        yield client_of(store)  # type: ignore[arg-type] # a store gives cursors, as a connection does


def routes(client: TestClient) -> dict[str, list[dict[str, Any]]]:
    """The parameters of every GET, by path."""
    paths = client.get("/openapi.json").json()["paths"]
    return {path: methods["get"].get("parameters", []) for path, methods in paths.items() if "get" in methods}


def written(answer: Any) -> bytes:
    """Status, headers and body of an answer."""
    return b"\n".join(
        [str(answer.status_code).encode(), *(b": ".join(line) for line in answer.headers.raw), answer.content]
    )


def walked(client: TestClient) -> dict[str, list[bytes]]:
    """All answers that can be had with a GET: lists page by page in each format, then a page for each of their rows."""
    answers: dict[str, list[bytes]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for path, parameters in sorted(routes(client).items()):
        if "{" in path:
            parent, _, name = path.rstrip("}").rpartition("/{")
            answers[path] = list(details(client, parent, name, rows[parent]))
        elif any(parameter["name"] == "cursor" for parameter in parameters):
            answers[path], rows[path] = listed(client, path)
        else:
            answer = client.get(path)
            answers[path], rows[path] = [written(answer)], rows_of(answer)
    return answers


def rows_of(answer: Any) -> list[dict[str, Any]]:
    found = answer.json() if answer.headers["content-type"] == "application/json" else {}
    return list(found.get("items", [])) if isinstance(found, dict) else found


def listed(client: TestClient, path: str) -> tuple[list[bytes], list[dict[str, Any]]]:
    answers: list[bytes] = []
    rows: list[dict[str, Any]] = []
    cursor = None
    for _ in range(PAGES_MAX):
        asked = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
        pages = [client.get(path, params=asked | {"format": form}) for form in FORMATS]
        assert {page.status_code for page in pages} == {200}
        answers += map(written, pages)
        body = pages[0].json()
        rows += body["items"]
        cursor = body.get("next_cursor", body.get("cursor"))  # the feed's has no end
        if not cursor or not body["items"]:
            return answers, rows
    raise AssertionError(f"{path} never ends")


def details(client: TestClient, parent: str, name: str, rows: list[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        answer = client.get(f"{parent}/{row.get(name, row.get('id'))}")
        assert answer.status_code == 200
        yield written(answer)


@pytest.fixture(scope="module")
def answers(client: TestClient) -> dict[str, list[bytes]]:
    return walked(client)


def test_the_walk_comes_everywhere(client: TestClient, answers: dict[str, list[bytes]]) -> None:
    assert answers.keys() == routes(client).keys()
    assert len(answers) > 15
    for path, found in answers.items():
        assert found or path.startswith("/v1/rules/"), path
    for path in ("/v1/authentications", "/v1/identities", "/v1/findings", "/v1/devices/{device_id}"):
        assert b"ARCHIVE" in b"".join(answers[path]), path


def test_no_answer_holds_one(answers: dict[str, list[bytes]]) -> None:
    for path, found in answers.items():
        assert all_needles().found(b"\n".join(found)) == [], path


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_the_first_page_holds_none(client: TestClient, accept: str) -> None:
    answer = client.get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert all_needles().found(written(answer) + client.get("/openapi.json").content) == []


def test_one_that_is_in_the_store_is_found() -> None:
    """The walk fails when a canary is behind any of these routes."""
    from tests.api.stores import add_device, add_finding, empty_store, fill

    with empty_store() as connection:
        fill(connection)
        add_device(connection, "d-9", PASSCODE)
        add_finding(connection, "f-9", "high", device_id="d-9", evidence=f'{{"seen": "{PASSCODE.lower()}"}}')
        found = {path for path, said in walked(client_of(connection)).items() if all_needles().found(b"".join(said))}
    assert {"/v1/devices", "/v1/devices/{device_id}", "/v1/findings", "/v1/findings/{finding_id}"} <= found


# ------------------------------------------------------------------ errors


def test_no_error_echoes_a_parameter(client: TestClient) -> None:
    """Who guesses passwords by asking for them leaves no copy in an answer, nor in the logs of who keeps answers."""
    refused = 0
    for path, parameters in routes(client).items():
        asked = [parameter["name"] for parameter in parameters if parameter["in"] == "query"] + ["unknown"]
        for name in asked:
            answer = client.get(path.replace("{", "").replace("}", ""), params={name: f"x {PASSCODE}"})
            assert all_needles().found(written(answer)) == [], (path, name)
            refused += answer.status_code >= 400
    assert refused > 50


def test_what_is_asked_for_is_not_kept(client: TestClient) -> None:
    """A path may be quoted to who wrote it; afterwards nothing knows of it."""
    for path in routes(client):
        client.get(re.sub(r"\{.*\}", PASSCODE, path), headers={"Accept": PASSCODE, "If-None-Match": PASSCODE})
        client.get(f"{path}/{PASSCODE}", headers={"Host": PASSCODE})
        client.request(PASSCODE, path)
    for path in ("/metrics", "/readyz", "/healthz", "/", "/openapi.json"):
        assert all_needles().found(written(client.get(path))) == [], path


def test_a_parameter_that_is_stored_nowhere_finds_nothing(client: TestClient) -> None:
    """Nobody can ask whether a secret was seen: it is compared with nothing."""
    for path, name in (("/v1/authentications", "principal"), ("/v1/identities", "q"), ("/v1/devices", "q")):
        answer = client.get(path, params={name: PASSCODE})
        assert (answer.status_code, answer.json()["items"]) == (200, []), path


@pytest.mark.skipif(sys.platform == "win32", reason="ends the server by a signal")
def test_the_server_says_nothing_of_what_it_is_asked(reading: Reading) -> None:
    """`spanward serve` as a process: what it prints about good, bad and broken requests."""
    command = [sys.executable, "-u", "-m", "sensor.cli", "serve", "--store", reading.store, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env=environment(reading.folder),
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            address = announced(server.stdout)
            for raw in requests():
                asked(address, raw)
        finally:
            server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=DEADLINE_S)
    assert all_needles().found(out + err) == []


def announced(lines: Any) -> tuple[str, int]:
    """Where the server listens, from what it prints first."""
    for line in lines:
        if found := re.search(rb"http://\S+?:\d+", line):
            url = urlsplit(found[0].decode())
            return str(url.hostname), int(url.port or 0)
    raise AssertionError("the server never said where it listens")


def requests() -> Iterator[bytes]:
    host = b"Host: localhost\r\n"
    for line in (
        f"GET /v1/devices?q={PASSCODE} HTTP/1.1",
        f"GET /v1/devices?cursor={PASSCODE} HTTP/1.1",
        f"GET /v1/findings/{PASSCODE} HTTP/1.1",
        f"{PASSCODE} /v1/devices HTTP/1.1",
        f"GET {PASSCODE}",
        f"GET / HTTP/1.1\r\nCookie: {PASSCODE}\r\n{PASSCODE}",
        f"GET / HTTP/{PASSCODE}",
    ):
        yield line.encode() + b"\r\n" + host + b"Connection: close\r\n\r\n"


def asked(address: tuple[str, int], raw: bytes) -> None:
    """Send a request, however broken, and read the answer to its end."""
    with socket.create_connection(address, timeout=DEADLINE_S) as line:
        line.sendall(raw)
        answer = b""
        while part := line.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 ")
    assert all_needles().found(answer.partition(b"\r\n\r\n")[0]) == []
