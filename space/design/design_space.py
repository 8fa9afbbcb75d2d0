"""A design space: the architectures that a file allows, to be drawn, checked and walked."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, overload

import numpy as np

from space.architecture import Architecture, BlockType, Head
from space.custom import CustomMixer
from space.design.decisions import Choice, Choose, Read, StageDecisions, Value
from space.design.draws import checked_number, distinct, generator
from space.design.feasible import TRIES, FeasibleSet
from space.design.features import CustomColumn, custom_columns, encode
from space.design.hard_limits import Infeasible, Limits
from space.design.initial_points import initial_points
from space.design.neighbours import StageMoves, neighbours
from space.design.space_file import ParsedSpace, parse, without_defaults
from space.design.stage_options import StageOptions
from space.errors import InputError, join, refuse
from space.frame import Frame
from space.geometry import MapSize, width_problems
from space.input.paths import given_path
from space.input.plain_files import read_yaml
from space.input.shipped import file_or_shipped
from space.mixer import Mixer


class DesignSpace:
    """The architectures that a space file allows.

    Build one with `from_yaml` or `from_dict`; both refuse a space without a feasible point.

    Attributes:
        name, input, classes, block_types, limits: as in the file.
        plugins: modules that register its custom mixers: what the file names, and all others
            that another process has to import.
        frame: what all its networks have in common.
        stage_options: for each patch size, what each stage may be.
    """

    def __init__(self, parsed: ParsedSpace, where: str = "") -> None:
        file = parsed.file
        self.name = file.name
        self.input = file.input
        self.classes = file.classes
        self.plugins = file.plugins
        self.limits: Limits = parsed.limits
        self.block_types: tuple[BlockType, ...] = tuple(dict.fromkeys(file.block_type))
        self.frame = Frame(
            file.input,
            Head(file.classes, file.head.norm),
            file.downsample,
            file.stem.type,
            file.layer_scale,
        )
        self._file = file
        self.stage_options: dict[int, tuple[StageOptions, ...]] = {
            patch: self._options_at(parsed, patch) for patch in dict.fromkeys(file.stem.patch_size)
        }
        self._feasible = FeasibleSet(self.frame, self.block_types, self.limits, self.stage_options)
        if self._is_empty():
            raise InputError.of(join(where, "limits"), self._why_infeasible())

    def _options_at(self, parsed: ParsedSpace, patch_size: int) -> tuple[StageOptions, ...]:
        size = MapSize(self.input.height, self.input.width).reduced(patch_size)
        options = []
        for stage, mixers in zip(parsed.file.stages, parsed.mixers, strict=True):
            depths = tuple(sorted(set(stage.depth)))
            widths = tuple(sorted(set(stage.width)))
            ratios = tuple(sorted(set(stage.mlp_ratio)))
            options.append(StageOptions(size, depths, widths, ratios, stage.pattern, tuple(mixers)))
            size = size.reduced(2)
        return tuple(options)

    @classmethod
    def from_dict(cls, values: object, where: str = "") -> "DesignSpace":
        """The space that a mapping describes.

        Raises:
            InputError: every problem, below the path `where`; also a space without any point.
        """
        return cls(parse(values, where), where)

    @classmethod
    def from_yaml(cls, path: str | Path) -> "DesignSpace":
        """The space in a YAML file.

        Args:
            path: of the file, or the name of a space that comes with the program, such as
                "imagenet-tiny".

        Raises:
            InputError: for a file that is missing or not YAML, and as `from_dict` does.
        """
        return cls.from_dict(
            read_yaml(file_or_shipped(given_path(path, "space"), "space", "space"))
        )

    def to_dict(self) -> dict[str, Any]:
        """The space as plain values, as it would be written in a file."""
        values = self._file.model_dump(mode="json", exclude_none=True)
        return without_defaults(values) | {"limits": self.limits.to_dict()}

    def stage_choices(self) -> tuple[StageOptions, ...]:
        """What each stage may be, at the sizes that the first patch size gives."""
        return next(iter(self.stage_options.values()))

    # --- points -------------------------------------------------------------------------------

    def size_hint(self) -> int:
        """Number of distinct architectures before the hard limits."""
        return self._feasible.size()

    def count(self) -> int:
        """Number of distinct feasible architectures, exact.

        Raises:
            SpaceTooLarge: if that cannot be told within memory and time; nothing is estimated.
        """
        return self._feasible.count()

    def enumerate(self) -> Iterator[Architecture]:
        """Every feasible architecture once, lazily, in a fixed order.

        Raises:
            SpaceTooLarge: if the patterns of one stage alone are too many.
        """
        return self._feasible.enumerate()

    @overload
    def sample(self, rng: np.random.Generator) -> Architecture: ...

    @overload
    def sample(self, *, seed: int | None = None) -> Architecture: ...

    @overload
    def sample(self, number: int, /, *, seed: int | None = None) -> list[Architecture]: ...

    def sample(
        self, rng: np.random.Generator | int | None = None, *, seed: int | None = None
    ) -> Architecture | list[Architecture]:
        """An architecture drawn uniformly among the distinct feasible ones, or several of them.

        Where few points are feasible, it is drawn from tables of costs; the draw depends on the
        space and the generator alone. Several are those of `python -m space sample`.

        Args:
            rng: draws one. A number in its place, 1 to 100,000, asks for so many distinct ones, or
                all where there are fewer.
            seed: without `rng`, of the generator; None takes another each time.

        Raises:
            Infeasible: if none was met in many draws.
            InputError: for a number or seed that is none.
        """
        if isinstance(rng, np.random.Generator):
            if seed is not None:
                raise InputError.of("seed", "does not go with a generator, which has its own")
            return self._drawn(rng)
        if rng is None:
            return self._drawn(generator(seed))
        return list(self.distinct(checked_number(rng), generator(seed)))

    def distinct(self, number: int, rng: np.random.Generator) -> Iterator[Architecture]:
        """Architectures without repeats, lazily; fewer than `number` where there are no more."""
        return distinct(self._feasible, lambda: self._drawn(rng), number)

    def _repr_html_(self) -> str:
        # By its name: what draws a space knows spaces, and nothing that only draws is loaded here.
        html: str = import_module("space.html").of_space(self)
        return html

    def _drawn(self, rng: np.random.Generator) -> Architecture:
        architecture = self._feasible.sample(rng)
        if architecture is None:
            raise Infeasible([f"no feasible architecture in {TRIES:,} draws"])
        return architecture

    def violations(self, architecture: Architecture) -> list[str]:
        """The hard limits that an architecture exceeds, in words."""
        return self.limits.violations(architecture)

    def contains(self, architecture: Architecture) -> bool:
        """Whether the architecture is a feasible point of this space."""
        try:
            self.decisions(architecture)
        except InputError:
            return False
        return not self.violations(architecture)

    def key(self, architecture: Architecture) -> str:
        """What tells two points apart: the architecture's id."""
        return architecture.id

    def encode(self, architecture: Architecture) -> list[float]:
        """The architecture as numbers, always of the same length."""
        return encode(architecture, self.block_types, self._custom_columns)

    @cached_property
    def _custom_columns(self) -> tuple[CustomColumn, ...]:
        return custom_columns(self.mixers())

    def mixers(self) -> tuple[Mixer, ...]:
        """The distinct mixers of all stages, as the file has them, before folding."""
        stages = chain.from_iterable(self.stage_options.values())
        return tuple(dict.fromkeys(mixer for options in stages for mixer in options.mixers))

    def custom_places(self) -> Iterator[tuple[CustomMixer, int, MapSize, bool]]:
        """Each custom mixer at each width and map, and whether the width is the narrowest there."""
        for options in dict.fromkeys(chain.from_iterable(self.stage_options.values())):
            for mixer in options.mixers:
                fitting = [w for w in options.widths if not width_problems(mixer, w)]
                if isinstance(mixer, CustomMixer):
                    for width in fitting:
                        yield mixer, width, options.size, width == min(fitting)

    def neighbours(self, architecture: Architecture) -> list[Architecture]:
        """The feasible architectures one move away, in a fixed order, without repeats.

        Raises:
            InputError: for an architecture that is not a point of this space.
        """
        self.decisions(architecture)
        moved = [
            self.frame.architecture(architecture.stem.patch_size, block_type, architecture.stages)
            for block_type in self.block_types
            if block_type != architecture.block_type
        ]
        moved += self._with_other_patches(architecture)
        moved += neighbours(architecture, self._moves[architecture.stem.patch_size])
        return [point for point in moved if not self.violations(point)]

    def _with_other_patches(self, architecture: Architecture) -> Iterator[Architecture]:
        """The same stages behind another stem, each with the mixers that come nearest there."""
        for patch_size, moves in self._moves.items():
            if patch_size == architecture.stem.patch_size:
                continue
            stages = [of.nearest(s) for of, s in zip(moves, architecture.stages, strict=True)]
            found = tuple(stage for stage in stages if stage is not None)
            if len(found) == len(stages):
                yield self.frame.architecture(patch_size, architecture.block_type, found)

    @cached_property
    def _moves(self) -> dict[int, tuple[StageMoves, ...]]:
        return {
            patch: tuple(map(StageMoves, stages)) for patch, stages in self.stage_options.items()
        }

    # --- decisions ----------------------------------------------------------------------------

    def walk(self, choose: Choose) -> Architecture:
        """The architecture that a sequence of choices leads to.

        Raises:
            Infeasible: if the hard limits refuse it.
        """
        architecture = self._walk(choose)
        reasons = self.violations(architecture)
        if reasons:
            raise Infeasible(reasons)
        return architecture

    def _walk(self, choose: Choose) -> Architecture:
        block_type = choose("block_type", self.block_types, lambda a: a.block_type)
        patch = choose("stem.patch_size", tuple(self.stage_options), lambda a: a.stem.patch_size)
        chosen = tuple(stage.walk(choose) for stage in self._decisions[int(patch)])
        return self.frame.architecture(int(patch), block_type, chosen)  # type: ignore[arg-type]

    @cached_property
    def _decisions(self) -> dict[int, tuple[StageDecisions, ...]]:
        return {
            patch: tuple(StageDecisions(options, index) for index, options in enumerate(stages))
            for patch, stages in self.stage_options.items()
        }

    def decisions(self, architecture: Architecture) -> list[Choice]:
        """The choices that lead to an architecture.

        Raises:
            InputError: if it is not a point of this space, naming the first field that is not.
        """
        made: list[Choice] = []
        refuse(self.frame.problems(architecture))
        if len(architecture.stages) != len(self._file.stages):
            raise InputError.of("stages", f"must be {len(self._file.stages)} in this space")

        def replay(name: str, options: tuple[Value, ...], read: Read) -> Value:
            choice = read(architecture)
            if choice is None or choice not in options:
                shown = ", ".join(str(option) for option in options)
                raise InputError.of(name, f"{choice!r} is not in this space; allowed: {shown}")
            made.append(Choice(name, options, choice))
            return choice

        if self._walk(replay) != architecture:
            raise InputError.of("architecture", "is not a point of this space")
        return made

    # --- first points -------------------------------------------------------------------------

    def initial_points(
        self, kinds: Sequence[str], rng: np.random.Generator
    ) -> list[tuple[str, Architecture]]:
        """Points to begin a search with, each with where it comes from.

        Args:
            kinds: `paired` for the named operators in one skeleton (origin `paired:DW-S Conv.`),
                `named` for one architecture of each of them (origin `named:DW-S Conv.`), `hybrid`
                for each global one behind convolutions (origin `hybrid:MLP`), `axes` for
                architectures that touch every axis value the earlier ones do not (origin
                `axes:sharing=both`).
            rng: draws what the kinds leave open.
        """

        return initial_points(self._feasible, kinds, rng)

    # --- feasibility --------------------------------------------------------------------------

    def _is_empty(self) -> bool:
        if self.limits == Limits():
            return False
        least = self._feasible.least()
        if any(not self.violations(point) for _, point in least.values()):
            return False
        return self._feasible.is_empty()

    def _why_infeasible(self) -> str:
        limits = self.limits.to_dict()
        broken = [
            f"the least {name} are {needs:,} (limit {limits[name]:,})"
            for name, (needs, _) in self._feasible.least().items()
            if needs > limits[name]
        ]
        # Each limit alone can be kept, but by different networks.
        all_limits = " and ".join(f"{name} {limit:,}" for name, limit in limits.items())
        together = [f"each limit can be kept, but no network keeps {all_limits} together"]
        return f"no architecture of this space is feasible: {', '.join(broken or together)}"
