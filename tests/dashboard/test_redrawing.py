"""What is drawn anew, and when: `draw_anew` on a store that changes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard import queries, redrawing, source
from dashboard.scope import Scope
from search.store import Store, open_store
from tests.support import samples


class Again(BaseException):  # as what Streamlit raises
    """The page is drawn anew."""


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        study = samples.add_study(store)
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 0, 0.5)
        store.runs.end(run.id)
        yield store


class Fragments:
    """Instead of Streamlit's: what was asked to be run every so often."""

    def __init__(self) -> None:
        self.every: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, run_every: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
        def decorated(function: Callable[..., None]) -> Callable[..., None]:
            def run(*given: object) -> None:
                self.every.append((run_every, lambda: function(*given)))
                function(*given)

            return run

        return decorated


@pytest.fixture
def fragments(monkeypatch: pytest.MonkeyPatch) -> Fragments:
    def rerun() -> None:
        raise Again

    found = Fragments()
    monkeypatch.setattr(redrawing.st, "fragment", found)
    monkeypatch.setattr(redrawing.st, "rerun", rerun)
    return found


def scope_of(store: Store) -> Scope:
    return source.open_scope(str(store.url))


def test_an_idle_store_is_drawn_once_and_again_when_it_changes(
    written: Store, fragments: Fragments
) -> None:
    drawn: list[Scope] = []
    redrawing.draw_anew(drawn.append, scope_of(written), 3)
    [(seconds, look)] = fragments.every
    assert seconds > 3
    for _ in range(3):
        queries.clear_cache()
        look()
    assert len(drawn) == 1
    samples.add_trial(written, written.studies.get("study").id, None, 1)
    queries.clear_cache()
    with pytest.raises(Again):
        look()


def test_while_a_study_runs_it_is_drawn_every_few_seconds(
    written: Store, fragments: Fragments
) -> None:
    run = samples.begin_run(written, written.studies.get("study").id)
    drawn: list[Scope] = []
    redrawing.draw_anew(drawn.append, scope_of(written), 3)
    [(seconds, draw)] = fragments.every
    draw()
    assert (seconds, len(drawn)) == (3, 2)
    written.runs.end(run.id)
    queries.clear_cache()
    with pytest.raises(Again):  # to be drawn as idle
        draw()


@pytest.mark.parametrize("runs", [True, False])
def test_a_store_that_is_gone_is_noticed(
    written: Store, fragments: Fragments, tmp_path: Path, runs: bool
) -> None:
    if runs:
        samples.begin_run(written, written.studies.get("study").id)
    redrawing.draw_anew(lambda scope: None, scope_of(written), 3)
    (tmp_path / "s.db").unlink()
    with pytest.raises(Again):
        fragments.every[0][1]()
