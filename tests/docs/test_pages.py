"""Every block of Python and of shell on the pages runs, and the others can be read."""

import os
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import PAGES, READ, RUN, SHOWN, Block, blocks_of, commands_of, name_of
from tests.docs.workshop import (
    ELSEWHERE,
    ELSEWHERE_MODULES,
    best_id,
    page_module,
    run_block,
)
from tests.support.thorough import thorough_but


def to_run(page: Path) -> list[Block]:
    return [b for b in blocks_of(page) if b.file or (b.language in RUN and b.not_run is None)]


ELSEWHERE_PAGES = {"docs/visualization.md": "tests/docs/test_visualization.py has a larger study"}
LONG_PAGES = {
    f"docs/{name}.md"
    for name in (
        *("commands", "ship", "transfer", "own-mixer", "notebook"),
        *("networks", "latency", "own-images", "numbers"),
    )
}
"""These train networks, or start programs."""
WITH_CODE = [page for page in PAGES if to_run(page) and name_of(page) not in ELSEWHERE_PAGES]


@pytest.mark.parametrize(
    "page", thorough_but(WITH_CODE, lambda page: name_of(page) not in LONG_PAGES), ids=name_of
)
def test_the_blocks_of_a_page_run_in_their_order(page: Path, folder: Path) -> None:
    best = best_id(folder)
    environment = dict(os.environ)
    try:
        with page_module(f"page_{page.stem.replace('-', '_')}") as names:
            for block in to_run(page):
                run_block(block, names, best)
    finally:
        os.environ.clear()
        os.environ.update(environment)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_its_language_and_can_be_read(page: Path) -> None:
    for block in blocks_of(page):
        known = block.language.startswith(SHOWN) or block.language in (*RUN, *READ)
        assert known, f"{block.place}: a block in {block.language!r}"
        if block.language == "yaml":
            assert yaml.safe_load(block.text) is not None, block.place
        elif block.language == "toml":
            assert tomllib.loads(block.text), block.place
        if block.not_run is not None:
            assert block.language in RUN, f"{block.place}: would not run anyway"
            assert len(block.not_run) > 10, f"{block.place}: why is it not run?"


def test_what_is_said_to_be_run_elsewhere_is_on_the_pages() -> None:
    commands = [
        c for page in PAGES for b in to_run(page) if b.language == "bash" for c in commands_of(b)
    ]
    heads = {words[0] for words in commands}
    modules = {words[2].partition(".")[0] for words in commands if words[:2] == ["python", "-m"]}
    assert heads >= ELSEWHERE.keys()
    assert modules >= ELSEWHERE_MODULES.keys()
    assert {"search", "space"} <= modules
