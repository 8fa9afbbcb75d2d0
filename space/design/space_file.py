"""Reading the file of a design space: every problem at once, each with its path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
)

from space.architecture import (
    BLOCK_TYPES,
    LAYER_SCALE,
    MAX_STAGES,
    RENAMED,
    BlockType,
    Count,
    Depth,
    Downsample,
    Input,
    LayerScale,
    Ratio,
    StemType,
)
from space.custom import CustomMixer, load_plugins
from space.custom.plugins import MODULE_NAME, comes_from, plugins_of
from space.design.hard_limits import Limits
from space.design.mixer_lines import expand_mixers, listed
from space.errors import InputError, Problem, join
from space.geometry import is_whole, width_problems
from space.input.earlier_names import with_current_names
from space.input.plain_values import without_version
from space.input.pydantic_errors import problems_from_pydantic
from space.mixer import Mixer


def _square(value: Any) -> Any:
    """`size: 28` is short for height and width."""
    if isinstance(value, dict) and "size" in value:
        rest = {name: entry for name, entry in value.items() if name != "size"}
        return {"height": value["size"], "width": value["size"]} | rest
    return value


MOST_CHOICES = 500_000
"""Width × depth × mixer × place of the pattern, of one stage."""
_MOST_TOLD = 20
"""Problems of a stage that fits none of its widths."""

_LIST = Field(min_length=1, max_length=256)
_Counts = Annotated[tuple[Count, ...], BeforeValidator(listed), _LIST]
_Depths = Annotated[tuple[Depth, ...], BeforeValidator(listed), _LIST]
_Ratios = Annotated[tuple[Ratio, ...], BeforeValidator(listed), _LIST]
_BlockTypes = Annotated[tuple[BlockType, ...], BeforeValidator(listed), _LIST]


PluginName = Annotated[str, Field(pattern=f"^{MODULE_NAME}$", max_length=200)]
"""A module by its name, such as `my_mixers`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadFile(_Strict):
    """`head` of a space file."""

    norm: Literal["before", "after"] = "before"


class StemFile(_Strict):
    """`stem` of a space file."""

    patch_size: _Counts = (4,)
    type: StemType = "patch"


class StageFile(_Strict):
    """One of `stages` of a space file."""

    depth: _Depths
    width: _Counts
    mlp_ratio: _Ratios = (4.0,)
    pattern: Depth = 1
    mixers: list[Any] | None = None


class SpaceFile(_Strict):
    """A space file as it is written, without its `version`.

    It has at least one class, though an `Architecture` may have none: its points are trained.
    """

    name: str = "space"
    plugins: tuple[PluginName, ...] = ()
    input: Annotated[Input, BeforeValidator(_square)]
    classes: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    stem: StemFile = StemFile()
    block_type: _BlockTypes = BLOCK_TYPES
    downsample: Downsample = "merge"
    layer_scale: LayerScale = LAYER_SCALE
    head: HeadFile = HeadFile()
    mixers: list[Any] | None = None
    stages: Annotated[list[StageFile], Field(min_length=1, max_length=MAX_STAGES)]
    limits: Any = {}


def without_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """A written file without the options that earlier releases did not have, at their defaults.

    So a stored space stays equal to what is read from its file again.
    """
    stem = {n: v for n, v in values["stem"].items() if (n, v) != ("type", "patch")}
    rest = {n: v for n, v in values.items() if (n, v) != ("layer_scale", LAYER_SCALE)}
    if not rest["plugins"]:
        del rest["plugins"]
    return rest | {"stem": stem}


@dataclass(frozen=True)
class ParsedSpace:
    """A space file with the mixers of each stage and its limits.

    Each mixer comes with the path of the line that stands for it.
    """

    file: SpaceFile
    mixers: tuple[Mapping[Mixer, str], ...]
    limits: Limits


def parse(values: object, where: str = "") -> ParsedSpace:
    """Checks a space file.

    Raises:
        InputError: every problem found, below the path `where`.
    """
    try:
        given = without_version(values, where)
        current = with_current_names(given, RENAMED, where, ("field", "a space"))
        file = SpaceFile.model_validate(current)
    except ValidationError as error:
        raise InputError(problems_from_pydantic(error, where, SpaceFile)) from None
    load_plugins(file.plugins, join(where, "plugins"))
    problems: list[Problem] = []
    shared = _expanded(file.mixers, join(where, "mixers"), problems)
    mixers = []
    stages = join(where, "stages")
    for index, stage in enumerate(file.stages):
        path = f"{stages}[{index}].mixers"
        own = _expanded(stage.mixers, path, problems)
        if stage.mixers is None and file.mixers is None:
            problems.append(Problem(path, "is required here, or once for all stages as `mixers`"))
        mixers.append(shared if stage.mixers is None else own)
        choices = len(mixers[-1]) * len(stage.width) * len(stage.depth) * stage.pattern
        if choices > MOST_CHOICES:
            message = f"offers {choices:,} choices (width × depth × pattern × mixer)"
            problems.append(Problem(f"{stages}[{index}]", f"{message}; at most {MOST_CHOICES:,}"))
        else:
            problems += incompatible_widths(
                f"{stages}[{index}]", stage.width, stage.mlp_ratio, mixers[-1]
            )
    limits = Limits()
    try:
        limits = Limits.from_dict(file.limits, join(where, "limits"))
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return ParsedSpace(_with_plugins(file, mixers), tuple(mixers), limits)


def _with_plugins(file: SpaceFile, mixers: Sequence[Mapping[Mixer, str]]) -> SpaceFile:
    """The file, naming every module that another process must import to know its mixers."""
    own = (m.definition for of_stage in mixers for m in of_stage if isinstance(m, CustomMixer))
    needed = plugins_of([each for each in own if not comes_from(file.plugins, each)])
    return file.model_copy(update={"plugins": (*file.plugins, *needed)}) if needed else file


def _expanded(lines: list[Any] | None, where: str, problems: list[Problem]) -> dict[Mixer, str]:
    mixers: dict[Mixer, str] = {}
    if lines == []:
        problems.append(Problem(where, "is empty; name at least one operator"))
    for index, line in enumerate(lines or ()):
        path = f"{where}[{index}]"
        try:
            for mixer in expand_mixers(line, path):
                mixers.setdefault(mixer, path)
        except InputError as error:
            problems += error.problems
    return mixers


def incompatible_widths(
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
