"""The commands that a person may copy after a run: they must work as they stand, in any shell."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

from search.next_steps import DEFAULT_STORE, STORE_VARIABLE, MoreWork, NextSteps
from search.query import SplitAccuracies
from search.store.url import parse_url, secrets
from space.surface import COMMAND_LINE

_PROGRAM = "python -m search"
_ALWAYS_GIVEN = ("study", "store")
"""Fields that options of their own give, which win over `--set`."""


@dataclass(frozen=True, slots=True)
class NextCommands(NextSteps):
    """Commands about one study.

    Attributes:
        config: path of the configuration; None where the study's own is used.
        study: its name.
        store: where the study is; None where a command finds it without being told.
        overrides: the texts of `--set` that the run was given.
        asked: of a `continue` or `repeat`.
    """

    config: str | None
    study: str
    store: str | None = None
    overrides: Sequence[str] = ()
    asked: MoreWork = field(default_factory=MoreWork)

    @property
    def first(self) -> str | None:
        """What has to be done before any of the commands; None where nothing has."""
        if not self._is_secret:
            return None
        return (
            f"First export {STORE_VARIABLE} with the URL of the store: "
            "it holds a password, which is not printed."
        )

    @property
    def look(self) -> str:
        """Opens the dashboard."""
        # A password stays in the environment, where the dashboard looks by itself.
        return f"{_PROGRAM} dashboard{'' if self._is_secret else self._store}"

    def best(self, where: str) -> str:
        """Queries the store; `where` is quoted for people, by double quotes."""
        return f'{_PROGRAM} best{self._store} --where "{where}" --top 3'

    @property
    def best_of_study(self) -> str:
        """Shows the best of the study."""
        return f"{_PROGRAM} best{self._of_study}{self._store} --top 5"

    def retrain(self, where: str | None = None) -> str:
        """Trains the best of the study in full, of those that fulfil a clause."""
        clause = "" if where is None else f" --where {shlex.quote(where)}"
        return f"{_PROGRAM} retrain --top 1{self._of_study}{clause}{self._store}"

    @property
    def test(self) -> str:
        """Reads the test split for the best of the study."""
        return f"{_PROGRAM} test{self._of_study}{self._store}"

    def export(self, architecture: str | None = None) -> str:
        """Writes a network of the study, the best unless one is named, into a folder of its own."""
        chosen = "" if architecture is None else f" {architecture}"
        return f"{_PROGRAM} export{chosen}{self._of_study} --to {_free_folder()}{self._store}"

    def ship(
        self, networks: Sequence[SplitAccuracies], kept: Mapping[str, bool]
    ) -> list[tuple[str, str]]:
        """The next step with full trainings, and its name: to the test, and only then away.

        Args:
            networks: of the study, the best first.
            kept: whether each keeps the bounds of the study, where that is known.
        """
        fit = [each for each in networks if kept.get(each.architecture_id) is not False]
        export, test = ("Export", self.export()), ("Test", self.test)
        return [export if best.is_tested else test for best in fit[:1]]

    def show(self, architecture: str) -> str:
        """Shows an architecture."""
        return f"{_PROGRAM} show {architecture}{self._store}"

    def go_on(self, *, recorded: bool) -> str:
        """Goes on with the run."""
        return (self.once_recorded() if recorded else self).resume()

    def once_recorded(self) -> "NextCommands":
        """The commands from when the store has what was asked for."""
        return replace(self, asked=self.asked.once_recorded())

    def more(self, work: MoreWork) -> str:
        """Asks for more work."""
        asked = COMMAND_LINE.request(work.verb, work.study or self.study, work.arguments)
        return f"{_PROGRAM} {asked}{self._store}"

    def resume(self, trials: int | None = None) -> str:
        """Goes on with the study.

        Args:
            trials: a new number of them, in place of any that the run was given.
        """
        given = _ALWAYS_GIVEN if trials is None else (*_ALWAYS_GIVEN, "trials")
        last: dict[str, str] = {}
        for text in self.overrides:  # of a field that is set twice the last one counts, there
            last.pop(_field(text), None)
            last[_field(text)] = text
        kept = [text for field, text in last.items() if field not in given]
        kept += [] if trials is None or self.config is None else [f"trials={trials}"]
        sets = "".join(f" --set {shlex.quote(text)}" for text in kept)
        if self.config is None:
            work = MoreWork("continue", {"trials": trials}) if trials else self.asked
            return f"{self.more(work)}{sets}"
        line = f"{_PROGRAM} run {shlex.quote(self.config)} --study {shlex.quote(self.study)}"
        return f"{line}{self._store} --resume{sets}"

    @property
    def repeat(self) -> str:
        """Trains the best again; from scratch where the study's trials inherit weights."""
        return self.more(MoreWork("repeat"))

    @property
    def _of_study(self) -> str:
        return f" --study {shlex.quote(self.study)}"

    @property
    def _store(self) -> str:
        if self.store is None:
            return ""
        named = f'"${STORE_VARIABLE}"' if self._is_secret else shlex.quote(self.store)
        return f" --store {named}"

    @property
    def _is_secret(self) -> bool:
        return self.store is not None and bool(secrets(parse_url(self.store)))


def next_commands(
    config: str | None,
    study: str,
    store: str,
    overrides: Sequence[str],
    *,
    store_given: bool,
    asked: MoreWork | None = None,
) -> NextCommands:
    """The commands about a study, with its store named only where it has to be.

    Args:
        config: path of the configuration.
        study: its name.
        store: where it is.
        overrides: the texts of `--set` that the run was given.
        store_given: whether the store was chosen on the command line.
        asked: of a `continue` or `repeat`.
    """
    variable = os.environ.get(STORE_VARIABLE)
    chosen = store_given or any(_field(text) == "store" for text in overrides)
    is_default = store == DEFAULT_STORE and not variable and not chosen
    found_anyway = is_default or store == variable
    named = None if found_anyway else store
    return NextCommands(config, study, named, tuple(overrides), asked or MoreWork())


def labelled(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Commands behind what they are for, in a column."""
    width = max((len(what) for what, _ in lines), default=0) + 2
    return [f"{what + ':':{width}}{command}" for what, command in lines]


_FOLDER = "shipped"


def _free_folder() -> str:
    """The name of a folder that is not here yet: `export` writes over nothing unasked."""
    names = chain([_FOLDER], (f"{_FOLDER}-{number}" for number in count(2)))
    return next(name for name in names if not Path(name).exists())


def _field(override: str) -> str:
    return override.partition("=")[0].strip()
