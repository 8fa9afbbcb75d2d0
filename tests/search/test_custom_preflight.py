"""Custom mixers before a study begins or goes on: built, known to workers, of the same version."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.config import Config
from search.runner import prepare
from search.store import open_store
from space import InputError
from space.custom.registry import forget
from tests.search.small import SPACE, config
from tests.search.test_session import begin

MODULE = """
from torch import nn
from mixspace import register_mixer

@register_mixer("test mine", version={version}, options={options})
class Mine(nn.Module):
    def __init__(self, width, size, **options):
        super().__init__()
        self.scale = nn.Conv2d(width, width, 1, groups=width)

    def forward(self, values):
        return self.scale(values){suffix}
"""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    forget_module()


def forget_module() -> None:
    forget("test mine")
    sys.modules.pop("test_mine", None)


def write(
    folder: Path, version: int = 1, suffix: str = "", options: dict[str, Any] | None = None
) -> None:
    forget_module()
    text = MODULE.format(version=version, suffix=suffix, options=options or {})
    (folder / "test_mine.py").write_text(text)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        __import__("test_mine")
    finally:
        sys.dont_write_bytecode = before


def of_mine(folder: Path, line: Any = "test mine") -> Config:
    stages = [{"depth": 1, "width": [16, 32], "mlp_ratio": 2}]
    space = SPACE | {"plugins": ["test_mine"], "mixers": [line, "sep. mlp"], "stages": stages}
    return config(folder, space=space, initial=["named"])


def refusal(settings: Config, *, resume: bool = False) -> str:
    with pytest.raises(InputError) as refused:
        prepare(settings, resume=resume)
    return str(refused.value)


@pytest.mark.thorough
def test_one_that_is_what_it_says_is_taken(tmp_path: Path) -> None:
    write(tmp_path)
    assert prepare(of_mine(tmp_path), resume=False).found is None


def test_one_that_is_not_is_refused_by_its_name_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path, suffix="[..., ::2]")
    said = refusal(of_mine(tmp_path))
    assert "space.mixers.forward: the mixer 'test mine': changes the shape of the map" in said
    assert not (tmp_path / "tiny.db").exists()


def test_one_that_is_wrong_at_a_larger_width_alone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, suffix="[..., :: 2 if values.shape[1] > 16 else 1]")
    assert "changes the shape of the map" in refusal(of_mine(tmp_path))


def test_what_only_the_driver_finds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray's workers have the working folder, and nothing that the driver put into its path."""
    write(tmp_path)
    settings = of_mine(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    said = refusal(settings)
    assert said.startswith("space.plugins: a new process that imports them does not know")
    assert "there is no module 'test_mine'" in said


@pytest.mark.thorough
def test_more_of_them_than_a_command_line_holds_are_asked_for(tmp_path: Path) -> None:
    options: dict[str, Any] = dict.fromkeys(("first", "second", "third"), "x" * 40)
    write(tmp_path, options=options)
    values = [f"{number:040}" for number in range(13)]
    line = {"operator": "test mine", "first": values, "second": values, "third": values}
    settings = of_mine(tmp_path, line)
    from search.runner import preflight

    own = [mixer for mixer in settings.search_space.mixers() if mixer.is_custom]
    assert sum(len(str(mixer.to_dict())) for mixer in own) > 200_000
    preflight._refuse_unknown_to_workers(settings.search_space.plugins, own)  # type: ignore[arg-type]


@pytest.mark.thorough
def test_a_study_is_not_gone_on_with_by_another_version(tmp_path: Path) -> None:
    write(tmp_path)
    settings = of_mine(tmp_path)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        while session.next_assignment() is not None:
            pass
        study = store.studies.get("tiny")
        store.runs.end_stale(study.id, stalled=[])
    write(tmp_path, version=2)
    said = refusal(of_mine(tmp_path), resume=True)
    assert (
        "space.plugins: the study has networks of another mixer: version 1 of 'test mine'" in said
    )
    assert "registers version 2. Bring that version back, or begin another study by study=" in said
