"""SMB 1, 2 and 3: who logs on where, how that is proven, and how the connection is protected.

Read in this order: `netbios` (frames, probe), `lane` (what is read, what is left out), `files` (what passes), `smb2`,
`smb1` and `cifs` (the messages), `tokens` (SPNEGO, NTLM, Kerberos), `session` (what both lanes know: questions,
answers, channels), `status`.

Names of files and directories are never read, contents neither: of paths the share alone is told. Challenges and the
responses to them are measured and dropped. A password leaves as a `Secret`, and only where the server has said that it
wants passwords in clear.

`Done` is never said: sessions are set up and given up while the connection stays.

Spec: MS-SMB2, MS-SMB, MS-CIFS; RFC 1001, RFC 1002
"""

from __future__ import annotations

from typing import Final

from parsers.core import Protocol
from parsers.smb.lane import dissect
from parsers.smb.netbios import LEAD, probe

PROTOCOL: Final = Protocol(
    name="smb",
    spec="MS-SMB2",
    over="tcp",
    probe=probe,
    dissect=dissect,
    lead=LEAD,
    port_hints=frozenset({139, 445}),
    finds_boundary=True,
)
