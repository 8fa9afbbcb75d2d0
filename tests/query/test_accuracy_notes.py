"""What is said beside accuracies, word by word."""

from typing import Any

import pytest

from search.query import best, optimism, protocols
from search.query.accuracy_notes import (
    accuracy_notes,
    chance_sentence,
    chance_sentences,
    data_sentences,
    optimism_of,
)
from search.query.protocols import refuse_mixed, refuse_several_protocols
from search.store import Store
from space.errors import InputError, Problem
from tests.support.samples import add_study, begin_run, complete_trial

BEST = {"epochs": 2, "judged_by": "best"}
LAST = {"epochs": 2, "judged_by": "last"}
OPTIMISTIC = (
    "are those of the best epoch of each training, chosen by the images that they are measured on: "
    "they are optimistic (protocol.judged_by: best)."
)
TENTH = "Guessing the commonest class scores 10.00% of the 2,000 validation images."
HALF = "Guessing the commonest class scores 50.00% of the 1 validation image."


def data(chance: float, images: int, *remarks: str) -> dict[str, Any]:
    return {"data": {"chance": chance, "validation_images": images, "remarks": list(remarks)}}


def test_what_guessing_scores_is_told_where_it_is_known() -> None:
    assert chance_sentence({}) is chance_sentence({"data": None}) is None
    assert chance_sentence(data(0.1, 2000)) == TENTH
    assert chance_sentence(data(0.5, 1)) == HALF
    assert data_sentences({}) == []
    assert data_sentences(data(0.1, 2000)) == [TENTH]
    told = data_sentences(data(0.1, 2000, "two are twins", "one is black"))
    assert told == [TENTH, "Data: two are twins.", "Data: one is black."]


def test_each_sentence_is_told_once_with_the_studies_that_it_is_of() -> None:
    assert chance_sentences([]) == chance_sentences([("a", {})]) == []
    same = [(name, data(0.1, 2000)) for name in "abcdefg"]
    assert chance_sentences(same) == [TENTH]
    mixed = [*same, ("h", data(0.5, 1)), ("i", {})]
    assert chance_sentences(mixed) == [f"a, b, c, d, e and 2 more: {TENTH}", f"h: {HALF}"]
    assert chance_sentences([("a", {}), ("b", data(0.5, 1))]) == [f"b: {HALF}"]


def test_which_accuracies_are_optimistic_is_told(store: Store) -> None:
    assert optimism_of([]) is optimism_of([("a", LAST)]) is None
    assert optimism_of([("a", BEST), ("b", BEST)]) == f"Accuracies {OPTIMISTIC}"
    some = optimism_of([("c", BEST), ("a", LAST), ("b", BEST)])
    assert some == f"Accuracies of b, c {OPTIMISTIC}"
    for name, rule in (("one", BEST), ("two", LAST)):
        study = add_study(store, name, protocol=rule)
        run = begin_run(store, study.id)
        for number in range(2):
            changes = {"repeat": 0, "seeds": {"initialisation": study.id}}
            complete_trial(store, study.id, run.id, number + 2 * (name == "two"), 0.5, **changes)
    rows = best(store, top=None)
    assert len(rows) == 4
    assert optimism(rows) == f"Accuracies of one {OPTIMISTIC}"
    assert optimism([row for row in rows if row.study == "one"]) == f"Accuracies {OPTIMISTIC}"
    assert optimism([row for row in rows if row.study == "two"]) is None
    assert optimism([]) is None


def test_notes_are_of_the_studies_that_are_named(store: Store) -> None:
    assert accuracy_notes(store) == []
    add_study(store, "old", protocol=BEST, objective=data(0.5, 1))
    add_study(store, "new", protocol=LAST, objective=data(0.1, 2000))
    whose = f"Accuracies of old {OPTIMISTIC}"
    assert accuracy_notes(store) == [f"new: {TENTH}", f"old: {HALF}", whose]
    assert accuracy_notes(store, optimistic=False) == [f"new: {TENTH}", f"old: {HALF}"]
    assert accuracy_notes(store, ["old"]) == [HALF, f"Accuracies {OPTIMISTIC}"]
    assert accuracy_notes(store, ["new"]) == [TENTH]
    assert accuracy_notes(store, []) == []


def test_results_of_several_protocols_are_refused_with_what_to_do(store: Store) -> None:
    hashes = {"a": "1" * 16, "b": "2" * 16, **dict.fromkeys("cdef", "2" * 16), "bare": "3" * 16}
    for number, (name, hash_) in enumerate(hashes.items()):
        study = add_study(store, name, protocol_hash=hash_)
        if name != "bare":
            complete_trial(store, study.id, begin_run(store, study.id).id, number, 0.5)
    one, two = "1" * 16, "2" * 16
    assert [(each.hash, each.studies) for each in protocols(store)] == [
        (two, ("f", "e", "d", "c", "b")),
        (one, ("a",)),
    ]
    with pytest.raises(InputError) as caught:
        refuse_several_protocols(store, [])
    assert caught.value.problems == (
        Problem(
            "study",
            f"these results are of 2 protocols, and do not compare ({two} of f, e, d and 2 more; "
            f"{one} of a): name one study, or one protocol in the clause, such as protocol = {two}",
        ),
    )
    for allowed in ({"study": "a"}, {"where": f"protocol = {one}"}):
        refuse_several_protocols(store, [], **allowed)
    with pytest.raises(InputError, match="2 protocols"):
        refuse_several_protocols(store, [], where="protocol = 1")
    rows = [row for name in "ab" for row in best(store, study=name)]
    refuse_mixed(rows[:1])
    with pytest.raises(InputError) as caught:
        refuse_mixed(rows)
    assert caught.value.problems == (
        Problem(
            "rows",
            f"are of 2 protocols ({one}, {two}), and results of one do not compare with those of "
            "another: keep those of one",
        ),
    )
