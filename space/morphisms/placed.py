"""Where an operator stands, in the words of `space.inclusion`."""

from space.inclusion.place import Place
from space.operators import TokenMixer


def placed(operator: TokenMixer) -> Place:
    """The mixer with its map, as its inclusions are decided."""
    return Place(operator.mixer, operator.width, operator.size, operator.plan.shifted)
