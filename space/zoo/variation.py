"""The same network for other images or classes."""

from dataclasses import replace

from space.architecture import Architecture, Head, Input


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
    image, head = architecture.input, architecture.head
    height, width = image_size or (image.height, image.width)
    image = Input(image.channels if channels is None else channels, height, width)
    head = Head(head.classes if num_classes is None else num_classes, head.norm)
    # Through the checked form: sizes and classes come from outside.
    return Architecture.from_dict(replace(architecture, input=image, head=head).to_dict())
