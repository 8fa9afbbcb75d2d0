"""How a picture becomes an input, as the evaluation of a training has it, in plain values."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from space import Architecture
from space.errors import InputError
from trainers.protocol import Decoded, Protocol

FORMAT = "mixspace preprocessing 1"
_LONGEST_SHARE = 8
"""As in `trainers.data.augmentation`: more of a very long picture no centre crop reaches."""


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
    def of(
        cls,
        architecture: Architecture,
        protocol: Protocol,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> "Preprocessing":
        """What validation and test images undergo.

        Images in memory have the size of the input; pictures of another size are brought to it.

        Args:
            architecture, protocol: of the training.
            mean, std: as the description of its data has them (`trainers.describe_data`).
        """
        image, chosen = architecture.input, protocol.augmentation
        edge, share = max(image.height, image.width), 1.0
        if protocol.data in get_args(Decoded):
            # As timm's transforms_factory: the crop's edge over its share, rounded down.
            edge, share = math.floor(chosen.image_size / chosen.test_crop), chosen.test_crop
        fixed = "bicubic" if chosen.interpolation == "random" else chosen.interpolation
        shape = (image.channels, image.height, image.width)
        scale = (_each(mean, image.channels), _each(std, image.channels))
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


def _each(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """A number for each channel, where one may stand for all."""
    return tuple(map(float, values)) * (channels if len(values) == 1 else 1)
