"""Protocols of earlier releases: they keep their hash and their ways."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.trainers.protocol_values import OF_FOLDERS, OTHER_VALUES, changed, leaves
from trainers import Protocol
from trainers.legacy_defaults import (
    LEGACY_DEFAULTS,
    values_to_resume,
    with_legacy_defaults,
    without_legacy_defaults,
)
from trainers.protocol import PAPER_IMAGENET


def paths(later: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [
        path
        for name, value in later.items()
        for path in (
            paths(value, (*prefix, name)) if isinstance(value, Mapping) else [(*prefix, name)]
        )
    ]


def as_first_stored(protocol: Protocol) -> dict[str, Any]:
    """What the first release had written of a protocol."""
    values: dict[str, Any] = json.loads(json.dumps(protocol.to_dict()))
    for *parts, name in paths(LEGACY_DEFAULTS):
        part = values
        for each in parts:
            part = part[each]
        del part[name]
    return values


FIRST_HASHES = [(Protocol(), "5e793cf91bed9a3c"), (Protocol.paper_imagenet(), "f3f8adb0707756c5")]


@pytest.mark.parametrize(("protocol", "first"), FIRST_HASHES)
def test_a_stored_protocol_keeps_the_hash_of_the_first_release(
    protocol: Protocol, first: str
) -> None:
    stored = Protocol.from_stored(as_first_stored(protocol))
    assert stored.hash == first
    assert stored.weight_decay_exempt == "one_dimensional"
    assert stored.judged_by == "best"
    assert stored.initialisation == "scratch"


@pytest.mark.parametrize(("protocol", "first"), FIRST_HASHES)
def test_what_is_written_today_never_compares_with_what_was_made_by_another_rule(
    protocol: Protocol, first: str
) -> None:
    assert protocol.weight_decay_exempt == "network"
    assert protocol.judged_by == "last"
    old = {"weight_decay_exempt": "one_dimensional", "judged_by": "best"}
    found = {Protocol.from_dict(protocol.to_dict() | {n: v}).hash for n, v in old.items()}
    assert len({first, protocol.hash, *found}) == 4
    assert Protocol.from_dict(protocol.to_dict() | old).hash == first


@pytest.mark.parametrize(
    "path", [path for path in leaves(Protocol) if path != ("optimiser",)], ids=".".join
)
def test_every_field_is_in_the_hash_and_survives_the_store(path: tuple[str, ...]) -> None:
    base, other = changed(path)
    assert base.hash != other.hash
    for protocol in (base, other):
        stored = json.loads(json.dumps(protocol.to_dict()))
        assert Protocol.from_stored(stored) == Protocol.from_dict(stored) == protocol


CHOICES = st.fixed_dictionaries(
    {path: st.sampled_from(OTHER_VALUES[path]) for path in leaves(Protocol)}
)


def made_of(chosen: Mapping[tuple[str, ...], Any]) -> Protocol:
    """A protocol with these values, but for those that the others leave no use for."""
    written: dict[str, Any] = {"augmentation": {}}
    of_folder = chosen["data",] == "image-folder"
    for path, value in chosen.items():
        if path == ("source_protocol",) and chosen["initialisation",] != "finetuned":
            continue
        if len(path) == 1:
            written[path[0]] = value
        elif (path[-1] in OF_FOLDERS) <= of_folder and (path[-1] == "crop_padding") <= (
            not of_folder
        ):
            written["augmentation"][path[-1]] = value
    return Protocol.from_dict(written)


@given(CHOICES, CHOICES)
def test_two_protocols_have_one_hash_if_and_only_if_they_are_one(
    one: dict[tuple[str, ...], Any], other: dict[tuple[str, ...], Any]
) -> None:
    """Whatever of them is at the values that are left out of it."""
    first, second = made_of(one), made_of(other)
    assert (first.hash == second.hash) is (first == second)
    for protocol in (first, second):
        stored = json.loads(json.dumps(without_legacy_defaults(protocol.to_dict())))
        assert Protocol.from_stored(stored) == protocol  # an old store may lack all of these


@given(CHOICES, st.sampled_from(leaves(Protocol)))
def test_a_change_of_one_field_is_a_change_of_the_hash(
    chosen: dict[tuple[str, ...], Any], path: tuple[str, ...]
) -> None:
    """Beside whatever other values."""
    (other,) = [v for v in OTHER_VALUES[path] if v != chosen[path]] or [chosen[path]]
    before, after = made_of(chosen), made_of({**chosen, path: other})
    assert (before.hash == after.hash) is (before == after)
    ignored = len(path) == 2 and path[-1] not in after.augmentation.model_fields_set
    ignored |= len(path) == 1 and path[0] not in after.model_fields_set
    assert (before != after) is (other != chosen[path] and not ignored)


@pytest.mark.parametrize("path", paths(LEGACY_DEFAULTS), ids=".".join)
def test_what_was_done_before_a_field_existed_is_a_value_of_it(path: tuple[str, ...]) -> None:
    model: type[BaseModel] = Protocol
    later: Any = LEGACY_DEFAULTS
    for name in path[:-1]:
        model, later = model.model_fields[name].annotation, later[name]  # type: ignore[assignment]
    field, value = model.model_fields[path[-1]], later[path[-1]]
    assert value in {field.default, OTHER_VALUES[path][1]}


def test_a_field_that_nobody_wrote_is_left_to_a_study_that_does_not_know_it() -> None:
    stored = as_first_stored(Protocol())
    unwritten = Protocol.from_dict({"epochs": 6})
    assert Protocol.from_dict(values_to_resume(unwritten, stored)) == Protocol.from_stored(stored)
    written = Protocol.from_dict({"judged_by": "last"})
    asked = Protocol.from_dict(values_to_resume(written, stored))
    assert (asked.judged_by, asked.weight_decay_exempt) == ("last", "one_dimensional")
    today = Protocol.from_dict(values_to_resume(unwritten, unwritten.to_dict()))
    assert today == unwritten


def test_fields_of_a_part_are_added_in_their_place() -> None:
    """As one of the augmentation would be that today is 0.5, and was 0.1 by necessity."""
    later = {"augmentation": {"flip": 0.1}, "epochs": 6}
    assert with_legacy_defaults({}, later) == {"augmentation": {"flip": 0.1}, "epochs": 6}
    stored = {"augmentation": {"flip": 0.3, "mixup": 0.2}}
    assert with_legacy_defaults(stored, later)["augmentation"] == stored["augmentation"]
    hashed = without_legacy_defaults(Protocol(augmentation={"flip": 0.1}).to_dict(), later)
    assert "flip" not in hashed["augmentation"]
    assert "epochs" not in hashed
    assert "mixup" in hashed["augmentation"]
    unwritten = values_to_resume(Protocol(), {"augmentation": {}}, later)
    assert unwritten["augmentation"]["flip"] == 0.1
    written = Protocol(augmentation={"flip": 0.5})
    assert values_to_resume(written, {"augmentation": {}}, later)["augmentation"]["flip"] == 0.5
    known = values_to_resume(Protocol(), {"augmentation": {"flip": 0.1}, "epochs": 6}, later)
    assert known["augmentation"]["flip"] == 0.5  # a difference, which resuming refuses by name


def test_the_recipes_are_written_by_the_rules_of_today() -> None:
    parts = {name for name, value in LEGACY_DEFAULTS.items() if isinstance(value, dict)}
    assert not set(PAPER_IMAGENET) & set(LEGACY_DEFAULTS) - parts
    for name in parts:
        assert not set(PAPER_IMAGENET[name]) & set(LEGACY_DEFAULTS[name])
