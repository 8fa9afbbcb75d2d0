"""A search over the paper's operators, the six examples and a mixer of the user's own, for real."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.exit_code import ExitCode
from search.store import TrialState
from space.custom.registry import forget
from space.design.paired_points import NAMED_OPERATORS
from tests.search.real_search import RealSearch, last_line
from tests.search.small import SPACE

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(600)]

EXAMPLES = (
    "global filter",
    "identity",
    "large kernel pair",
    "linear attention",
    "pooling",
    "selective scan",
)
MINE = """
from torch import nn
from mixspace import register_mixer


@register_mixer("channel scale", options={"bias": False}, relatives=["identity"])
class ChannelScale(nn.Module):
    def __init__(self, width, size, bias):
        super().__init__()
        self.scale = nn.Conv2d(width, width, 1, groups=width, bias=bias)

    def forward(self, values):
        return self.scale(values)
"""
OPERATORS = [
    {
        "operator": list(NAMED_OPERATORS),
        "kernel_size": [3, 2],
        "heads": 4,
        "ratio": 2,
    },
    *({"operator": name} for name in EXAMPLES[:2]),
    {"operator": "large kernel pair", "kernel_size": 13},
    *({"operator": name} for name in EXAMPLES[3:]),
    "channel scale",
]
TRIALS = len(NAMED_OPERATORS) + len(EXAMPLES) + 1


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealSearch]:
    """A network of one block for each operator, trained for an epoch on a few images."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_mixers.py").write_text(MINE)
    space = SPACE | {
        "plugins": ["mixspace.mixers", "my_mixers"],
        "mixers": OPERATORS,
        "stem": {"patch_size": 4},
        "stages": [{"depth": 1, "width": 16, "mlp_ratio": 2}],
    }
    yield RealSearch(
        tmp_path,
        {
            "space": space,
            "initial": ["paired"],
            "trials": TRIALS,
            "protocol": {"epochs": 1, "batch_size": 50, "warmup_epochs": 0},
        },
    )

    forget("channel scale")
    sys.modules.pop("my_mixers")


def test_the_twelve_the_six_and_ones_own_are_searched_killed_resumed_queried_and_shown(
    search: RealSearch,
) -> None:
    with search.start() as driver:
        while driver.poll() is None and not _complete(search):
            time.sleep(0.2)
        assert driver.poll() is None, driver.stderr and driver.stderr.read()
        driver.send_signal(signal.SIGKILL)
    done = search.run("--resume")
    assert done.returncode == ExitCode.DONE, done.stderr
    trials = search.trials()
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert {trial.origin for trial in trials} == {
        f"paired:{name}" for name in (*NAMED_OPERATORS, *EXAMPLES, "channel scale")
    }
    for name in ("linear attention", "channel scale"):
        assert name in done.stdout
    assert "Paired: the paper's operators and custom mixers in one skeleton" in done.stdout
    found = search.run(
        "best", "--store", search.store, "--where", "name = 'channel scale'", "--json"
    )
    (row,) = json.loads(found.stdout)
    assert row["operators"] == "channel scale"
    shown = search.run("show", row["architecture_id"], "--store", search.store)
    assert shown.returncode == ExitCode.DONE, shown.stderr
    assert "channel scale" in shown.stdout
    unsaid = best(search, "dynamics = undeclared")
    assert [each["operators"] for each in unsaid] == ["channel scale"]

    (search.folder / "my_mixers.py").rename(search.folder / "renamed.py")
    gone = search.run("--resume", "--set", f"trials={TRIALS + 1}")
    assert gone.returncode == ExitCode.BAD_INPUT
    assert "space.plugins[1]: there is no module 'my_mixers'" in gone.stderr
    listed = search.run(
        "best", "--store", search.store, "--where", "name = 'channel scale'", "--json"
    )
    assert json.loads(listed.stdout) == [row]
    shown = search.run("show", row["architecture_id"], "--store", search.store)
    assert shown.returncode == ExitCode.DONE, shown.stderr
    assert "channel scale" in shown.stdout, last_line(shown.stderr)


def best(search: RealSearch, where: str) -> list[dict[str, Any]]:
    """Rows of the leaderboard, in a process that has imported no plug-in."""
    found = search.run("best", "--store", search.store, "--where", where, "--json")
    rows: list[dict[str, Any]] = json.loads(found.stdout)
    return rows


def _complete(search: RealSearch) -> bool:
    """Whether something is there to be kept."""
    try:
        trials = search.trials()
    except Exception:
        return False
    return sum(trial.state is TrialState.COMPLETE for trial in trials) >= 3
