"""The imports of a file: torch, the standard library, and nothing else."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from trainers.export.standalone.text import LINE_LENGTH, Listing, broken


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One name that is imported.

    Attributes:
        module: where from.
        name: what of it; empty for the module itself.
        alias: what it is called, if another.
    """

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name in the file."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def root(self) -> str:
        """The package."""
        return self.module.partition(".")[0]

    @property
    def allowed(self) -> bool:
        """Whether it is of torch or the standard library."""
        return self.root == "torch" or self.root in sys.stdlib_module_names

    @property
    def named(self) -> str:
        """The last part of its line."""
        return f"{self.name or self.module}{f' as {self.alias}' if self.alias else ''}"


ALWAYS = (Import("torch", "Tensor"), Import("torch", "nn"))
TORCH = Import("torch")
NAMED_TUPLE = Import("typing", "NamedTuple")
FUNCTIONAL = Import("torch.nn.functional", alias="F")


def import_lines(imports: Iterable[Import]) -> str:
    """The lines, the standard library first, sorted as `ruff` sorts them."""
    given = set(imports)
    standard = [each for each in given if each.root != "torch"]
    blocks = [_block(each) for each in (standard, given.difference(standard))]
    return "\n\n".join(filter(None, blocks))


def _block(imports: Iterable[Import]) -> str:
    whole = sorted(each for each in imports if not each.name)
    parts: dict[str, list[Import]] = {}
    for each in imports:
        if each.name:
            parts.setdefault(each.module, []).append(each)
    lines = [f"import {each.named}" for each in whole]
    for module in sorted(parts):
        names = [each.named for each in sorted(parts[module], key=lambda each: _order(each.name))]
        flat = f"from {module} import {', '.join(names)}"
        listed = Listing(tuple(names), "()")
        fits = len(flat) <= LINE_LENGTH
        lines += [flat] if fits else broken(listed, 0, f"from {module} import ")
    return "\n".join(lines)


def _order(name: str) -> tuple[int, str]:
    """Constants before classes before functions, as ruff has them."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return 1 if name[0].isupper() else 2, name
