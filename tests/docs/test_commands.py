"""Every command that the pages name exists, with its options and its files."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from search.cli.program import program

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("**/*.md")),
    *sorted((ROOT / "deploy").glob("*.md")),
    *sorted((ROOT / "configs").glob("*.yaml")),
]
COMMAND = re.compile(r"python -m (search|space|benchmarks\.\w+|docs\.[\w.]+)\b([^`\n|;]*)")
PLACEHOLDERS = {"N": "1", "NUMBER": "1", "...": ""}


def commands(prefixes: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Page, module and the rest of the line of each, without a remark in brackets behind it."""
    for page in PAGES:
        text = re.sub(r"\\\n(#\s*)?\s*", "", page.read_text())
        for module, rest in COMMAND.findall(text):
            if module.startswith(prefixes):
                yield page.name, module, re.sub(r"\s{2,}\(.*", "", rest).strip()


OF_THE_PROGRAM = list(dict.fromkeys(commands(("search", "space"))))


def words(rest: str) -> list[str]:
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(rest, comments=True)]


@pytest.mark.parametrize(("page", "module", "rest"), OF_THE_PROGRAM)
def test_a_command_of_the_program_can_be_given(page: str, module: str, rest: str) -> None:
    given = ["space"] * (module == "space") + [word for word in words(rest) if word]
    command: click.Command = program
    while isinstance(command, click.Group) and given and given[0] != "...":
        name, *given = given
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"{page}: no command {name!r}"
        command = found
    if given:  # what is only named, such as `python -m search upgrade`, has nothing to check
        command.make_context(command.name, given)
    for word in given:
        if word.startswith("configs/"):
            assert (ROOT / word).is_file(), f"{page}: no file {word}"


@pytest.mark.parametrize(
    ("page", "module", "rest"), list(dict.fromkeys(commands(("benchmarks", "docs"))))
)
def test_a_benchmark_has_the_options_that_are_named(
    page: str, module: str, rest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those behind the # too."""
    found = importlib.import_module(module)
    if options := re.findall(r"(?<![\w-])--[a-z-]+", rest):
        with pytest.raises(SystemExit):
            found.main(["--help"])
        known = capsys.readouterr().out
        assert all(option in known for option in options), f"{page}: {options}"


def test_the_pages_name_commands() -> None:
    assert len(OF_THE_PROGRAM) > 20
    for page in PAGES:
        for path in re.findall(r"configs/[\w/-]+\.yaml", page.read_text()):
            assert (ROOT / path).is_file(), f"{page.name}: no file {path}"
