"""What makes one position of R×R ones, for mixers of rank spatial."""

from collections.abc import Callable
from dataclasses import dataclass

from trainers.export.standalone.draft import Draft, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import assign, call


@dataclass(frozen=True, slots=True)
class Reduction:
    """A class that reduces maps.

    Attributes:
        name: of the class.
        values: its arguments at a place of the network, and what else the text depends on.
        write: the text of the class.
    """

    name: str
    values: Callable[[Place], dict[str, Value]]
    write: Callable[[Draft], str]


def reduction(place: Place) -> Reduction:
    """The class of the reduction at a place."""
    return AVERAGE if place.mixer.reduction == "average" else CONVOLUTION


def _values(place: Place) -> dict[str, Value]:
    mixer = place.mixer
    return {
        "width": place.width,
        "ratio": mixer.ratio or 1,
        "reduction_groups": 1 if mixer.reduction == "dense" else place.plan.groups,
        "norm": bool(mixer.reduction_norm),
        "indivisible": place.indivisible,
    }


def _write(draft: Draft, doc: str, layer: object) -> str:
    normed = draft.uses.values("norm")
    init = assign("self.reduction", layer)  # type: ignore[arg-type]
    reduced = "self.reduction(x)"
    if any(normed):
        always = all(normed)
        made = f"LayerNorm({draft.term('width')})"
        init += assign("self.norm", made if always else f"{made} if norm else nn.Identity()")
        reduced = f"self.norm({reduced})"
    if any(normed) and not all(normed):
        draft.term("norm")
    body = [*_whole_patches(draft), f"return {reduced}"]
    return draft.written(doc, init, method("forward(self, x: Tensor) -> Tensor", *body))


def _whole_patches(draft: Draft) -> list[str]:
    if not draft.uses.any("indivisible"):
        return []
    ratio = draft.own("ratio")
    return [f"x = F.pad(x, (0, -x.shape[3] % {ratio}, 0, -x.shape[2] % {ratio}))"]


def _patch(draft: Draft) -> str:
    ratio = draft.term("ratio")
    return f"{ratio}×{ratio}" if ratio.value is not None else "R×R"


def _write_convolution(draft: Draft) -> str:
    width, ratio, groups = (draft.term(name) for name in ("width", "ratio", "reduction_groups"))
    normed = draft.uses.term("norm")
    layer = call(
        "nn.Conv2d",
        width,
        width,
        ratio,
        ratio,
        groups=None if groups.value == 1 else groups,
        bias=None if normed.value is True else normed,
    )
    normed_too = " and a layer norm" if draft.uses.any("norm") else ""
    doc = f"{_patch(draft)} positions to one, by a strided convolution{normed_too}."
    return _write(draft, doc, layer)


def _write_average(draft: Draft) -> str:
    doc = f"The mean of {_patch(draft)} positions."
    return _write(draft, doc, call("nn.AvgPool2d", draft.term("ratio")))


CONVOLUTION = Reduction("SpatialReduction", _values, _write_convolution)
AVERAGE = Reduction("AverageReduction", _values, _write_average)
