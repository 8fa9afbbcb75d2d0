"""The mixer types that exist, the names they have, and the reasons for refusing the others."""

import itertools

import pytest

from space import InputError, MixerType, all_mixer_types, mixer_type_named
from space.axes import AXES, Channels, Dynamics, Locality, Rank, Sharing
from space.mixer_types import LITERATURE_NAMES, PAPER_NAMES
from space.rules import RULES, broken_rules


def test_there_are_74_mixer_types_and_the_paper_names_12() -> None:
    mixer_types = all_mixer_types()
    assert len(mixer_types) == len(set(mixer_types)) == 74
    assert sorted(filter(None, (mixer_type.paper_name for mixer_type in mixer_types))) == sorted(
        PAPER_NAMES
    )
    assert len(PAPER_NAMES) == 12


def test_every_other_combination_is_refused_with_its_rules() -> None:
    existing = {mixer_type.values for mixer_type in all_mixer_types()}
    for values in itertools.product(*AXES.values()):
        rules = broken_rules(*values)  # type: ignore[arg-type]
        assert bool(rules) == (values not in existing)
        if rules:
            with pytest.raises(InputError) as refusal:
                MixerType(*values)  # type: ignore[arg-type]
            assert all(str(rule) in str(refusal.value) for rule in rules)


BREAKS_ONLY = {
    1: "sliding/separable/full/none/attention",
    2: "global/dense/full/none/inhomogeneous",
    3: "window/dense/full/none/homogeneous",
    4: "window/dense/full/position/static",
    5: "global/grouped/full/channel/static",
    6: "window/dense/joint/none/static",
    7: "window/dense/spatial/none/static",
}


@pytest.mark.parametrize("number", BREAKS_ONLY)
def test_each_rule_refuses_something_that_no_other_rule_does(number: int) -> None:
    with pytest.raises(InputError) as refusal:
        mixer_type_named(BREAKS_ONLY[number])
    assert [f"rule {rule.number}:" in str(refusal.value) for rule in RULES] == [
        rule.number == number for rule in RULES
    ]


def test_names_are_found_however_they_are_written() -> None:
    local_vit = MixerType(
        Locality.WINDOW, Channels.SEPARABLE, Rank.FULL, Sharing.CHANNEL, Dynamics.ATTENTION
    )
    for name in ("Local ViT", "local-vit", "LOCALVIT", "window/separable/full/channel/attention"):
        assert mixer_type_named(name) == local_vit
    for name, label in [*PAPER_NAMES.items(), *((n, at) for at, n in LITERATURE_NAMES.items())]:
        assert mixer_type_named(name).label == label
        assert mixer_type_named(name).name == name


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no operator is named 'cnov'.*DW-S Conv\."):
        mixer_type_named("cnov")
