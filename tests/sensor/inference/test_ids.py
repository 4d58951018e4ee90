"""Ids: the same in every store, and stable while a store grows."""

from __future__ import annotations

import msgspec
import pytest

from sensor.inference.run import infer
from sensor.rules.cases import add_rows
from sensor.site import Site
from tests.sensor.inference.world import SIEMENS_UID, device_of, stores, world


def again(store, *rows) -> None:
    add_rows(store, rows)
    infer(store, Site(), rules=())


def resolves(store, old: str) -> str:
    found = store.execute("SELECT now_id FROM device_alias WHERE device_id = $d", {"d": old}).fetchone()
    return found[0] if found else old


def test_two_stores_give_one_id() -> None:
    row = {"conversation": {}, "from": "10.0.0.11"}
    assert device_of(world(row), "10.0.0.11") == device_of(world({**row, "at": "+90d"}), "10.0.0.11")


def test_a_stronger_anchor_gives_a_new_id_and_the_old_one_resolves() -> None:
    store = world({"conversation": {}, "from": "10.0.0.11"})
    old = device_of(store, "10.0.0.11")
    again(store, *stores("10.0.0.11", uid=SIEMENS_UID))
    new = device_of(store, "10.0.0.11")
    assert new != old
    assert resolves(store, old) == new


def test_a_described_device_that_turns_up_keeps_its_id() -> None:
    store = world(*stores("10.0.0.30"))
    ((described,),) = store.execute("SELECT device_id FROM device WHERE described").fetchall()
    again(store, *stores("10.0.0.11", uid=SIEMENS_UID))
    assert device_of(store, "10.0.0.11") == described


def test_an_id_whose_address_became_a_routers_is_the_routers() -> None:
    mac = "8c:ec:4b:00:00:ff"
    store = world({"conversation": {}, "from": "10.0.4.11", "from_mac": mac})
    old = device_of(store, "10.0.4.11")
    again(store, *({"conversation": {}, "from": f"10.0.{net}.11", "from_mac": mac} for net in range(5, 9)))
    assert resolves(store, old) == old != device_of(store, "10.0.4.11")
    assert store.execute("SELECT role FROM device WHERE device_id = $old", {"old": old}).fetchall() == [
        ("network router",)
    ]


def test_inferring_again_changes_nothing() -> None:
    store = world(
        *stores("10.0.0.11", uid=SIEMENS_UID), {"authentication": {"principal": "CT01", "called_ae_title": "A"}}
    )
    before = dump(store)
    again(store)
    assert dump(store) == before


@pytest.mark.parametrize("broken", ["SELECT nothing", "SELECT 1 AS one"])
def test_a_failed_inference_changes_nothing(broken: str) -> None:

    from sensor.rules import RuleError, load_rules

    store = world({"conversation": {}})
    before = dump(store)
    add_rows(store, [{"conversation": {}, "from": "10.0.0.99"}])
    rule = msgspec.structs.replace(load_rules()[0], text=broken)
    with pytest.raises(RuleError):
        infer(store, Site(), rules=[rule])
    assert dump(store) == before


def dump(store) -> dict[str, list]:
    tables = ("device", "device_alias", "device_endpoint", "device_attribute", "identity", "identity_use", "blindspot")
    return {name: sorted(store.execute(f"FROM {name}").fetchall(), key=str) for name in tables}
