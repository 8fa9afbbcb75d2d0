"""Which trained network a new trial starts from, and what its ancestry has cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search.runner.assignment import ParentWeights
from space import Architecture
from space.inclusion import inclusion_kinds


@dataclass(frozen=True, slots=True)
class Trained:
    """A trial whose weights are at hand: complete, or pruned with its checkpoint kept.

    All that are compared must be of one protocol; they may be of several studies.

    Attributes:
        trial_id: its row in the store.
        architecture: what was trained.
        checkpoint: file of its weights.
        score: of the weights in that file, higher is better: the figure at the last epoch, also
            where an earlier one was better.
        seconds: what its own training has cost.
        ancestry_seconds: what the trainings that it inherited from have cost, all together.
    """

    trial_id: int
    architecture: Architecture
    checkpoint: Path
    score: float
    seconds: float
    ancestry_seconds: float = 0.0

    @property
    def cost_so_far(self) -> float:
        """Seconds of training behind its weights: the `ancestry_seconds` of its children."""
        return self.seconds + self.ancestry_seconds


def choose_parent(child: Architecture, trained: Sequence[Trained]) -> Trained | None:
    """The best of the trained networks that the child contains; None if it contains none.

    Of equal ones the cheaper with its ancestry, then the earlier. The child itself, trained in an
    earlier study, is no parent: that would be a longer training and not another network.
    """
    for candidate in sorted(trained, key=_rank):
        own = candidate.architecture == child
        if not own and inclusion_kinds(candidate.architecture, child) is not None:
            return candidate
    return None


def weights_for(child: Architecture, parent: Trained) -> ParentWeights:
    """What the worker of the child is told.

    Raises:
        ValueError: the child does not contain the parent.
    """
    along = inclusion_kinds(parent.architecture, child)
    if along is None:
        raise ValueError(f"{child.id} does not contain {parent.architecture.id}")
    return ParentWeights(parent.architecture, parent.checkpoint, tuple(map(str, along)))


def _rank(candidate: Trained) -> tuple[float, float, int]:
    return -candidate.score, candidate.cost_so_far, candidate.trial_id
