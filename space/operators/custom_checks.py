"""Whether a custom mixer can be used and costs what it says, before anything is trained.

What it declares on the axes is looked at by `custom_marks`.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from space.cost.custom_cost import custom_cost
from space.custom import CustomMixer, MixerDefinition, registered_mixers
from space.custom.plugins import refuse_unimportable
from space.custom.registry import registered
from space.errors import InputError, Problem, refuse
from space.geometry import MapSize, width_problems
from space.mixer_types import LITERATURE_NAMES, PAPER_NAMES, is_operator_name
from space.operators.custom import CustomTokenMixer, built, called, first_line, map_names
from space.operators.custom_marks import differ, mark_problems
from space.operators.tracing import traced_cost
from space.wording import did_you_mean

_SEED = 20
_BATCH = 3


def check_custom_mixer(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    """What makes a mixer useless for a search, in the order in which it would be met.

    Args:
        mixer: registered, with its options.
        width: channels of a map that it is to mix.
        size: of that map, in positions.

    Returns:
        Nothing, or what is wrong; the places are fields of its registration, or empty.
    """
    try:
        refuse_unimportable(mixer.definition, "factory")
        refuse(_relative_problems(mixer.definition))
        problems = width_problems(mixer, width) or list(_use_problems(mixer, width, size))
        if not problems:
            problems = [*_cost_problems(mixer, width, size), *mark_problems(mixer, width, size)]
    except InputError as error:
        problems = list(error.problems)
    return problems


def check_size(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    """What is quick to see at one more width: whether it is built, keeps the shape, has its cost.

    Args:
        mixer, width, size: as of `check_custom_mixer`, which the mixer has passed at another width.
    """
    try:
        return list(_cost_problems(mixer, width, size))
    except InputError as error:
        return list(error.problems)


def _relative_problems(definition: MixerDefinition) -> Iterator[Problem]:
    own = [each.name for each in registered_mixers()]
    for name in definition.relatives:
        if not is_operator_name(name) and registered(name) is None:
            hint = did_you_mean(name, [*PAPER_NAMES, *LITERATURE_NAMES.values(), *own])
            yield Problem("relatives", f"no operator is named {name!r}{hint}")


# --- use ------------------------------------------------------------------------------------------


def _use_problems(mixer: CustomMixer, width: int, size: MapSize) -> Iterator[Problem]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        # As networks are trained: channels last, which rearranges parameters of four axes too.
        module = built(mixer, width, size)
        unfit = [*_order_problems(module), *_training_problems(module)]
        if unfit:
            yield from unfit
            return
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (_BATCH, width, size.height, size.width)
        values, context = (
            torch.randn(shape).to(memory_format=torch.channels_last) for _ in range(2)
        )
        trained = called(module.train(), values.requires_grad_(), context.requires_grad_())
        yield from _result_problems(trained, values)
        if trained.shape != values.shape or not trained.isfinite().all():
            return
        yield from _gradient_problems(module, trained)
        module.eval()
        with torch.no_grad():
            whole = called(module, values, context)
            again = called(module, values, context)
            each = [called(module, v[None], c[None]) for v, c in zip(values, context, strict=True)]
    if not torch.equal(whole, again):
        yield Problem("", "gives different results for the same map, in eval mode")
    elif differ(whole, torch.cat(each), 1e-3):
        message = "gives an image another result when other images are in its batch, in eval mode"
        yield Problem("", message)


def _order_problems(module: CustomTokenMixer) -> Iterator[Problem]:
    names = map_names(module.module)
    if len(names) > 2:
        yield Problem("forward", f"takes {', '.join(names)}; it is given values and context")
    elif names[:1] == ["context"]:
        yield Problem("forward", "takes the context first; it is given (values, context)")


def _training_problems(module: CustomTokenMixer) -> Iterator[Problem]:
    """What a training does to every network besides calling it."""
    for name, each in module.named_parameters():
        if not each.is_floating_point():
            where = name.removeprefix("module.")
            yield Problem("forward", f"the parameter {where} is {each.dtype}; AdamW wants floats")
    try:
        copy.deepcopy(module)  # the moving average of weights is a copy
    except Exception as error:  # noqa: BLE001  whatever the code of others raises
        said = f"{type(error).__name__}: {first_line(error)}"
        yield Problem(
            "factory", f"its module cannot be copied, as an average of weights is: {said}"
        )


def _result_problems(result: Tensor, values: Tensor) -> Iterator[Problem]:
    if result.shape != values.shape:
        shapes = (list(values.shape), list(result.shape))
        yield Problem("forward", f"changes the shape of the map: from {shapes[0]} to {shapes[1]}")
    if result.dtype != values.dtype:
        yield Problem("forward", f"changes the dtype of the map: to {result.dtype}")
    if not result.isfinite().all():
        share = (~result.isfinite()).float().mean().item()
        yield Problem("forward", f"{share:.1%} of its result for normal values is NaN or infinite")


def _gradient_problems(module: nn.Module, result: Tensor) -> Iterator[Problem]:
    if not result.requires_grad:
        yield Problem("forward", "its result has no gradient, so that nothing before it can learn")
        return
    result.square().mean().backward()
    bad = [
        name
        for name, each in module.named_parameters()
        if each.grad is not None and not each.grad.isfinite().all()
    ]
    if bad:
        names = ", ".join(name.removeprefix("module.") for name in bad[:5])
        yield Problem("forward", f"gradients of {names} are NaN or infinite")


# --- cost -----------------------------------------------------------------------------------------


def _cost_problems(mixer: CustomMixer, width: int, size: MapSize) -> Iterator[Problem]:
    """Formulas are held to what is built; a sum that torch's counter misses may be counted."""
    params, macs, _ = custom_cost(mixer, width, size)  # traced where there is no formula
    definition = mixer.definition
    if definition.params is None and definition.macs is None:
        return
    at = f"at width {width} on {size.height}×{size.width}"
    module = built(mixer, width, size)
    has = sum(each.numel() for each in module.parameters() if each.requires_grad)
    if params != has:
        yield Problem("params", f"the formula gives {params:,} {at}, and the module has {has:,}")
    try:
        counted = traced_cost(mixer, width, size)[1]
    except InputError as error:
        if any(problem.where == "forward" for problem in error.problems):
            raise
        return  # it has a formula because it cannot be traced
    if macs < counted:
        message = f"the formula gives {macs:,} {at}, and torch's counter sees {counted:,}"
        yield Problem("macs", message)
