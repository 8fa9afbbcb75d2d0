"""`best`: the title, the order, and what it says when there is nothing."""

import json

import pytest

from search.query import SORT_KEYS
from tests.search.cli.program import run


def test_best_as_json(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = "dynamics = static and params < 200k"
    arguments = ["best", "--store", store, "--where", where, "--top", "3", "--json"]
    code, out, err = run(capsys, *arguments)
    rows = json.loads(out)
    assert (code, err, len(rows)) == (0, "", 3)
    assert all(row["params"] < 200_000 for row in rows)
    assert not any("ViT" in row["operators"] for row in rows)


@pytest.mark.parametrize(
    ("sort", "title"),
    [
        ("validation_accuracy", "Architectures by accuracy, lowest first"),
        ("-accuracy", "Architectures by accuracy, highest first"),
        ("-flops", "Architectures by macs, highest first"),
        ("params", "Architectures by params, lowest first"),
    ],
)
def test_the_title_of_best_says_what_is_first(
    store: str, capsys: pytest.CaptureFixture[str], sort: str, title: str
) -> None:
    code, out, _ = run(capsys, "best", "--store", store, f"--sort={sort}")
    assert (code, out.splitlines()[0].rstrip()) == (0, title)
    assert "DW-S Conv." in out
    assert "50.00%" in out


def test_the_help_of_best_has_every_key_to_sort_by(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(run(capsys, "best", "--help")[1].split())
    assert f"{', '.join(SORT_KEYS)}; '-' before it: descending" in words


def test_best_of_nothing_says_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", "params < 1")
    assert (code, out, err) == (0, "", "No trained architecture fulfils this.\n")


@pytest.mark.parametrize(
    "clause", ["study = quickstrat", "study in (quickstrat, tiny)", "not study != quickstrat"]
)
def test_best_of_a_study_that_is_not_there_names_those_that_are(
    store: str, capsys: pytest.CaptureFixture[str], clause: str
) -> None:
    clause = f"{clause} and params < 1"
    code, out, err = run(capsys, "best", "--store", store, "--where", clause)
    assert (code, out) == (0, "")
    _, said = err.splitlines()
    assert said.startswith("--where: study 'quickstrat' does not exist in ")


@pytest.mark.parametrize("clause", ["not study = x", "study != x", "not study in (x, y)"])
def test_a_study_that_is_excluded_need_not_be_there(
    store: str, capsys: pytest.CaptureFixture[str], clause: str
) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", f"{clause} and params < 1")
    assert (code, out, err) == (0, "", "No trained architecture fulfils this.\n")


def test_best_above_every_accuracy_says_why(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", "accuracy > 1")
    assert (code, out) == (0, "")
    assert "no accuracy is above 1" in err
    code, out, err = run(capsys, "best", "--store", store, "--where", "accuracy > 86")
    assert (code, out) == (2, "")
    assert "did you mean 0.86 or 86%?" in err


def test_bad_clause_is_marked_and_all_problems_are_listed(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--where", "parms < 1", "--top", "0", "--sort", "beauty", "--study", "tny"]
    code, out, err = run(capsys, "best", "--store", store, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: 4 problems\n")
    assert "\n    parms < 1\n    ^\n" in err
    assert "did you mean 'tiny'" in err
