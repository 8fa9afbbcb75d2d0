"""Pages on a real Ray, as a newcomer gives their commands; `test_pages` trains in its process."""

from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.docs.test_pages import to_run
from tests.docs.workshop import best_id, finished, forget_surroundings, page_module, run_block

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.mark.parametrize("name", ["first-search", "notebook"])
def test_the_blocks_of_a_page_run_on_ray(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path)
    monkeypatch.chdir(tmp_path)
    forget_surroundings(monkeypatch, tmp_path)
    with page_module(f"page_on_ray_{name.replace('-', '_')}") as names:
        for block in to_run(ROOT / "docs" / f"{name}.md"):
            run_block(block, names, best_id(tmp_path))
