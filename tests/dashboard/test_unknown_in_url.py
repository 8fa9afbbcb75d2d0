"""What a URL names and is not there is told: a study, a store."""

import shlex
from pathlib import Path

import pytest

from tests.dashboard.conftest import Open


@pytest.mark.parametrize("asked", ["nosuch", "quickstart"])
def test_a_study_of_the_url_that_is_not_there_is_told(
    opened: Open, store_files: dict[str, Path], asked: str
) -> None:
    test = opened("progress", store_files["finished"], study=asked)
    assert not test.exception
    told = ["This store has no study 'nosuch': all are shown."]
    assert [each.value for each in test.warning] == (told if asked == "nosuch" else [])


@pytest.mark.parametrize("others", [(), ("running",)])
def test_a_store_of_the_url_that_is_not_there_is_told(
    opened: Open, store_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, others: tuple[str]
) -> None:
    files = [store_files[name] for name in ("finished", *others)]
    monkeypatch.setenv("MIXSPACE_STORES", shlex.join(map(str, files)))
    told = []
    for name in ("nosuch.db", files[-1].name):
        test = opened("progress", files[0], store=name)
        assert not test.exception
        told.append([each.value.replace("\\", "") for each in test.warning])
    shown = files[0].name
    assert told == [
        [f"This dashboard was started with no store 'nosuch.db': {shown} is shown."],
        [],
    ]
