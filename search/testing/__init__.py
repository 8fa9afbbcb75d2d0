"""The contracts of searchers and schedulers as suites of tests, for whoever adds one.

A package that brings a searcher or a scheduler, by an entry point of the group
`mixspace.searchers` or `mixspace.schedulers`, subclasses a suite in its own tests:

    from search.testing import SchedulerSuite, SearcherSuite

    class TestMySearcher(SearcherSuite):
        name = "my-searcher"
        options = {"population": 8}

    class TestMyScheduler(SchedulerSuite):
        name = "my-scheduler"

and pytest runs every check of the contract. `LearnsObjectives` and `LearnsConstraints` are suites
that add what not every searcher promises. The package must be installed where the tests run
(`pip install -e .`), since names are found by entry points.

The spaces and the made-up studies on which the suites run are there for tests of one's own:
`search.testing.toy_spaces` and `search.testing.simulated_study`.

It needs pytest, which mixspace itself does not install.
"""

try:
    import pytest
except ImportError as error:
    message = "search.testing needs pytest, which is not installed: pip install pytest"
    raise ImportError(message) from error

for _module in ("registered_suite", "searcher_suite", "scheduler_suite", "simulated_study"):
    pytest.register_assert_rewrite(f"{__name__}.{_module}")  # so that a failure shows its values

from search.testing.scheduler_suite import SchedulerSuite  # noqa: E402
from search.testing.searcher_suite import (  # noqa: E402
    LearnsConstraints,
    LearnsObjectives,
    SearcherSuite,
)

__all__ = ["LearnsConstraints", "LearnsObjectives", "SchedulerSuite", "SearcherSuite"]
