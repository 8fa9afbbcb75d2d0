"""A search on Ray, of which nobody hears."""

from pathlib import Path

import pytest

from search.store import open_store
from tests.search.cli.test_output_faults import NO_STDERR, folder
from tests.support.streams import python

__all__ = ["folder"]


@pytest.mark.slow
@pytest.mark.ray
def test_a_search_on_ray_needs_no_stream(folder: Path) -> None:
    small = [
        *("--set", "trials=1", "--set", "protocol.epochs=1"),
        *("--set", "resources.concurrent_trials=1", "--store", "new.db"),
    ]
    redirected = f"<&- >&- {NO_STDERR[-1]}"
    ran = python("-m", "search", "run", "tiny.yaml", *small, redirected=redirected, cwd=folder)
    assert (ran.returncode, ran.stderr) == (0, b"")
    with open_store(str(folder / "new.db"), create=False) as store:
        (trial,) = store.trials.of_study(store.studies.get("tiny").id)
    assert trial.state == "complete"
