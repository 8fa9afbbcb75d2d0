"""Memory of a network's activations, from its pieces, each by itself and cached.

A piece is traced with an input that its caller holds; what else the network holds at that time is
added in `memory`, as `space.networks.network` runs the pieces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from space.architecture import (
    Architecture,
    BlockType,
    Downsample,
    Head,
    Input,
    Stage,
    Stem,
    refuse_other_than_architecture,
)
from space.axes import Locality
from space.cost import block_memory
from space.cost.mixer_memory import token_mixer
from space.cost.network_cost import LARGE, SMALL
from space.cost.tape import FLOAT, Tape, Tensor
from space.geometry import MapSize
from space.mixer import Mixer


@dataclass(frozen=True, slots=True)
class Memory:
    """Activations of a network or of a part of it, for one batch of images in float32.

    The model is eager PyTorch with images of three axes and channels last between the blocks, as
    `space.networks` runs. What a backend keeps for itself inside one operation is not in it.

    Attributes:
        training_bytes: tensors that autograd saves in a training step, without the parameters:
            each storage once, as `torch.autograd.graph.saved_tensors_hooks` sees them.
        inference_bytes: the largest sum of activations that are alive at the same time in a
            forward pass without gradients, the images included.
        moved_bytes: what the operations of a forward pass read and write: every operation reads
            its inputs and its parameters once and writes its output once, copies are operations,
            views are free.
    """

    training_bytes: int = 0
    inference_bytes: int = 0
    moved_bytes: int = 0


def memory(architecture: Architecture, batch_size: int = 1) -> Memory:
    """Activations of the network for a batch in float32, in bytes.

    Args:
        architecture: the network.
        batch_size: images in the batch, at least 1.

    Raises:
        InputError: for what is no architecture.
    """
    refuse_other_than_architecture(architecture)
    image, stages, sizes = architecture.input, architecture.stages, architecture.stage_sizes()
    images = map_bytes(image.channels, MapSize(image.height, image.width), batch_size)
    pieces = [stem_memory(image, architecture.stem, stages[0].width, batch_size)]
    peaks, held = [pieces[0].inference_bytes], images
    for index, (stage, size) in enumerate(zip(stages, sizes, strict=True)):
        if index:
            before, larger = stages[index - 1].width, sizes[index - 1]
            kind = architecture.downsample
            pieces.append(downsample_memory(before, stage.width, larger, kind, batch_size))
            # The maps of all stages are held; the last one is the input of this piece.
            peaks.append(held + pieces[-1].inference_bytes)
            held += map_bytes(before, larger, batch_size)
        pieces.append(_stage(architecture, stage, size, batch_size))
        peaks.append(held + pieces[-1].inference_bytes)
    pieces.append(head_memory(stages[-1].width, sizes[-1], architecture.head, batch_size))
    peaks.append(images + pieces[-1].inference_bytes)
    return Memory(
        sum(piece.training_bytes for piece in pieces),
        max(peaks),
        sum(piece.moved_bytes for piece in pieces),
    )


def _stage(architecture: Architecture, stage: Stage, size: MapSize, batch: int) -> Memory:
    step, depth, width, hidden = len(stage.mixers), stage.depth, stage.width, stage.hidden_width
    places = [
        place_memory(architecture.block_type, mixer, place, step, depth, width, hidden, size, batch)
        for place, mixer in enumerate(stage.mixers)
    ]
    return Memory(
        sum(place.training_bytes for place in places),
        max(place.inference_bytes for place in places),
        sum(place.moved_bytes for place in places),
    )


def map_bytes(width: int, size: MapSize, batch: int) -> int:
    """Bytes of a batch of maps in float32."""
    return FLOAT * batch * width * size.positions


def _traced(batch: int, size: int, piece: Callable[[Tape, Tensor], Tensor]) -> Memory:
    t = Tape(batch)
    piece(t, t.make(size))
    return Memory(t.saved, t.peak, t.moved)


@lru_cache(SMALL)
def stem_memory(image: Input, stem: Stem, width: int, batch: int) -> Memory:
    """From images to the map of the first stage."""
    images = map_bytes(image.channels, MapSize(image.height, image.width), batch)
    return _traced(batch, images, lambda t, x: block_memory.stem(t, x, image, width, stem))


@lru_cache(SMALL)
def downsample_memory(
    before: int, after: int, larger: MapSize, kind: Downsample, batch: int
) -> Memory:
    """From one stage's map, of size `larger`, to the next."""
    return _traced(
        batch,
        map_bytes(before, larger, batch),
        lambda t, x: block_memory.downsample(t, x, before, after, larger.reduced(2), kind),
    )


@lru_cache(SMALL)
def head_memory(width: int, size: MapSize, head: Head, batch: int) -> Memory:
    """From the last map to logits."""
    return _traced(
        batch,
        map_bytes(width, size, batch),
        lambda t, x: block_memory.head(t, x, width, head.classes, head.norm),
    )


@lru_cache(LARGE)
def _block(
    block_type: BlockType,
    mixer: Mixer,
    width: int,
    hidden: int,
    size: MapSize,
    shifted: bool,
    batch: int,
) -> Memory:
    def piece(t: Tape, x: Tensor) -> Tensor:
        def mix(values: Tensor, context: Tensor) -> Tensor:
            return token_mixer(t, mixer, width, size, shifted, values, context)

        return block_memory.BLOCKS[block_type](t, mix, width, hidden, x)

    return _traced(batch, map_bytes(width, size, batch), piece)


@lru_cache(LARGE)
def place_memory(
    block_type: BlockType,
    mixer: Mixer,
    place: int,
    step: int,
    depth: int,
    width: int,
    hidden: int,
    size: MapSize,
    batch: int,
) -> Memory:
    """All blocks of a stage at one place of its pattern, together with the stage's input.

    Args:
        place, step, depth: the blocks are range(place, depth, step).
        block_type, mixer, width, hidden, size: of these blocks.
        batch: images.
    """
    windowed = mixer.locality is Locality.WINDOW
    training = inference = moved = 0
    for number in range(place, depth, step):
        block = _block(block_type, mixer, width, hidden, size, windowed and number % 2 == 1, batch)
        # A sequence of blocks holds its input until the last of them has returned.
        held = map_bytes(width, size, batch) if number else 0
        training += block.training_bytes
        inference = max(inference, held + block.inference_bytes)
        moved += block.moved_bytes
    return Memory(training, inference, moved)
