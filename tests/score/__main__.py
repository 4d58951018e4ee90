"""`make score`: read the recorded hospital, compare what is inferred with the truth, print figures, misses, alarms.

`--record` writes the figures to pcaps/hospital/score.csv: what a test holds the next change to.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

from parsers.core import Registry
from sensor.reading import read_captures
from sensor.rules.registry import load_rules
from sensor.sitekey import SiteKey
from tests.conftest import PCAPS
from tests.score.figures import Abilities, Figure, all_figures, repeated
from tests.score.inferred import Inferred
from tests.score.truth import load
from tests.score.weeks import weeks

HOSPITAL = PCAPS / "hospital"
RECORDED = HOSPITAL / "score.csv"
COLUMNS = ("figure", "precision", "recall")
LISTS = (("wrong", "wrong"), ("missed", "missed"), ("to_come", "to come"))


def score(hospital: Path, store: Path) -> list[Figure]:
    """Read a hospital into a new store, week by week, and compare."""
    truth, key = load(hospital / "truth.yaml"), store.with_name("site.key")
    SiteKey.test().save(key)
    for week in weeks(hospital / "hospital.pcap", truth.epoch, store.parent):
        summary = read_captures([week], store, None, key)
        if summary.failures:
            raise summary.failures[0]
        week.unlink()
    can = Abilities({p.name for p in Registry.installed().protocols}, {rule.id for rule in load_rules()})
    return all_figures(truth, Inferred(store, truth), can)


def percent(share: float | None) -> str:
    """A share as it stands in the table and in the record: rounded down, `-` where there is none."""
    return "-" if share is None else f"{int(share * 1000) / 10:.1f}"


def table(figures: list[Figure]) -> str:
    """All figures, one a line."""
    head = f"{'':42}  right  wrong  missed  to come  precision  recall   today"
    lines = [
        f"{f.name:42} {f.right:6} {len(f.wrong):6} {len(f.missed):7} {len(f.to_come):8}"
        f" {percent(f.precision):>10} {percent(f.recall):>7} {percent(f.recall_today):>7}"
        for f in figures
    ]
    return "\n".join([head, *lines])


def misses(figures: list[Figure]) -> str:
    """Every false alarm and every miss, by figure; findings stand with their rule."""
    lines = []
    for figure in figures:
        for attribute, words in LISTS:
            found = [] if figure.name == "findings" else repeated(getattr(figure, attribute))
            lines += [f"{figure.name}: {words}: {line}" for line in found]
    return "\n".join(lines)


def record(figures: list[Figure]) -> None:
    """Write what the next change is held to."""
    with RECORDED.open("w", encoding="utf-8", newline="") as file:
        file.write("# Least precision and recall of what is inferred from hospital.pcap, in percent.\n")
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows((f.name, percent(f.precision), percent(f.recall)) for f in figures)


def recorded() -> dict[str, tuple[str, str]]:
    """Figure -> least precision and recall."""
    with RECORDED.open(encoding="utf-8") as file:
        next(file)
        return {row["figure"]: (row["precision"], row["recall"]) for row in csv.DictReader(file)}


def fallen(figures: list[Figure], least: dict[str, tuple[str, str]]) -> list[str]:
    """What is worse than it was, or is not measured any more."""
    now = {f.name: (percent(f.precision), percent(f.recall)) for f in figures}
    lines = [f"{name} is not measured any more" for name in least.keys() - now.keys()]
    for name, before in least.items():
        for what, was, is_now in zip(COLUMNS[1:], before, now.get(name, before), strict=True):
            if _number(is_now) < _number(was):
                lines.append(f"{what} of {name} fell from {was} to {is_now}")
    return lines


def _number(text: str) -> float:
    return 0.0 if text == "-" else float(text)


def main() -> int:
    """Print the table; exit status 1 when a figure fell below what is recorded."""
    parser = argparse.ArgumentParser(prog="score", description=__doc__)
    parser.add_argument("--hospital", type=Path, default=HOSPITAL, help="a folder with hospital.pcap and truth.yaml")
    parser.add_argument("--store", type=Path, help="keep the store here")
    parser.add_argument("--record", action="store_true", help="hold the next change to these figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="spanward-score-") as folder:
        figures = score(asked.hospital, asked.store or Path(folder) / "score.duckdb")
    print(f"{table(figures)}\n\n{misses(figures)}")
    if asked.record:
        record(figures)
    worse = fallen(figures, recorded()) if asked.hospital == HOSPITAL else []
    print("\n".join(worse), file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
