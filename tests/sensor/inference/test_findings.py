"""The life of findings: opened, seen again, changed, resolved only if it could have been seen, reopened."""

from __future__ import annotations

import json

import pytest

from sensor.inference.run import infer
from sensor.rules import load_rules
from sensor.rules.cases import BASE, add_rows, build_store, moment
from sensor.site import Site
from tests.sensor.inference.world import SIEMENS_UID, device_of, stores

RULES = {rule.id: rule for rule in load_rules()}
OLD = {"channel": "TLS 1.0"}
GOOD = {"channel": "TLS 1.2"}


class Ward:
    """A store that grows, and the changes that each inference writes."""

    def __init__(self, *rules: str) -> None:
        self.rules = [RULES[rule] for rule in rules or ("TLS-001",)]
        self.store = build_store(())
        self._seen = 0

    def then(self, *rows: dict, now: str | None = None) -> list[str]:
        add_rows(self.store, rows)
        infer(self.store, Site(), moment(now), rules=self.rules)
        found = self.store.execute(
            "SELECT seq, change FROM finding_change WHERE seq > $s ORDER BY seq", {"s": self._seen}
        ).fetchall()
        self._seen += len(found)
        assert [seq for seq, _ in found] == list(range(self._seen - len(found) + 1, self._seen + 1))
        return [change for _, change in found]

    def statuses(self) -> list[str]:
        return [row[0] for row in self.store.execute("SELECT status FROM finding ORDER BY finding_id").fetchall()]


def test_a_finding_is_opened_once() -> None:
    ward = Ward()
    assert ward.then(OLD) == ["opened"]
    assert ward.then() == []
    assert ward.then({**OLD, "at": "+3h"}) == []
    assert ward.statuses() == ["open"]


def test_it_is_seen_again_once_a_day() -> None:
    ward = Ward()
    ward.then(OLD)
    assert ward.then({**OLD, "at": "+1d"}) == ["seen_again"]
    assert ward.then({**OLD, "at": "+25h"}) == []
    assert ward.then({**OLD, "at": "+2d"}) == ["seen_again"]


def test_silence_does_not_resolve() -> None:
    ward = Ward()
    ward.then(OLD)
    assert ward.then({"conversation": {}, "at": "+30d"}) == []
    assert ward.statuses() == ["open"]


def test_better_handshakes_of_the_same_service_resolve() -> None:
    ward = Ward()
    ward.then(OLD)
    assert ward.then({**GOOD, "at": "+3h"}) == []
    assert ward.then({**GOOD, "at": "+2d"}) == ["resolved"]
    assert ward.statuses() == ["resolved"]
    assert ward.then({**GOOD, "at": "+3d"}) == []


def test_what_comes_back_each_week_is_over_after_more_than_a_week() -> None:
    ward = Ward()
    assert ward.then(OLD, {**GOOD, "at": "+2d"}) == ["opened", "resolved"]  # its rhythm is not known yet
    assert ward.then({**OLD, "at": "+7d"}, {**GOOD, "at": "+9d"}) == ["reopened"]
    assert ward.then({**OLD, "at": "+14d"}) == ["seen_again"]
    assert ward.then({**GOOD, "at": "+20d"}) == []
    assert ward.then({**GOOD, "at": "+22d"}) == ["resolved"]


def test_a_rule_that_looks_at_the_last_weeks_only_does_not_move_the_first_sight() -> None:
    ward = Ward("DCM-006")
    called = [{"authentication": {"principal": "CT01", "called_ae_title": title}} for title in "ABC"]
    ward.then(*called)
    first = ward.store.execute("SELECT first_ts FROM finding").fetchall()
    ward.then(*({**row, "at": "+40d"} for row in called))
    assert ward.store.execute("SELECT first_ts FROM finding").fetchall() == first


def test_what_comes_back_after_a_quarter_is_over_meanwhile() -> None:
    ward = Ward()
    ward.then(OLD, {**OLD, "at": "+90d"})
    assert ward.then({**GOOD, "at": "+134d"}) == []
    assert ward.then({**GOOD, "at": "+136d"}) == ["resolved"]


def test_traffic_of_a_service_that_no_parser_knows_resolves() -> None:
    """Nobody outside came to the desktop any more, and others inside did."""
    desktop = {"conversation": {"confidence": "port"}, "protocol": "", "port": 3389}
    ward = Ward("VRA-002")
    assert ward.then({**desktop, "from": "192.0.2.7"}) == ["opened"]
    assert ward.then({**desktop, "at": "+3d"}) == []
    assert ward.then({**desktop, "at": "+9d"}) == ["resolved"]


@pytest.mark.parametrize(
    "elsewhere", [{"port": 8443}, {"to": "10.0.0.3"}, {"gap": True}, {"one_sided": True}, {"midstream": True}]
)
def test_what_could_not_show_it_does_not_resolve(elsewhere: dict) -> None:
    ward = Ward()
    ward.then(OLD)
    assert ward.then({**GOOD, "at": "+2d", **elsewhere}) == []


def test_it_is_reopened_under_its_old_id() -> None:
    ward = Ward()
    ward.then(OLD)
    ward.then({**GOOD, "at": "+2d"})
    assert ward.then({**OLD, "at": "+3d"}) == ["reopened"]
    found = ward.store.execute("SELECT count(DISTINCT finding_id), count(*) FROM finding_change").fetchone()
    assert found == (1, 3)


def test_an_old_capture_read_late_opens_and_resolves() -> None:
    ward = Ward()
    ward.then({**GOOD, "at": "+9d"})
    assert ward.then(OLD) == ["opened", "resolved"]


def test_a_higher_severity_is_a_change() -> None:
    ward = Ward("CERT-003")
    assert ward.then({"certificate": {"not_before": "-600d", "not_after": "+60d"}}) == ["opened"]
    assert ward.then(now="+40d") == ["changed"]
    assert ward.store.execute("SELECT severity FROM finding").fetchall() == [("medium",)]


def test_a_finding_follows_its_device_to_a_new_id() -> None:
    ward = Ward()
    ward.then(OLD)
    before = device_of(ward.store, "10.0.0.2")
    assert ward.then(*stores("10.0.0.2", uid=SIEMENS_UID, to="10.0.0.9")) == ["changed"]
    now = device_of(ward.store, "10.0.0.2")
    assert now != before
    assert ward.store.execute("SELECT device_id FROM finding").fetchall() == [(now,)]


def test_a_shared_key_is_resolved_when_every_holder_was_seen_with_another() -> None:
    ward = Ward("CERT-008")
    shared = {"certificate": {"spki_sha256": "aa"}}
    assert ward.then({**shared, "to": "10.0.0.2"}, {**shared, "to": "10.0.0.3"}) == ["opened"]
    assert ward.then({"certificate": {"spki_sha256": "bb"}, "to": "10.0.0.2", "at": "+2d"}) == []
    assert ward.then({"certificate": {"spki_sha256": "cc"}, "to": "10.0.0.3", "at": "+2d"}) == ["resolved"]


def test_the_body_tells_the_feed_everything() -> None:
    ward = Ward()
    ward.then(OLD)
    body = json.loads(ward.store.execute("SELECT body FROM finding_change").fetchone()[0])
    assert body["rule_id"] == "TLS-001"
    assert body["status"] == "open"
    assert body["evidence"]["frame"] == 1
    assert body["evidence"]["community_id"] == "1:case"
    assert body["first_ts"] == "2026-11-23T10:00:00Z"


def test_now_is_the_newest_facts_time_unless_it_is_set() -> None:
    ward = Ward()
    ward.then(OLD)
    assert ward.then({**OLD, "at": "-2d"}) == []
    times = {row[0] for row in ward.store.execute("SELECT as_of FROM finding_change").fetchall()}
    assert times == {BASE}


def test_now_never_passes_the_wall_clock() -> None:
    store = build_store([{"conversation": {}, "at": "2999-01-01T00:00:00"}])
    assert infer(store, Site(), rules=()).now.year < 2900


def test_a_certificate_that_ended_is_no_longer_about_to_end() -> None:
    ward = Ward("CERT-003")
    ward.then({"certificate": {"not_after": "+5d"}})
    assert ward.then(now="+6d") == ["resolved"]


def test_facts_that_were_deleted_resolve_nothing() -> None:
    ward = Ward()
    ward.then(GOOD, {**OLD, "at": "+3d"})
    ward.store.execute("DELETE FROM fact_channel WHERE version = 'TLS 1.0'")
    assert ward.then() == []
    assert ward.statuses() == ["open"]
