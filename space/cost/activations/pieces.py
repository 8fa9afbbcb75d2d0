"""Memory of the pieces of a network, each by itself and remembered.

A piece is traced with an input that its caller holds; what else the network holds at that time is
added in `space.cost.activations.network`.
"""

from collections.abc import Callable

from space.architecture import BlockType, Downsample, Head, Input, Stem
from space.axes import Locality
from space.cost.activations import parts
from space.cost.activations.memory import Memory
from space.cost.activations.tape import FLOAT, Tape, Tensor
from space.cost.activations.token_mixer import token_mixer
from space.cost.remembering import LARGE, SMALL, remembered
from space.geometry import MapSize
from space.mixer import Mixer


def map_bytes(width: int, size: MapSize, batch: int) -> int:
    """Bytes of a batch of maps in float32."""
    return FLOAT * batch * width * size.positions


def _traced(batch: int, size: int, piece: Callable[[Tape, Tensor], Tensor]) -> Memory:
    t = Tape(batch)
    piece(t, t.make(size))
    return Memory(t.saved, t.peak, t.moved)


@remembered(SMALL)
def stem_memory(image: Input, stem: Stem, width: int, batch: int) -> Memory:
    """From images to the map of the first stage."""
    images = map_bytes(image.channels, MapSize(image.height, image.width), batch)
    return _traced(batch, images, lambda t, x: parts.stem(t, x, image, width, stem))


@remembered(SMALL)
def downsample_memory(
    before: int, after: int, larger: MapSize, kind: Downsample, batch: int
) -> Memory:
    """From one stage's map, of size `larger`, to the next."""
    return _traced(
        batch,
        map_bytes(before, larger, batch),
        lambda t, x: parts.downsample(t, x, before, after, larger.reduced(2), kind),
    )


@remembered(SMALL)
def head_memory(width: int, size: MapSize, head: Head, batch: int) -> Memory:
    """From the last map to logits."""
    return _traced(
        batch,
        map_bytes(width, size, batch),
        lambda t, x: parts.head(t, x, width, head.classes, head.norm),
    )


@remembered(LARGE)
def _block(
    scaffold: BlockType,
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

        return parts.BLOCKS[scaffold](t, mix, width, hidden, x)

    return _traced(batch, map_bytes(width, size, batch), piece)


@remembered(LARGE)
def place_memory(
    scaffold: BlockType,
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
        scaffold, mixer, width, hidden, size: of these blocks.
        batch: images.
    """
    windowed = mixer.locality is Locality.WINDOW
    training = inference = moved = 0
    for number in range(place, depth, step):
        block = _block(scaffold, mixer, width, hidden, size, windowed and number % 2 == 1, batch)
        # A sequence of blocks holds its input until the last of them has returned.
        held = map_bytes(width, size, batch) if number else 0
        training += block.training_bytes
        inference = max(inference, held + block.inference_bytes)
        moved += block.moved_bytes
    return Memory(training, inference, moved)
