"""impacket's SMB server: ``_smbserver.py ADDRESS NAME SHARE FOLDER``, run by the lab on one of its machines.

It asks for what other servers of today do not ask for any more: passwords in clear, or one password for each share.
"""

from __future__ import annotations

import argparse
import configparser
import tempfile

from impacket import ntlm, smb
from impacket.smbserver import SimpleSMBServer

SMB = 445
NOBODY = 0
DISK, PIPE = "0", "3"
CHALLENGE = "41" * 8


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("name")
    parser.add_argument("share")
    parser.add_argument("folder")
    parser.add_argument("--smb2", action="store_true", help="speak SMB 2.0.2")
    parser.add_argument("--account", default="", help="the only name that may log on")
    parser.add_argument("--password", default="")
    parser.add_argument("--system", default="invented OS 1.0", help="what it says it runs on (NativeOS of SMB 1)")
    parser.add_argument("--plaintext", action="store_true", help="ask for passwords in clear")
    parser.add_argument("--share-level", action="store_true", help="ask for a password for each share")
    return parser.parse_args()


def configuration(asked: argparse.Namespace) -> str:
    """Write the server's configuration and return where."""
    config = configparser.ConfigParser()
    config["global"] = {
        "server_name": asked.name,
        "server_os": asked.system,
        "server_domain": "WARD",
        "log_file": "None",
        "rpc_apis": "yes",
        "credentials_file": "",
        "challenge": CHALLENGE,
        "SMB2Support": str(asked.smb2),
    }
    config["IPC$"] = {"comment": "", "read only": "yes", "share type": PIPE, "path": ""}
    config[asked.share.upper()] = {"comment": "", "read only": "no", "share type": DISK, "path": asked.folder}
    with tempfile.NamedTemporaryFile("w", dir=".", suffix=".ini", delete=False) as file:
        config.write(file)
    return file.name


def main() -> None:
    """Serve until killed."""
    asked = arguments()
    if asked.plaintext:  # the SecurityMode of the negotiation is made of these constants
        smb.SMB.SECURITY_AUTH_ENCRYPTED = 0
    if asked.share_level:
        smb.SMB.SECURITY_SHARE_USER = 0
    server = SimpleSMBServer(asked.address, SMB, configuration(asked))
    server.getServer().addCredential(asked.account, NOBODY, "", ntlm.compute_nthash(asked.password).hex())
    server.start()


if __name__ == "__main__":
    main()
