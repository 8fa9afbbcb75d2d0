"""The smaller parts of a configuration: searcher, scheduler, resources, durations."""

import math
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from search.numeric import as_number
from space.strict_types import Flag, Number, Whole

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)")


class Part(BaseModel):
    """Base of all parts: frozen, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RandomConfig(Part):
    """Random search. It has no options."""

    name: Literal["random"] = "random"


class TpeConfig(Part):
    """Optuna's TPE.

    Attributes:
        startup_trials: that many trials are random before TPE begins; initial points count.
        candidates: how many candidates TPE compares for one proposal.
        look_back: TPE sees at most that many trials (the best and the latest).
    """

    name: Literal["tpe"] = "tpe"
    startup_trials: Whole = Field(default=10, ge=1, le=10_000_000)
    candidates: Whole = Field(default=24, ge=1, le=10_000)
    look_back: Whole = Field(default=250, ge=20, le=10_000_000)


class Nsga2Config(Part):
    """Optuna's NSGA-II.

    Attributes:
        population: trials of a generation; the first generation is random.
        crossover: the probability that a child has two parents.
        mutation: the probability that a parameter is drawn anew; null is one over their number.
    """

    name: Literal["nsga2"] = "nsga2"
    population: Whole = Field(default=50, ge=2, le=100_000)
    crossover: Number = Field(default=0.9, ge=0, le=1)
    mutation: Number | None = Field(default=None, ge=0, le=1)


class GpConfig(Part):
    """Optuna's Gaussian process.

    Attributes:
        startup_trials: that many trials are random before the process is fitted.
        look_back: it sees at most that many trials (the best and the latest); a fit takes time
            with the cube of their number.
    """

    name: Literal["gp"] = "gp"
    startup_trials: Whole = Field(default=10, ge=1, le=10_000_000)
    look_back: Whole = Field(default=100, ge=20, le=10_000_000)


class EvolutionConfig(Part):
    """Regularised evolution over moves on the relation graph.

    Attributes:
        population: that many trials, the last ended, may be parents.
        tournament: how many of them are drawn to find a parent.
        startup: that many trials are random before.
        two_moves: the share of children that are two moves away.
    """

    name: Literal["evolution"] = "evolution"
    population: Whole = Field(default=32, ge=1, le=100_000)
    tournament: Whole = Field(default=8, ge=1, le=100_000)
    startup: Whole = Field(default=12, ge=1, le=10_000_000)
    two_moves: Number = Field(default=0.2, ge=0, le=1)

    @model_validator(mode="after")
    def _tournament_within_population(self) -> Self:
        if self.tournament > self.population:
            raise ValueError(
                f"tournament ({self.tournament}) must not exceed population ({self.population})"
            )
        return self


class LocalConfig(Part):
    """Local search.

    Attributes:
        startup: that many trials are random before.
    """

    name: Literal["local"] = "local"
    startup: Whole = Field(default=12, ge=1, le=10_000_000)


class SurrogateConfig(Part):
    """Expected hypervolume improvement under Gaussian processes.

    Attributes:
        startup: that many trials are random, each far from those before.
    """

    name: Literal["surrogate"] = "surrogate"
    startup: Whole = Field(default=8, ge=2, le=10_000_000)


class NoSchedulerConfig(Part):
    """Every trial trains to its end."""

    name: Literal["none"] = "none"


class MedianConfig(Part):
    """The median stopping rule.

    Attributes:
        grace_epochs: no trial is pruned before that epoch.
        min_trials: nor as long as fewer others have come as far.
    """

    name: Literal["median"] = "median"
    grace_epochs: Whole = Field(default=1, ge=1)
    min_trials: Whole = Field(default=5, ge=1)


class HalvingConfig(Part):
    """What all schedulers with rungs have.

    Attributes:
        grace_epochs: no trial is pruned before that epoch.
        reduction_factor: at every rung one of that many trials goes on.
    """

    grace_epochs: Whole = Field(default=1, ge=1)
    reduction_factor: Whole = Field(default=3, ge=2, le=100)


class Seeds(Part):
    """Seeds of their own; null is the study's seed.

    Attributes:
        searcher: of what is proposed.
        initialisation: of first weights, together with the architecture.
        data_order: of the order and augmentation of images, together with the architecture.
    """

    searcher: Whole | None = Field(default=None, ge=0, lt=2**63)
    initialisation: Whole | None = Field(default=None, ge=0, lt=2**63)
    data_order: Whole | None = Field(default=None, ge=0, lt=2**63)


class AshaConfig(HalvingConfig):
    """Asynchronous successive halving, by one objective."""

    name: Literal["asha"] = "asha"


class HyperbandConfig(HalvingConfig):
    """Asynchronous successive halving in brackets that begin later and later."""

    name: Literal["hyperband"] = "hyperband"


class MoashaConfig(HalvingConfig):
    """Asynchronous successive halving, by any number of objectives."""

    name: Literal["moasha"] = "moasha"


FINEST_SHARE = 0.0001
"""Of a CPU or a GPU that Ray gives."""


class Resources(Part):
    """What one trial gets, and how many trials run at the same time.

    Attributes:
        cpus_per_trial: CPU cores of a trial; a trial computes with that many threads.
        gpus_per_trial: share of one GPU that a trial gets, 0 to 1; 0.25 lets four trials share
            one GPU. A trial trains on one GPU alone.
        concurrent_trials: at most that many trials at a time; null is as many as fit.
        autoscaling: the cluster adds nodes on demand, so do not refuse what it does not have yet.
    """

    cpus_per_trial: Number = Field(default=1, ge=FINEST_SHARE, le=1024)
    gpus_per_trial: Number = Field(default=0, ge=0)
    concurrent_trials: Whole | None = Field(default=None, ge=1, le=100_000)
    autoscaling: Flag = False

    @field_validator("gpus_per_trial")
    @classmethod
    def _a_share_of_one_gpu(cls, value: float) -> float:
        if value > 1:
            raise ValueError(
                "must be 0 to 1 (0.25 lets four trials share one GPU): a trial trains on one GPU, "
                f"and would leave the others idle; got {value!r}"
            )
        if 0 < value < FINEST_SHARE:
            raise ValueError(
                f"must be 0, or at least {FINEST_SHARE}, as Ray gives no finer share; got {value!r}"
            )
        return value

    def changed(self, **values: Any) -> Self:
        """A copy with other values."""
        return self.model_copy(update=values)


def parse_duration(value: object) -> object:
    """Seconds from 90, "90s", "30m", "4h" or "2d"; None stays None.

    Raises:
        ValueError: for anything else.
    """
    if value is None:
        return None
    seconds = _seconds(value) if isinstance(value, str) else as_number(value)
    if seconds is None or not 0 < seconds < math.inf:
        shown = f"{value!r:.80}"
        raise ValueError(f"must be seconds, or a text such as 90s, 30m, 4h or 2d; got {shown}")
    return seconds


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2] or "s"] if match else None
