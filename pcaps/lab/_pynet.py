"""pynetdicom application entities on the lab's machines, in this process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from _net import LabError
from pynetdicom import AE
from pynetdicom.acse import ACSE
from pynetdicom.pdu_primitives import UserIdentityNegotiation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _net import Host
    from pynetdicom.association import Association

    Handlers = Sequence[Any]

SUCCESS = 0x0000


def entity(title: str, *, requested: Sequence[str] = (), supported: Sequence[str] = ()) -> AE:
    """Return an application entity with these abstract syntaxes, requested as SCU and supported as SCP."""
    ae = AE(ae_title=title)
    for uid in requested:
        ae.add_requested_context(uid)
    for uid in supported:
        ae.add_supported_context(uid, scu_role=True, scp_role=True)
    return ae


@contextlib.contextmanager
def answering_user_names() -> Iterator[None]:
    """Let acceptors answer user identity types 1 and 2 with an empty item 59H (PS3.7 D.3.3.7.2).

    pynetdicom answers types 3 to 5 only; its own item is sent, by its own encoder.
    """
    checked = ACSE._check_user_identity  # noqa: SLF001

    def check(acse: ACSE) -> tuple[bool, UserIdentityNegotiation | None]:
        verified, item = checked(acse)
        asked = acse.requestor.user_identity
        if verified and item is None and asked is not None and asked.positive_response_requested:
            item = UserIdentityNegotiation()
            item.server_response = b""
        return verified, item

    ACSE._check_user_identity = check  # type: ignore[method-assign,assignment]  # noqa: SLF001
    try:
        yield
    finally:
        ACSE._check_user_identity = checked  # type: ignore[method-assign]  # noqa: SLF001


@contextlib.contextmanager
def serving(host: Host, ae: AE, port: int, handlers: Handlers = (), **tls: Any) -> Iterator[None]:
    """Let the application entity listen on a machine during the block."""
    with host.inside():
        server = ae.start_server((host.ip, port), block=False, evt_handlers=list(handlers), **tls)
    try:
        yield
    finally:
        if server:
            server.shutdown()


@contextlib.contextmanager
def associated(host: Host, ae: AE, peer: Host, port: int, title: str, **options: Any) -> Iterator[Association]:
    """Associate from a machine for the block, then release. Raises LabError when the peer does not accept."""
    with host.inside():
        association = ae.associate(peer.ip, port, ae_title=title, **options)
    if not association.is_established:
        raise LabError(f"{title} did not accept the association")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def attempt(host: Host, ae: AE, peer: Host, port: int, title: str, **options: Any) -> None:
    """Try an association that is meant to be refused. Raises LabError when it is accepted."""
    with host.inside():
        association = ae.associate(peer.ip, port, ae_title=title, **options)
    if association.is_established:
        association.abort()
        raise LabError(f"{title} accepted an association that it should refuse")
