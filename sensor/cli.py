"""The front door: `spanward` and its commands. Imports wait until their command is called, so that help is quick.

Exit status: 0 done, 1 a check failed, 2 usage or configuration, 3 input unreadable. An error is one line on standard
error: what, where, what to do.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.exceptions import TyperException

from sensor.collector import Ending
from sensor.commands.coercion import plain_first
from sensor.commands.errors import CommandError, Status, note
from sensor.commands.formats import Format, Listed, SummaryFormat

app = typer.Typer(
    name="spanward",
    help="Which device is which, which non-human identity each one uses, and where that is weak: read off the wire.",
    epilog="Exit status: 0 done, 1 a check failed, 2 usage or configuration, 3 input unreadable.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys = typer.Typer(help="The key that digests secrets.", rich_markup_mode=None)
app.add_typer(keys, name="site-key")

# Whether it can be read is found out by reading it: that is exit status 3, and typer's own check would make it 2.
Captures = Annotated[
    list[Path], typer.Argument(metavar="CAPTURE...", help="pcap or pcapng, also gzip or zstd", readable=False)
]
StorePath = Annotated[
    Path | None, typer.Option("--store", help="the store; default $SPANWARD_STORE, ./spanward.duckdb")
]
Listen = Annotated[str | None, typer.Option("--listen", metavar="ADDRESS:PORT", help="default 127.0.0.1:8470")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", help="the 'now' of rules about age, UTC; default: the time of the newest fact"),
]


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="stop after the summary")] = False,
    store: Annotated[Path | None, typer.Option("--store", help="keep the store here; default: a temporary one")] = None,
    listen: Listen = None,
) -> None:
    """Read the bundled captures, show what is in them, serve the API."""
    from sensor.forkserver import split_off

    forkserver = split_off()  # before anything is loaded that a worker may not have

    from sensor.commands.access import settings
    from sensor.commands.demo import demo as run

    run(store, listen, settings(), once=once, forkserver=forkserver)


@app.command()
def read(
    captures: Captures,
    store: StorePath = None,
    form: Annotated[SummaryFormat, typer.Option("--format")] = SummaryFormat.TABLE,
    as_of: AsOf = None,
) -> None:
    """Read captures, or - for one on standard input, into the store, then show a summary of the store."""
    from sensor.forkserver import split_off

    forkserver = split_off()  # before anything is loaded that a worker may not have

    from sensor.commands.access import settings
    from sensor.commands.reading import read as run

    configured = settings()
    run(captures, store or configured.store, configured, form, as_of, forkserver)


@app.command()
def facts(captures: Captures) -> None:
    """Print what the parsers read as NDJSON: one fact per line, no store."""
    from sensor.commands.access import settings, site
    from sensor.commands.facts import facts as run
    from sensor.sitekey import SiteKey

    configured = settings()
    run(captures, site(configured.site), SiteKey.test(), configured.worker_memory_mib)


@app.command()
def serve(store: StorePath = None, listen: Listen = None) -> None:
    """Serve the API on an existing store."""
    from sensor.commands.access import opened, settings
    from sensor.commands.serving import serve as run

    configured = settings()
    run(opened(store or configured.store), listen, configured)


@app.command("list")
def list_(
    what: Annotated[Listed, typer.Argument(metavar="WHAT", help=", ".join(Listed))],
    store: StorePath = None,
    form: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """List devices, identities, certificates, findings or blind spots."""
    from sensor.commands.access import opened, settings
    from sensor.commands.listing import listing

    with opened(store or settings().store) as source:
        listing(source, what, form)


@app.command()
def show(
    device: Annotated[str, typer.Argument(help="a device's id, address or name")], store: StorePath = None
) -> None:
    """Show one device on a page: what it is and why, what it authenticates with, what is weak, what is hidden."""
    from sensor.commands.access import opened, settings
    from sensor.commands.show import show as run

    with opened(store or settings().store) as source:
        run(source, device)


@app.command()
def explain(
    finding: Annotated[str, typer.Argument(help="a finding's id, or the beginning of one")], store: StorePath = None
) -> None:
    """Explain a finding: what was seen, why it matters, what to do."""
    from sensor.commands.access import opened, settings
    from sensor.commands.explain import explain as run

    configured = settings()
    with opened(store or configured.store) as source:
        run(source, finding, configured)


@app.command()
def verify(
    captures: Captures,
    form: Annotated[SummaryFormat, typer.Option("--format")] = SummaryFormat.TABLE,
) -> None:
    """Compare what we read in captures with what Wireshark reads in them, field by field; needs tshark."""
    from sensor.commands.access import settings, site
    from sensor.commands.verify import run
    from sensor.sitekey import SiteKey

    raise typer.Exit(run(captures, site(settings().site), SiteKey.test(), form))


@app.command()
def check() -> None:
    """Check rules, fingerprints and configuration; every error with its file and line."""
    from sensor.commands.check import check as run

    raise typer.Exit(run())


@app.command("run")
def run_(
    interfaces: Annotated[
        list[str] | None, typer.Option("-i", metavar="IFACE", help="capture from this interface; may be repeated")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("-r", metavar="DIR", help="read capture files as they appear in this folder")
    ] = None,
    store: StorePath = None,
    listen: Listen = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="processes that share the interfaces")] = 1,
    source: Annotated[
        Literal["afpacket", "libpcap"] | None,
        typer.Option("--source", help="how interfaces are tapped; default: afpacket on Linux, libpcap elsewhere"),
    ] = None,
) -> None:
    """Capture live, or from a folder of rotating files, into the store; infer, and serve the API. Ctrl-C ends it."""
    from sensor.commands.access import settings
    from sensor.commands.run import run as run_live

    configured = settings()
    run_live(interfaces or [], folder, workers, store or configured.store, listen, configured, source)


@app.command()
def doctor(
    interfaces: Annotated[
        list[str] | None, typer.Option("-i", metavar="IFACE", help="look at this interface, too; may be repeated")
    ] = None,
    store: StorePath = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, max=600, help="listen on interfaces for so long; 0: not at all")
    ] = 3.0,
    form: Annotated[SummaryFormat, typer.Option("--format")] = SummaryFormat.TABLE,
) -> None:
    """Look for what will hurt: rights, kernel, network card, mirror, clock, disk; and say how to mend it."""
    from sensor.commands.access import settings
    from sensor.commands.doctor import doctor as run

    configured = settings()
    raise typer.Exit(run(interfaces or [], seconds, store or configured.store, form, configured))


@app.command()
def version() -> None:
    """Print the versions of Spanward and of what its results depend on."""
    from sensor.commands.about import version as run

    run()


@keys.command("backup")
def backup(file: Annotated[Path, typer.Argument(help="where the copy goes; must not exist")]) -> None:
    """Copy the site key to FILE. Without it, digests of secrets cannot be compared with later ones."""
    from sensor.commands.access import settings, site_key_path
    from sensor.commands.sitekeys import backup as run

    run(site_key_path(settings().site_key), file)


@keys.command("rotate")
def rotate() -> None:
    """Begin a new epoch: secrets seen from now on cannot be compared with earlier ones."""
    from sensor.commands.access import settings, site_key_path
    from sensor.commands.sitekeys import rotate as run

    run(site_key_path(settings().site_key))


def main() -> None:
    """The console script. SIGTERM ends a command the way Ctrl-C does: everything is closed and cleared away.

    So does a terminal that is closed, unless it was started with `nohup`.
    """
    _open_what_is_closed()
    ending = Ending()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    ending.status = run(sys.argv[1:])
    sys.exit(ending.status)


def _open_what_is_closed() -> None:
    """No file of ours, a store above all, may become standard output or error of this process or of a worker."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115 - as long as we live
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit status."""
    try:
        _invoke(arguments or ["--help"])
        sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        _let_go_of_stdout()
    except (CommandError, TyperException, OSError) as error:
        return _told(error)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except RuntimeError as error:
        # What DuckDB makes of Ctrl-C during a query.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return _interrupted()
        raise
    return Status.DONE


def _invoke(arguments: list[str]) -> None:
    # Not `app()`: it would turn a broken pipe into exit status 1 before we see it.
    command = typer.main.get_command(app)
    plain_first(command)
    with command.make_context("spanward", arguments) as context:
        command.invoke(context)


def _told(error: CommandError | TyperException | OSError) -> int:
    if isinstance(error, CommandError):
        note(str(error))
        return error.status
    if isinstance(error, TyperException):
        note(f"{error.format_message().rstrip('.')}; see spanward --help")
        return Status.USAGE
    where = f"{error.filename}: " if error.filename else ""
    note(f"{where}{error.strerror or error}")
    return Status.USAGE


def _interrupted() -> int:
    note("interrupted; what was committed to the store is safe")
    return Status.INTERRUPTED


def _let_go_of_stdout() -> None:
    # Whoever read our output has seen enough. Python flushes at its end and must not complain then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
