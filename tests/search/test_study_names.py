"""Names of studies, and what `repeat` makes of them."""

import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.config import Config
from search.runner.retraining import repeat_or_retrain
from search.store import open_store
from search.study_name import LONGEST_NAME, is_study_name, retrained_name
from space import InputError
from tests.search.driving import begin, run_all
from tests.search.small import config, values

LETTERS = string.ascii_letters + string.digits
NAMES = st.builds(
    lambda first, rest, ending: (first + rest)[: LONGEST_NAME - len(ending)] + ending,
    st.sampled_from(LETTERS),
    st.text(LETTERS + "._-", min_size=75, max_size=LONGEST_NAME),
    st.sampled_from(["", "-retrained", "-retrained-retrained"]),
)


@given(NAMES, NAMES)
@example("n" * 95, "n" * 96)
@example("n" * 90 + "-retrained", "n" * 90)
def test_what_is_made_of_a_name_is_a_name_of_its_own(one: str, other: str) -> None:
    for name in (one, other):
        assert is_study_name(name)
        again = retrained_name(retrained_name(name))  # a study that inherits may end so, too
        assert is_study_name(retrained_name(name))
        assert is_study_name(again)
        assert len({name, retrained_name(name), again}) == 3
    assert (retrained_name(one) == retrained_name(other)) == (one == other)


@pytest.mark.parametrize("name", ["", "-retrained", "a" * 101, "a b", "ä", "-a", "a\n"])
def test_what_is_no_name(name: str) -> None:
    assert not is_study_name(name)
    with pytest.raises(InputError, match="study: must be 1 to 100 letters"):
        Config.from_dict(values(study=name))


@pytest.mark.parametrize("name", ["tiny", "n" * 95, "n" * 90 + "-retrained", "n" * 100])
def test_what_repeat_makes_can_be_continued_and_repeated(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / "tiny.db")
    protocol = {"epochs": 2, "initialisation": "inherited"}
    settings = config(tmp_path, study=name, protocol=protocol, trials=3)
    with open_store(path, create=True) as store:
        run_all(begin(store, settings))
        made, asked = repeat_or_retrain(path, name, top=2, seeds=2)
        session = begin(store, made)
        study = store.studies.get(made.study)
        assert Config.from_stored(study.config | {"store": path}).to_dict() == made.to_dict()
        assert repeat_or_retrain(path, name, top=2, seeds=2)[0].study == made.study
        assert session.record.name == retrained_name(name)
        del asked
