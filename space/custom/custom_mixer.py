"""A custom mixer with its options, as it stands in an architecture: a frozen value, torch free."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from space.axes import AXES
from space.custom.definition import MIXER_NAME, SIZES, MixerDefinition, Value
from space.custom.registry import broken_entry_points, registered, registered_mixers
from space.errors import InputError, Problem, refuse
from space.input.dataclass_fields import shown
from space.mixer import Mixer
from space.mixer_types import is_operator_name
from space.wording import did_you_mean

_FIELDS = ("custom", "version", "options")


@dataclass(frozen=True, slots=True)
class CustomType:
    """What all mixers of a registered name have in common.

    Attributes:
        name: as it was registered.
        version: of the definition.
        values: its marks in the order of `space.axes.AXES`, None where it declares none.
        registration: of the definition; a later one of this process may have other relatives.
    """

    name: str
    version: int
    values: tuple[Any, ...]
    registration: int = 0

    @property
    def label(self) -> str:
        """Its name: it has no address in the algebra."""
        return self.name

    @property
    def paper_name(self) -> None:
        """None: it is no node of the paper's graph."""
        return None


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class CustomMixer(Mixer):
    """A mixer that was registered by name, with its options.

    To all who carry mixers around (architectures, spaces, searchers, stores) it is a `Mixer`. Its
    axis fields are its marks, None where it declares none; of the sizes it has those that are
    options of it. What its name stands for is looked up when it is built or priced, so that what is
    stored can be read where nobody has registered it.

    Args:
        custom: the name.
        options: by name; the default of those left out.
        version: that of the definition unless given, as stored architectures have it.

    Raises:
        InputError: for a name that is not registered (unless a version is given), options that it
            does not have, and values that they may not take.
    """

    is_custom: ClassVar[bool] = True

    custom: str = ""
    version: int = 1
    options: tuple[tuple[str, Value], ...] = ()
    registration: int = 0

    def __init__(
        self,
        custom: str,
        options: Mapping[str, object] | None = None,
        version: int | None = None,
    ) -> None:
        given = dict(options or {})
        found = registered(custom)
        if version is None and found is None:
            raise InputError.of("custom", not_registered(custom))
        known = found if found is not None and version in (None, found.version) else None
        kept: tuple[tuple[str, Any], ...] = tuple(sorted(given.items()))
        if known is not None:
            kept = known.off_default(given)
        values: dict[str, Any] = dict.fromkeys(field for field in Mixer.__slots__)
        values |= _marks_and_sizes(known, dict(kept))
        values["custom"] = custom if found is None else found.name
        values["version"] = known.version if known is not None else version
        values["options"] = kept
        values["registration"] = -1 if known is None else known.registration
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomMixer) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"CustomMixer({self.custom!r}, {dict(self.options)!r}, version={self.version})"

    @property
    def _identity(self) -> tuple[object, ...]:
        typed = tuple((name, type(value), value) for name, value in self.options)
        return self.custom, self.version, typed, self.registration

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has registrations of its own.
        return CustomMixer, (self.custom, dict(self.options), self.version)

    @property
    def definition(self) -> MixerDefinition:
        """What is registered by its name.

        Raises:
            InputError: nothing is, or another version.
        """
        found = registered(self.custom)
        if found is None:
            raise InputError.of("mixer", not_registered(self.custom))
        if found.version != self.version:
            message = f"version {self.version} of {self.custom!r} is meant, and {found.place}"
            raise InputError.of("mixer", f"{message} registers version {found.version}")
        return found

    @property
    def all_options(self) -> dict[str, Value]:
        """Every option with its value.

        Raises:
            InputError: as `definition` does.
        """
        return self.definition.defaults | dict(self.options)

    @property
    def type(self) -> CustomType:  # type: ignore[override]
        """What it has in common with those of other options."""
        values = tuple(getattr(self, axis) for axis in AXES)
        return CustomType(self.custom, self.version, values, self.registration)

    @property
    def name(self) -> str:
        """The name that it is registered by."""
        return self.custom

    @property
    def label(self) -> str:
        """Name and options off their default, such as `linear attention heads=8`."""
        return " ".join([self.custom, *(f"{name}={value}" for name, value in self.options)])

    def mark(self, axis: str) -> str | None:
        """What it declares on an axis; None for nothing."""
        value = getattr(self, axis)
        return None if value is None else str(value)

    def width_problems(self, width: int) -> list[Problem]:
        """What makes it impossible at this width; nothing where it is not registered."""
        found = registered(self.custom)
        if found is None or found.version != self.version:
            return []
        return found.width_problems(found.defaults | dict(self.options), width)

    def changed(self, **changes: Any) -> Mixer:
        """Itself: no axis of it can be changed."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or YAML; options only off their default."""
        plain: dict[str, Any] = {"custom": self.custom, "version": self.version}
        return plain | ({"options": dict(self.options)} if self.options else {})

    @classmethod
    def from_dict(cls, values: object, where: str = "mixer") -> "CustomMixer":
        """The mixer that `to_dict` describes.

        Raises:
            InputError: with every problem, below the path `where`.
        """
        try:
            return _from_plain(values)
        except InputError as error:
            raise error.below(where) from None


def _from_plain(values: object) -> CustomMixer:
    if not isinstance(values, Mapping):
        raise InputError.of("", f"must be a mapping of fields; got {shown(values)}")
    name, options = values.get("custom"), values.get("options", {})
    version = values.get("version", 1)
    problems = [
        Problem(str(field), f"unknown field; allowed: {', '.join(_FIELDS)}")
        for field in values
        if field not in _FIELDS
    ]
    if not isinstance(name, str) or not MIXER_NAME.fullmatch(name) or is_operator_name(name):
        problems.append(Problem("custom", f"must be the name of a custom mixer; got {shown(name)}"))
    if type(version) is not int or version < 1:
        problems.append(Problem("version", f"must be a whole number from 1; got {shown(version)}"))
    if not isinstance(options, Mapping) or not all(map(_is_plain, options.items())):
        problems.append(Problem("options", "must be a mapping from option to value"))
    refuse(problems)
    return CustomMixer(name, options, version)  # type: ignore[arg-type]


def _is_plain(item: tuple[object, object]) -> bool:
    name, value = item
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(name, str) and isinstance(value, bool | int | float | str)


def _marks_and_sizes(known: MixerDefinition | None, off: dict[str, Value]) -> dict[str, Any]:
    if known is None:
        return {}
    options, marks = known.defaults | off, known.marks
    sizes = {name: options[name] for name in SIZES if type(options.get(name)) is int}
    if marks.kernel_size is not None:
        sizes.setdefault("kernel_size", marks.kernel_size)
    named: dict[str, Any] = {axis: getattr(marks, axis, None) for axis in AXES}
    return named | sizes


def not_registered(name: str) -> str:
    """What is said of a name that nobody has registered."""
    known = [definition.name for definition in registered_mixers()]
    hint = did_you_mean(name, known)
    listed = f"; registered: {', '.join(known)}" if known else ""
    broken = "".join(f"; {said}" for said in broken_entry_points())
    return (
        f"no mixer is registered by the name {shown(name)}{listed}{hint}. Import the module that "
        "registers it: in a space name it in `plugins`, for a command in --plugin or "
        f"MIXSPACE_PLUGINS{broken}"
    )
