"""Of several drivers of one study one works; the others hear of it."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from search.driver.study_setup import create_study
from search.runner import study_lookup
from search.store import Heartbeat, Store, open_store
from search.store.models import RunRow, utc_now
from space import InputError
from tests.search.driving import HASHES, begin, begin_run
from tests.search.small import config
from tests.support.samples import add_study


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


def test_of_two_drivers_that_create_a_study_the_later_hears_of_the_first(
    store: Store, tmp_path: Path
) -> None:
    """Also while the first has not begun its run yet."""
    settings = config(tmp_path)
    protocol = settings.protocol.bound_to(*HASHES)
    create = partial(create_study, store, settings, protocol)
    study = study_lookup.create_first(store, "tiny", create)
    beginning = threading.Timer(0.3, begin_run, (store, study.id))
    beginning.start()
    with pytest.raises(InputError, match=f"process {os.getpid()} on .* is working on 'tiny'"):
        study_lookup.create_first(store, "tiny", create)
    beginning.join()
    store.runs.end(store.runs.of_study(study.id)[0].id)
    with pytest.raises(InputError, match=r"'tiny' is already in .*resume=True"):
        study_lookup.create_first(store, "tiny", create)
    with pytest.raises(InputError, match="cannot be a name"):
        study_lookup.create_first(store, "no ", lambda: add_study(store, "no "))


def test_the_later_of_two_drivers_waits_no_longer_than_told(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path)
    create = partial(create_study, store, settings, settings.protocol.bound_to(*HASHES))
    create()
    with pytest.raises(InputError, match=r"'tiny' is already in .*resume=True"):
        study_lookup.create_first(store, "tiny", create, patience=0.1)


def test_a_driver_that_cannot_be_seen_but_beats_is_not_disturbed(
    store: Store, tmp_path: Path
) -> None:
    session = begin(store, config(tmp_path))
    run = store.runs.of_study(session.record.id)[0]
    elsewhere = update(RunRow).values(boot_id="another", heartbeat=utc_now() - timedelta(hours=1))
    store.write(lambda opened: opened.execute(elsewhere))
    said: list[str] = []
    with (
        Heartbeat(store.runs.heartbeat, run.id, interval=0.05),
        pytest.raises(InputError, match=f"process {os.getpid()} on .* is working on 'tiny'"),
    ):
        study_lookup.take_over(store, session.record, said.append)
    assert "cannot be seen from here" in said[0]
    assert store.runs.of_study(session.record.id)[0].ended is None
