"""NFStream over a capture, one process, as cheap as it goes; a line for each flow. Argument: CAPTURE."""

from __future__ import annotations

import sys

from nfstream import NFStreamer


def main() -> None:
    """Print application and requested name of every flow."""
    stream = NFStreamer(source=sys.argv[1], n_meters=1, statistical_analysis=False, n_dissections=20)
    for flow in stream:
        sys.stdout.write(f"{flow.application_name} {flow.requested_server_name}\n")


if __name__ == "__main__":
    main()
