"""How what a person asks for is written where they ask: on the command line, or in Python.

What refuses or advises names a field, and the surface says how that is written there.
"""

import shlex
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager


class Surface(ABC):
    """One way to ask.

    Attributes:
        again: asks for the same once more, in words.
        search: begins a search.
    """

    again: str
    search: str

    @abstractmethod
    def field(self, name: str) -> str:
        """What an argument is called."""

    @abstractmethod
    def given(self, name: str, value: object) -> str:
        """An argument with its value; True is a flag, and an upper-case word stands for any."""

    @abstractmethod
    def setting(self, name: str, value: str) -> str:
        """A field of the configuration with its value."""

    @abstractmethod
    def request(
        self, verb: str, study: str, arguments: Mapping[str, object], store: str | None = None
    ) -> str:
        """What asks for more work on a study.

        Args:
            verb: "continue", "repeat" or "retrain".
            study: its name.
            arguments: by their names; what is None, False or empty was not asked for.
            store: where it is; None where it is found without being told.
        """


class _CommandLine(Surface):
    again = "run the same command again"
    search = "`mixspace run CONFIG`"
    _names = {"numbers": "trial"}  # noqa: RUF012

    def field(self, name: str) -> str:
        return f"--{self._names.get(name, name).replace('_', '-')}"

    def given(self, name: str, value: object) -> str:
        if value is True:
            return self.field(name)
        many = isinstance(value, Collection) and not isinstance(value, str)
        values = value if isinstance(value, Collection) and many else [value]
        return " ".join(f"{self.field(name)} {shlex.quote(str(each))}" for each in values)

    def setting(self, name: str, value: str) -> str:
        return f"--set {name}={value}"

    def request(
        self, verb: str, study: str, arguments: Mapping[str, object], store: str | None = None
    ) -> str:
        given = _asked(arguments) | ({} if store is None else {"store": store})
        subject = shlex.quote(study)
        if verb == "retrain":  # the study has found the networks, and is not what is worked on
            ids = given.pop("ids", ())
            chosen = map(str, ids if isinstance(ids, tuple) else ())
            subject = " ".join([*chosen, self.given("study", study)])
        return " ".join([verb, subject, *(self.given(*each) for each in given.items())])


class _Python(Surface):
    again = "make the same call again"
    search = "mixspace.run(CONFIG)"

    def field(self, name: str) -> str:
        return name

    def given(self, name: str, value: object) -> str:
        plain = isinstance(value, str) and value.isupper()
        shown = list(value) if isinstance(value, tuple | set) else value
        return f"{name}={value if plain else repr(shown)}"

    def setting(self, name: str, value: str) -> str:
        return f"{name}={value}"

    def request(
        self, verb: str, study: str, arguments: Mapping[str, object], store: str | None = None
    ) -> str:
        method = "continue_" if verb == "continue" else verb
        given = ", ".join(self.given(*each) for each in _asked(arguments).items())
        place = "" if store is None else f", {store!r}"
        return f"mixspace.Study({study!r}{place}).{method}({given})"


def _asked(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if value}


COMMAND_LINE: Surface = _CommandLine()
PYTHON: Surface = _Python()
_current = PYTHON


def surface() -> Surface:
    """The one by which this process is asked: Python, but within a program."""
    return _current


@contextmanager
def speaking(chosen: Surface) -> Iterator[None]:
    """For a block, in all threads, what is said is written for this one."""
    global _current  # a context variable would not reach the threads of a program
    before, _current = _current, chosen
    try:
        yield
    finally:
        _current = before
