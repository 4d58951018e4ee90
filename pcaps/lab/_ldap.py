"""LDAP clients on the hospital's machines: ldap-utils, and a small application on ldap3 (``_portal.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _software import debian

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

LDAP_UTILS = debian("ldap-utils", "ldap-utils", "ldapsearch")
GSSAPI_PLUGIN = "/usr/lib/x86_64-linux-gnu/sasl2/libgssapiv2.so"
GSSAPI = debian("Cyrus SASL GSSAPI", "libsasl2-modules-gssapi-mit", GSSAPI_PLUGIN)
INVALID_CREDENTIALS = 49  # LDAPResult (RFC 4511 appendix A.1)


def simple(name: str, password: str) -> list[str]:
    """Return the options of a simple bind; with an empty password it is an unauthenticated one (RFC 4513 5.1.2)."""
    return ["-x", "-D", name, "-w", password]


def sasl(mechanism: str, *properties: str) -> list[str]:
    """Return the options of a SASL bind; ``properties`` are Cyrus SASL's security properties."""
    return ["-Q", "-N", "-Y", mechanism, *(option for one in properties for option in ("-O", one))]


def search(
    hospital: Hospital,
    host: Host,
    url: str,
    bind: list[str],
    base: str,
    wanted: str = "(objectClass=*)",
    *,
    env: dict[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Bind and search on a machine; return what was printed. Raises LabError on another result."""
    return hospital.run(host, ["ldapsearch", "-LLL", "-H", url, *bind, "-b", base, wanted], ok=ok, env=env)
