"""A weighted sum as a class of the file: a weight source with its aggregator, without rank factors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainers.export.standalone.draft import Draft, Term, Value
from trainers.export.standalone.places import Place, Survey
from trainers.export.standalone.text import Call


@dataclass(frozen=True, slots=True)
class Setting:
    """What the text of a core depends on besides its arguments.

    Attributes:
        maps: how many maps its `forward` is given: the values x alone, or also the context that
            weights are made from, or also the context at the sources.
        survey: of the network.
        shared: classes that cores use, by name.
    """

    maps: int
    survey: Survey
    shared: Mapping[str, Draft]

    @property
    def head(self) -> str:
        """The head of `forward`, without `def`."""
        typed = "".join(f", {name}: Tensor" for name in ("x", "context", "sources")[: self.maps])
        return f"forward(self{typed}) -> Tensor"

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
        values: its arguments at a place of the network, and what else the text depends on.
        write: the text of the class.
        shared: the class that makes its weights, and the arguments of that at a place.
    """

    name: str
    values: Callable[[Place], dict[str, Value]]
    write: Callable[[Draft, Setting], str]
    shared: tuple[str, Callable[[Place], dict[str, Value]]] | None = None


def edge(kernel_size: Term) -> str:
    """The edges of a neighbourhood in words, such as 7×7."""
    return f"{kernel_size}×{kernel_size}" if kernel_size.value is not None else "k×k"


def set_of(draft: Draft) -> str:
    """Which weights channel c has, in formulas."""
    return "c" if draft.term("heads").text == "width" else "head of c"
