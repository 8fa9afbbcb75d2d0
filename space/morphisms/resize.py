"""A built network for images of another size, its weights carried over.

Weights that positions share, and those that a map makes, fit any size. Where a smaller map leaves
less of a window or kernel to use, the mixer is the canonical one of that map, and takes over what
is left of its weights, so that the network still is the one that its architecture describes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from space.architecture import Architecture, at_block
from space.axes import Locality
from space.canonical import canonical
from space.custom import CustomMixer
from space.errors import InputError, Problem, refuse
from space.geometry import MapSize, map_sizes
from space.mixer import Mixer
from space.morphisms.lift_mixer import lift_operator
from space.networks import Network
from space.networks.image_size import image_edges
from space.operators import CustomTokenMixer, TokenMixer
from space.torchvision_support import prepare_torchvision

AnyTokenMixer = TokenMixer | CustomTokenMixer
Windows = int | Sequence[int | None] | None


@torch.no_grad()
def resize(
    network: Network, img_size: int | Sequence[int] | None = None, window_size: Windows = None
) -> None:
    """Makes the network one for images of another size.

    Args:
        network: changed in place; its optimiser is to be made anew, as some parameters may be.
        img_size: an edge or (height, width), in pixels; None leaves it.
        window_size: of the stages' attention in windows: one for all, or one a stage, None leaving
            it. Windows larger than a map are as large as the map. Tables of relative positions are
            interpolated as timm does for Swin.

    Raises:
        InputError: naming every stage and block with weights for one size only; the network then
            stays as it is.
    """
    maps = _maps(network, img_size)
    windows = _windows(window_size, len(maps))
    problems: list[Problem] = []
    changed: list[tuple[MixerPlace, AnyTokenMixer]] = []
    for place in mixer_places(network):
        try:
            fitted = _fitted(place, maps[place.stage], windows[place.stage])
            changed.append((place, fitted))
        except InputError as error:
            problems += error.below(place.name).problems
    refuse(problems)
    for place, fitted in changed:
        place.put(fitted)
    if hasattr(network, "architecture"):
        network.architecture = _described(network.architecture, img_size, windows)


def _maps(network: Network, img_size: int | Sequence[int] | None) -> tuple[MapSize, ...]:
    if img_size is None:
        return tuple(place.mixer.size for place in mixer_places(network) if place.block == 0)
    image = MapSize(*image_edges(img_size))
    return map_sizes(image, network.stem.stem.patch_size, len(network.stages))


def _windows(window_size: Windows, stages: int) -> list[int | None]:
    each = [window_size] * stages if window_size is None or _is_edge(window_size) else window_size
    if not (isinstance(each, list | tuple) and len(each) == stages):
        message = f"{window_size!r:.80} is not allowed; an edge, or one for each of {stages} stages"
        raise InputError.of("window_size", message)
    refuse(
        Problem(f"window_size[{place}]", f"{edge!r:.80} is not allowed; 1 to 31, or None")
        for place, edge in enumerate(each)
        if edge is not None and not (_is_edge(edge) and 1 <= edge <= 31)
    )
    return list(each)


def _is_edge(value: object) -> bool:
    return type(value) is int


@dataclass(frozen=True)
class MixerPlace:
    """Where a token mixer stands in a network."""

    stage: int
    block: int
    parent: nn.Module
    child: str

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"stages[{self.stage}].blocks[{self.block}]"

    @property
    def mixer(self) -> AnyTokenMixer:
        """What stands there."""
        found = getattr(self.parent, self.child)
        assert isinstance(found, AnyTokenMixer)
        return found

    def put(self, mixer: AnyTokenMixer) -> None:
        """Let another stand there."""
        setattr(self.parent, self.child, mixer)


def mixer_places(network: Network) -> Iterator[MixerPlace]:
    """Where the token mixers of a network stand, from its first block on."""
    for stage, blocks in enumerate(network.stages):
        for index, block in enumerate(blocks.children()):
            for path, part in block.named_modules():
                if isinstance(part, AnyTokenMixer):
                    parent, _, child = path.rpartition(".")
                    yield MixerPlace(stage, index, block.get_submodule(parent), child)


def _fitted(place: MixerPlace, size: MapSize, window: int | None) -> AnyTokenMixer:
    """The mixer of a place for another map, with its weights; itself where nothing changes."""
    old = place.mixer
    mixer = _with_window(old.mixer, window, size)
    if size == old.size and mixer == old.mixer:
        return old
    moved = _moved(old, mixer, size)
    if isinstance(moved, CustomTokenMixer):
        return moved
    folded = at_block(canonical(mixer, old.width, size), place.block)
    return moved if folded == moved.mixer else _folded(moved, folded)


def _with_window(mixer: Mixer | CustomMixer, window: int | None, size: MapSize) -> Mixer:
    if window is None or mixer.is_custom or mixer.locality is not Locality.WINDOW:
        return mixer
    return mixer.changed(kernel_size=min(window, size.longest))


def _fresh(mixer: Mixer | CustomMixer, size: MapSize, like: AnyTokenMixer) -> AnyTokenMixer:
    """A new one, of which only what it computes of sizes is used; no random numbers are drawn."""
    with torch.random.fork_rng(devices=()), torch.device("cpu"):
        if isinstance(mixer, CustomMixer):
            return CustomTokenMixer(mixer, like.width, size)
        assert isinstance(like, TokenMixer)
        return TokenMixer(mixer, like.width, size, like.plan.shifted)


def _moved(old: AnyTokenMixer, mixer: Mixer | CustomMixer, size: MapSize) -> AnyTokenMixer:
    """The mixer on another map, with the parameters and statistics of the old one."""
    new = _fresh(mixer, size, old)
    kept = old.state_dict(keep_vars=True)
    for name, like in new.state_dict().items():
        value = kept.get(name)
        if value is None or value.shape != like.shape:
            value = _interpolated(name, value, old, new)
        path, _, leaf = name.rpartition(".")
        part = new.get_submodule(path)
        own = part._parameters if leaf in part._parameters else part._buffers
        own[leaf] = value
    return new.to(_device(old)).train(old.training)


def _interpolated(
    name: str, value: Tensor | None, old: AnyTokenMixer, new: AnyTokenMixer
) -> nn.Parameter:
    """A table of relative positions for another window; all else is bound to its size."""
    if value is None or not name.endswith(".position_bias"):
        raise bound_to_its_map(old, new)
    if not isinstance(old, TokenMixer) or not isinstance(new, TokenMixer):
        raise bound_to_its_map(old, new)
    before, after = old.plan.target_tile, new.plan.target_tile
    prepare_torchvision()  # timm imports torchvision
    from timm.layers import resize_rel_pos_bias_table

    entries = (2 * after[0] - 1) * (2 * after[1] - 1)
    table = resize_rel_pos_bias_table(value, after, (entries, value.shape[1]), before)
    return nn.Parameter(table, requires_grad=value.requires_grad)


def bound_to_its_map(old: AnyTokenMixer, new: AnyTokenMixer) -> InputError:
    """Why the weights of a mixer are none for another map, or other windows."""
    if old.mixer != new.mixer:
        what = f"windows of {old.mixer.kernel_size}", f"{new.mixer.kernel_size}"
    else:
        sizes = [f"{each.size.height}×{each.size.width}" for each in (old, new)]
        what = f"maps of {sizes[0]} positions", sizes[1]
    message = f"{old.mixer.label} has weights for {what[0]} alone, and none for {what[1]}"
    return InputError.of("mixer", f"{message}; build a network for that size")


def _folded(moved: TokenMixer, mixer: Mixer) -> TokenMixer:
    """The canonical mixer of the map, which computes the same, with what is left of the weights."""
    new = _fresh(mixer, moved.size, moved)
    assert isinstance(new, TokenMixer)
    like = next(moved.parameters(), torch.empty(0))
    new = new.to(like.device, like.dtype).train(moved.training).requires_grad_(like.requires_grad)
    try:
        lift_operator(moved, new)
    except InputError as error:
        size = f"{moved.size.height}×{moved.size.width}"
        message = f"{moved.mixer.label} on maps of {size} positions is {mixer.label}, and its"
        message += " weights cannot be carried over; build a network for that size"
        raise InputError.of("mixer", message) from error
    return new


def _device(module: nn.Module) -> torch.device:
    return next((each.device for each in module.parameters()), torch.device("cpu"))


def _described(
    architecture: Architecture, img_size: int | Sequence[int] | None, windows: list[int | None]
) -> Architecture:
    """The architecture that the resized network is of."""
    values = architecture.to_dict()
    if img_size is not None:
        height, width = image_edges(img_size)
        values["input"] |= {"height": height, "width": width}
    for stage, window in zip(values["stages"], windows, strict=True):
        for mixer in stage["mixers"]:
            if window is not None and mixer.get("locality") == Locality.WINDOW:
                mixer["kernel_size"] = window
    return Architecture.from_dict(values)
