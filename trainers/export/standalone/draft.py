"""A class of the file while it is written: a number where the network has one, else an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trainers.export.standalone.text import (
    INDENT,
    Call,
    Expression,
    Named,
    broken,
    call,
    docstring,
)

Value = int | bool | tuple[int, ...]
"""What an argument of a part is given in one place of a network."""

TYPES = {
    "pad": "tuple[int, int, int, int]",
    "size": "tuple[int, int]",
    "bias": "bool",
    "generator_bias": "bool",
    "query_key_bias": "bool",
    "norm": "bool",
}
"""Types of arguments that are no whole numbers."""


@dataclass(frozen=True, slots=True)
class Term:
    """A number as it is written in the file: known, or an expression of arguments."""

    text: str
    value: Value | None = None

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, value: Value) -> "Term":
        """A number that is known."""
        return cls(repr(value), value)

    def __floordiv__(self, other: int) -> "Term":
        if type(self.value) is int:
            return Term.of(self.value // other)
        return Term(f"{self._atom} // {other}")

    def __mul__(self, other: "Term") -> "Term":
        if type(self.value) is int and type(other.value) is int:
            return Term.of(self.value * other.value)
        first, second = (self, other) if type(other.value) is not int else (other, self)
        if first.value == 1:
            return second
        return Term(f"{first._factor} * {second._atom}")

    @property
    def squared(self) -> "Term":
        """Its square."""
        if type(self.value) is int:
            return Term.of(self.value**2)
        return Term(f"{self._atom}**2")

    @property
    def _atom(self) -> str:
        return f"({self.text})" if " " in self.text or "**" in self.text else self.text

    @property
    def _factor(self) -> str:
        return f"({self.text})" if "//" in self.text else self.text


class Uses:
    """The values that the arguments of a part take, one mapping for each place in the network.

    A value may be left out of the arguments, and only be asked for.
    """

    def __init__(self, places: Sequence[Mapping[str, Value]]) -> None:
        self.places = places
        self.names = tuple(places[0])

    def values(self, name: str) -> list[Value]:
        """The value at each place."""
        return [place[name] for place in self.places]

    def any(self, name: str) -> bool:
        """Whether it is true anywhere."""
        return any(self.values(name))

    def term(self, name: str) -> Term:
        """Its number where all places have one, a share of the width, or its own name."""
        values = self.values(name)
        if name == "width":
            return Term("width")
        share = self._share_of_width(name, values)
        if share is not None:
            return share
        return Term.of(values[0]) if len(set(values)) == 1 else Term(name)

    def _share_of_width(self, name: str, values: list[Value]) -> Term | None:
        if "width" not in self.names or name not in (*_SHARES, *_COUNTS):
            return None
        pairs = [(int(w), int(v)) for w, v in zip(self.values("width"), values, strict=True)]  # type: ignore[arg-type]
        if all(width == value for width, value in pairs):
            return Term("width")
        if name in _COUNTS:
            return None
        first_width, first = pairs[0]
        times, part = first // first_width, first_width // max(1, first)
        if all(value == times * width for width, value in pairs):
            return Term(f"{times} * width")
        if part and all(value == width // part for width, value in pairs):
            return Term(f"width // {part}")
        return None


_SHARES = ("hidden", "inner", "generator_width")
"""What is a multiple of the width, or a part of it."""
_COUNTS = ("heads", "groups", "reduction_groups")
"""What may be as many as there are channels."""


@dataclass
class Draft:
    """Which arguments a class has, and which of them it keeps: those that its text asks for.

    Attributes:
        name: of the class.
        uses: the values of its arguments.
        modules: arguments that are modules, after the width.
    """

    name: str
    uses: Uses
    modules: tuple[str, ...] = ()
    _taken: set[str] = field(default_factory=set)
    _kept: set[str] = field(default_factory=set)

    def term(self, name: str) -> Term:
        """A number in `__init__`."""
        found = self.uses.term(name)
        self._taken |= {word for word in self.uses.names if word in found.text.split()}
        return found

    def own(self, name: str) -> Term:
        """A number in a method: an argument becomes an attribute."""
        found = self.term(name)
        if found.value is not None:
            return found
        words = [word for word in self.uses.names if word in found.text.split()]
        self._kept |= set(words)
        text = " ".join(f"self.{w}" if w in words else w for w in found.text.split())
        return Term(text)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of its arguments, in the order in which they are given."""
        taken = [name for name in self.uses.names if name in self._taken]
        first = [name for name in taken if name == "width"]
        return (*first, *self.modules, *(name for name in taken if name != "width"))

    def called(self, texts: Mapping[str, Expression]) -> Call:
        """A call of it, with these expressions for its arguments."""
        given: list[Expression] = [
            texts[name] if name in ("width", *self.modules) else Named(name, texts[name])
            for name in self.arguments
        ]
        return Call(self.name, tuple(given))

    def written(
        self, doc: str, init: Sequence[str], methods: Sequence[str], base: str = "nn.Module"
    ) -> str:
        """The class.

        Args:
            doc: the docstring.
            init: lines of `__init__`, with their indent, after what keeps the arguments.
            methods: lines of the other methods, with their indent.
            base: what it is derived from.
        """
        lines = [f"class {self.name}({base}):", *docstring(doc, INDENT), ""]
        if init or self.arguments:
            lines += [*self._head(), f"{' ' * 8}super().__init__()", *self._keeping(), *init, ""]
        return "\n".join([*lines, *methods]).rstrip()

    def _head(self) -> list[str]:
        typed = (f"{name}: {self._type(name)}" for name in self.arguments)
        return broken(call("def __init__", "self", *typed), INDENT, after=" -> None:")

    def _type(self, name: str) -> str:
        if name in self.modules:
            return "nn.Module"
        sample = self.uses.values(name)[0]
        pair = isinstance(sample, tuple) and len(sample) == 2
        return TYPES.get(name, "tuple[int, int]" if pair else "int")

    def _keeping(self) -> list[str]:
        kept = [name for name in self.arguments if name in self._kept]
        if not kept:
            return []
        names = ", ".join(f"self.{name}" for name in kept)
        return [f"{' ' * 8}{names} = {', '.join(kept)}"]


def method(head: str, *body: str, doc: str = "") -> list[str]:
    """The lines of a method of a class: its head without `def`, its docstring, its statements."""
    lines = [f"{' ' * INDENT}def {head}:"]
    lines += docstring(doc, 2 * INDENT) if doc else []
    return [*lines, *(f"{' ' * 2 * INDENT}{line}" if line else "" for line in body)]
