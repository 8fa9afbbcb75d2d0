"""What a person should know of a recipe on their data before the first trial; no error."""

import math

from space.wording import count
from trainers.data.describe import DataDescription
from trainers.protocol import Protocol

FEW_STEPS = 5
"""Steps an epoch up to which it is said how few they are."""

_LEAST = 2
"""Images of a batch that a protocol allows; a smaller one is no advice."""


def _known_recipes() -> dict[str, Protocol]:
    """Those that come with mixspace, by name: the rate, and the batch that it was found for."""
    return {
        "the default recipe": Protocol(),
        "the paper's ImageNet recipe": Protocol.paper_imagenet(),
        # As written in these files, which are no part of the package.
        "configs/quickstart.yaml": Protocol(learning_rate=0.015, batch_size=64),
        "configs/own-images.yaml": Protocol(learning_rate=0.01, batch_size=64),
    }


def notes_on_recipe(data: DataDescription) -> list[str]:
    """Sentences on what the protocol of the data comes to with so many images.

    None where there is nothing to say. They name the fields as they are written.
    """
    protocol, images = data.protocol, data.train_images
    return [
        *_of_the_samples(protocol, images),
        *_of_the_batch(protocol, images),
        *_of_the_warmup(protocol, protocol.steps_per_epoch(images)),
        *_of_the_rate(protocol),
    ]


def _of_the_samples(protocol: Protocol, images: int) -> list[str]:
    seen = protocol.samples_of_an_epoch(images) * protocol.epochs
    if seen >= images:
        return []
    return [
        f"The training sees {seen:,} of the {count(images, 'training image')}: "
        "protocol.samples_per_epoch times protocol.epochs."
    ]


def _of_the_batch(protocol: Protocol, images: int) -> list[str]:
    size, steps = protocol.batch_size, protocol.steps_per_epoch(images)
    samples = protocol.samples_of_an_epoch(images)
    found = []
    advice = ": a smaller protocol.batch_size gives more" if min(size, samples) > _LEAST else ""
    if size > samples:
        of = "sample" if protocol.samples_per_epoch else "training image"
        found.append(
            f"protocol.batch_size {size:,} is more than the {count(samples, of)}: "
            "every step takes all of them."
        )
    if steps <= FEW_STEPS:
        total = count(steps * protocol.epochs, "step")
        found.append(
            f"An epoch is {count(steps, 'step')} of {min(size, samples):,} images, the training "
            f"{total} in all{advice}."
        )
    return found


def _of_the_warmup(protocol: Protocol, steps: int) -> list[str]:
    warmup, epochs = protocol.warmup_epochs, protocol.epochs
    if 2 * warmup > epochs:
        when = (
            "never reached"
            if warmup == epochs
            else "only reached in the second half of the training"
        )
        return [
            f"The warm-up takes {warmup:g} of {count(epochs, 'epoch')}: protocol.learning_rate "
            f"is {when}."
        ]
    if warmup and not round(warmup * steps):
        return [f"protocol.warmup_epochs {warmup:g} is less than one step: there is no warm-up."]
    return []


def _of_the_rate(protocol: Protocol) -> list[str]:
    found = []
    for name, recipe in _known_recipes().items():
        rate, size = recipe.learning_rate, recipe.batch_size
        if not math.isclose(protocol.learning_rate, rate) or protocol.batch_size == size:
            continue
        ratio = protocol.batch_size / size
        found.append(
            f"protocol.learning_rate {rate:g} is that of {name}, for batches of {size:,}, and "
            f"protocol.batch_size is {protocol.batch_size:,}: in proportion (Swin's rule) it would "
            f"be {rate * ratio:.3g}, by the square root (timm's rule for Adam) "
            f"{rate * math.sqrt(ratio):.3g}."
        )
    return found
