"""Memory of a whole network (mirrors `space.networks.network`)."""

from space.architecture import Architecture, Stage
from space.cost.activations.memory import Memory
from space.cost.activations.pieces import (
    downsample_memory,
    head_memory,
    map_bytes,
    place_memory,
    stem_memory,
)
from space.geometry import MapSize


def memory(architecture: Architecture, batch_size: int = 1) -> Memory:
    """Activations of the network for a batch in float32, in bytes.

    Args:
        architecture: the network.
        batch_size: images in the batch, at least 1.
    """
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
        place_memory(architecture.scaffold, mixer, place, step, depth, width, hidden, size, batch)
        for place, mixer in enumerate(stage.mixers)
    ]
    return Memory(
        sum(place.training_bytes for place in places),
        max(place.inference_bytes for place in places),
        sum(place.moved_bytes for place in places),
    )
