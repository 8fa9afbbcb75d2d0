"""Downloads the full Fashion-MNIST with torchvision, which checks the sums of the files."""

from pathlib import Path
from urllib.error import URLError

from space.errors import InputError
from space.torchvision_support import prepare_torchvision


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
