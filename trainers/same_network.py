"""Which networks are the same but for their data: images of another size, other classes."""

from typing import Any

from space import Architecture


def apart_from_data(architecture: Architecture) -> dict[str, Any]:
    """What of an architecture depends neither on the size of images nor on the number of classes.

    Two with an equal one can take over each other's weights, all but the classifier.
    """
    values = architecture.to_dict()
    for field in ("height", "width"):
        del values["input"][field]
    del values["head"]["classes"]
    return values
