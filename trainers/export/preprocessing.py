"""How a picture becomes an input, as the evaluation of a training has it, in plain values."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from space import Architecture
from space.errors import InputError
from trainers.data.fashion_mnist import MEAN, STD
from trainers.protocol import Protocol

FORMAT = "mixspace preprocessing 1"
_LONGEST_SHARE = 8
"""As in `trainers.data.augmentation`: more of a very long picture no centre crop reaches."""
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""By which timm's transforms normalise."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From a picture to (channels, height, width) of float32; `infer_file.to_input` applies it.

    Attributes:
        channels, height, width: of the input, in pixels.
        resize: shorter edge in pixels before the centre crop.
        crop_share: share of that edge that the crop keeps, timm's `crop_pct`, which gives `resize`.
        interpolation: of the resize, "bicubic" or "bilinear".
        background: what lies behind transparent pixels.
        mean, std: a number for each channel, as shares of white.
        longest_share: what is longer than so many times its shorter edge is cut before.
    """

    channels: int
    height: int
    width: int
    resize: int
    crop_share: float
    interpolation: str
    background: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    longest_share: int = _LONGEST_SHARE

    @classmethod
    def of(cls, architecture: Architecture, protocol: Protocol) -> "Preprocessing":
        """What validation and test images undergo under a protocol.

        Images in memory have the size of the input; pictures of another size are brought to it.

        Raises:
            InputError: for data of which nobody has written here how a picture becomes one of them.
        """
        image, chosen = architecture.input, protocol.augmentation
        shape = (image.channels, image.height, image.width)
        scale: tuple[tuple[float, ...], tuple[float, ...]]
        fixed = "bicubic" if chosen.interpolation == "random" else chosen.interpolation
        if protocol.data == "image-folder":
            # As timm's transforms_factory: the crop's edge over its share, rounded down.
            edge, share = math.floor(chosen.image_size / chosen.test_crop), chosen.test_crop
            scale = _IMAGENET_MEAN, _IMAGENET_STD
        elif protocol.data == "fashion-mnist":
            edge, share, scale = max(image.height, image.width), 1.0, ((MEAN,), (STD,))
        else:
            raise InputError.of("protocol.data", f"nothing here reads pictures as {protocol.data}")
        return cls(*shape, edge, share, fixed, chosen.background, *scale)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_dict(cls, values: object, where: str) -> "Preprocessing":
        """What `to_dict` gave.

        Raises:
            InputError: at `where`, for anything else.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise InputError.of(where, f"is no description of a preprocessing ({FORMAT!r})")
        try:
            fields = {name: values[name] for name in cls.__slots__}
            found = cls(**fields | {name: tuple(fields[name]) for name in ("mean", "std")})
        except (KeyError, TypeError) as error:
            raise InputError.of(where, f"is damaged ({error})") from None
        return found
