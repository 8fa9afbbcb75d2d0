"""Writes scenes, pictures with the things on them, as folders of COCO's and of ADE20K's shape."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Thing:
    """One thing: the name of its class, and its pixels (H, W) bool."""

    name: str
    mask: NDArray[np.bool_]
    polygon: list[float] | None = None
    crowd: bool = False

    @property
    def box(self) -> list[float]:
        """x, y, width and height around its pixels."""
        rows, columns = (np.flatnonzero(self.mask.any(axis)) for axis in (1, 0))
        top, left = int(rows[0]), int(columns[0])
        return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3) uint8, its things, and what else it shows, by name (H, W) bool."""

    picture: NDArray[np.uint8]
    things: tuple[Thing, ...] = ()
    stuff: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's run lengths, not compressed: column by column, zeros first."""
    flat = np.concatenate([[0], mask.flatten(order="F").astype(np.int8), [0]])
    changes = np.flatnonzero(np.diff(flat[:-1])).tolist()
    counts = np.diff([0, *changes, mask.size]).tolist()
    return {"size": list(mask.shape), "counts": counts}


def coco_content(scenes: Sequence[Scene], classes: Sequence[str], **names: Any) -> dict[str, Any]:
    """What stands in a file of annotations; numbers of categories have gaps, as COCO's have."""
    numbers = {name: 1 + 3 * i for i, name in enumerate(classes)}
    images = [
        {"id": 100 + i, "file_name": f"{i:05}.png", "height": h, "width": w}
        for i, (h, w) in enumerate(scene.picture.shape[:2] for scene in scenes)
    ]
    things = [(100 + i, thing) for i, scene in enumerate(scenes) for thing in scene.things]
    annotations = [
        {
            "id": 7 + i,
            "image_id": image,
            "category_id": numbers[thing.name],
            "bbox": thing.box,
            "area": int(thing.mask.sum()),
            "iscrowd": int(thing.crowd),
            "segmentation": [thing.polygon] if thing.polygon else run_lengths(thing.mask),
        }
        for i, (image, thing) in enumerate(things)
    ]
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_pictures(folder: Path, scenes: Sequence[Scene]) -> None:
    """00000.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, scene in enumerate(scenes):
        Image.fromarray(scene.picture).save(folder / f"{i:05}.png", compress_level=1)


def write_coco(
    folder: Path, train: Sequence[Scene], validation: Sequence[Scene], classes: Sequence[str]
) -> Path:
    """annotations/instances_*.json, train2017/ and val2017/."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for name, scenes in (("train2017", train), ("val2017", validation)):
        write_pictures(folder / name, scenes)
        text = json.dumps(coco_content(scenes, classes))
        (folder / "annotations" / f"instances_{name}.json").write_text(text)
    return folder


def index_mask(scene: Scene, classes: Sequence[str]) -> NDArray[np.uint8]:
    """(H, W) the number of each pixel's class, from 1; 0 where it is of none. Things lie on top."""
    found = np.zeros(scene.picture.shape[:2], np.uint8)
    layers = [*scene.stuff.items(), *((thing.name, thing.mask) for thing in scene.things)]
    for name, mask in layers:
        if name in classes:
            found[mask] = classes.index(name) + 1
    return found


def write_ade20k(
    folder: Path, train: Sequence[Scene], validation: Sequence[Scene], classes: Sequence[str]
) -> Path:
    """images/ and annotations/ with training/ and validation/, and objectInfo150.txt."""
    for name, scenes in (("training", train), ("validation", validation)):
        write_pictures(folder / "images" / name, scenes)
        masks = folder / "annotations" / name
        masks.mkdir(parents=True, exist_ok=True)
        for i, scene in enumerate(scenes):
            Image.fromarray(index_mask(scene, classes)).save(masks / f"{i:05}.png")
    head = "Idx\tRatio\tTrain\tVal\tName\n"
    lines = [f"{i}\t0.1\t10\t2\t{name}, or such\n" for i, name in enumerate(classes, 1)]
    (folder / "objectInfo150.txt").write_text(head + "".join(lines))
    return folder
