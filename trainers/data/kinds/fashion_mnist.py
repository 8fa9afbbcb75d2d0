"""Finds Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, MIT licence): embedded, local, downloaded."""

from functools import cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.error import URLError

from pydantic import StrictBool, model_validator

from space.errors import InputError
from space.input.paths import Folder, cache_folder, is_file, is_folder
from trainers.data.data_config import DataConfig
from trainers.data.data_kind import DataShape, Part
from trainers.data.idx import read_idx
from trainers.data.labelled_images import LabelledImages
from trainers.data.resident_kind import ResidentKind

EMBEDDED = Path(__file__).parents[1] / "embedded"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CLASSES = 10
EDGE = 28
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
MEAN, STD = 0.2860, 0.3530
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


class FashionMnistConfig(DataConfig):
    """Fashion-MNIST.

    Attributes:
        source: "embedded" is the subset of real images that comes with the package. "full" looks
            in `folder`, or else in Debian's package dataset-fashion-mnist and in the cache of an
            earlier download, and downloads what is nowhere. "auto" looks in the same places and
            falls back on the embedded subset.
        folder: where the four files lie.
        download: let "auto" download too.
    """

    name: Literal["fashion-mnist"] = "fashion-mnist"
    source: Literal["auto", "embedded", "full"] = "embedded"
    folder: Folder | None = None
    download: StrictBool = False

    @model_validator(mode="after")
    def _folder_fits(self) -> Self:
        if self.source == "embedded":
            if self.folder is not None:
                message = f"only with source 'auto' or 'full'; got {str(self.folder)!r}"
                raise InputError.of("folder", message)
            if self.download:
                raise InputError.of("download", "only with source 'auto' or 'full'")
        return self


class FashionMnist(ResidentKind):
    """70,000 articles of clothing in grey, 28×28 pixels, in ten classes."""

    Config = FashionMnistConfig
    config: FashionMnistConfig
    normalisation = MEAN, STD

    def shape(self) -> DataShape:
        """That of Fashion-MNIST; where a folder is named, it must hold the files."""
        if self.config.folder is not None:
            locate(self.config)
        return DataShape(self.config.name, 1, EDGE, EDGE, CLASSES, CLASS_NAMES)

    def load(self, part: Part, **options: Any) -> LabelledImages:
        """All images of a part."""
        return load_part(self.config, part)


def load_part(config: FashionMnistConfig, part: Part) -> LabelledImages:
    """Read the training or the test images from where the configuration says.

    Only `trainers.data.opening` may ask for "test".

    Raises:
        InputError: naming the folder or file that is missing or corrupt.
    """
    folder = locate(config)
    if folder == EMBEDDED and part == "train":
        return _embedded_training_part()
    return _read(folder, part)


@cache
def _embedded_training_part() -> LabelledImages:
    """Comes with the package, and cannot change while this runs: unpacked once, for all trials."""
    return _read(EMBEDDED, "train")


def _read(folder: Path, part: Part) -> LabelledImages:
    images_path, labels_path = (_present(folder, stem) or folder / stem for stem in FILES[part])
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (EDGE, EDGE):
        message = f"{images_path} holds images of {images.shape[1:]}, not of ({EDGE}, {EDGE})"
        raise InputError.of("data.folder", message)
    if len(images) != len(labels):
        message = f"{images_path} holds {len(images)} images, {labels_path} {len(labels)} labels"
        raise InputError.of("data.folder", message)
    if labels.max() >= CLASSES:
        message = f"{labels_path} holds label {labels.max()}; the classes are 0 to {CLASSES - 1}"
        raise InputError.of("data.folder", message)
    return LabelledImages(images, labels, MEAN, STD, CLASS_NAMES)


def locate(config: FashionMnistConfig) -> Path:
    """The folder with the idx files; downloads when the configuration allows it.

    Raises:
        InputError: saying where it looked.
    """
    if config.source == "embedded":
        return EMBEDDED
    if config.folder is not None:
        return _given(config.folder)
    cache = cache_folder()
    for folder in (DEBIAN, *([] if cache is None else [cache / "FashionMNIST" / "raw"])):
        if _holds_all(folder):
            return folder
    if config.source == "full" or config.download:
        return download(cache)
    return EMBEDDED


def _given(folder: Path) -> Path:
    if not is_folder(folder):
        raise InputError.of("data.folder", f"{folder} is not a folder")
    # torchvision keeps the files two levels down; a person may name either folder.
    for candidate in (folder, folder / "FashionMNIST" / "raw"):
        if _holds_all(candidate):
            return candidate
    names = ", ".join(f"{stem}[.gz]" for stems in FILES.values() for stem in stems)
    raise InputError.of("data.folder", f"{folder} does not hold all of {names}")


def _holds_all(folder: Path) -> bool:
    return all(_present(folder, stem) for stems in FILES.values() for stem in stems)


def _present(folder: Path, stem: str) -> Path | None:
    for name in (f"{stem}.gz", stem):
        if is_file(folder / name):
            return folder / name
    return None


def download(folder: Path | None) -> Path:
    """Fetch the four files into a cache folder.

    Returns:
        the folder with the idx files.

    Raises:
        InputError: if there is no folder, no way to the network, or it cannot be written.
    """
    if folder is None:
        message = "Fashion-MNIST is not on this machine, and you have no home to download it to"
        raise InputError.of("data.source", f"{message}; name a folder by MIXSPACE_CACHE")
    from space.torchvision_support import prepare_torchvision

    prepare_torchvision()
    from torchvision.datasets import FashionMNIST

    try:
        folder.mkdir(parents=True, exist_ok=True)
        FashionMNIST(str(folder), train=True, download=True)
    except (URLError, OSError, RuntimeError) as error:
        message = (
            f"Fashion-MNIST is not on this machine and could not be downloaded to {folder} "
            f"({error}); use source 'embedded', or install Debian's dataset-fashion-mnist"
        )
        raise InputError.of("data.source", message) from None
    return folder / "FashionMNIST" / "raw"
