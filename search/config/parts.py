"""The smaller parts of a configuration: seeds, resources, durations."""

import math
import re
from typing import Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    field_validator,
    model_validator,
)

from search.numeric import as_number
from space.errors import InputError
from trainers.runtime import CompileMode

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
        cpus_per_trial: CPU cores of a trial, of all its processes together; it computes with that
            many threads.
        gpus_per_trial: a share of one GPU, 0 to 1 (0.25 lets four trials share one GPU), or a whole
            number of GPUs, which train a trial together, also on several nodes: a process each,
            which share every batch.
        processes_per_trial: processes that train a trial together; null is one for each GPU, or
            one. Several for each trial on CPUs.
        compile: compile networks by `torch.compile` for their training: minutes at first, faster
            steps later; also one of its modes, of which reduce-overhead replays CUDA graphs.
            Results differ by rounding, as between devices; in no protocol's hash.
        grad_checkpointing: keep of every block only its input for the gradients, and compute the
            rest again: less memory, more time, the same results.
        concurrent_trials: at most that many trials at a time; null is as many as fit.
        autoscaling: the cluster adds nodes on demand, so do not refuse what it does not have yet.
    """

    cpus_per_trial: StrictFloat = Field(default=1, ge=FINEST_SHARE, le=1024)
    gpus_per_trial: StrictFloat = Field(default=0, ge=0, le=4096)
    processes_per_trial: StrictInt | None = Field(default=None, ge=1, le=4096)
    compile: StrictBool | CompileMode = False
    grad_checkpointing: StrictBool = False
    concurrent_trials: StrictInt | None = Field(default=None, ge=1, le=100_000)
    autoscaling: StrictBool = False

    @field_validator("compile", mode="before")
    @classmethod
    def _one_error_for_both_kinds(cls, value: object) -> object:
        modes = get_args(CompileMode)
        if type(value) is not bool and value not in modes:
            raise ValueError(f"must be true, false, {' or '.join(modes)}")
        return value

    @field_validator("gpus_per_trial")
    @classmethod
    def _a_share_of_one_gpu_or_whole_ones(cls, value: float) -> float:
        if value > 1 and value != int(value):
            raise ValueError(
                "must be 0 to 1 (0.25 lets four trials share one GPU), or a whole number of GPUs, "
                "which train a trial together"
            )
        if 0 < value < FINEST_SHARE:
            raise ValueError(f"must be 0, or at least {FINEST_SHARE}: Ray gives no finer share")
        return value

    @model_validator(mode="after")
    def _a_gpu_for_every_process(self) -> Self:
        asked, gpus = self.processes_per_trial, self.gpus_per_trial
        if asked is not None and gpus and asked != max(1, gpus):
            message = f"must be one for each GPU (gpus_per_trial is {gpus:g}), or null; got {asked}"
            raise InputError.of("processes_per_trial", message)
        return self

    @property
    def processes(self) -> int:
        """How many processes train a trial together."""
        return self.processes_per_trial or max(1, int(self.gpus_per_trial))


def parse_duration(value: object) -> object:
    """Seconds from 90, "90s", "30m", "4h" or "2d"; None stays None.

    Raises:
        ValueError: for anything else.
    """
    if value is None:
        return None
    seconds = _seconds(value) if isinstance(value, str) else as_number(value)
    if seconds is None or not 0 < seconds < math.inf:
        raise ValueError("must be seconds above 0, or a text such as 90s, 30m, 4h or 2d")
    return seconds


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2] or "s"] if match else None
