"""Which outputs of a trained classifier serve for other data, by the names of the classes."""

from collections.abc import Sequence


def kept_outputs(before: Sequence[str], after: Sequence[str], classes: int) -> list[int] | None:
    """For each class the output of a classifier of as many that is for it; None where none serve.

    Args:
        before, after: names of the classes that it was trained on, and of those to come, in order;
            where one is empty the classes have no names, and are taken for the same.
        classes: how many there are, before and after.
    """
    if not before or not after:
        return list(range(classes))
    if {*before} != {*after}:
        return None
    places = {name: place for place, name in enumerate(before)}
    return [places[name] for name in after]
