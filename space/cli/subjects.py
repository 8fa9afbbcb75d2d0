"""What a command is about: a name of the zoo, or a file with a network, a space or a mixer."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from space.architecture import Architecture
from space.cli.kinds import described
from space.design import DesignSpace
from space.errors import InputError
from space.mixer import Mixer
from space.plain_files import read_json, read_yaml
from space.published import ENTRIES, Entry

_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Subject:
    """What was named on the command line.

    Attributes:
        name: as it was named.
        value: what it is.
        entry: the entry of the zoo, if it is one.
    """

    name: str
    value: Architecture | DesignSpace | Mixer
    entry: Entry | None = None

    def architecture(self) -> Architecture:
        """The network.

        Raises:
            InputError: if it is something else.
        """
        if isinstance(self.value, Architecture):
            return self.value
        raise InputError.of(self.name, f"is {kind(self.value)}, and a network is needed here")

    def space(self) -> DesignSpace:
        """The design space.

        Raises:
            InputError: if it is something else.
        """
        if isinstance(self.value, DesignSpace):
            return self.value
        raise InputError.of(
            self.name, f"is {kind(self.value)}, and a space file is needed here (YAML)"
        )


def kind(value: Architecture | DesignSpace | Mixer) -> str:
    """What a value is, in words."""
    if isinstance(value, Architecture):
        return "a network"
    return "a design space" if isinstance(value, DesignSpace) else "a token mixer"


def read_subject(name: str) -> Subject:
    """What a name or a path stands for.

    Raises:
        InputError: with everything that is wrong with the file, or the names that there are.
    """
    if name in ENTRIES:
        return Subject(name, ENTRIES[name].architecture, ENTRIES[name])
    suffix = Path(name).suffix.lower()
    if suffix in _YAML:
        return Subject(name, described(read_yaml(name), name))
    if suffix == ".json":
        return Subject(name, described(read_json(name), name))
    close = difflib.get_close_matches(name, ENTRIES, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise InputError.of(
        name[:200] or "''",
        f"is neither a .yaml or .json file nor a network of the zoo{hint} "
        f"The zoo has: {', '.join(ENTRIES)}",
    )
