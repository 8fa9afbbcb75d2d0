"""An exported folder as a network again; nothing in it is executed."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from space import Architecture
from space.errors import InputError, Problem
from space.input.paths import given_path
from space.networks import Network
from trainers.export import class_names, infer_file, weights_file
from trainers.export.preprocessing import Preprocessing
from trainers.export.text_files import read_json

ARCHITECTURE, PREPROCESSING = "architecture.json", "preprocessing.json"


class LoadedNetwork(Network):
    """A trained network with what it takes to classify pictures by it.

    (B, channels, height, width) of float32, normalised as `preprocess` does it, to (B, classes).

    Args:
        architecture: what to build.
        classes: their names, in the order of the logits.
        preprocessing: what its validation pictures underwent.
    """

    def __init__(
        self, architecture: Architecture, classes: tuple[str, ...], preprocessing: Preprocessing
    ) -> None:
        super().__init__(architecture)
        self.classes, self.preprocessing = classes, preprocessing

    def preprocess(self, picture: Image.Image | Path | str) -> Tensor:
        """A picture as an input of the network, (channels, height, width) of float32.

        Args:
            picture: a file, or what Pillow has opened; it is read upright, transparency on the
                background of the training, and deep grey in eight bits.

        Raises:
            OSError: there is no such file, or it is no picture.
        """
        how = self.preprocessing.to_dict()
        if isinstance(picture, Image.Image):
            shown = infer_file.as_shown(picture, how["background"])
        else:
            shown = infer_file.read_picture(picture, how["background"])
        return infer_file.to_input(shown, how)


def load(folder: Path | str) -> LoadedNetwork:
    """The network of a folder that `export` wrote, with its trained weights.

    It is built from architecture.json and model.safetensors: no code of the folder runs, and
    nothing is unpickled.

        network = mixspace.load("exported")
        probabilities = network(network.preprocess("cat.jpg")[None]).softmax(1)[0]
        network.classes[int(probabilities.argmax())]

    Args:
        folder: with architecture.json, model.safetensors, preprocessing.json and classes.txt.

    Returns:
        The network on the CPU, in evaluation mode; its `classes` are the names in the order of
        the logits, its `preprocess` makes an input of a picture.

    Raises:
        InputError: a file is missing or damaged, or belongs to another network.
        OSError: the operating system does not let one be read.
    """
    place = given_path(folder, "folder")
    architecture = read_architecture(place)
    preprocessing = Preprocessing.from_dict(read_json(place / PREPROCESSING), PREPROCESSING)
    classes = class_names.read_classes(place / class_names.NAME, architecture)
    with torch.random.fork_rng(devices=()):  # first weights are drawn for nothing
        network = LoadedNetwork(architecture, classes, preprocessing)
    weights_file.read_weights(place / weights_file.NAME, architecture, network)
    return network.eval()


def read_architecture(folder: Path) -> Architecture:
    """The architecture of an exported folder.

    Raises:
        InputError: the file is missing, or holds no architecture.
    """
    values = read_json(folder / ARCHITECTURE)
    try:
        return Architecture.from_dict(values)
    except InputError as error:
        raise InputError(Problem(ARCHITECTURE, str(each)) for each in error.problems) from None
