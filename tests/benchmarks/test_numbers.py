"""Numbers that a benchmark cannot work with are refused in argparse's words, before any work."""

from collections.abc import Callable

import pytest

from benchmarks import live_search, make_table
from benchmarks.numbers import above_zero


@pytest.mark.parametrize(
    ("main", "option", "value"),
    [
        (make_table.main, "--workers", "0"),
        (make_table.main, "--workers", "two"),
        (make_table.main, "--limit", "-1"),
        (make_table.main, "--repeated", "-1"),
        *((live_search.main, "--seconds", value) for value in ("-1", "0", "nan", "inf", "long")),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    main: Callable[[list[str]], None],
    option: str,
    value: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        main([option, value])
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {option}: must be a " in said
    assert f": {value}" in said


def test_numbers_above_zero_are_read() -> None:
    assert [above_zero(text) for text in ("0.5", "30", "1e3")] == [0.5, 30.0, 1000.0]
