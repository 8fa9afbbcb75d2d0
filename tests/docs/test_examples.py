"""The examples of docs/ run as they stand, and say what is true."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from runpy import run_path

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_a_space_that_is_not_vision_is_searched() -> None:
    path = EXAMPLES / "search_a_kernel.py"
    shown = subprocess.run([sys.executable, path], text=True, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr
    said = re.search(r"best of (\d+): Tile\(rows=(\d+), columns=(\d+), depth=(\d+)\)", shown.stdout)
    assert said is not None, shown.stdout
    count, *sizes = map(int, said.groups())
    assert count == 60

    # The example has 100 points, few enough to try them all; 60 evaluations find one of the best.
    names = run_path(str(path))
    every = [names["Tile"](*each) for each in product(*names["SIZES"].values())]
    assert len(every) == 100
    within = [f["reuse"] for f in map(names["metrics"], every) if f["cache"] <= 8192]
    found = names["metrics"](names["Tile"](*sizes))
    assert found["cache"] <= 8192
    assert found["reuse"] >= sorted(within)[-3]
