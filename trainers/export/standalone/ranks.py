"""What stands around a weighted sum: its bias, and the low-rank factors before and behind it."""

from collections.abc import Callable
from dataclasses import dataclass

from space.axes import Locality, Rank
from space.geometry import joint_rank
from trainers.export.standalone.draft import Draft, Uses, Value, method
from trainers.export.standalone.places import Place, Survey
from trainers.export.standalone.text import assign, call


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A class around weighted sums.

    Attributes:
        name: of the class, where it stands around one kind of sum alone.
        values: its arguments at a place of the network, and what else the text depends on.
        write: the text of the class, for sums that are given so many maps.
        modules: the arguments that are modules.
    """

    name: str
    values: Callable[[Place], dict[str, Value]]
    write: Callable[[Draft, Survey, int], str]
    modules: tuple[str, ...] = ("mixing",)


def wrapper(place: Place) -> Wrapper:
    """The class around the weighted sum at a place."""
    if place.mixer.rank is Rank.SPATIAL:
        return PYRAMID if place.mixer.locality is Locality.SLIDING else REDUCED
    return {Rank.FULL: FULL, Rank.CHANNEL: BOTTLENECK, Rank.JOINT: LOW_RANK}[place.mixer.rank]


def _head(survey: Survey) -> str:
    return f"forward(self, x: Tensor{', context: Tensor' * survey.two_maps}) -> Tensor"


def _maps(survey: Survey, count: int) -> str:
    """What a sum is given where its sources are not reduced."""
    return ", ".join(["x", *["context" if survey.two_maps else "x"] * (count - 1)])


def _bias_values(place: Place) -> dict[str, Value]:
    return {"width": place.width, "bias": bool(place.mixer.bias)}


def _bias(draft: Draft) -> list[str]:
    biased = draft.uses.values("bias")
    if not any(biased):
        return []
    made = f"nn.Parameter(torch.zeros({draft.term('width')}))"
    optional = "" if all(biased) else f" if {draft.term('bias')} else None"
    return assign("self.bias", made + optional)


def _plus_bias(draft: Draft, mixed: str) -> list[str]:
    """Returns what is mixed, with the bias where there is one."""
    biased = draft.uses.values("bias")
    if not any(biased):
        return [f"return {mixed}"]
    if all(biased):
        return [f"return {mixed} + self.bias[:, None, None]"]
    assigned = [] if mixed == "y" else [f"y = {mixed}"]
    return [*assigned, "return y if self.bias is None else y + self.bias[:, None, None]"]


def _context(survey: Survey, maps: int) -> str:
    """What is said of a context that is not read."""
    return "\n\nIts weights are static, and the context is not read." * (
        survey.two_maps and maps == 1
    )


_MIXING = f"{' ' * 8}self.mixing = mixing"


# --- full rank ------------------------------------------------------------------------------------


def _write_full(draft: Draft, survey: Survey, maps: int) -> str:
    constant = ", and a constant for each channel" if draft.uses.any("bias") else ""
    doc = f"A token mixer: a weighted sum over positions{constant}.{_context(survey, maps)}"
    init = [_MIXING, *_bias(draft)]
    body = _plus_bias(draft, f"self.mixing({_maps(survey, maps)})")
    return draft.written(doc, init, method(_head(survey), *body))


FULL = Wrapper("TokenMixer", _bias_values, _write_full)


# --- channel rank ---------------------------------------------------------------------------------


def _bottleneck_values(place: Place) -> dict[str, Value]:
    return _bias_values(place) | {"inner": place.plan.width}


def _write_bottleneck(draft: Draft, survey: Survey, maps: int) -> str:
    width, inner = draft.term("width"), draft.term("inner")
    doc = f"Mixes fewer channels: C → {_share(inner.text)}, mix, back (Figure 1: Channel LR)."
    doc += _context(survey, maps)
    factors = (
        call("nn.Conv2d", width, inner, 1, bias=False),
        call("nn.Conv2d", inner, width, 1, bias=False),
    )
    init = [*_factors(*factors), _MIXING, *_bias(draft)]
    body = ['x = self.rank["down"](x)']
    if survey.two_maps and maps > 1:
        body.append('context = self.rank["down"](context)')
    body += _plus_bias(draft, f'self.rank["up"](self.mixing({_maps(survey, maps)}))')
    return draft.written(doc, init, method(_head(survey), *body))


def _share(inner: str) -> str:
    return inner.replace("width // ", "C / ") if inner.startswith("width //") else "C'"


def _factors(down: object, up: object) -> list[str]:
    lines = (f'"down": {down},', f'"up": {up},')
    pad = " " * 8
    return [
        f"{pad}self.rank = nn.ModuleDict(",
        f"{pad}    {{",
        *(f"{pad}        {line}" for line in lines),
        f"{pad}    }}",
        f"{pad})",
    ]


BOTTLENECK = Wrapper("Bottleneck", _bottleneck_values, _write_bottleneck)


# --- spatial rank ---------------------------------------------------------------------------------


def _reduced_values(place: Place) -> dict[str, Value]:
    ratio = place.mixer.ratio or 1
    return _bias_values(place) | {"ratio": ratio, "indivisible": place.indivisible}


def _reduced_sum(survey: Survey, maps: int) -> list[str]:
    """Statements before a sum over a reduced map, and the sum."""
    context = "context" if survey.two_maps else "x"
    if maps == 3 and not survey.two_maps:
        return ["sources = self.rank(x)", "self.mixing(sources, x, sources)"]
    given = ["self.rank(x)", context, f"self.rank({context})"][:maps]
    return [f"self.mixing({', '.join(given)})"]


def _write_reduced(draft: Draft, survey: Survey, maps: int) -> str:
    doc = f"Every position reads a reduced map (Figure 1: Spatial LR).{_context(survey, maps)}"
    init = [f"{' ' * 8}self.rank, self.mixing = reduction, mixing", *_bias(draft)]
    *before, mixed = _reduced_sum(survey, maps)
    body = [*before, *_plus_bias(draft, mixed)]
    return draft.written(doc, init, method(_head(survey), *body))


def _write_pyramid(draft: Draft, survey: Survey, maps: int) -> str:
    doc = "Mixes a reduced map, and repeats the result for each patch (Figure 1: Spatial LR)."
    doc += _context(survey, maps)
    init = [f"{' ' * 8}self.rank, self.mixing = reduction, mixing", *_bias(draft)]
    *before, mixed = _reduced_sum(survey, maps)
    steps = [f"F.interpolate({mixed}, scale_factor={draft.own('ratio')})"]
    if draft.uses.any("indivisible"):
        steps.append("y[:, :, : x.shape[2], : x.shape[3]]")
    last = "y" if draft.uses.any("bias") else steps.pop()
    body = [*before, *(f"y = {step}" for step in steps), *_plus_bias(draft, last)]
    return draft.written(doc, init, method(_head(survey), *body))


_REDUCED_MODULES = ("reduction", "mixing")
REDUCED = Wrapper("ReducedMixer", _reduced_values, _write_reduced, _REDUCED_MODULES)
PYRAMID = Wrapper("PyramidMixer", _reduced_values, _write_pyramid, _REDUCED_MODULES)


# --- joint rank -----------------------------------------------------------------------------------


def _joint_values(place: Place) -> dict[str, Value]:
    entries = place.size.positions * place.width
    return _bias_values(place) | {
        "entries": entries,
        "factor": joint_rank(place.mixer, place.width, place.size),
    }


def _write_joint(draft: Draft, survey: Survey, maps: int) -> str:
    entries, inner = draft.term("entries"), draft.term("factor")
    doc = "MLP over positions and channels, as a product of two thin matrices (Figure 1: LR MLP)."
    doc += _context(survey, maps)
    factors = (
        call("nn.Linear", entries, inner, bias=False),
        call("nn.Linear", inner, entries, bias=False),
    )
    init = [*_factors(*factors), *_bias(draft)]
    product = 'y = self.rank["up"](self.rank["down"](x.flatten(1)))'
    body = [product, *_plus_bias(draft, "y.reshape(x.shape)")]
    return draft.written(doc, init, method(_head(survey), *body))


LOW_RANK = Wrapper("LowRankMLP", _joint_values, _write_joint, ())


# --- custom mixers --------------------------------------------------------------------------------


def custom_wrapper(name: str, two_maps: bool, reads_context: bool) -> str:
    """The class around the module of a custom mixer."""
    head = f"forward(self, x: Tensor{', context: Tensor' * two_maps}) -> Tensor"
    given = f"x, {'context' if two_maps else 'x'}" if reads_context else "x"
    draft = Draft(name, Uses([{"width": 0}]), ("module",))
    init = [f"{' ' * 8}self.module = module"]
    doc = "A token mixer that was registered by its name."
    return draft.written(doc, init, method(head, f"return self.module({given})"))
