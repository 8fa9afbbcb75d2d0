from datetime import UTC, datetime, timedelta

import pytest

from search.store import Store
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Two architectures of one study."""
    study = add_study(store)
    return [add_trial(store, study.id, None, number).architecture_id for number in (1, 2)]


def test_tags_are_a_set_of_each_architecture(store: Store, ids: list[str]) -> None:
    first, second = ids
    assert [store.tags.add(first, tag) for tag in ("b", "a", "b", "B c", "ü")] == [
        *(True, True, False, True, True)
    ]
    assert store.tags.add(second, "b")
    assert store.tags.of([first, second, first, "none"]) == {
        first: ["B c", "a", "b", "ü"],
        second: ["b"],
    }
    assert store.tags.remove(first, "b")
    assert not store.tags.remove(first, "b")
    assert store.tags.of([first]) == {first: ["B c", "a", "ü"]}
    assert store.tags.of([second]) == {second: ["b"]}
    assert store.tags.of([]) == {}


@pytest.mark.parametrize("tag", ["", " a", "a ", "a\nb", "a'b", 'a"b', "a\0", "x" * 51])
def test_what_cannot_be_a_tag_is_refused(store: Store, ids: list[str], tag: str) -> None:
    with pytest.raises(InputError, match="cannot be one; allowed are 1 to 50 printable"):
        store.tags.add(ids[0], tag)
    assert store.tags.of(ids) == {}


def test_notes_stand_in_order_and_go_one_by_one(store: Store, ids: list[str]) -> None:
    first, second = ids
    before = datetime.now(UTC) - timedelta(seconds=1)
    notes = [store.tags.add_note(first, text) for text in (" one\ntwo ", "one\ntwo", "x" * 10_000)]
    other = store.tags.add_note(second, "of another")
    assert store.tags.notes_of(first) == notes
    assert [note.text for note in notes[:2]] == ["one\ntwo"] * 2
    assert all(before < note.created < datetime.now(UTC) for note in notes)
    assert not store.tags.remove_note(first, other.id)
    assert store.tags.remove_note(first, notes[0].id)
    assert not store.tags.remove_note(first, notes[0].id)
    assert store.tags.notes_of(first) == notes[1:]
    assert store.tags.notes_of(second) == [other]


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
def test_a_note_says_something_and_not_all(store: Store, ids: list[str], text: str) -> None:
    with pytest.raises(InputError, match="must have 1 to 10,000 characters"):
        store.tags.add_note(ids[0], text)


def test_nothing_is_said_of_what_is_not_there(store: Store) -> None:
    absent = architecture(7).id
    with pytest.raises(LookupError):
        store.tags.add(absent, "a")
    with pytest.raises(LookupError):
        store.tags.add_note(absent, "a")
