"""A network with its costs; the masks of a token mixer are those of its connectivity."""

import numpy as np
import pytest

from search.visualization.network_figures import plot_architecture, plot_connectivity
from space.cost.network_cost import part_costs
from space.errors import InputError
from space.geometry import MapSize, fitting_width, width_problems
from space.mixer import Mixer
from space.structure.connectivity import connectivity
from space.wording import short
from tests.dashboard import stores
from tests.support.samples import mixers


@pytest.mark.parametrize("index", [0, 7, 33])
def test_a_network_has_its_stages_and_their_costs(index: int) -> None:
    point = stores.points(40)[index][1]
    made = plot_architecture(point)
    texts = " ".join(text for trace in made.data for text in trace.text)
    for number, stage in enumerate(point.stages, 1):
        spent = part_costs(point)[f"stage {number}"]
        assert f"{short(spent.params)} params · {short(spent.macs)} FLOPs" in texts
        assert f"{stage.width} channels" in texts
    assert point.id in made.layout.title.subtitle.text


@pytest.mark.parametrize("mixer", mixers(), ids=lambda mixer: mixer.label)
def test_the_masks_are_the_mixers(mixer: Mixer) -> None:
    for shifted in (False, True):
        positions, channels = plot_connectivity(mixer, size=(4, 5), shifted=shifted).data[:2]
        width = fitting_width(mixer, 8)
        masks = connectivity(mixer, width, MapSize(4, 5), shifted, factors=True)
        np.testing.assert_array_equal(positions.z, masks.positions)
        np.testing.assert_array_equal(channels.z, masks.channels)
    assert not width_problems(mixer, width)
    assert not [w for w in range(8, width) if not width_problems(mixer, w)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"size": (0, 3)}, "size: "),
        ({"size": (17, 3)}, "size: "),
        ({"size": (3,)}, "size: "),
        ({"width": 257}, "width: 257 is not allowed; must be 1 to 256"),
        ({"width": 7}, "heads: 2 does not divide 7"),
    ],
)
def test_a_size_that_cannot_be_is_refused(asked: dict[str, object], said: str) -> None:
    attention = next(mixer for mixer in mixers() if mixer.heads == 2)
    with pytest.raises(InputError) as refused:
        plot_connectivity(attention, **asked)  # type: ignore[arg-type]
    assert str(refused.value).startswith(said)
