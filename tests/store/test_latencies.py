"""Latencies in the store: rows are only added, and which of several counts."""

from typing import Any

import pytest

from search.store import Store
from space.errors import InputError


def figure(ms: float, *reasons: str) -> dict[str, Any]:
    return {"median_ms": ms, "reasons": list(reasons), "n": 40}


def test_a_setting_is_written_once(store: Store) -> None:
    for _ in range(2):
        store.latencies.add_setting("abcd", {"device": "cpu"}, {"name": "a device"})
    store.latencies.add_setting("abef", {}, {})
    found = {each.id: each for each in store.latencies.settings()}
    assert set(found) == {"abcd", "abef"}
    assert (found["abcd"].parts, found["abcd"].networks) == (0, 0)
    assert store.latencies.setting("abc").device == {"name": "a device"}
    for prefix, said in (("ab", "is several of"), ("x", "is none of"), ("", "is none of")):
        with pytest.raises(InputError, match=f"^setting: '{prefix}' {said} the store's: ab"):
            store.latencies.setting(prefix)


def test_the_newest_figure_of_a_part_counts_and_an_earlier_reading_stays(store: Store) -> None:
    store.latencies.add_setting("a", {}, {})
    store.latencies.add_setting("b", {}, {})
    store.latencies.add_part("a", "p", {"kind": "stem"}, figure(1.0))
    store.latencies.add_part("b", "p", {"kind": "stem"}, figure(9.0))
    store.latencies.add_part("a", "q", {"kind": "head"}, figure(2.0))
    before, number = store.latencies.parts("a")
    store.latencies.add_part("a", "p", {"kind": "stem"}, figure(3.0))
    assert [f["median_ms"] for _, f in before] == [1.0, 2.0]
    now, later = store.latencies.parts("a")
    assert [(part["kind"], f["median_ms"]) for part, f in now] == [("stem", 3.0), ("head", 2.0)]
    assert store.latencies.parts("a", number) == (before, number)
    assert later > number
    assert store.latencies.parts("c") == ([], 0)
    assert [each.parts for each in store.latencies.settings() if each.id == "a"] == [3]


def test_the_newest_undisturbed_measurement_counts(store: Store) -> None:
    store.latencies.add_setting("a", {}, {})
    for ms, reasons in ((1.0, ()), (2.0, ()), (3.0, ("busy",))):
        store.latencies.add("a", "net", figure(ms, *reasons), "a test")
    store.latencies.add("a", "other", figure(5.0, "busy"), "a test")
    store.latencies.add("a", "other", figure(6.0, "busy"), "check")
    assert [each.median_ms for each in store.latencies.of("a", "net")] == [2.0, 1.0, 3.0]
    counting = store.latencies.counting("a")
    assert {id_: each.median_ms for id_, each in counting.items()} == {"net": 2.0, "other": 6.0}
    assert counting["other"].measured_for == "check"
    assert set(store.latencies.counting("a", ["net", "none"])) == {"net"}
    (setting,) = store.latencies.settings()
    assert setting.networks == 2


def test_the_newest_predictor_of_a_space_counts(store: Store) -> None:
    store.latencies.add_setting("a", {}, {})
    assert store.latencies.predictor("a", "s") is None
    for number in (1, 2):
        store.latencies.add_predictor("a", "s", {"number": number})
    store.latencies.add_predictor("a", "t", {"number": 3})
    assert store.latencies.predictor("a", "s") == {"number": 2}
    assert [each["number"] for each in store.latencies.predictors("a")] == [3, 2, 1]


def test_where_nothing_was_measured_there_is_no_setting(store: Store) -> None:
    with pytest.raises(InputError, match=r"^setting: 'a' is none of the store's: there is none"):
        store.latencies.setting("a")
