"""Studies whose protocol an earlier release wrote: they go on as they began, and meet nothing new.

Nothing here starts Ray.
"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from search.config import Config, merged_for_resume
from search.runner import prepare
from search.store import StudyRecord, open_store
from search.store.models import StudyRow
from space.errors import InputError
from tests.search.driving import begin, run_all
from tests.search.small import config, values
from tests.trainers.test_legacy_defaults import as_first_stored
from trainers import Protocol, describe_data


def old_study(settings: Config, *, trained: bool = True) -> StudyRecord:
    """The study as the first release would have left it in the store."""
    bound = describe_data(settings.data, settings.protocol).protocol
    then = as_first_stored(bound)
    protocol = Protocol.from_stored(then)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings, protocol)
        if trained:
            run_all(session)
        kept = settings.to_stored() | {"protocol": as_first_stored(settings.protocol)}
        now = ("processes_per_trial", "compile", "grad_checkpointing")
        kept["resources"] = {n: v for n, v in kept["resources"].items() if n not in now}
        kept["resources"] |= {"gpus_per_trial": 4}
        written = update(StudyRow).values(config=kept, protocol=then, protocol_hash=protocol.hash)
        store.write(lambda db: db.execute(written))
        return store.studies.get(settings.study)


def test_an_old_study_goes_on_as_it_began(tmp_path: Path) -> None:
    settings = config(tmp_path)
    old = old_study(settings)
    prepared = prepare(settings, resume=True)
    assert prepared.protocol.hash == old.protocol_hash
    assert prepared.protocol.weight_decay_exempt == "one_dimensional"
    assert prepared.protocol.judged_by == "best"


def test_a_new_study_takes_nothing_over_from_an_old_one(tmp_path: Path) -> None:
    settings = config(tmp_path)
    old = old_study(settings)
    fresh = prepare(config(tmp_path, study="fresh"), resume=False).protocol
    assert fresh.hash != old.protocol_hash
    with open_store(settings.store, create=False) as store:
        trial = store.trials.of_study(old.id)[0]
        found = store.results.find(trial.architecture_id, fresh.hash, outside=-1)
        assert found is None
        again = store.results.find(trial.architecture_id, old.protocol_hash, outside=-1)
        assert again is not None


@pytest.mark.parametrize(
    ("field", "now"), [("weight_decay_exempt", "network"), ("judged_by", "last")]
)
def test_another_rule_than_the_old_one_is_refused_where_somebody_wrote_it(
    field: str, now: str, tmp_path: Path
) -> None:
    old = old_study(config(tmp_path), trained=False)
    written = values()["protocol"] | {field: now}
    with pytest.raises(InputError) as error:
        merged_for_resume(old.config, config(tmp_path, protocol=written))
    assert f"protocol.{field}" in {problem.where for problem in error.value.problems}


def test_what_is_gone_on_with_by_its_name_alone_means_what_it_meant(tmp_path: Path) -> None:
    """`repeat` and `continue` read the study's own configuration."""
    settings = config(tmp_path)
    old = old_study(settings)
    stored: dict[str, Any] = {**old.config, "store": settings.store}
    found = Config.from_stored(stored)
    assert found.protocol == Protocol.from_stored(as_first_stored(settings.protocol))
    assert found.resources.gpus_per_trial == 1  # it reserved four, and trained on one
    assert Config.from_stored(found.to_dict()).to_dict() == found.to_dict()


def test_changed_data_of_an_old_study_are_named_and_nothing_else(tmp_path: Path) -> None:
    settings = config(tmp_path)
    old_study(settings)
    with open_store(settings.store, create=False) as store:
        study = store.studies.get(settings.study)
        other = study.protocol | {"content_hash": "0" * 16}
        hashed = Protocol.from_stored(other).hash
        written = update(StudyRow).values(protocol=other, protocol_hash=hashed)
        store.write(lambda db: db.execute(written))
    with pytest.raises(InputError, match=r"\(content_hash differ\)"):
        prepare(settings, resume=True)
