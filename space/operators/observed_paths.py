"""Which path the token mixers of a network take, as it runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from space.operator_choice import PathName
from space.operators.token_mixer import WeightedSum


@contextmanager
def observed_paths(network: nn.Module) -> Iterator[dict[str, PathName]]:
    """The path of every token mixer that runs within it, by the name of its module.

    Those that are computed in one way alone are left out. What is seen is the maps themselves:
    under autocast they are of another type than the weights.
    """
    found: dict[str, PathName] = {}

    def watch(name: str, module: WeightedSum) -> Any:
        def note(module: Any, inputs: tuple[Any, ...]) -> None:
            if (path := module.path(inputs[0])) is not None:
                found[name] = path

        return module.register_forward_pre_hook(note)

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if isinstance(module, WeightedSum):
                stack.callback(watch(name, module).remove)
        yield found
