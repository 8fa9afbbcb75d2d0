"""What a network costs, each figure with the counter that it comes from."""

from dataclasses import asdict, dataclass

from space.architecture import Architecture
from space.cost import cost, memory, paper_macs
from space.errors import InputError

COUNTERS = {
    "params": "trainable parameters; equal to those of the built network",
    "macs": (
        "multiply-accumulates of convolutions, linear maps and mixing sums as torch runs them: "
        "padding counts, norms and activations do not; papers print these as FLOPs"
    ),
    "torch_macs": "the part of macs that torch's FlopCounterMode sees",
    "paper_macs": (
        "the counter in the code of the paper's authors: norms, activations and pooling count, the "
        "sum over the neighbourhood of inhomogeneous weights does not"
    ),
    "training_bytes": "activations that autograd saves for one image in float32",
    "inference_bytes": "largest sum of activations alive at once, for one image in float32",
    "moved_bytes": "what the operations of a forward pass read and write, for one image in float32",
}
PAPER_USES = (
    "paper_macs: the paper's own figures come from its authors' counter; the FLOPs in their README "
    "lie 0.05 to 0.07 G above it"
)


@dataclass(frozen=True)
class Figures:
    """The figures of `COUNTERS`, from closed forms.

    Attributes:
        paper_macs: None for a network for which the authors' counter is not defined.
        paper_macs_reasons: why it is not.
    """

    params: int
    macs: int
    torch_macs: int
    paper_macs: int | None
    paper_macs_reasons: tuple[str, ...]
    training_bytes: int
    inference_bytes: int
    moved_bytes: int


def figures(architecture: Architecture) -> Figures:
    """Every figure of a network."""
    spent = cost(architecture)
    paper, reasons = _paper(architecture)
    return Figures(
        spent.params,
        spent.macs,
        spent.macs - spent.unseen_macs,
        paper,
        reasons,
        **asdict(memory(architecture)),
    )


def _paper(architecture: Architecture) -> tuple[int | None, tuple[str, ...]]:
    try:
        return paper_macs(architecture), ()
    except InputError as error:
        return None, tuple(str(problem) for problem in error.problems)
