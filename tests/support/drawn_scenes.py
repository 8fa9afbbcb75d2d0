"""Scenes of drawn shapes: a few pixels, drawn in a moment, for tests that need no real pictures."""

import numpy as np
from numpy.typing import NDArray

from tests.support.scene_folders import Scene, Thing

CLASSES = ("square", "disk", "cross")
GROUND = "ground"
"""What lies in the lower half behind the shapes; the upper one is of no class."""

_COLOURS = {"square": (200, 40, 40), "disk": (40, 180, 60), "cross": (50, 70, 210)}


def draw_scenes(
    count: int, seed: int = 0, *, size: tuple[int, int] = (60, 80), most: int = 3
) -> list[Scene]:
    """Scenes of one to `most` shapes that may lie on each other, each class in a colour of its own.

    Args:
        size: height and width; every third picture has them exchanged.
    """
    generator = np.random.default_rng(seed)
    return [_scene(generator, size if i % 3 else size[::-1], most) for i in range(count)]


def _scene(generator: np.random.Generator, size: tuple[int, int], most: int) -> Scene:
    height, width = size
    picture = generator.integers(90, 140, (height, width, 3)).astype(np.uint8)
    ground = np.zeros((height, width), bool)
    ground[height // 2 :] = True
    picture[ground] //= 2
    things = []
    for _ in range(generator.integers(1, most + 1)):
        name = CLASSES[generator.integers(len(CLASSES))]
        thing = _shape(generator, name, height, width)
        noise = generator.integers(-20, 21, (int(thing.mask.sum()), 3))
        picture[thing.mask] = np.clip(_COLOURS[name] + noise, 0, 255)
        things.append(thing)
    return Scene(picture, _seen(things), {GROUND: ground})


def _seen(things: list[Thing]) -> tuple[Thing, ...]:
    """What can be seen of things that were laid on each other, where that is ten pixels or more."""
    found: list[Thing] = []
    covered = np.zeros_like(things[0].mask)
    for thing in reversed(things):
        mask = thing.mask & ~covered
        covered |= thing.mask
        if mask.sum() >= 10:
            whole = bool((mask == thing.mask).all())
            found.append(Thing(thing.name, mask, thing.polygon if whole else None))
    return tuple(found)


def _shape(generator: np.random.Generator, name: str, height: int, width: int) -> Thing:
    radius = int(generator.integers(5, min(height, width) // 5))
    y = int(generator.integers(radius, height - radius))
    x = int(generator.integers(radius, width - radius))
    rows, columns = np.ogrid[:height, :width]
    across, down = np.abs(columns - x), np.abs(rows - y)
    if name == "disk":
        return Thing(name, across**2 + down**2 < radius**2)
    inside: NDArray[np.bool_] = np.maximum(across, down) < radius
    if name == "cross":
        return Thing(name, inside & (np.minimum(across, down) <= max(1, radius // 4)))
    left, right, top, bottom = x - radius + 1, x + radius, y - radius + 1, y + radius
    return Thing(name, inside, [left, top, right, top, right, bottom, left, bottom])
