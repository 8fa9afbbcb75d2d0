"""The same network for other images or classes."""

from space.architecture import Architecture


def varied(
    architecture: Architecture,
    *,
    num_classes: int | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Architecture:
    """The architecture for another number of classes, size of images or number of channels.

    Args:
        architecture: where the rest comes from.
        num_classes, image_size (height, width), channels: None leaves them as they are.

    Raises:
        InputError: for values that no architecture has.
    """
    values = architecture.to_dict()
    given = (num_classes, channels, *(image_size or (None, None)))
    fields = (("head", "classes"), ("input", "channels"), ("input", "height"), ("input", "width"))
    for (part, field), value in zip(fields, given, strict=True):
        if value is not None:
            values[part][field] = value
    return Architecture.from_dict(values)
