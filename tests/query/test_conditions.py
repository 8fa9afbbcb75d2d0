"""Under what conditions a study judged, as far as the store tells."""

from typing import Any

import pytest

from search.query.conditions import conditions
from search.store import Store
from tests.support.samples import add_study

SIZE = {"input": {"channels": 1, "height": 28, "width": 32}}
TRAIN = {"data": {"train_images": 5000}}


@pytest.mark.parametrize(
    ("protocol", "space", "objective", "words"),
    [
        ({"epochs": 1}, {}, {}, "judged after 1 epoch"),
        ({"epochs": 6}, {"input": None}, {"data": None}, "judged after 6 epochs"),
        ({"epochs": 6}, {"input": {"height": 28}}, {}, "judged after 6 epochs"),
        ({"epochs": 6}, {"input": {"width": 28}}, {}, "judged after 6 epochs"),
        ({"epochs": 6}, SIZE, {}, "judged after 6 epochs at 28×32"),
        ({"epochs": 6}, {}, TRAIN, "judged after 6 epochs on 5,000 images"),
        ({"epochs": 6}, {}, {"data": {"train_images": 1}}, "judged after 6 epochs on 1 image"),
        (
            {"epochs": 6, "samples_per_epoch": 1200},
            SIZE,
            TRAIN,
            "judged after 6 epochs at 28×32 on 5,000 images (1,200 an epoch)",
        ),
    ],
)
def test_what_the_store_tells_is_said(
    store: Store,
    protocol: dict[str, Any],
    space: dict[str, Any],
    objective: dict[str, Any],
    words: str,
) -> None:
    study = add_study(store, protocol=protocol, space=space, objective=objective)
    assert conditions(study) == words
