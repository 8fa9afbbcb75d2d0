"""The conclusions of the paper's article that such a table can test, as contrasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.conclusions.contrasts import Contrast, Found, OneSkeleton, at, judged, larger
from search.effects import MARGIN

_UNTIED = "sliding/separable/full/none/static"
_BY_CHANNELS = "sliding/separable/full/channel/static"
_DEPTH_WISE, _DYNAMIC = "DW-S Conv.", "Dynamic DW-S Conv."
_TWO = (3, 7)
_TO_ONE_WINDOW = ("Sep. MLP", None), ("Local ViT", 14)
"""A window that is the whole map of 14×14: attention over all of it that knows positions."""


class Expected(StrEnum):
    """What the article has of a difference."""

    NO_LOSS = "no loss"
    NEXT_TO_NOTHING = "next to nothing"
    GAIN = "a gain"


@dataclass(frozen=True, slots=True)
class Claim:
    """A conclusion.

    Attributes:
        text: of the conclusion, in a few words.
        expected: of each of its contrasts.
        contrasts: that test it.
    """

    text: str
    expected: Expected
    contrasts: tuple[Contrast, ...]


CLAIMS = (
    Claim(
        "Depth-wise convolution matches local attention",
        Expected.NO_LOSS,
        (
            Contrast("Local ViT → DW-S Conv.", at("Local ViT", _DEPTH_WISE, _TWO)),
            Contrast("Local ViT → Dynamic DW-S Conv.", at("Local ViT", _DYNAMIC, _TWO)),
        ),
    ),
    Claim(
        "Sharing of weights matters little",
        Expected.NEXT_TO_NOTHING,
        (
            Contrast(
                "weights tied across positions",
                (*at(_UNTIED, _DEPTH_WISE, [7]), *at(_BY_CHANNELS, "Lightweight conv.", [7])),
            ),
            Contrast(
                "weights tied across channels",
                (*at(_UNTIED, _BY_CHANNELS, [7]), *at(_DEPTH_WISE, "Lightweight conv.", [7])),
            ),
        ),
    ),
    Claim(
        "Dynamic weights help",
        Expected.GAIN,
        (
            Contrast("DW-S Conv. → Dynamic DW-S Conv.", at(_DEPTH_WISE, _DYNAMIC, _TWO)),
            Contrast(
                "static → inhomogeneous, sliding", at(_BY_CHANNELS, "Dynamic Local-S MLP", [7])
            ),
            Contrast("Local MLP → Local ViT", at("Local MLP", "Local ViT", _TWO)),
            Contrast("Sep. MLP → ViT", at("Sep. MLP", "ViT", [None])),
            Contrast("Sep. MLP → ViT with a position bias", (_TO_ONE_WINDOW,)),
        ),
    ),
    Claim(
        "Larger kernels help",
        Expected.GAIN,
        (
            Contrast(
                "kernels 3 → 7, convolutions", larger(("Conv.", _DEPTH_WISE, _DYNAMIC), *_TWO)
            ),
            Contrast(
                "kernels and windows 3 → 7, others",
                larger(("Dynamic Local-S MLP", "Local ViT", "Local MLP"), *_TWO),
            ),
            Contrast("DW-S Conv., kernel 7 → 11", larger((_DEPTH_WISE,), 7, 11)),
        ),
    ),
)
"""But for the recipe, which is no difference between networks."""


def conclusions_of(
    skeleton: OneSkeleton, recipe: Found | None = None
) -> tuple[dict[Claim, list[Found]], Found | None]:
    """What a table says of every claim, and of the recipe; the verdicts are of all at once."""
    found = [skeleton.found(c) for claim in CLAIMS for c in claim.contrasts]
    each = iter(judged([*found, *([] if recipe is None else [recipe])]))
    return {claim: [next(each) for _ in claim.contrasts] for claim in CLAIMS}, next(each, None)


def outcome(expected: Expected, found: Found) -> str:
    """Whether a contrast came out as the article has it; it cannot tell where both may be."""
    if found.verdict.startswith("cannot tell"):
        return "cannot tell"
    estimate, gained = found.estimate, found.verdict.startswith("helps")
    small, worse = estimate.bound <= MARGIN, estimate.high < -MARGIN
    confirmed, denied = {
        Expected.NO_LOSS: (small or gained, worse),
        Expected.NEXT_TO_NOTHING: (small, worse or estimate.low > MARGIN),
        Expected.GAIN: (gained, not gained),
    }[expected]
    if confirmed:
        return "as in the article"
    return "not as in the article" if denied else "cannot tell"


def outcomes(expected: Expected, found: Sequence[Found]) -> list[str]:
    """Of each contrast of a claim."""
    return [outcome(expected, each) for each in found]
