"""A ventilator and a nurses' station over IEEE 11073 SDC, by sdc11073; the lab starts this file inside a machine.

    _sdc.py provide IP READY_PORT FILE           # serves until it is ended; the file says what it is, in JSON
    _sdc.py probe IP COUNT                       # asks who is there until so many have answered, connects to nobody
    _sdc.py consume IP COUNT SERIAL [KEY CERT ROOT]    # does so, then reads the ventilator and waits for one report

The HTTP server of the library takes any free port, as devices do; READY_PORT listens on loopback when all is up.
Nothing is compressed, and the station does not fetch the WSDL documents: 400 kB that are the same everywhere.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import sys
import threading
import uuid
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sdc11073.certloader import SSLContextContainer, mk_ssl_contexts
from sdc11073.consumer.consumerimpl import HostedServiceDescription, SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.location import SdcLocation
from sdc11073.mdib import ConsumerMdib, ProviderMdib
from sdc11073.observableproperties import strongbind
from sdc11073.provider import (
    ContextService,
    DescriptionEventService,
    GetService,
    SdcProvider,
    StateEventService,
    provider_components_async_factory,
)
from sdc11073.wsdiscovery import WSDiscovery, networkingthread
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sdc11073.provider import SdcProviderComponents
    from sdc11073.wsdiscovery.service import Service

MDIB = Path(__file__).with_name("ventilator.xml")
METRIC = "paw0"
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the story's dates are not those of this machine's clock
REPORT_EVERY_S = 1.0
AT_ONCE_S = 0.01
REPEATS = {"max_initial_delay_ms": 50, "repeat": 1}  # as SOAP over UDP has it; the library's own take up to 5 s
REPEATED_S = 0.7  # by then all repeats are sent
PATIENCE_S = 10.0


def contexts(files: Sequence[str]) -> SSLContextContainer | None:
    """Return TLS 1.2 contexts of a key, a certificate and the root for the peer's; None without files."""
    if not files:
        return None
    made = mk_ssl_contexts(*map(Path, files))
    for one in (made.client_context, made.server_context):
        one.maximum_version = ssl.TLSVersion.TLSv1_2
        one.verify_flags |= NO_CHECK_TIME
    return made


def provide(ip: str, ready_port: int, what: dict[str, str]) -> None:
    """Be a ventilator: announce it, answer, report its airway pressure to whoever has subscribed."""
    identifier = uuid.uuid5(uuid.NAMESPACE_DNS, what["serial"])
    text = MDIB.read_text().format(sequence=identifier, **what)
    mdib = ProviderMdib.from_string(text.encode(), protocol_definition=SdcV1Definitions)
    with WSDiscovery(ip) as discovery:
        model = ThisModelType(
            what["manufacturer"], what["url"], what["model"], what["number"], what["url"], what["url"]
        )
        machine = ThisDeviceType(what["friendly"], what["firmware"], what["serial"])
        keys = contexts([what[name] for name in ("key", "cert", "root") if what.get(name)])
        provider = SdcProvider(
            discovery, model, machine, mdib, identifier, ssl_context_container=keys, components=services()
        )
        provider.set_used_compression()
        provider.start_all(start_rtsample_loop=False)
        provider.set_location(SdcLocation(fac="INVENTED", poc="ICU", bed=what["bed"]))
        threading.Event().wait(REPEATED_S)
        with socket.create_server(("127.0.0.1", ready_port)):
            report(mdib)


def services() -> SdcProviderComponents:
    """Return the components of a provider that is read and tells, and takes no commands."""
    made = provider_components_async_factory()
    made.hosted_services = {
        "Get": [GetService],
        "StateEvent": [StateEventService, ContextService, DescriptionEventService],
    }
    return made


def report(mdib: ProviderMdib) -> None:
    """Change the measured pressure again and again; subscribers are told each time."""
    turn = 0
    while True:
        threading.Event().wait(REPORT_EVERY_S)
        turn += 1
        with mdib.metric_state_transaction() as changes:
            state = changes.get_state(METRIC)
            if state.MetricValue is None:
                state.mk_metric_value()
            state.MetricValue.Value = Decimal(18 + turn % 5)


def probe(ip: str, count: int) -> dict[str, Service]:
    """Ask all medical devices by multicast who and where they are; return them by their identifiers.

    Raises RuntimeError when fewer than ``count`` answer.
    """
    found: dict[str, Service] = {}
    enough = threading.Event()

    def heard(services: Sequence[Service]) -> None:
        found.update({one.epr: one for one in services})
        if len(found) >= count:
            enough.set()

    with WSDiscovery(ip) as discovery:
        discovery.set_on_probe_matches_callback(heard)
        discovery.search_sdc_services(timeout=AT_ONCE_S)
        enough.wait(PATIENCE_S)
        threading.Event().wait(REPEATED_S)
    if len(found) < count:
        raise RuntimeError(f"{len(found)} medical devices answer instead of {count}")
    return found


def consume(ip: str, count: int, serial: str, files: Sequence[str]) -> None:
    """Be a station: probe, connect to the ventilator with this serial number, read its MDIB, wait for one report.

    Raises RuntimeError when it does not answer or report.
    """
    found = probe(ip, count)[uuid.uuid5(uuid.NAMESPACE_DNS, serial).urn]
    HostedServiceDescription._read_wsdl = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001
    consumer = SdcConsumer.from_wsd_service(found, contexts(files))
    consumer.set_used_compression()
    consumer.start_all()
    mdib, told = ConsumerMdib(consumer), threading.Event()
    mdib.init_mdib()
    strongbind(mdib, metrics_by_handle=lambda _: told.set())
    heard = told.wait(PATIENCE_S)
    consumer.stop_all()
    if not heard:
        raise RuntimeError(f"{serial} does not report")


def main(argv: Sequence[str]) -> None:
    """Run one side."""
    logging.disable(logging.WARNING)
    for name in ("UNICAST_REPEAT_PARAMS", "MULTICAST_REPEAT_PARAMS"):
        setattr(networkingthread, name, replace(getattr(networkingthread, name), **REPEATS))
    if argv[0] == "provide":
        provide(argv[1], int(argv[2]), json.loads(Path(argv[3]).read_text()))
    elif argv[0] == "probe":
        probe(argv[1], int(argv[2]))
    else:
        consume(argv[1], int(argv[2]), argv[3], argv[4:])


if __name__ == "__main__":
    main(sys.argv[1:])
