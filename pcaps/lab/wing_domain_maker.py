"""A device maker's own Kerberos (MIT), beside its directory: tickets for whoever asks, without a proof before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _addc import MIT_KRB5, Realm, asked, krb5_conf
from _directory import fortnightly
from _samba import Account, made
from _software import debian
from _story import opening, scene
from _truth import identity, must
from wing_domain_ldap import CARDIO_WS, LDAP1

if TYPE_CHECKING:
    from pathlib import Path

    from _story import Hospital

MIT_KDC = debian("MIT Kerberos KDC", "krb5-kdc", "krb5kdc")
MIT_ADMIN = debian("MIT Kerberos administration", "krb5-admin-server", "kadmin.local")
CARDIO = Realm("cardio.example", "CARDIO", LDAP1)
ECHO = "svc-echo"
KDC = 88


def _account(hospital: Hospital) -> Account:
    return Account(ECHO, hospital.canaries.token(f"password of {ECHO}", 14))


def _profile(folder: Path) -> Path:
    """Write the KDC's configuration; everything that it keeps lies in its folder."""
    settings = {
        "database_name": folder / "principal",
        "key_stash_file": folder / "stash",
        "acl_file": folder / "acl",
        "kdc_listen": f"{LDAP1.ip}:{KDC}",
        "kdc_tcp_listen": f"{LDAP1.ip}:{KDC}",
    }
    lines = "".join(f"    {key} = {value}\n" for key, value in settings.items())
    path = folder / "kdc.conf"
    path.write_text(f"[realms]\n  {CARDIO.kerberos} = {{\n{lines}  }}\n")
    return path


@opening(MIT_KDC, MIT_ADMIN, order=15)
def maker_kerberos(hospital: Hospital) -> None:
    """Start the maker's KDC with one account; as it comes, it asks for no pre-authentication."""
    host, folder, who = hospital.host(LDAP1), hospital.folder("kdc"), _account(hospital)
    env = {"KRB5_KDC_PROFILE": str(_profile(folder)), "KRB5_CONFIG": str(krb5_conf(folder, CARDIO))}
    of = ["-r", CARDIO.kerberos]
    master = hospital.canaries.token("master key of cardio", 20)
    hospital.run(host, ["kdb5_util", *of, "create", "-s", "-P", master], env=env)
    hospital.run(host, ["kadmin.local", *of, "addprinc", "-pw", who.password, who.name], env=env)
    hospital.serve(host, ["krb5kdc", "-n", *of, "-P", str(folder / "pid")], KDC, env=env)


@scene(
    "a workstation gets a ticket without proving before who it is",
    MIT_KRB5,
    days=[1],
    again=fortnightly(15),
    at="07:45",
)
def no_preauthentication(hospital: Hospital) -> None:
    folder = made(hospital.workdir / "kerberos" / "cardio")
    env = {"KRB5_CONFIG": str(krb5_conf(folder, CARDIO))}
    asked(hospital, hospital.host(CARDIO_WS), _account(hospital), env, folder / "tickets", CARDIO)


identity("account", ECHO, "kerberos", ("cardio-ws",), peers=("ldap1",), realm=CARDIO.kerberos)
must("KRB-003", "kerberos", identity=ECHO, first_day=1, why="it gets tickets without pre-authentication")
