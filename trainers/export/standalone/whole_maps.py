"""Weights between all positions of a map: MLPs over positions, and attention."""

from space.axes import Channels
from space.layout import Plan
from space.weight_source import Reads
from trainers.export.standalone.core import Core, Setting, described, read_channels, set_of
from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.weights import (
    attention,
    compared,
    free_weights,
    generated,
    generated_weights,
    query_and_key,
)


def core(plan: Plan) -> Core:
    """The class of a global mixer."""
    reads = plan.mixer.dynamics.source.reads
    if reads is Reads.PAIR:
        return _ATTENTION
    if reads is Reads.TARGET:
        return _DYNAMIC
    if plan.separable:
        return _SPATIAL
    return _GROUPED if plan.mixer.channels is Channels.GROUPED else _DENSE


# --- static ---------------------------------------------------------------------------------------


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "positions": plan.targets.positions,
        "size": (plan.targets.height, plan.targets.width),
        "sources": plan.sources.positions,
        "reduced": place.reduced,
    }


def _positions(draft: Draft) -> tuple[Term, Term]:
    """The numbers of positions p and q: one number where no map is reduced."""
    if not draft.uses.any("reduced"):
        return draft.term("positions"), draft.term("positions")
    if draft.term("size").value is not None:
        return draft.term("positions"), draft.term("sources")
    return Term("size[0] * size[1]"), draft.term("sources")


def _as_map(draft: Draft, axis: int) -> str:
    """What makes a map of the positions p, which come last; from `axis` on there is nothing else.

    Only where sources are reduced the map of the values has another size.
    """
    if not draft.uses.any("reduced"):
        return ".reshape(x.shape)"
    size = draft.own("size")
    edges = ", ".join(map(str, size.value)) if isinstance(size.value, tuple) else f"*{size}"
    return f".unflatten({axis}, (-1, {edges}))"


def _write_spatial(draft: Draft, setting: Setting) -> str:
    heads, (targets, sources) = draft.own("heads"), _positions(draft)
    summary = "Spatial-mixing MLP over all positions q (Figure 1: Sep. MLP)."
    doc = described(summary, f"y[p, c] = Σ w[p, q, {set_of(draft)}] · x[q, c]")
    init = free_weights(draft.term("heads"), targets, sources, fan_in=sources)
    flat = ".flatten(1)" if draft.uses.any("reduced") else ""
    body = (
        f"heads = x.flatten(2).unflatten(1, ({heads}, -1))",
        'y = torch.einsum("bhcq,hpq->bhcp", heads, self.weights.weight)',
        f"return y{flat}{_as_map(draft, 1)}",
    )
    return draft.written(doc, init, setting.forward(*body))


def _write_dense(draft: Draft, setting: Setting) -> str:
    width, (targets, sources) = draft.term("width"), _positions(draft)
    summary = "MLP over all positions q and all channels at once (Figure 1: MLP)."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']")
    read = sources * width
    body = (
        "matrix = self.weights.weight.flatten(0, 1)",
        f"return F.linear(x.flatten(1), matrix){_as_map(draft, 1)}",
    )
    init = free_weights(width, targets, read, fan_in=read)
    return draft.written(doc, init, setting.forward(*body))


def _write_grouped(draft: Draft, setting: Setting) -> str:
    groups, (targets, sources) = draft.own("groups"), _positions(draft)
    summary = "MLP over all positions q and the channels c' of c's group at once."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']")
    read = f"{sources} * ({read_channels(draft)})"
    init = free_weights(draft.term("width"), targets, read, fan_in=read)
    flat = ".flatten(1)" if draft.uses.any("reduced") else ""
    body = (
        f"groups = x.flatten(1).unflatten(1, ({groups}, -1))",
        f"matrices = self.weights.weight.unflatten(0, ({groups}, -1)).flatten(1, 2)",
        'y = torch.einsum("bgi,goi->bgo", groups, matrices)',
        f"return y{flat}{_as_map(draft, 1)}",
    )
    return draft.written(doc, init, setting.forward(*body))


_SPATIAL = Core("SpatialMLP", _values, _write_spatial)
_DENSE = Core("DenseMLP", _values, _write_dense)
_GROUPED = Core("GroupedMLP", _values, _write_grouped)


# --- generated ------------------------------------------------------------------------------------


def _write_dynamic(draft: Draft, setting: Setting) -> str:
    heads, sources = draft.own("heads"), draft.term("sources")
    formula = f"y[p, c] = Σ w[p, q, {set_of(draft, 'group')}] · x[q, c]"
    doc = described("Dynamic spatial-mixing MLP over all positions q.", formula)
    body = (
        f"weights = self.weights({setting.context}).flatten(2).unflatten(1, ({heads}, -1))",
        f"groups = x.flatten(2).unflatten(1, ({heads}, -1))",
        "# (B, groups, C / groups, Q) by (B, groups, Q, P)",
        f"return (groups @ weights).reshape({setting.context}.shape)",
    )
    init = generated_weights(draft, setting, sources * draft.term("heads"))
    made = "\n\nThe weights w[p] are made of the token at p."
    return draft.written(doc + made, init, setting.forward(*body))


_DYNAMIC = generated("DynamicSpatialMLP", _write_dynamic)


# --- attention ------------------------------------------------------------------------------------


def _write_attention(draft: Draft, setting: Setting) -> str:
    doc = described(
        "Attention over all positions q (Figure 1: ViT).",
        "y[p] = Σ softmax(query[p] · key[q] / √d) · x[q], for heads of d channels",
    )
    body = (
        *compared(setting),
        "query, key, value = (self._heads(each) for each in (query, key, x))",
        "y = F.scaled_dot_product_attention(query, key, value)",
        f"return y.transpose(2, 3).reshape({setting.context}.shape)",
    )
    heads = method(
        "_heads(self, x: Tensor) -> Tensor",
        f"return x.flatten(2).unflatten(1, ({draft.own('heads')}, -1)).transpose(2, 3)",
        doc="(B, C, H, W) to (B, heads, N, d).",
    )
    methods = [*setting.forward(*body), "", *heads]
    return draft.written(doc, query_and_key(draft, setting), methods)


_ATTENTION = attention("GlobalAttention", _write_attention)
