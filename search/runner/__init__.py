"""The runner: a study from its configuration to its last trial, through Ray Tune."""

from search.exit_code import ExitCode
from search.runner.preflight import prepare
from search.runner.run import Watcher, run_study
from search.runner.run_outcome import RunOutcome

__all__ = ["ExitCode", "RunOutcome", "Watcher", "prepare", "run_study"]
