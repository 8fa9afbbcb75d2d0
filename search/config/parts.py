"""The smaller parts of a configuration: seeds, resources, durations."""

import math
import re

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    field_validator,
)

from search.numeric import as_number

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)")


class Section(BaseModel):
    """Base of all sections: frozen, no unknown fields, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Seeds(Section):
    """Seeds of their own; null is the study's seed.

    Attributes:
        searcher: of what is proposed.
        initialisation: of first weights, together with the architecture.
        data_order: of the order and augmentation of images, together with the architecture.
    """

    searcher: StrictInt | None = Field(default=None, ge=0, lt=2**63)
    initialisation: StrictInt | None = Field(default=None, ge=0, lt=2**63)
    data_order: StrictInt | None = Field(default=None, ge=0, lt=2**63)


FINEST_SHARE = 0.0001
"""Of a CPU or a GPU that Ray gives."""


class Resources(Section):
    """What one trial gets, and how many trials run at the same time.

    Attributes:
        cpus_per_trial: CPU cores of a trial; a trial computes with that many threads.
        gpus_per_trial: share of one GPU that a trial gets, 0 to 1; 0.25 lets four trials share
            one GPU. A trial trains on one GPU alone.
        concurrent_trials: at most that many trials at a time; null is as many as fit.
        autoscaling: the cluster adds nodes on demand, so do not refuse what it does not have yet.
    """

    cpus_per_trial: StrictFloat = Field(default=1, ge=FINEST_SHARE, le=1024)
    gpus_per_trial: StrictFloat = Field(default=0, ge=0)
    concurrent_trials: StrictInt | None = Field(default=None, ge=1, le=100_000)
    autoscaling: StrictBool = False

    @field_validator("gpus_per_trial")
    @classmethod
    def _a_share_of_one_gpu(cls, value: float) -> float:
        if value > 1:
            raise ValueError(
                "must be 0 to 1 (0.25 lets four trials share one GPU): a trial trains on one GPU, "
                "and would leave the others idle"
            )
        if 0 < value < FINEST_SHARE:
            raise ValueError(f"must be 0, or at least {FINEST_SHARE}: Ray gives no finer share")
        return value


def parse_duration(value: object) -> object:
    """Seconds from 90, "90s", "30m", "4h" or "2d"; None stays None.

    Raises:
        ValueError: for anything else.
    """
    if value is None:
        return None
    seconds = _seconds(value) if isinstance(value, str) else as_number(value)
    if seconds is None or not 0 < seconds < math.inf:
        raise ValueError("must be seconds, or a text such as 90s, 30m, 4h or 2d")
    return seconds


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2] or "s"] if match else None
