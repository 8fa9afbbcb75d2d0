"""Ray: a private local one, or the cluster that RAY_ADDRESS names. Nobody else's is touched."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.runner.cluster import Cluster
from search.runner.joined_ray import joined_ray
from search.runner.private_ray import private_ray
from search.runner.watched import OnWatch, nothing_to_tell
from search.runner.worker_path import refuse_foreign_search

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one cannot be silenced
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths mean the same to workers as to the driver
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the store keeps the results, not CSV files
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the runner has its own
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # they go to the store as the trial's reason
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # the store is the truth, not Ray's files
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a trial without a GPU keeps the environment as is
}


@contextmanager
def connected_to_ray(address: str | None, on_watch: OnWatch = nothing_to_tell) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start a private one when it is None.

    Args:
        address: HOST:PORT of a head, "auto", or None.
        on_watch: called before that, as soon as a process stands that outlives this one.

    Raises:
        InputError: the cluster does not answer, none can be started, or its workers would find
            another program.
    """
    refuse_foreign_search(Path.cwd())
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray = private_ray(on_watch) if address is None else joined_ray(address, on_watch)
    with ray as cluster:
        yield cluster
