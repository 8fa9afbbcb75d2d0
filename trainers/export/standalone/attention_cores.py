"""Attention: global, in windows, and over neighbourhoods."""

from space.axes import Locality
from space.layout import Layout, Plan
from trainers.export.standalone.core import Core, Setting, edge
from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.static_cores import unfolded
from trainers.export.standalone.text import assign, call
from trainers.export.standalone.windows import shifted, window_mask

QUERY_KEY = "QueryKey"


def core(plan: Plan) -> Core:
    """The class of an attention mixer."""
    biased = bool(plan.mixer.position_bias)
    if plan.layout is Layout.NEIGHBOURHOOD:
        return BIASED_NEIGHBOURHOOD if biased else NEIGHBOURHOOD
    if plan.mixer.locality is Locality.WINDOW:
        return WINDOW if biased else UNBIASED_WINDOW
    return GLOBAL


# --- queries and keys -----------------------------------------------------------------------------


def query_key_values(place: Place) -> dict[str, Value]:
    """The arguments of the linear maps to queries and keys at a place."""
    return {"width": place.plan.width, "query_key_bias": bool(place.mixer.query_key_bias)}


def write_query_key(draft: Draft) -> str:
    """The class of these maps."""
    width, bias = draft.term("width"), draft.term("query_key_bias")
    given = call("linear", width, width, bias=None if bias.value is True else bias)
    doc = "What attention compares: a query for every position p, a key for every position q."
    init = [*assign("self.query", given), *assign("self.key", given)]
    return draft.written(doc, init, [])


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
        "query_key_bias": bool(plan.mixer.query_key_bias),
    }


def _projections(draft: Draft, setting: Setting) -> list[str]:
    draft.term("width")
    return assign("self.weights", setting.made(QUERY_KEY, draft))


def _compared(setting: Setting) -> tuple[str, str]:
    return (
        f"query = self.weights.query({setting.context})",
        f"key = self.weights.key({setting.sources})",
    )


def _attention(name: str, values: object, write: object) -> Core:
    return Core(name, values, write, (QUERY_KEY, query_key_values))  # type: ignore[arg-type]


def _table(entries: object, heads: Term, comment: str) -> list[str]:
    made = f"nn.init.trunc_normal_(torch.empty({entries}, {heads}), std=0.02)"
    return [
        f"{' ' * 8}table = {made}  # {comment}",
        f"{' ' * 8}self.weights.position_bias = nn.Parameter(table)",
    ]


# --- over the map ---------------------------------------------------------------------------------


def _write_global(draft: Draft, setting: Setting) -> str:
    doc = (
        "Attention over the whole map (Figure 1: ViT): y[p] = Σ softmax(query[p] · key[q] / √d) · "
        "x[q], a head of d channels at a time."
    )
    each = f"each.flatten(2).unflatten(1, ({draft.own('heads')}, -1)).transpose(2, 3)"
    body = (
        *_compared(setting),
        f"query, key, value = ({each} for each in (query, key, x))",
        "y = F.scaled_dot_product_attention(query, key, value)  # (B, heads, N, d)",
        f"return y.transpose(2, 3).reshape({setting.context}.shape)",
    )
    return draft.written(doc, _projections(draft, setting), method(setting.head, *body))


GLOBAL = _attention("GlobalAttention", _values, _write_global)


# --- in windows -----------------------------------------------------------------------------------


def _window_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "heads": plan.outputs,
        "window": plan.target_tile[0],
        "size": (plan.targets.height, plan.targets.width),
        "shift": place.shift,
        "query_key_bias": bool(plan.mixer.query_key_bias),
        "apart": any(place.window_padding) or any(plan.tile_offset),
    }


def _write_window(draft: Draft, setting: Setting, biased: bool) -> str:
    heads, window, moved = draft.own("heads"), draft.own("window"), shifted(draft.own("shift"))
    masked = draft.uses.any("apart")
    init = _projections(draft, setting)
    if biased:
        init += _position_table(draft)
    if masked:
        init += window_mask(draft)
    body = [
        *_compared(setting),
        "query, key, value = (self._heads(each) for each in (query, key, x))",
        *_summed(heads, biased, masked),
        f"y = y.unflatten(1, (-1, {heads})).transpose(2, 3).flatten(3)  # (B, T, P, C)",
        f"return join_windows(y, x.shape[2:], {window}{moved})",
    ]
    split = (
        f"windows = split_windows(x, {window}{moved}).unflatten(3, ({heads}, -1))",
        "return windows.transpose(2, 3).flatten(1, 2)",
    )
    methods = [
        *method(setting.head, *body),
        "",
        *method(
            "_heads(self, x: Tensor) -> Tensor",
            *split,
            doc="(B, C, H, W) to (B, T · heads, P, d), in T windows of P positions.",
        ),
    ]
    return draft.written(_window_doc(draft, biased), init, methods)


def _window_doc(draft: Draft, biased: bool) -> str:
    logits = "query[p] · key[q] / √d" + " + bias[q − p]" * biased
    return (
        f"Local attention (Figure 1: Local ViT): y[p] = Σ softmax({logits}) · x[q] over the "
        f"positions q of p's {edge(draft.term('window'))} window, a head of d channels at a time."
    )


def _position_table(draft: Draft) -> list[str]:
    window = draft.term("window")
    entries = (window.value * 2 - 1) ** 2 if type(window.value) is int else "(2 * window - 1) ** 2"
    index = f"relative_positions({window})"
    return [
        *_table(entries, draft.term("heads"), "for each q − p"),
        f"{' ' * 8}self.register_buffer(\"index\", {index}, persistent=False)",
    ]


def _summed(heads: Term, biased: bool, masked: bool) -> list[str]:
    summed = "y = F.scaled_dot_product_attention(query, key, value"
    if biased:
        table = "self.weights.position_bias[self.index].permute(2, 0, 1)"
        each = 'bias.masked_fill(self.apart[:, None], float("-inf")).flatten(0, 1)'
        same = f"bias.repeat(query.shape[1] // {heads}, 1, 1)"
        return [
            f"bias = {table}  # (heads, P, P)",
            f"bias = {each if masked else same}",
            f"{summed}, bias)  # (B, T · heads, P, d)",
        ]
    if masked:
        return [
            f"reads = ~self.apart.repeat_interleave({heads}, 0)  # (T · heads, P, P)",
            f"{summed}, reads)",
        ]
    return [f"{summed})  # (B, T · heads, P, d)"]


def _write_biased_window(draft: Draft, setting: Setting) -> str:
    return _write_window(draft, setting, biased=True)


def _write_unbiased_window(draft: Draft, setting: Setting) -> str:
    return _write_window(draft, setting, biased=False)


WINDOW = _attention("WindowAttention", _window_values, _write_biased_window)
UNBIASED_WINDOW = _attention("UnbiasedWindowAttention", _window_values, _write_unbiased_window)


# --- over neighbourhoods --------------------------------------------------------------------------


def _write_neighbourhood(draft: Draft, setting: Setting, biased: bool) -> str:
    heads, k = draft.own("heads"), draft.own("kernel_size")
    logits = "query[p] · key[q] / √d" + " + bias[q − p]" * biased
    doc = (
        f"Neighbourhood attention: y[p] = Σ softmax({logits}) · x[q] over the "
        f"{edge(draft.term('kernel_size'))} neighbours q of p in the map, a head of d channels at "
        "a time."
    )
    init = _projections(draft, setting)
    if biased:
        entries = draft.term("kernel_size").squared
        init += _table(entries, draft.term("heads"), "for each q − p")
    around = _unfolded(k)
    body = [
        f"query = self.weights.query({setting.context}).flatten(2).unflatten(1, ({heads}, -1, 1))",
        f"key = self._neighbours(self.weights.key({setting.sources}))",
        "logits = (query * key).sum(2) * query.shape[2] ** -0.5  # (B, heads, k · k, N)",
        *(["logits = logits + self.weights.position_bias.T[:, :, None]"] if biased else []),
        f"outside = {around.format('torch.ones_like(x[:1, :1])')} == 0",
        'weights = logits.masked_fill(outside, float("-inf")).softmax(2)',
        "return (weights.unsqueeze(2) * self._neighbours(x)).sum(3).reshape(x.shape)",
    ]
    split = f"return {around.format('x')}.unflatten(1, ({heads}, -1, {k.squared}))"
    methods = [
        *method(setting.head, *body),
        "",
        *method(
            "_neighbours(self, x: Tensor) -> Tensor",
            split,
            doc="(B, C, H, W) to (B, heads, d, k · k, N), zeros outside of the map.",
        ),
    ]
    return draft.written(doc, init, methods)


def _unfolded(kernel_size: Term) -> str:
    return unfolded(kernel_size).replace("(x,", "({},")


def _write_biased_neighbourhood(draft: Draft, setting: Setting) -> str:
    return _write_neighbourhood(draft, setting, biased=True)


def _write_plain_neighbourhood(draft: Draft, setting: Setting) -> str:
    return _write_neighbourhood(draft, setting, biased=False)


NEIGHBOURHOOD = _attention("NeighbourhoodAttention", _values, _write_plain_neighbourhood)
BIASED_NEIGHBOURHOOD = _attention(
    "BiasedNeighbourhoodAttention", _values, _write_biased_neighbourhood
)
