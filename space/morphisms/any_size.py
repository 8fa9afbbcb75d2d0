"""One network for images of any size, from batch to batch: as backbones of detection are.

`Network.set_input_size` makes a network one for another size. Here the sizes change with every
batch, the optimiser has its parameters already, and so these stay the very same objects: only
tiles, masks and indices are made anew, and those of the last sizes are kept.
"""

from collections import OrderedDict
from collections.abc import Iterator

import torch

from space.custom import CustomMixer
from space.errors import InputError, Problem
from space.geometry import MapSize, map_sizes
from space.morphisms.resize import AnyTokenMixer, bound_to_its_map, mixer_places
from space.networks import Network
from space.operators import CustomTokenMixer, TokenMixer
from space.operators.computed_buffers import ComputedBuffers

_KEPT = 8
"""Sizes whose masks are kept: a mask of large maps has megabytes."""


class AnySize:
    """The token mixers of a network, fitted to images of one size after the other.

    Args:
        network: whose mixers are exchanged for others with the same parameters and statistics. Its
            `architecture` stays that of the size that it was built for.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._at: tuple[int, int] | None = None
        self._kept: OrderedDict[tuple[int, int], list[AnyTokenMixer]] = OrderedDict()

    def fit(self, height: int, width: int) -> None:
        """Make it a network for images of this size, in pixels; computes nothing where it is one.

        Raises:
            InputError: naming every block whose weights are for one size only.
        """
        if self._at == (height, width):
            return
        places = list(mixer_places(self._network))
        fitted = self._kept.pop((height, width), None)
        if fitted is None:
            maps = _maps(self._network, height, width)
            fitted = [on_map(place.mixer, maps[place.stage]) for place in places]
        for place, mixer in zip(places, fitted, strict=True):
            place.put(mixer.train(place.mixer.training))
        self._kept[height, width] = fitted
        self._at = height, width
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget the kept ones, as after a move to another device, which leaves them behind."""
        self._kept.clear()
        self._at = None


def any_size_problems(network: Network) -> list[Problem]:
    """Why a network cannot take images of any size: its blocks with weights for one map only."""
    image = network.architecture.input
    # Two sizes, as one of them may be what it is for.
    others = [(2 * image.height + 64, 2 * image.width + 32), (image.height + 32, image.width + 64)]
    found: dict[str, Problem] = {}
    for height, width in others:
        maps = _maps(network, height, width)
        for problem in _problems(network, maps):
            found.setdefault(problem.where, problem)
    return list(found.values())


def _problems(network: Network, maps: tuple[MapSize, ...]) -> Iterator[Problem]:
    for place in mixer_places(network):
        try:
            on_map(place.mixer, maps[place.stage])
        except InputError as error:
            yield from error.below(place.name).problems


def _maps(network: Network, height: int, width: int) -> tuple[MapSize, ...]:
    patch, stages = network.stem.stem.patch_size, len(network.stages)
    return map_sizes(MapSize(height, width), patch, stages)


@torch.inference_mode(False)  # masks that a validation makes are used in training, too
@torch.no_grad()
def on_map(old: AnyTokenMixer, size: MapSize) -> AnyTokenMixer:
    """A mixer on a map of another size, with the parameters and statistics of the old one.

    They are shared, not copied: what is trained in one is trained in both. Kernels and windows keep
    their size, also where they cover the map. The old one itself where nothing depends on the map.

    Raises:
        InputError: its weights are for one map only.
    """
    if old.size == size or (isinstance(old, TokenMixer) and old.plan.takes_any_size):
        return old
    new = _shell(old, size)
    kept = old.state_dict(keep_vars=True)
    for name, like in new.state_dict().items():
        value = kept.get(name)
        if value is None or value.shape != like.shape:
            raise bound_to_its_map(old, new)
        path, _, leaf = name.rpartition(".")
        part = new.get_submodule(path)
        own = part._parameters if leaf in part._parameters else part._buffers
        own[leaf] = value
    device = next((each.device for each in old.parameters()), torch.device("cpu"))
    if isinstance(new, CustomTokenMixer):
        return new.to(device)
    for part in new.modules():
        if isinstance(part, ComputedBuffers):
            with torch.device(device):
                part.compute_buffers()
    return new


def _shell(old: AnyTokenMixer, size: MapSize) -> AnyTokenMixer:
    """A new one, of which only what follows from sizes is used; no random numbers are drawn."""
    if isinstance(old, CustomTokenMixer):
        assert isinstance(old.mixer, CustomMixer)
        # Its factory may compute what no meta device has.
        with torch.random.fork_rng(devices=()), torch.device("cpu"):
            return CustomTokenMixer(old.mixer, old.width, size)
    with torch.device("meta"):
        return TokenMixer(old.mixer, old.width, size, old.plan.shifted)
