"""The program, called as a person would."""

import pytest

from search.cli.program import run_program


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit code of a command, what it printed, and what it said beside."""
    code = run_program(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err
