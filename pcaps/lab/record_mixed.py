"""A morning in the invented hospital: many scenarios in one capture; the fleet is the ground truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _fleet import CENTRAL, LIS, NURSE_PC, VENTILATOR
from _lab import SCENARIOS, Lab, perform, scenario
from _pki import SERVER, Pki, trusted
from _sidecar import PCAP_HEADER_BYTES
from _tls import ANALYSER, GATEWAY, NAME, PUMPS, STATION, connect, serve, sni
from record_quiet import STRONG, estate
from record_tls_clients import personal

if TYPE_CHECKING:
    from collections.abc import Callable

    Play = Callable[[Lab], None]

ANY_SUITE = ["-cipher", "ALL@SECLEVEL=0"]


def ventilator(lab: Lab) -> None:
    """A ventilator without a clock: TLS 1.0, an RSA key of 1024 bits, a certificate of 1999."""
    pki, device, station = Pki(lab), lab.host(VENTILATOR), lab.host(STATION)
    own = pki.server("ventilator-41", key="rsa:1024", start="19990101000000Z", end="20390101000000Z", digest="sha1")
    serve(lab, device, *own.chain, *ANY_SUITE)
    with lab.capture():
        connect(lab, station, device, "-tls1", "-noservername", "-cipher", "AES128-SHA@SECLEVEL=0")


def central_station(lab: Lab) -> None:
    """A central monitoring station that still shows the certificate it was shipped with."""
    pki, device, nurse = Pki(lab), lab.host(CENTRAL), lab.host(NURSE_PC)
    subject = "/C=--/ST=SomeState/L=SomeCity/O=SomeOrganization/OU=SomeOrganizationalUnit/CN=localhost"
    serve(lab, device, *pki.issue(subject, SERVER, end=pki.date(3650)).chain)
    with lab.capture():
        connect(lab, nurse, device, "-tls1_2", "-noservername")


def analyser(lab: Lab) -> None:
    """A blood gas analyser of which the certificate expired last year."""
    pki, device, lis = Pki(lab), lab.host(ANALYSER), lab.host(LIS)
    own = pki.server(NAME, pki.root("Laboratory CA"), start=pki.date(-800), end=pki.date(-400))
    serve(lab, device, *own.chain)
    with lab.capture():
        connect(lab, lis, device, "-tls1_2", *sni())


def nurse_logs_on(lab: Lab) -> None:
    """A nurse logs on to the laboratory system with a smart card."""
    pki, server, nurse = Pki(lab), lab.host(LIS), lab.host(NURSE_PC)
    root, name = pki.root("Staff CA"), "lis.hospital.example"
    card = personal(lab, pki, root)
    serve(lab, server, *pki.server(name, root).chain, *trusted(root), "-Verify", "3")
    with lab.capture():
        connect(lab, nurse, server, "-tls1_2", *sni(name), *card.chain)


def well_kept_pumps(lab: Lab) -> None:
    """Three pumps, each with its own short-lived certificate, report to their gateway: how it should be."""
    site, gateway, name = estate(lab), lab.host(GATEWAY), "gateway.icu.hospital.example"
    pumps = [(machine, lab.host(machine)) for machine in PUMPS]
    serve(lab, gateway, *site.leaf(name, GATEWAY.ip).chain, *site.trust, *STRONG, "-Verify", "3")
    own = [site.leaf(f"{machine.name}.icu.hospital.example", machine.ip) for machine, _ in pumps]
    with lab.capture():
        for (_, pump), credential in zip(pumps, own, strict=True):
            connect(lab, pump, gateway, "-tls1_2", *STRONG, *sni(name), *site.trust, *credential.chain)


MORNING: tuple[str | Play, ...] = (
    "dicom/echo",
    "dicom/find_worklist",
    "dicom/store_series",
    "dicom/storage_commitment_reverse",
    "dicom/mpps",
    "dicom/store_implicit",
    "dicom/router",
    "dicom/private_sop_class",
    "dicom/find_study",
    "dicom/move",
    "dicom/printer",
    "dicom/user_identity_2",
    "dicom/same_calling_title",
    "dicom/tls12_mutual",
    "tls/same_key",
    well_kept_pumps,
    ventilator,
    central_station,
    analyser,
    nurse_logs_on,
    "hl7/monitor_itself",
    "hl7/pcd01_gateway",
    "hl7/lab_genexpert",
    "hl7/lab_oul_r22",
    "hl7/pump_event_pcd10",
    "hl7/engine",
    "hl7/security",
    "hl7/outside",
    "quiet/hl7_tls12_mutual",
    "quiet/smb_kerberos_encrypted",
    "smb/shared_fleet_account",
    "smb/old_password",
    "smb/windows_7",
    "smb/vendor_accounts",
    "smb/smb1_plaintext",
    "smb/anonymous_share",
)


@scenario(
    "mixed/morning",
    "A morning in the invented hospital: radiology, laboratory, intensive care, file servers."
    " The hosts below are the ground truth.",
    "OpenSSL",
    expect=(
        "CERT-008: the web servers of three pumps share a key, their client certificates do not",
        "DCM-008: two CTs share a calling AE title",
        "DCM-003: a passcode in clear",
        "HL7-001: patients' data in clear; HL7-002: a password in MSH-8; HL7-005: a reading service outside",
        "ID-001: five ultrasound devices use one account; ID-005: accounts known as makers'",
        "SMB-005 and SMB-001 on nas2: passwords in clear; SMB-004: a share for anybody; EOL-001: a CT with Windows 7",
        "CERT-001 on analyser, CERT-002, CERT-005, CERT-006 and TLS-001 on ventilator, CERT-010 on central",
        "the router sends objects of three makers and is none of the devices that they describe",
    ),
)
def morning(lab: Lab) -> None:
    whole = bytearray()
    for number, part in enumerate(MORNING):
        path = part if isinstance(part, str) else f"mixed/{part.__name__}"
        played = perform(SCENARIOS[part].play if isinstance(part, str) else part, path, lab.folder(f"part{number}"))
        recorded = played.target.read_bytes()
        whole += recorded[PCAP_HEADER_BYTES:] if whole else recorded
        lab.hosts |= played.hosts
        lab.software += [*(SCENARIOS[part].software if isinstance(part, str) else ()), *played.software]
        for canary in played.canaries.planted:
            lab.canaries.plant(canary)
    lab.target.write_bytes(whole)
