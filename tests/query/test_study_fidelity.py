"""The fidelity ledger of studies in a store: what counts, what does not, and what is said of it."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from search.fidelity import Agreement
from search.query import StudyFidelity, paired_fidelity, proxy_worth, study_fidelity
from search.query.fidelity_proxies import costs, pace
from search.query.full_trainings import full_trainings
from search.query.proxy_worth import ProxyWorth, Stop
from search.query.trained_curves import CurvedTraining, with_curves
from search.store import Store
from space.errors import InputError
from tests.query.curves import EPOCHS, curve, study_of, train

NUMBERS = range(14)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """SQLite: that PostgreSQL answers alike, test_fidelity_on_both_databases.py shows."""
    return str(tmp_path / "store.db")


def taus(found: StudyFidelity) -> dict[str, float | None]:
    return {row.proxy: row.overall.tau for row in found.rows}


def seeded(store: Store, number: int, study: str) -> list[float]:
    return curve(number, EPOCHS, 10 * store.studies.get(study).id)


def test_every_earlier_epoch_and_every_size_is_a_proxy(store: Store) -> None:
    study = study_of(store, "s")
    for number in NUMBERS:
        train(store, study, number)
    (found,) = study_fidelity(store, ["s"])
    curves = np.array([seeded(store, number, "s") for number in NUMBERS])
    told = taus(found)
    for epoch in range(1, EPOCHS):
        expected = pytest.approx(kendalltau(curves[:, epoch - 1], curves[:, -1]).statistic)
        after = f"after {epoch} epoch{'s' * (epoch > 1)}"
        assert told[f"accuracy {after}"] == expected
        assert told[f"train loss {after}"] == expected  # 1 - accuracy, and lower is better
    assert list(told)[-2:] == ["params", "macs"]
    params = kendalltau(np.arange(len(NUMBERS)), curves[:, -1]).statistic
    assert told["params"] == told["macs"] == pytest.approx(params)
    assert {"training_bytes", "inference_bytes", "seconds an epoch"} <= told.keys()
    assert (found.studies, found.protocol_hash) == (("s",), f"{4:016x}")
    assert found.full == "validation accuracy after 4 epochs"
    assert found.rows[0].cost == pytest.approx(1 / EPOCHS)
    assert (found.notes, found.ceiling.n, found.ceiling.perfect) == ((), 0, None)


def test_only_whole_trainings_from_scratch_count_and_the_rest_is_told(store: Store) -> None:
    study = study_of(store, "s")
    first = train(store, study, 0)
    for number in range(1, 12):
        train(store, study, number)
    train(store, study, 20, pruned=True, epochs=1)
    train(store, study, 21, pruned=True, epochs=2)
    train(store, study, 22, parent=first.id)
    train(store, study, 23, epochs=2)
    (found,) = study_fidelity(store, ["s"])
    assert {row.n for row in found.rows} == {12}
    survivors, *others = sorted(found.notes, key=lambda note: "survivors" not in note)
    assert survivors.startswith("Of s 2 trials were stopped early and are not here.")
    assert sorted(others) == [
        "Left out: 1 complete trial with inherited weights.",
        "Left out: 1 complete trial without all 4 epochs in the store.",
    ]


def test_repeats_set_the_ceiling_and_the_oldest_is_the_training(store: Store) -> None:
    study = study_of(store, "s")
    for number in NUMBERS:
        for repeat in range(2 if number < 11 else 1):
            train(store, study, number, repeat=repeat)
    (found,) = study_fidelity(store, ["s"])
    base = 10 * study.id
    ends = [[curve(number, EPOCHS, base + each)[-1] for each in (0, 1)] for number in range(11)]
    assert found.ceiling.n == 11
    assert found.ceiling.two_seeds.tau == pytest.approx(kendalltau(*np.array(ends).T).statistic)
    assert found.rows[0].n == len(NUMBERS)
    assert found.rows[0].other_seed.n == 11


def test_few_repeats_tell_of_the_ceiling_by_their_deviation(store: Store) -> None:
    study = study_of(store, "s")
    for number in NUMBERS:
        for repeat in range(4 if number < 2 else 1):
            train(store, study, number, repeat=repeat)
    (found,) = study_fidelity(store, ["s"])
    assert (found.ceiling.n, found.ceiling.how) == (2, "deviation")
    assert found.ceiling.perfect is not None
    assert 0.5 < found.ceiling.perfect < 1


def test_studies_of_one_protocol_are_one_and_those_of_two_apart(store: Store) -> None:
    for name, epochs, numbers in (("a", 4, range(8)), ("b", 4, range(6, 14)), ("c", 5, range(3))):
        study = study_of(store, name, epochs)
        for number in numbers:
            train(store, study, number, epochs=epochs)
    one, other = study_fidelity(store, ["a", "c", "b"])
    assert (one.studies, other.studies) == (("a", "b"), ("c",))
    assert one.rows[0].n == 14
    assert one.ceiling.n == 2  # both trained two, with seeds of their own
    assert all("several protocols" in found.notes[0] for found in (one, other))
    assert taus(other)["params"] is None
    with pytest.raises(InputError, match="study: 'd' does not exist"):
        study_fidelity(store, ["a", "d"])


def test_a_study_is_the_proxy_of_another_where_networks_are_in_both(store: Store) -> None:
    short, long = study_of(store, "short", 2), study_of(store, "long", 4)
    for number in range(12):
        train(store, short, number, epochs=2)
    for number in range(2, 16):
        train(store, long, number)
    found = paired_fidelity(store, "short", "long")
    both = range(2, 12)
    ends = [[curve(n, 2, 10 * short.id)[-1], seeded(store, n, "long")[-1]] for n in both]
    told = taus(found)
    expected = kendalltau(*np.array(ends).T).statistic
    assert told["accuracy after 2 epochs of short"] == pytest.approx(expected)
    assert "accuracy after 1 epoch of short" in told
    assert found.protocol_hash == f"{4:016x}"
    assert found.notes[0] == (
        "short was judged after 2 epochs at 28×28 on 5,000 images, long judged after 4 epochs at "
        "28×28 on 5,000 images; 10 of 14 networks of long are in both."
    )
    costs = {row.proxy: row.cost for row in found.rows}
    assert costs["accuracy after 2 epochs of short"] == pytest.approx(0.5)


def test_a_pair_that_is_none_is_refused(store: Store) -> None:
    for name, epochs, number in (("a", 4, 0), ("b", 4, 0), ("c", 5, 1)):
        train(store, study_of(store, name, epochs), number, epochs=epochs)
    with pytest.raises(InputError, match="full: 'b' has the protocol of 'a'"):
        paired_fidelity(store, "a", "b")
    with pytest.raises(InputError, match="full: no network was trained to the end in both 'a'"):
        paired_fidelity(store, "a", "c")


def test_networks_are_the_same_on_images_of_another_size(store: Store) -> None:
    train(store, study_of(store, "a"), 3)
    (found,) = full_trainings(store, ["a"])
    (training,) = with_curves(store, found.trainings)
    assert '"height"' not in training.key
    assert '"classes"' not in training.key
    assert training.family == "sliding homogeneous + sliding static"


def test_of_long_trainings_some_epochs_are_shown_and_those_at_which_trials_stopped(
    store: Store,
) -> None:
    study = study_of(store, "s", 60)
    train(store, study, 0, epochs=60)
    train(store, study, 1, pruned=True, epochs=37)
    (found,) = study_fidelity(store, ["s"])
    epochs = [int(row.proxy.split()[2]) for row in found.rows if row.proxy.startswith("accuracy")]
    assert epochs == sorted(set(epochs))
    assert 37 in epochs
    assert epochs[0] == 1
    assert 8 <= len(epochs) <= 13
    assert epochs[-1] < 60


def test_a_study_without_results_has_a_ledger_without_figures(store: Store) -> None:
    study_of(store, "s")
    (found,) = study_fidelity(store, ["s"])
    assert {row.overall.tau for row in found.rows} == {None}
    assert {row.n for row in found.rows} == {0}


# --- by what a search judged ----------------------------------------------------------------------


def test_a_search_says_by_what_it_judged_and_what_that_is_worth(store: Store) -> None:
    study = study_of(store, "s")
    for number in range(12):
        train(store, study, number)
    for number in range(20, 25):
        train(store, study, number, pruned=True, epochs=1 + number // 24)
    found = proxy_worth(store, "s")
    curves = np.array([seeded(store, number, "s") for number in range(12)])
    assert [(stop.epoch, stop.trials) for stop in found.stops] == [(1, 4), (2, 1)]
    for stop in found.stops:
        expected = kendalltau(curves[:, stop.epoch - 1], curves[:, -1]).statistic
        assert stop.agreement.tau == pytest.approx(expected)
    one, two = (stop.agreement for stop in found.stops)
    assert found.sentence == (
        "Judged after 4 epochs at 28×28 on 5,000 images (of other trainings: not known here); "
        "trials were stopped after 1 and 2 epochs, whose order agrees with the last epoch's by "
        f"Kendall's tau {one.tau:.2f} [{one.low:.2f}, {one.high:.2f}] and {two.tau:.2f} "
        f"[{two.low:.2f}, {two.high:.2f}] (12 survivors)."
    )


def test_the_epochs_after_which_most_were_stopped_are_told(store: Store) -> None:
    study = study_of(store, "s", 6)
    for number, epochs in enumerate((1, 2, 2, 3, 4, 4, 5, 5, 5)):
        train(store, study, number, pruned=True, epochs=epochs)
    stops = proxy_worth(store, "s").stops
    assert [(stop.epoch, stop.trials) for stop in stops] == [(2, 2), (4, 2), (5, 3)]


def test_what_is_not_known_of_judging_is_said(store: Store) -> None:
    study = study_of(store, "s", objective={"metric": "accuracy", "direction": "maximise"})
    train(store, study, 0)
    assert proxy_worth(store, "s").sentence == (
        "Judged after 4 epochs at 28×28 (of other trainings: not known here); no trial was stopped "
        "early."
    )
    train(store, study, 1, pruned=True, epochs=1)
    assert proxy_worth(store, "s").sentence.endswith(
        "; trials were stopped after 1 epoch, and what that is worth is not known: it takes 10 "
        "trained to the end, and there is 1."
    )


def test_where_the_order_of_one_epoch_is_not_known_the_others_are_told() -> None:
    told, one, none = Agreement(12, 0.5, 0.125, 0.75), Agreement(3), Agreement(10, 0.25)
    stops = tuple(Stop(epoch, 1, each) for epoch, each in enumerate((told, one, none), 1))
    found = ProxyWorth("s", "judged after 4 epochs", stops, 1200)
    assert found.sentence == (
        "Judged after 4 epochs (of other trainings: not known here); trials were stopped after 1 "
        "and 2 and 3 epochs, whose order agrees with the last epoch's by Kendall's tau 0.50 "
        "[0.12, 0.75] and unknown and unknown (1,200 survivors)."
    )
    few = ProxyWorth("s", "judged", (Stop(1, 2, one),), 3)
    assert few.sentence == (
        "Judged (of other trainings: not known here); trials were stopped after 1 epoch, and what "
        "that is worth is not known: it takes 10 trained to the end, and there are 3."
    )
    assert few.plain() == {
        "study": "s",
        "conditions": "judged",
        "stops": ({"epoch": 1, "trials": 2, "agreement": asdict(one)},),
        "complete": 3,
        "sentence": few.sentence,
    }


def test_what_epochs_cost_is_told_as_far_as_their_seconds_are_known(store: Store) -> None:
    for number in (0, 1, 2):
        train(store, study_of(store, f"s{number}"), number)
    groups = [full_trainings(store, [f"s{number}"])[0] for number in (0, 1, 2)]
    curved = [with_curves(store, group.trainings)[0] for group in groups]

    def timed(training: CurvedTraining, *seconds: float | None) -> CurvedTraining:
        curve = tuple(replace(training.curve[0], seconds=each) for each in seconds)
        return replace(training, curve=curve)

    one, two, lost = (
        timed(curved[0], 1.0, None, 3.0),
        timed(curved[1], None, 2.0, 2.0),
        timed(curved[2], None, None),
    )
    told = costs([one, two], [one, two])
    assert [told(epoch) for epoch in (1, 2, 3)] == [0.125, 0.375, 1.0]
    assert costs([one], [lost])(1) is None
    assert costs([one, two], [lost, two])(2) == 0.5
    assert [pace(each) for each in (one, two)] == [2.0, 2.0]
    assert np.isnan(pace(lost))
