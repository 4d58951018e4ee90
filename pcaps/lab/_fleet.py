"""The invented hospital: its machines, with plausible addresses and invented serial numbers.

The first three bytes of each MAC are the maker's entry in the IEEE registry; the last three are invented.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One machine: addresses, and what its objects (DICOM PS3.3 C.7.5.1) or its messages (HL7 v2) say of it.

    A machine without an address is spoken of by others and is not on the network itself.
    """

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
    application: str = ""
    facility: str = ""
    eui64: str = ""
    via: str = ""


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
FILESERVER = Machine("fs1", "00:50:56:a4:10:11", "10.20.1.50")
CONTROLLER = Machine("dc1", "00:50:56:a4:10:12", "10.20.1.5")
NAS = Machine("nas2", "00:11:32:5b:90:14", "10.20.1.52")
US_FLEET = (
    US,
    *(
        Machine(
            f"us{n}",
            f"44:4b:5d:0a:77:{0x19 + n:02x}",
            f"10.20.5.{30 + n}",
            f"LOGIQE10-{n}",
            "US",
            "GE Healthcare",
            "LOGIQ E10",
            f"INV5221{3 + n}US6",
            f"LE10-INV5221{3 + n}",
            "LOGIQE10:R3.1.4",
        )
        for n in range(2, 6)
    ),
)


# ------------------------------------------------------------------ those that speak HL7 v2

EHR = Machine("ehr", "00:50:56:a4:30:01", "10.20.3.10", application="EPIC", facility="GENERALHOSPITAL")
ENGINE = Machine("engine", "00:50:56:a4:30:02", "10.20.3.11", application="MIRTH", facility="GENERALHOSPITAL")
CIS = Machine("cis", "00:50:56:a4:30:03", "10.20.3.12", application="CIS", facility="ICU")
PUMP_SERVER = Machine("pump-server", "00:50:56:a4:30:04", "10.20.3.13", application="ALARIS", facility="IDM")
PHARMACY = Machine("pharmacy", "00:50:56:a4:30:05", "10.20.3.14", application="PHARMACY", facility="GENERALHOSPITAL")
LIS_HL7 = Machine("lis-hl7", "00:50:56:a4:30:06", "10.20.3.15", application="LIS", facility="LABORATORY")
TEST_EHR = Machine("ehr-test", "00:50:56:a4:30:07", "10.20.3.16", application="EPIC", facility="GENERALHOSPITAL")
EGATEWAY = Machine(
    "egateway",
    "00:a0:37:9b:02:c1",
    "10.20.8.6",
    manufacturer="Mindray",
    model="BeneVision eGateway",
    application="MINDRAY_EGATEWAY^00A037FFFE9B02C1^EUI-64",
    facility="MINDRAY",
)
PIC_IX = Machine(
    "pic-ix",
    "00:09:fb:9a:40:11",
    "10.20.8.7",
    manufacturer="Philips",
    model="IntelliVue Information Center iX",
    application="PHILIPS",
    facility="PIC IX",
)
N22 = tuple(
    Machine(
        f"n22-{n}",
        f"00:a0:37:71:4e:0{n}",
        "",
        manufacturer="Mindray",
        model="BeneVision N22",
        eui64=f"00a037fffe714e0{n}",
        via="egateway",
    )
    for n in (1, 2)
)
MX500 = tuple(
    Machine(
        f"mx500-{n}",
        f"00:09:fb:9b:42:b{n}",
        "",
        manufacturer="Philips",
        model="IntelliVue MX500",
        serial=f"INVDE4472{n}",
        eui64=f"0009fbffff9b42b{n}",
        via="pic-ix",
    )
    for n in (3, 4)
)
VC150 = tuple(
    Machine(
        f"vc150-{n}",
        f"84:2f:75:0c:31:a{n}",
        f"10.20.8.5{n}",
        manufacturer="GE",
        model="CARESCAPE VC150",
        application="VC150",
        facility=f"842F750C31A{n}",
    )
    for n in (1, 2)
)
B40 = Machine(
    "b40",
    "00:40:97:2d:61:7c",
    "10.20.8.61",
    manufacturer="GE",
    model="B40",
    application="B40",
    facility="PACU",
    eui64="080019fffe2d617c",
)
VS8 = Machine(
    "vs8",
    "00:a0:37:35:20:8f",
    "10.20.8.71",
    manufacturer="Mindray",
    model="VS 8",
    application="MINDRAY_VS8^00A037FFFE35208F^EUI-64",
    facility="MINDRAY",
    eui64="00a037fffe35208f",
)
BS200E = Machine(
    "bs200e",
    "00:a0:37:48:15:2b",
    "10.20.7.31",
    manufacturer="Mindray",
    model="BS-200E",
    application="Mindray",
    facility="BS-200E",
)
COBAS = Machine(
    "cobas-infinity",
    "00:50:56:a4:30:08",
    "10.20.7.41",
    manufacturer="Roche Diagnostics",
    model="cobas infinity",
    software="2.2",
    application="INFINITY^2.2",
    facility="Roche Diagnostics",
)
GENEXPERT = Machine(
    "genexpert",
    "8c:ec:4b:61:9d:40",
    "10.20.7.51",
    manufacturer="Cepheid",
    model="GeneXpert",
    software="Dx6.2",
    application="GeneXpert PC^GeneXpert^Dx6.2",
    facility="",
)
COULTER = Machine(
    "coulter",
    "00:80:a3:5e:17:c0",
    "10.20.7.61",
    manufacturer="Beckman Coulter",
    model="DxH 520",
    application="DxH",
    facility="HEMATOLOGY",
)
FIREWALL = Machine("firewall", "00:1b:17:00:01:10", "10.20.0.1")
TELERADIOLOGY = Machine("teleradiology", "", "203.0.113.44", application="NIGHTREADS", facility="TELERAD")
PARTNER = Machine("partner-fs", "", "203.0.113.60")
