"""A weighted sum as a class of the file: a weight source and aggregator, without rank factors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import Call

Values = Callable[[Place], dict[str, Value]]
"""The arguments of a class at a place of the network, and what else its text depends on there."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the text of a core depends on besides its arguments.

    Attributes:
        maps: how many maps its `forward` is given: the values x alone, or also the context that
            weights are made from, or also the context at the sources.
        shared: classes that cores use, by name.
    """

    maps: int
    shared: Mapping[str, Draft]

    @property
    def head(self) -> str:
        """The head of `forward`, without `def`."""
        typed = "".join(f", {name}: Tensor" for name in ("x", "context", "sources")[: self.maps])
        return f"forward(self{typed}) -> Tensor"

    @property
    def doc(self) -> str:
        """The docstring of `forward`, where it is given more than the values."""
        if self.maps == 1:
            return ""
        if self.maps == 2:
            return "Sums the values x, with weights that are made of the context."
        return "Sums the values x at the sources, with weights for each position of the context."

    def forward(self, *body: str) -> list[str]:
        """The lines of `forward`."""
        return method(self.head, *body, doc=self.doc)

    @property
    def context(self) -> str:
        """What is called the map at the targets p."""
        return "x" if self.maps == 1 else "context"

    @property
    def sources(self) -> str:
        """What is called the map at the sources q."""
        return "sources" if self.maps == 3 else self.context

    def made(self, name: str, draft: Draft, **given: Term) -> Call:
        """A shared class called in `__init__` of a core, with its arguments under their names."""
        shared = self.shared[name]
        texts = {each: str(given.get(each) or draft.term(each)) for each in shared.arguments}
        return shared.called(texts)


@dataclass(frozen=True, slots=True)
class Core:
    """A class of weighted sums.

    Attributes:
        name: of the class.
        values: see `Values`.
        write: the text of the class.
        shared: the class that makes its weights, and the arguments of that at a place.
    """

    name: str
    values: Values
    write: Callable[[Draft, Setting], str]
    shared: tuple[str, Values] | None = None


def described(summary: str, formula: str) -> str:
    """A docstring: what a class is, and what it computes."""
    return f"{summary}\n\n{formula}"


def edge(kernel_size: Term) -> str:
    """The edges of a neighbourhood in words, such as 7×7."""
    return f"{kernel_size}×{kernel_size}" if kernel_size.value is not None else "k×k"


def short_kernel(draft: Draft) -> tuple[Term, list[str]]:
    """The kernel size in a method, and the statement that gives it a short name, if any."""
    own = draft.own("kernel_size")
    return (own, []) if own.value is not None else (Term("k"), [f"k = {own}"])


def set_of(draft: Draft, sharers: str = "head") -> str:
    """Which weights channel c has, in formulas: its own, or those of its head."""
    return "c" if draft.term("heads").text == "width" else f"{sharers}(c)"


def read_channels(draft: Draft) -> Term:
    """How many channels an output channel of a grouped sum reads."""
    return Term(f"{draft.term('width')} // {draft.term('groups')}")
