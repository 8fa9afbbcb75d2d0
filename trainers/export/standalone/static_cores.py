"""Weights that are parameters: convolutions, locally connected layers, and MLPs over positions."""

from space.axes import Channels, Locality
from space.layout import Layout, Plan
from trainers.export.standalone.core import Core, Setting, edge
from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import assign, call


def core(plan: Plan) -> Core:
    """The class of a static mixer."""
    if plan.layout is Layout.KERNEL:
        return _convolution(plan)
    if plan.layout is Layout.NEIGHBOURHOOD:
        return LOCALLY_CONNECTED_DEPTHWISE if plan.separable else _by_groups(plan, _LOCALLY)
    windows = plan.mixer.locality is Locality.WINDOW
    if plan.separable:
        return LOCAL_MLP if windows else SPATIAL_MLP
    return _by_groups(plan, _LOCAL_DENSE if windows else _DENSE)


def _by_groups(plan: Plan, cores: tuple[Core, Core]) -> Core:
    return cores[plan.mixer.channels is Channels.GROUPED]


def weights(*shape: object, fan_in: object) -> list[str]:
    """`self.weights` of a shape."""
    return assign("self.weights", call("Weights", *shape, fan_in=fan_in))


# --- shared across positions ----------------------------------------------------------------------


def _convolution(plan: Plan) -> Core:
    if not plan.separable:
        return GROUP_CONV if plan.mixer.channels is Channels.GROUPED else CONV
    return LIGHTWEIGHT_CONV if plan.mixer.channel_shared else DEPTHWISE_CONV


def _kernel_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
    }


def _padding(kernel_size: Term) -> Term | None:
    padding = kernel_size // 2
    return None if padding.value == 0 else padding


def _plain_convolution(doc: str, groups: str | None) -> Core:
    def write(draft: Draft, setting: Setting) -> str:
        width, kernel_size = draft.term("width"), draft.term("kernel_size")
        given = draft.term(groups) if groups else None
        layer = call(
            "nn.Conv2d",
            width,
            width,
            kernel_size,
            padding=_padding(kernel_size),
            groups=given,
            bias=False,
        )
        text = doc.format(k=edge(kernel_size))
        return draft.written(
            text, assign("self.weights", layer), method(setting.head, "return self.weights(x)")
        )

    return Core("", _kernel_values, write)


def _named(name: str, core: Core) -> Core:
    return Core(name, core.values, core.write)


CONV = _named(
    "Conv",
    _plain_convolution(
        "Convolution (Figure 1: Conv.): y[p, c] = Σ w[q − p, c, c'] · x[q, c'] over the {k} "
        "neighbours q of p and all channels c'.",
        None,
    ),
)
GROUP_CONV = _named(
    "GroupConv",
    _plain_convolution(
        "Group convolution: y[p, c] = Σ w[q − p, c, c'] · x[q, c'] over the {k} neighbours q of "
        "p and the channels c' of c's group.",
        "groups",
    ),
)
DEPTHWISE_CONV = _named(
    "DepthwiseConv",
    _plain_convolution(
        "Depth-wise convolution (Figure 1: DW-S Conv.): y[p, c] = Σ w[q − p, c] · x[q, c] over "
        "the {k} neighbours q of p.",
        "groups",
    ),
)


def _write_lightweight(draft: Draft, setting: Setting) -> str:
    width, heads, k = draft.own("width"), draft.term("heads"), draft.term("kernel_size")
    own = draft.own("heads")
    kernels = f"kernels = self.weights.weight.repeat_interleave({width} // {own}, 0)"
    summed = call(
        "F.conv2d",
        "x",
        "kernels",
        padding=_padding(draft.own("kernel_size")),
        groups=width,
    )
    doc = (
        "Depth-wise convolution with one kernel for all channels of a head: "
        f"y[p, c] = Σ w[q − p, head of c] · x[q, c] over the {edge(k)} neighbours q of p."
    )
    init = weights(heads, 1, k, k, fan_in=k.squared)
    return draft.written(doc, init, method(setting.head, kernels, f"return {summed}"))


LIGHTWEIGHT_CONV = Core("LightweightConv", _kernel_values, _write_lightweight)


# --- weights of their own at each position, over neighbourhoods -----------------------------------


def _neighbourhood_values(place: Place) -> dict[str, Value]:
    return _kernel_values(place) | {"positions": place.plan.targets.positions}


def unfolded(kernel_size: Term) -> str:
    """The neighbourhoods of x, (B, C · k · k, N)."""
    return str(call("F.unfold", "x", kernel_size, padding=_padding(kernel_size)))


def _write_locally_depthwise(draft: Draft, setting: Setting) -> str:
    heads, k, own = draft.own("heads"), draft.term("kernel_size"), draft.own("kernel_size")
    init = weights(
        draft.term("heads"), k.squared, draft.term("positions"), fan_in=k.squared
    )
    doc = (
        f"A depth-wise kernel of its own at every position, one for all channels of a head: "
        f"y[p, c] = Σ w[p, q, head of c] · x[q, c] over the {edge(k)} neighbours q of p."
    )
    body = (
        f"neighbours = {unfolded(own)}.unflatten(1, ({heads}, -1, {own.squared}))",
        "# (B, heads, C / heads, k · k, N) times (heads, 1, k · k, N)",
        "return (neighbours * self.weights.weight.unsqueeze(1)).sum(3).reshape(x.shape)",
    )
    return draft.written(doc, init, method(setting.head, *body))


LOCALLY_CONNECTED_DEPTHWISE = Core(
    "LocallyConnectedDepthwise", _neighbourhood_values, _write_locally_depthwise
)


def _write_locally(draft: Draft, setting: Setting) -> str:
    width, k, positions = draft.term("width"), draft.term("kernel_size"), draft.term("positions")
    doc = (
        "A kernel of its own at every position (locally connected): y[p, c] = "
        f"Σ w[p, q, c, c'] · x[q, c'] over the {edge(k)} neighbours q of p and all channels c'."
    )
    init = weights(width, width * k.squared, positions, fan_in=width * k.squared)
    body = (
        f"neighbours = {unfolded(draft.own('kernel_size'))}  # (B, C · k · k, N)",
        'y = torch.einsum("bin,oin->bon", neighbours, self.weights.weight)',
        "return y.reshape(x.shape)",
    )
    return draft.written(doc, init, method(setting.head, *body))


def _write_locally_grouped(draft: Draft, setting: Setting) -> str:
    width, k, positions = draft.term("width"), draft.term("kernel_size"), draft.term("positions")
    groups, own = draft.term("groups"), draft.own("groups")
    doc = (
        "A kernel of its own at every position (locally connected): y[p, c] = "
        f"Σ w[p, q, c, c'] · x[q, c'] over the {edge(k)} neighbours q of p and the channels c' of "
        "c's group."
    )
    read = f"{width} // {groups} * {k.squared}"
    init = weights(width, read, positions, fan_in=read)
    body = (
        f"neighbours = {unfolded(draft.own('kernel_size'))}.unflatten(1, ({own}, -1))",
        f"kernels = self.weights.weight.unflatten(0, ({own}, -1))",
        'y = torch.einsum("bgin,goin->bgon", neighbours, kernels)',
        "return y.reshape(x.shape)",
    )
    return draft.written(doc, init, method(setting.head, *body))


_LOCALLY = (
    Core("LocallyConnected", _neighbourhood_values, _write_locally),
    Core("LocallyConnectedGroups", _neighbourhood_values, _write_locally_grouped),
)


# --- over the whole map ---------------------------------------------------------------------------


def _map_values(place: Place) -> dict[str, Value]:
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
    size = draft.term("size")
    if isinstance(size.value, tuple):
        return draft.term("positions"), draft.term("sources")
    return Term("size[0] * size[1]"), draft.term("sources")


def _write_spatial_mlp(draft: Draft, setting: Setting) -> str:
    targets, sources = _positions(draft)
    heads = draft.own("heads")
    doc = (
        "Spatial-mixing MLP (Figure 1: Sep. MLP): y[p, c] = Σ w[p, q, head of c] · x[q, c] over "
        "all positions q."
    )
    init = weights(draft.term("heads"), targets, sources, fan_in=sources)
    reduced = draft.uses.any("reduced")
    shaped = f".flatten(1, 2).unflatten(2, {draft.own('size')})" if reduced else ".reshape(x.shape)"
    body = (
        f"heads = x.flatten(2).unflatten(1, ({heads}, -1))",
        f'return torch.einsum("bhcq,hpq->bhcp", heads, self.weights.weight){shaped}',
    )
    return draft.written(doc, init, method(setting.head, *body))


SPATIAL_MLP = Core("SpatialMLP", _map_values, _write_spatial_mlp)


def _dense_shape(draft: Draft) -> str:
    if not draft.uses.any("reduced"):
        return ".reshape(x.shape)"
    size = draft.own("size")
    height, width = (
        map(str, size.value) if isinstance(size.value, tuple) else (f"{size}[0]", f"{size}[1]")
    )
    return f".reshape(x.shape[0], x.shape[1], {height}, {width})"


def _write_dense_mlp(draft: Draft, setting: Setting) -> str:
    width, (targets, sources) = draft.term("width"), _positions(draft)
    doc = (
        "MLP over positions and channels at once (Figure 1: MLP): y[p, c] = "
        "Σ w[p, q, c, c'] · x[q, c'] over all positions q and all channels c'."
    )
    init = weights(width, targets, width * sources, fan_in=width * sources)
    body = (
        "matrix = self.weights.weight.flatten(0, 1)  # (C · N, C · N)",
        f"return F.linear(x.flatten(1), matrix){_dense_shape(draft)}",
    )
    if draft.uses.any("reduced"):
        body = (body[0].partition("  #")[0], body[1])
    return draft.written(doc, init, method(setting.head, *body))


def _write_grouped_mlp(draft: Draft, setting: Setting) -> str:
    width, (targets, sources) = draft.term("width"), _positions(draft)
    groups, own = draft.term("groups"), draft.own("groups")
    doc = (
        "MLP over the positions and the channels of a group at once: y[p, c] = "
        "Σ w[p, q, c, c'] · x[q, c'] over all positions q and the channels c' of c's group."
    )
    read = f"{width} // {groups} * {sources}"
    init = weights(width, targets, read, fan_in=read)
    body = (
        f"groups = x.flatten(1).unflatten(1, ({own}, -1))",
        f"matrices = self.weights.weight.unflatten(0, ({own}, -1)).flatten(1, 2)",
        f'return torch.einsum("bgi,goi->bgo", groups, matrices){_dense_shape(draft)}',
    )
    return draft.written(doc, init, method(setting.head, *body))


_DENSE = (
    Core("DenseMLP", _map_values, _write_dense_mlp),
    Core("GroupedMLP", _map_values, _write_grouped_mlp),
)


# --- in windows -----------------------------------------------------------------------------------


def _window_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "window": plan.target_tile[0],
        "pad": place.window_padding,
        "padded": any(place.window_padding),
    }


def _in_windows(draft: Draft, mixed: tuple[str, ...]) -> list[str]:
    """Statements from the map to `windows` (B, T, P, C), what is `mixed` of them, and back."""
    window, padded = draft.own("window"), draft.uses.any("padded")
    if not padded:
        return [
            f"windows = split_windows(x, {window})",
            *mixed,
            f"return join_windows(y, x.shape[2:], {window})",
        ]
    pad = draft.own("pad")
    known = isinstance(pad.value, tuple)
    left, top = (pad.value[0], pad.value[2]) if known else ("left", "top")  # type: ignore[index]
    rows, columns = (
        _cut("x.shape[2]", top),
        _cut("x.shape[3]", left),
    )
    return [
        f"padded = F.pad(x, {pad})",
        f"windows = split_windows(padded, {window})",
        *mixed,
        f"y = join_windows(y, padded.shape[2:], {window})",
        *([] if known else ["left, _, top, _ = self.pad"]),
        f"return y[:, :, {rows}, {columns}]",
    ]


def _cut(extent: str, start: object) -> str:
    return f": {extent}" if start == 0 else f"{start} : {start} + {extent}"


_MOVED = " The zeros around the map, `pad`, move the windows in every second block."


def _window_doc(draft: Draft, doc: str) -> str:
    moved = draft.uses.any("padded") and draft.uses.term("pad").value is None
    return doc + "\n\n" + _MOVED.strip() if moved else doc


def _write_local_mlp(draft: Draft, setting: Setting) -> str:
    heads, window = draft.own("heads"), draft.term("window")
    doc = (
        "Local MLP (Section 2): y[p, c] = Σ w[p, q, head of c] · x[q, c] over the positions q of "
        f"p's {edge(window)} window."
    )
    init = weights(draft.term("heads"), window.squared, window.squared, fan_in=window.squared)
    mixed = (
        f"heads = windows.unflatten(3, ({heads}, -1))",
        'y = torch.einsum("btqhc,hpq->btphc", heads, self.weights.weight).flatten(3)',
    )
    return draft.written(
        _window_doc(draft, doc), init, method(setting.head, *_in_windows(draft, mixed))
    )


LOCAL_MLP = Core("LocalMLP", _window_values, _write_local_mlp)


def _write_local_dense(draft: Draft, setting: Setting) -> str:
    width, window = draft.term("width"), draft.term("window")
    doc = (
        "MLP over the positions and channels of a window at once: y[p, c] = "
        f"Σ w[p, q, c, c'] · x[q, c'] over the positions q of p's {edge(window)} window and all "
        "channels c'."
    )
    read = width * window.squared
    init = weights(width, window.squared, read, fan_in=read)
    mixed = (
        "rows = windows.transpose(2, 3).flatten(2)  # (B, T, C · P)",
        "y = F.linear(rows, self.weights.weight.flatten(0, 1))",
        f"y = y.unflatten(2, (-1, {draft.own('window').squared})).transpose(2, 3)",
    )
    return draft.written(
        _window_doc(draft, doc), init, method(setting.head, *_in_windows(draft, mixed))
    )


def _write_local_grouped(draft: Draft, setting: Setting) -> str:
    width, window = draft.term("width"), draft.term("window")
    groups, own = draft.term("groups"), draft.own("groups")
    doc = (
        "MLP over the positions of a window and the channels of a group at once: y[p, c] = "
        f"Σ w[p, q, c, c'] · x[q, c'] over the positions q of p's {edge(window)} window and the "
        "channels c' of c's group."
    )
    read = f"{width} // {groups} * {window.squared}"
    init = weights(width, window.squared, read, fan_in=read)
    mixed = (
        f"rows = windows.transpose(2, 3).unflatten(2, ({own}, -1)).flatten(3)",
        f"matrices = self.weights.weight.unflatten(0, ({own}, -1)).flatten(1, 2)",
        'y = torch.einsum("btgi,goi->btgo", rows, matrices).flatten(2)',
        f"y = y.unflatten(2, (-1, {draft.own('window').squared})).transpose(2, 3)",
    )
    return draft.written(
        _window_doc(draft, doc), init, method(setting.head, *_in_windows(draft, mixed))
    )


_LOCAL_DENSE = (
    Core("LocalDenseMLP", _window_values, _write_local_dense),
    Core("LocalGroupedMLP", _window_values, _write_local_grouped),
)
