"""How many small changes of the code the tests notice, on a random part of all of them.

    python -m tests.mutants [--sample 400] [--seed 0] [--only 'search.study.*']

mutmut makes the changes and runs, for each, the tests that reach the changed function (which files
and which tests: `[tool.mutmut]` in pyproject.toml). There are many thousands; a sample drawn at
random tells the share that is caught to within a few points. The survivors are printed as a diff:
each is a test that is missing, or a change that changes nothing. `KNOWN_SURVIVORS.md` has the
campaigns that were read.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from scipy.stats import binomtest

CHANGED = Path("mutants")
SMALLEST = "search.study.trial.*"
"""mutmut makes all mutants and learns which test reaches what before it tries the first."""
NOT_CAUGHT = frozenset({0, 5, 33, 34, None})
"""The code of pytest where all tests passed, or none ran; and mutmut's own for the latter."""


def mutmut(*arguments: str) -> str:
    """What a command of mutmut's prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if ended.returncode:
        sys.exit(f"{ended.stdout[-4000:]}\nmutmut {arguments[0]} ended with {ended.returncode}")
    return ended.stdout


def exit_codes() -> dict[str, int | None]:
    """What the tests ended with, by mutant; None where it was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted(CHANGED.rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def room(mutant: str) -> str:
    """The package of a mutant: `search.study` of `search.study.study.x_best__mutmut_3`."""
    return ".".join(mutant.split(".")[:2])


def report(codes: dict[str, int | None], drawn: Sequence[str], total: int) -> str:
    """Caught and tried by package, the share with its 95% interval, and every survivor's diff."""
    survivors = [name for name in drawn if codes[name] in NOT_CAUGHT]
    tried, missed = Counter(map(room, drawn)), Counter(map(room, survivors))
    lines = [f"{name}: {tried[name] - missed[name]} of {tried[name]}" for name in sorted(tried)]
    share = binomtest(len(drawn) - len(survivors), len(drawn))
    interval = share.proportion_ci(method="wilson")
    lines.append(
        f"caught: {share.k} of {share.n} drawn from {total:,}: {share.statistic:.1%} "
        f"[{interval.low:.1%}, {interval.high:.1%}]"
    )
    return "\n".join([*lines, *(mutmut("show", name) for name in survivors)])


def main() -> None:
    """Make the mutants, try the sample, and print what was caught."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sample", type=int, default=400, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--only", default="*", help="names of mutants to draw from")
    options = parser.parse_args()
    mutmut("run", SMALLEST)
    names = sorted(name for name in exit_codes() if fnmatch(name, options.only))
    drawn = random.Random(options.seed).sample(names, min(options.sample, len(names)))
    if not drawn:  # mutmut takes no name for all of them
        parser.error(f"--only {options.only!r} is no mutant's name, or --sample is 0")
    mutmut("run", *drawn)
    print(report(exit_codes(), drawn, len(names)))


if __name__ == "__main__":
    main()
