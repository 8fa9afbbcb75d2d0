"""Where files of annotations in COCO's format lie, and the pictures that they are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from space.errors import InputError, Problem, refuse
from space.input.paths import is_file, is_folder, shown_path
from trainers.transfer.data.data_config import TransferDataConfig

_TRAIN, _VALIDATION = ("train", "training"), ("val", "valid", "validation")
_INSTANCES = "instances_"
_BESIDE = ("_annotations.coco.json", "annotations.json", "instances.json", "labels.json")
"""Files of annotations that lie in the folder of a part, in the order in which they are looked for:
Roboflow's name first, FiftyOne's last."""
_ALONE = (*_BESIDE, "annotations/instances.json", "result.json")
"""Such files where there is one for all pictures; result.json is Label Studio's."""
_LOOKED_AT = 50
"""Pictures by which their folder is found."""


@dataclass(frozen=True, slots=True)
class CocoPart:
    """A part of the data.

    Attributes:
        annotations: the file.
        places: folders that its file names may be paths from; the likeliest first.
    """

    annotations: Path
    places: tuple[Path, ...]

    def folder_of(self, files: Sequence[str]) -> Path:
        """The folder where most of the first pictures are that the file names.

        Raises:
            InputError: none of them is in any.
        """
        first = files[:_LOOKED_AT]
        counts = [sum(is_file(place / each) for each in first) for place in self.places]
        if any(counts):
            return self.places[counts.index(max(counts))]
        looked = ", ".join(shown_path(str(place)) for place in self.places)
        message = (
            f"none of the pictures of {shown_path(str(self.annotations))} is there, such as "
            f"{shown_path(first[0])}; looked in {looked}"
        )
        raise InputError.of("data.folder", message)


def find_coco_parts(config: TransferDataConfig) -> tuple[CocoPart, CocoPart | None]:
    """Training part, and validation part where there is one. No test part is looked at.

    Raises:
        InputError: naming what is missing, and what could be meant in several ways.
    """
    folder = config.folder
    if not is_folder(folder):
        raise InputError.of("data.folder", f"{shown_path(str(folder))} is no folder")
    refuse(_problems_of_paths(config))
    train = _annotations_of(folder, _TRAIN, config.train_annotations)
    alone = train is None
    if train is None:
        train = next((folder / name for name in _ALONE if is_file(folder / name)), None)
    if train is None:
        raise InputError.of("data.folder", _nothing_found(folder))
    held_out = _annotations_of(folder, _VALIDATION, config.validation_annotations)
    if alone and held_out is not None and config.train_annotations is None:
        message = (
            f"{shown_path(str(held_out))} is for validation, and there are no annotations to "
            "train on"
        )
        raise InputError.of("data.folder", message)
    if held_out is None:
        return _part(folder, train, config.train_images), None
    return (
        _part(folder, train, config.train_images),
        _part(folder, held_out, config.validation_images),
    )


def _problems_of_paths(config: TransferDataConfig) -> Iterable[Problem]:
    """What was named and is not there."""
    for name in ("train_annotations", "validation_annotations"):
        path = getattr(config, name)
        if path is not None and not is_file(config.folder / path):
            yield Problem(f"data.{name}", f"{shown_path(str(config.folder / path))} is no file")
    for name in ("train_images", "validation_images"):
        path = getattr(config, name)
        if path is not None and not is_folder(config.folder / path):
            yield Problem(f"data.{name}", f"{shown_path(str(config.folder / path))} is no folder")


def _annotations_of(folder: Path, names: tuple[str, ...], given: Path | None) -> Path | None:
    """The one file of annotations of a part."""
    if given is not None:
        return folder / given
    found = [*_named(folder / "annotations", names), *_beside(folder, names)]
    if len(found) > 1:
        shown = ", ".join(shown_path(str(path)) for path in found)
        field = "train_annotations" if names == _TRAIN else "validation_annotations"
        message = f"say which it is, there are {len(found)}: {shown}"
        raise InputError.of(f"data.{field}", message)
    return found[0] if found else None


def _named(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Files such as instances_train2017.json, or else train.json."""
    if not is_folder(folder):
        return []
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json")
    instances = [path for path in files if path.stem.startswith(_INSTANCES)]
    found = [path for path in instances if _is_of(path.stem.removeprefix(_INSTANCES), names)]
    return found or [path for path in files if _is_of(path.stem, names)]


def _is_of(stem: str, names: tuple[str, ...]) -> bool:
    """Whether a name is that of a part, perhaps with a year behind it."""
    return stem.lower().rstrip("0123456789").rstrip("_-") in names


def _beside(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """A file of annotations in the folder of a part."""
    found = []
    for name in names:
        known = (folder / name / each for each in _BESIDE)
        if (path := next((path for path in known if is_file(path)), None)) is not None:
            found.append(path)
    return found


def _part(folder: Path, annotations: Path, given: Path | None) -> CocoPart:
    """The part with the folders where its pictures may be."""
    if given is not None:
        return CocoPart(annotations, (folder / given,))
    beside, name = annotations.parent, annotations.stem.removeprefix(_INSTANCES)
    places = (
        *(folder / name, folder / "images" / name, beside, beside / "images", beside / "data"),
        *(folder / "images", folder),
    )
    return CocoPart(annotations, tuple(filter(is_folder, dict.fromkeys(places))))


def _nothing_found(folder: Path) -> str:
    place = shown_path(str(folder))
    return (
        f"{place} holds no annotations in COCO's format: neither annotations/instances_train*.json,"
        f" nor train/ with {_BESIDE[0]}, nor one of {', '.join(_ALONE)}; data.train_annotations "
        "names another file"
    )
