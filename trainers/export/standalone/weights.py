"""Where weights come from: the classes of the file that cores have as `self.weights`."""

import math

from space.geometry import generator_width
from space.layout import Layout
from space.weight_source import Reads
from trainers.export.standalone.core import Core, Setting, Values
from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import assign, call

WRITTEN_SOURCES = ("static", "homogeneous", "inhomogeneous", "attention")
"""The weight sources that have a stand-alone form."""

WEIGHTS = '''class Weights(nn.Module):
    """Mixing weights that are parameters, drawn as those of a convolution are."""

    def __init__(self, *shape: int, fan_in: int) -> None:
        super().__init__()
        bound = fan_in**-0.5
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))'''


def free_weights(*shape: object, fan_in: object) -> list[str]:
    """Weights that are parameters of a shape."""
    return assign("self.weights", call("Weights", *shape, fan_in=fan_in))


# --- generated ------------------------------------------------------------------------------------

GENERATOR = "WeightGenerator"


def _generator_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    pooled = plan.mixer.dynamics.source.reads is Reads.POOLED
    kernels = pooled and plan.layout is Layout.KERNEL
    return {
        "width": plan.width,
        "outputs": math.prod(plan.static_shape) if kernels else plan.outputs * plan.taps,
        "generator_width": generator_width(plan.mixer, plan.width),
        "generator_bias": not pooled,
    }


def generated_values(place: Place) -> dict[str, Value]:
    """What every core with generated weights depends on."""
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
        "sources": plan.sources.positions,
        "generator_width": generator_width(plan.mixer, plan.width),
        "generator_bias": plan.mixer.dynamics.source.reads is not Reads.POOLED,
    }


def generated(name: str, write: object, values: Values = generated_values) -> Core:
    """A core whose weights are generated."""
    return Core(name, values, write, (GENERATOR, _generator_values))  # type: ignore[arg-type]


def generated_weights(draft: Draft, setting: Setting, outputs: Term) -> list[str]:
    """A generator of so many weights at each position."""
    return assign("self.weights", setting.made(GENERATOR, draft, outputs=outputs))


def write_generator(draft: Draft, batch_norm: str) -> str:
    """The class that makes weights of a map."""
    width, hidden, bias = (
        draft.term(name) for name in ("width", "generator_width", "generator_bias")
    )
    doc = (
        "Makes weights of a map (Section 3): 1×1 convolution, batch norm, ReLU, 1×1 convolution.\n"
        "\n(B, C, H, W) to (B, outputs, H, W)."
    )
    reduce = call("nn.Conv2d", width, hidden, 1, bias=None if bias.value is True else bias)
    init = [
        *assign("self.reduce", reduce),
        *assign("self.norm", call(batch_norm, hidden)),
        *assign("self.expand", call("nn.Conv2d", hidden, draft.term("outputs"), 1)),
    ]
    body = "return self.expand(F.relu(self.norm(self.reduce(x))))"
    return draft.written(doc, init, method("forward(self, x: Tensor) -> Tensor", body))


# --- attention ------------------------------------------------------------------------------------

QUERY_KEY = "QueryKey"


def _query_key_values(place: Place) -> dict[str, Value]:
    return {"width": place.plan.width, "query_key_bias": bool(place.mixer.query_key_bias)}


def attention_values(place: Place) -> dict[str, Value]:
    """What every core of attention depends on."""
    plan = place.plan
    sizes = {"heads": plan.outputs, "kernel_size": plan.kernel_size}
    return _query_key_values(place) | sizes


def attention(name: str, write: object, values: Values = attention_values) -> Core:
    """A core of attention."""
    return Core(name, values, write, (QUERY_KEY, _query_key_values))  # type: ignore[arg-type]


def query_and_key(draft: Draft, setting: Setting) -> list[str]:
    """The linear maps to queries and keys."""
    return assign("self.weights", setting.made(QUERY_KEY, draft))


def compared(setting: Setting) -> tuple[str, str]:
    """Statements of `forward` that make queries and keys."""
    return (
        f"query = self.weights.query({setting.context})",
        f"key = self.weights.key({setting.sources})",
    )


def position_table(entries: object, heads: Term, distance: str) -> list[str]:
    """A bias of the logits for each distance, beside the queries and keys."""
    pad = " " * 8
    return [
        f"{pad}table = torch.empty({entries}, {heads})  # a bias for each {distance}",
        f"{pad}self.weights.position_bias = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))",
    ]


def write_query_key(draft: Draft) -> str:
    """The class of these maps."""
    width, bias = draft.term("width"), draft.term("query_key_bias")
    given = call("linear", width, width, bias=None if bias.value is True else bias)
    doc = "What attention compares: a query for every position p, a key for every position q."
    init = [*assign("self.query", given), *assign("self.key", given)]
    return draft.written(doc, init, [])
