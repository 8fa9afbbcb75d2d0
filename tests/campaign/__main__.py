"""Random faults over real small searches; see `python -m tests.campaign --help`."""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.timing import processor
from tests.campaign.campaign import Campaign, Row
from tests.campaign.faults import Victim

STORES = ("sqlite", "postgresql")
TITLE = """Real searches under random faults: signals to the driver, to workers, to the servers of
its private Ray, and to PostgreSQL. Each is started again with --resume until it is done; then its
store and the machine are looked at. Exit code 1 if anything was lost, came twice, or stayed."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=TITLE)
    parser.add_argument("--kills", type=at_least(1), default=100, help="faults to deliver (100)")
    parser.add_argument("--seed", type=at_least(0), default=0, help="of the plans (0)")
    parser.add_argument(
        "--seconds", type=above_zero, default=7200, help="no study begins later (7200)"
    )
    parser.add_argument("--stores", type=_stores, default=list(STORES), help=",".join(STORES))
    parser.add_argument("--jobs", type=at_least(1), default=2, help="studies at a time (2)")
    parser.add_argument("--folder", type=Path, help="for what is kept of studies that were hurt")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def _stores(text: str) -> list[str]:
    found = text.split(",")
    if not set(found) <= set(STORES) or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"must be some of {','.join(STORES)}: {text}")
    return found


def shown(rows: list[Row]) -> str:
    """The table of what it has cost, and the one of who was struck by what."""
    header = ["store", "studies", "kills", "drivers", "planned trials reached", "duplicates"]
    header += ["lost epochs", "orphans", "files left", "silent ends", "tracebacks", "open runs"]
    lines = [_line(row) for row in rows]
    if len(rows) > 1:
        lines.append(_line(_all(rows)))
    struck = _all(rows).struck
    signals = ("SIGKILL", "SIGTERM", "SIGSTOP")
    who = [[v, *(str(struck[v, s]) for s in signals)] for v in map(str, Victim)]
    tables = markdown_table(header, lines), markdown_table(["victim", *signals], who)
    return "\n\n".join(tables)


def _all(rows: list[Row]) -> Row:
    together = Row("all")
    for row in rows:
        together.add(row)
    return together


def _line(row: Row) -> list[str]:
    counts = [str(row.studies), str(row.kills), str(row.drivers)]
    reached = f"{row.figures.reached} of {row.figures.planned}"
    others = [str(number) for number in list(asdict(row.figures).values())[2:]]
    return [row.store, *counts, reached, *others]


def as_json(rows: list[Row], seconds: float) -> str:
    """The same as JSON."""
    found = [
        {
            "store": row.store,
            "studies": row.studies,
            "kills": row.kills,
            "drivers": row.drivers,
            **asdict(row.figures),
            "struck": {f"{s} to {v}": n for (v, s), n in sorted(row.struck.items())},
            "problems": [{"study": study, "what": what} for study, what in row.problems],
        }
        for row in rows
    ]
    return json.dumps({"seconds": round(seconds), "stores": found}, indent=2)


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign and print what it has cost; the exit code."""
    options = parse(arguments)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="faults-", dir=Path.cwd()))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", file=sys.stderr, flush=True)

    campaign = Campaign(
        options.stores, options.kills, options.seed, options.seconds, folder.resolve(), say
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        campaign.run(options.jobs)
    except KeyboardInterrupt:
        print(f"Interrupted; what there is is kept in {folder}", file=sys.stderr)
        return 130
    rows, seconds = list(campaign.rows.values()), time.monotonic() - began
    if options.json:
        print(as_json(rows, seconds))
    else:
        where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
        print(f"Seed {options.seed}, {seconds:.0f} s; {where}\n\n{shown(rows)}")
    return _ended(rows, options.kills, folder)


def _ended(rows: list[Row], kills: int, folder: Path) -> int:
    problems = [f"{study}: {what}" for row in rows for study, what in row.problems]
    if (delivered := sum(row.kills for row in rows)) < kills:
        problems.append(f"only {delivered} of {kills} faults could be delivered in time")
    if problems:
        print("\nWhat went wrong:", *problems, sep="\n  ", file=sys.stderr)
        print(f"Kept in {folder}", file=sys.stderr)
        return 1
    folder.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
