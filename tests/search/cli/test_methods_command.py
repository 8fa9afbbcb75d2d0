"""`methods`: searchers, schedulers and their options, as a person and as a script read them."""

import json
import subprocess
import sys
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import Field

from search.cli.described_methods import _options
from search.cli.program import run_program
from search.options import Options
from search.registry import Registry
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS

REGISTRIES: dict[str, Registry[Any]] = {"searcher": SEARCHERS, "scheduler": SCHEDULERS}
BUILT_IN = [(kind, name) for kind, each in REGISTRIES.items() for name in each.built_in]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_program(["methods", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_all_of_them_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "The options of one: python -m search methods NAME\n")
    assert out.index("Searchers") < out.index("surrogate") < out.index("Schedulers")
    for _, name in BUILT_IN:
        assert f"\n  {name} " in out
    plain = json.loads(run(capsys, "--json")[1])
    assert [(each["kind"], each["name"]) for each in plain][: len(BUILT_IN)] == BUILT_IN
    assert all(each["words"] and each["problem"] is None for each in plain)


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_the_options_of_one_are_those_of_its_class(
    kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = REGISTRIES[kind]
    (plain,) = json.loads(run(capsys, name, "--json")[1])
    defaults = registry.options(name).model_dump(exclude={"name"})
    assert {each["name"]: each["default"] for each in plain["options"]} == defaults
    assert plain["multi_objective"] is registry.kind(name).multi_objective  # type: ignore[attr-defined]
    code, out, err = run(capsys, name)
    assert code == 0
    assert out.startswith(f"{name}, a {kind}. {plain['words']}")
    for option in plain["options"]:
        assert option["words"]
        assert option["allowed"]
        assert f"\n  {option['name']} " in out
    if not plain["options"]:
        assert (out.splitlines()[-1], err) == ("It has no options.", "")


def test_how_to_write_an_option_is_said_beside_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "asha")
    assert code == 0
    assert "\n  grace_epochs      epochs of the first rung; " in out
    assert "[default: 1; allowed: whole number, at least 1]" in out
    assert "goes on. [default: 3; allowed: whole number, 2 to 100]" in out
    assert err.splitlines() == [
        "In a configuration: scheduler: {name: asha, grace_epochs: 1}",
        "On the command line: --set scheduler.name=asha --set scheduler.grace_epochs=1",
    ]


def test_a_name_that_nothing_has(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "surogate")
    assert (code, out) == (2, "")
    assert err.startswith("error: name: 'surogate' is no searcher and no scheduler; allowed: ran")
    assert "did you mean 'surrogate'?" in err


@pytest.mark.parametrize("width", [50, 80, 120, 200])
@pytest.mark.parametrize("words", [[], ["tpe"], ["none"]])
def test_it_fits_the_terminal(
    words: list[str],
    width: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", width)
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert not set("…│┃╇") & set(out)
    assert all(len(line) <= width for line in out.splitlines())
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", 10_000)
    assert out.split() == run(capsys, *words)[1].split(), "no word is broken"


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [([], ("torch", "ray")), (["asha"], ("torch", "ray", "optuna", "scipy"))],
)
def test_it_imports_no_more_than_it_shows(words: list[str], unwanted: tuple[str, ...]) -> None:
    program = (
        "import sys; from search.cli.program import run_program; "
        f"code = run_program({['methods', *words]!r}); "
        f"assert not {{*{unwanted!r}}} & set(sys.modules), 'heavy'; sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"]])
def test_other_helps_lead_there(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(command) == 0
    assert "python -m search methods" in capsys.readouterr().out


# --- options of every kind --------------------------------------------------------------------


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Opaque:
    """A type of which pydantic knows nothing."""


class Inherited(Options):
    """Options of a parent.

    Attributes:
        count: how many, which the child says
            in other words.
        share: of the whole. mood: stands on the same line.
    """

    count: int = 3
    share: float | None = Field(default=None, gt=0, lt=1)
    mood: Literal["calm", "wild"] = "calm"


class Every(Inherited, arbitrary_types_allowed=True):
    """Options of every kind.

    Attributes:
        count: how many,
            on two lines.
        colour: of the walls.
        one: of a kind.
    """

    colour: Colour = Colour.RED
    flag: bool = False
    names: list[str] = Field(default_factory=list)
    one: Literal[1] = 1
    opaque: Opaque = Field(default_factory=Opaque)
    needed: float = Field(ge=-1)
    endless: float = float("inf")


def test_options_of_every_kind_are_described() -> None:
    found = {each.name: each for each in _options(Every)}
    assert {name: each.allowed for name, each in found.items()} == {
        "count": "whole number",
        "share": "number, more than 0 and less than 1, or null",
        "mood": '"calm", "wild"',
        "colour": '"red", "blue"',
        "flag": "true or false",
        "names": "list",
        "one": "1",
        "opaque": "",
        "needed": "number, at least -1",
        "endless": "number",
    }
    words = {name: each.words for name, each in found.items() if each.words}
    assert words == {
        "count": "how many, on two lines.",
        "share": "of the whole. mood: stands on the same line.",
        "mood": "stands on the same line.",
        "colour": "of the walls.",
        "one": "of a kind.",
    }
    defaults = {name: each.default for name, each in found.items()} | {"opaque": None}
    assert json.loads(json.dumps(defaults)) == defaults
    assert (defaults["colour"], defaults["names"], defaults["endless"]) == ("red", [], "Infinity")
    assert [name for name, each in found.items() if each.required] == ["needed"]
