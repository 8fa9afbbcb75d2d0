"""Drives Ray Tune for a session."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from search.config import Config, Resources
from search.driver.session import StudySession
from search.driver.stop_request import StopRequest
from search.driver.study_progress import Progress
from search.ray_executor.cluster import Cluster
from search.ray_executor.ray_start import replaced

if TYPE_CHECKING:
    from ray import tune


def tune_session(
    session: StudySession,
    config: Config,
    cluster: Cluster,
    stop: StopRequest,
    show: Callable[[Progress], None],
) -> None:
    """Run the session's trials until it has no more, or a stop is requested.

    Args:
        session: hands out the trials and takes their reports.
        config: resources of a trial.
        cluster: where to run.
        stop: asked between any two events.
        show: told the progress, several times a second.
    """
    from ray import tune

    from search.ray_executor.ray_adapters import (
        NoReporter,
        RequestStopper,
        SessionCallback,
        SessionScheduler,
        SessionSearcher,
    )
    from search.ray_executor.worker import TrialWorker

    for name in ("ray.tune", "ray.train", "ray.air"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    resources = config.resources
    concurrent = resources.concurrent_trials or cluster.fitting_trials(resources)

    # So many workers may be starting at the same time; Ray's own rule is one after the other.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(concurrent)

    tuner = tune.Tuner(
        tune.with_resources(TrialWorker, _places_of_a_trial(resources)),
        tune_config=tune.TuneConfig(
            search_alg=SessionSearcher(session, concurrent, stop),
            scheduler=SessionScheduler(session),
            num_samples=-1,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name=session.record.name,
            storage_path=str(cluster.folder),
            callbacks=[SessionCallback(session, show, stop, cluster.worker_logs)],
            stop=RequestStopper(stop),
            progress_reporter=NoReporter(),
            failure_config=tune.FailureConfig(max_failures=0),
            # The trial writes its own checkpoints, without pickle.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    try:
        with trainable_looked_up_once():
            tuner.fit()
    except Exception:
        if session.failure is not None:
            raise session.failure from None
        raise


def _places_of_a_trial(resources: Resources) -> "dict[str, float] | tune.PlacementGroupFactory":
    """What Ray Tune reserves for a trial: of several processes a place for each.

    The worker itself then only looks after them, and needs none. The places are on one node where
    that has them, and else on several.
    """
    from ray import tune

    each = resources.processes
    if each == 1:
        return {"cpu": resources.cpus_per_trial, "gpu": resources.gpus_per_trial}
    place = {"CPU": resources.cpus_per_trial / each, "GPU": resources.gpus_per_trial / each}
    return tune.PlacementGroupFactory([{}, *[dict(place) for _ in range(each)]], strategy="PACK")


@contextmanager
def trainable_looked_up_once() -> Iterator[None]:
    """Remember what Ray Tune's registry has, for a block in which one trainable runs.

    Every question goes to the head node and back, and together they take a good part of what Ray
    Tune spends on a trial. The registry is no public part of Ray: one that looks otherwise than
    expected is left as it is.
    """
    from ray.tune import registry

    found: Any = getattr(registry, "_global_registry", None)
    if not (callable(getattr(found, "get", None)) and callable(getattr(found, "contains", None))):
        yield
        return
    with (
        replaced(found, "get", _caching(found.get)),
        replaced(found, "contains", _caching(found.contains)),
    ):
        yield


def _caching(ask: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """Keeps what is there; what is not there yet may be registered later."""
    answers: dict[tuple[str, str], Any] = {}

    def call(category: str, key: str) -> Any:
        if (category, key) not in answers:
            answer = ask(category, key)
            if not answer:
                return answer
            answers[category, key] = answer
        return answers[category, key]

    return call
