"""The invented hospital: its machines, with plausible addresses and invented serial numbers.

The first three bytes of each MAC are the maker's entry in the IEEE registry; the last three are invented.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One machine: addresses, and for a modality what its objects say of it (DICOM PS3.3 C.7.5.1)."""

    name: str
    mac: str
    ip: str
    ae_title: str = ""
    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    station: str = ""
    software: str = ""


CT = Machine(
    "ct1",
    "88:4b:39:10:20:31",
    "10.20.4.11",
    "CT01",
    "CT",
    "SIEMENS",
    "SOMATOM Definition Edge",
    "INV73019",
    "CTAWP73019",
    "syngo CT VB20A",
)
CT2 = Machine(
    "ct2",
    "88:4b:39:10:20:32",
    "10.20.4.12",
    "CT01",
    "CT",
    "SIEMENS",
    "SOMATOM Definition AS",
    "INV64208",
    "CTAWP64208",
    "syngo CT 2012B",
)
MR = Machine(
    "mr1",
    "7c:94:b2:21:43:65",
    "10.20.4.21",
    "MR01",
    "MR",
    "Philips Medical Systems",
    "Ingenia",
    "INV41877",
    "PHILIPS-INV41877",
    r"5.3.1\5.3.1.3",
)
US = Machine(
    "us1",
    "44:4b:5d:0a:77:19",
    "10.20.5.31",
    "LOGIQE10",
    "US",
    "GE Healthcare",
    "LOGIQ E10",
    "INV52214US6",
    "LE10-INV52214",
    "LOGIQE10:R3.1.4",
)
DX = Machine(
    "dx1",
    "00:1d:4a:55:02:c1",
    "10.20.5.41",
    "DRX_REVO",
    "DX",
    "Carestream Health",
    "DRX-Revolution",
    "INV90166",
    "DRXREVO1",
    "5.7.412.7008",
)
MG = Machine(
    "mg1",
    "88:b4:36:3c:11:08",
    "10.20.5.51",
    "AMULET1",
    "MG",
    "FUJIFILM Corporation",
    "AMULET Innovality",
    "INV30577",
    "FDR-3000AWS-1",
    "V10.0",
)
PACS = Machine("pacs", "00:50:56:a4:10:01", "10.20.1.10", "ARCHIVE")
RIS = Machine("ris", "00:50:56:a4:10:02", "10.20.1.20", "RISBROKER")
ROUTER = Machine("router", "00:50:56:a4:10:03", "10.20.1.30", "EDGEROUTER")
VIEWER = Machine("viewer", "8c:ec:4b:77:30:5e", "10.20.2.51", "VIEW3")
WORKSTATION = Machine("ws4", "8c:ec:4b:20:6b:f3", "10.20.2.54", "WS4")
VENTILATOR = Machine("ventilator", "00:30:e6:2c:11:5e", "10.20.8.41")
CENTRAL = Machine("central", "00:a0:37:60:71:02", "10.20.8.5")
LIS = Machine("lis", "00:50:56:a4:10:07", "10.20.1.40")
NURSE_PC = Machine("nurse-pc", "8c:ec:4b:51:0f:22", "10.20.2.77")
PRINTER = Machine(
    "printer",
    "08:00:66:31:7e:90",
    "10.20.2.90",
    "DRYSTAR",
    "",
    "Agfa",
    "DRYSTAR 5503",
    "INV11932",
    "DRYSTAR-1",
    "5.6.0",
)
MODALITIES = (CT, MR, US, DX, MG)
