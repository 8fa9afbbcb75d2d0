"""The questions that lead to one of some mixers: its operator, then the fields that are open."""

from dataclasses import dataclass, fields
from functools import cached_property

from space.axes import AXES
from space.mixer import Mixer

Value = str | int | float

_FIELDS = ("operator", *(field.name for field in fields(Mixer) if field.name not in AXES))


def field_value(mixer: Mixer, name: str) -> Value:
    """The answer that leads to a mixer, to the question for its operator or for a field."""
    value = mixer.name if name == "operator" else getattr(mixer, name)
    return value if isinstance(value, str | int) else str(value)


@dataclass(frozen=True)
class Remaining:
    """The mixers that the answers so far leave.

    Attributes:
        mixers: at least one.
        asked: number of the fields that are settled, of the operator, the sizes and the options.
    """

    mixers: tuple[Mixer, ...]
    asked: int = 0

    @cached_property
    def question(self) -> "tuple[str, dict[Value, Remaining]] | None":
        """The next field and what each answer leaves; None once a single mixer is left.

        The operator is asked for even where there is only one.
        """
        for number in range(self.asked, len(_FIELDS)):
            groups: dict[Value, list[Mixer]] = {}
            for mixer in self.mixers:
                groups.setdefault(field_value(mixer, _FIELDS[number]), []).append(mixer)
            if len(groups) > 1 or number == 0:
                after = {v: Remaining(tuple(group), number + 1) for v, group in groups.items()}
                return _FIELDS[number], after
        return None
