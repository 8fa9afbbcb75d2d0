"""A custom mixer as a module: what its factory makes, called as every token mixer is."""

import inspect
from typing import Any

from torch import Tensor, nn

from space.custom import CustomMixer
from space.errors import InputError, refuse
from space.geometry import MapSize, width_problems


class CustomTokenMixer(nn.Module):
    """A registered mixer on maps of one size.

    Args:
        mixer: which, with its options.
        width: channels C of the map.
        size: height and width of the map, in positions.

    Raises:
        InputError: if it is not registered, or an option does not divide the width.
    """

    def __init__(self, mixer: CustomMixer, width: int, size: MapSize) -> None:
        super().__init__()
        definition = mixer.definition
        refuse(width_problems(mixer, width))
        self.mixer, self.width, self.size = mixer, width, size
        self.module: nn.Module = definition.factory(width, size, **mixer.all_options)
        self.takes_context = takes_context(self.module)

    def forward(self, values: Tensor, context: Tensor | None = None) -> Tensor:
        """Mixes the tokens.

        Args:
            values: (B, C, H, W), what is summed.
            context: (B, C, H, W), what dynamic weights are made from; the values by default. A
                module that takes one map alone does not see it.

        Returns:
            (B, C, H, W).
        """
        if self.takes_context:
            mixed: Tensor = self.module(values, values if context is None else context)
        else:
            mixed = self.module(values)
        return mixed

    def extra_repr(self) -> str:
        """The mixer in words, for the printed network."""
        return f"{self.mixer.label}, {self.width} channels, {self.size.height}×{self.size.width}"


def takes_context(module: nn.Module) -> bool:
    """Whether its `forward` takes two maps: what has a default is an option, and no context."""
    return len(map_names(module)) > 1


def map_names(module: nn.Module) -> list[str]:
    """What its `forward` calls the maps that it must be given."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return []
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        each.name
        for each in parameters
        if each.kind in places and (each.default is each.empty or each.name == "context")
    ]


def built(mixer: CustomMixer, width: int, size: MapSize) -> CustomTokenMixer:
    """The module.

    Raises:
        InputError: with what its factory says when it fails.
    """
    try:
        return CustomTokenMixer(mixer, width, size)
    except InputError:
        raise
    except Exception as error:
        on = f"width {width} on {size.height}×{size.width}"
        message = f"building it at {on} fails: {type(error).__name__}: {first_line(error)}"
        raise InputError.of("factory", message) from error


def called(module: CustomTokenMixer, values: Tensor, context: Tensor) -> Tensor:
    """Its result.

    Raises:
        InputError: with what it says when it fails, or what it returns that is no tensor.
    """
    try:
        result: Any = module(values, context)
    except Exception as error:
        shape = "×".join(map(str, values.shape))
        message = f"fails on a map of {shape}: {type(error).__name__}: {first_line(error)}"
        raise InputError.of("forward", message) from error
    if not isinstance(result, Tensor):
        raise InputError.of("forward", f"returns {type(result).__name__}, and no tensor")
    return result


def first_line(error: Exception) -> str:
    """What an error says first, in a few words."""
    return (str(error).splitlines() or [""])[0][:200]
