"""Why a stage of a space file fits none of its widths, field by field."""

from collections.abc import Iterator, Mapping, Sequence

from space.errors import Problem, join
from space.geometry import is_whole, width_problems
from space.mixer import Mixer

_MOST_TOLD = 20


def misfits(
    where: str, widths: Sequence[int], ratios: Sequence[float], mixers: Mapping[Mixer, str]
) -> list[Problem]:
    """What is in the way at every width; nothing if one of them fits a mixer and an MLP ratio.

    Args:
        where: the path of the stage.
        widths, ratios: what the stage allows.
        mixers: those of the stage, each with the path of its line in the file.
    """
    if not mixers:
        return []
    found: dict[Problem, None] = {}
    for width in dict.fromkeys(widths):
        problems = _at_width(where, width, ratios, mixers)
        first = next(problems, None)
        if first is None:
            return []
        found |= dict.fromkeys((first, *problems))
    told = list(found)[:_MOST_TOLD]
    if len(found) > len(told):
        told.append(Problem(where, f"{len(found) - len(told):,} more values do not fit its widths"))
    return told


def _at_width(
    where: str, width: int, ratios: Sequence[float], mixers: Mapping[Mixer, str]
) -> Iterator[Problem]:
    if not any(is_whole(width * ratio) for ratio in ratios):
        for ratio in ratios:
            message = f"{ratio} of width {width} does not give whole channels"
            yield Problem(join(where, "mlp_ratio"), message)
    off = {mixer: width_problems(mixer, width) for mixer in mixers}
    if all(off.values()):
        for mixer, problems in off.items():
            for problem in problems:
                yield Problem(join(mixers[mixer], problem.where), problem.message)
