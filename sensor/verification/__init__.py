"""Cross-examination: what our parsers read in a capture against what Wireshark's dissectors read in it.

Both readings are brought into one shape, endpoint and field to a set of values. What is compared stands in
`fields.csv`, one line a field: whose messages (`protocol`), tshark's field, the messages it counts in (`when`), whose
endpoint it is about, how tshark writes it our way (`reading`), and where our facts have it. Code tables that turn
tshark's numbers into our words stand in `words.csv`. Another protocol is another few lines there.

Notation in `fields.csv`:

| column | notation |
|---|---|
| `tshark_field` | `a`, or `a/b`: the first that is there, or `a+b+c`: their values side by side, joined by dots |
| `when`, `our_when` | `name=value; name=value`: all of them; `name/name=value/value`: one of those holds one of these |
| `about` | `speaker` or `hearer` of the message |
| `reading`, `our_reading` | functions of `readings.py` and their arguments: `word tls_version; without x` |
| `ours` | an attribute's name, or the path of a value in another kind of fact; `a/b`: each of them |

Wireshark finds out by port and by its own heuristics what a conversation is. Where it finds nothing and we do, it is
asked once more and told which ports carry what (`-d tcp.port==6661,hl7`). So it never judges *whether* our guess of the
protocol was right there, only what stands in the messages.

Only the listed fields are kept of what tshark says. No password, response, ticket or patient is among them.
"""

from sensor.verification.compare import Comparison, Difference, Key, Reading, Verdict, compare
from sensor.verification.examine import DissectionFailed, Verified, verify
from sensor.verification.ours import OurReading, our_reading
from sensor.verification.theirs import their_reading
from sensor.verification.wireshark import WiresharkMissing, wireshark_version

__all__ = [
    "Comparison",
    "Difference",
    "DissectionFailed",
    "Key",
    "OurReading",
    "Reading",
    "Verdict",
    "Verified",
    "WiresharkMissing",
    "compare",
    "our_reading",
    "their_reading",
    "verify",
    "wireshark_version",
]
