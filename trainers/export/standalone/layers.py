"""Layers that several parts of a file are made of, and what stands around the stages."""

from itertools import pairwise

from space.architecture import Architecture
from trainers.export.standalone.draft import Draft, Uses, method
from trainers.export.standalone.text import assign, call

LAYER_NORM = '''class LayerNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)'''

BATCH_NORM = '''class BatchNorm(nn.BatchNorm2d):
    """Batch norm that can be trained on one image whose map is 1×1, by its running statistics."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)
        return super().forward(x)'''

LINEAR = '''def linear(inputs: int, outputs: int) -> nn.Conv2d:
    """A linear map of the channels of (B, C, H, W)."""
    layer = nn.Conv2d(inputs, outputs, 1)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer'''

LINEAR_WITHOUT_BIAS = '''def linear(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """A linear map of the channels of (B, C, H, W)."""
    layer = nn.Conv2d(inputs, outputs, 1, bias=bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer'''

_FORWARD = "forward(self, x: Tensor) -> Tensor"


def stem(architecture: Architecture, batch_norm: str) -> str:
    """The class that makes tokens of an image."""
    image, patches = architecture.input, architecture.stem
    width, patch = architecture.stages[0].width, patches.patch_size
    size = architecture.stage_sizes()[0]
    margin = {"patch": 0, "overlap": patch - 1, "pool": patches.stride}[patches.type]
    project = call(
        "nn.Conv2d",
        image.channels,
        width,
        patches.kernel_size,
        patches.stride,
        *([margin] if margin else []),
    )
    pooled = patches.type == "pool"
    norm = call(batch_norm if pooled else "LayerNorm", width)
    init = [*assign("self.project", project), *assign("self.norm", norm)]
    shapes = (
        f"(B, {image.channels}, {image.height}, {image.width}) to "
        f"(B, {width}, {size.height}, {size.width})"
    )
    doc = f"A token for each patch of {patch}×{patch} pixels: {shapes}."
    down, right = -image.height % patch, -image.width % patch
    body = ["return self.norm(self.project(images))"]
    if pooled:
        body = [
            "x = F.max_pool2d(self.project(images), 2, ceil_mode=True)",
            "return F.relu(self.norm(x))",
        ]
    elif patches.type == "patch" and (down or right):
        body.insert(0, f"images = F.pad(images, (0, {right}, 0, {down}))")
    draft = Draft("Stem", Uses([{"width": width}]))
    return draft.written(doc, init, method("forward(self, images: Tensor) -> Tensor", *body))


def downsample(architecture: Architecture) -> str:
    """The class between two stages."""
    odd = any(size.height % 2 or size.width % 2 for size, _ in pairwise(architecture.stage_sizes()))
    draft = Draft("Downsample", Uses([{"width": 1, "outputs": 1}, {"width": 2, "outputs": 3}]))
    width, outputs = draft.term("width"), draft.term("outputs")
    whole = "x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))"
    if architecture.downsample == "conv":
        doc = "Halves the map: layer norm, 2×2 convolution of stride 2."
        init = [
            *assign("self.norm", call("LayerNorm", width)),
            *assign("self.reduce", call("nn.Conv2d", width, outputs, 2, 2)),
        ]
        body = ["return self.reduce(self.norm(x))"]
        if odd:
            body = ["x = self.norm(x)", whole, "return self.reduce(x)"]
    else:
        doc = "Halves the map: 2×2 neighbours side by side in the channels, layer norm, linear map."
        init = [
            *assign("self.norm", call("LayerNorm", f"4 * {width}")),
            *assign("self.reduce", call("linear", f"4 * {width}", outputs, bias=False)),
        ]
        neighbours = "[x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]"
        body = [
            *([whole] if odd else []),
            f"neighbours = {neighbours}",
            "return self.reduce(self.norm(torch.cat(neighbours, 1)))",
        ]
    return draft.written(doc, init, method(_FORWARD, *body))


def head(architecture: Architecture) -> str:
    """The class from the last map to the logits, or to the features."""
    width, classes = architecture.stages[-1].width, architecture.head.classes
    init = assign("self.norm", call("LayerNorm", width))
    pooled = "self.norm(x).mean((2, 3))"
    order = "Layer norm, mean over the positions"
    if architecture.head.norm == "after":
        pooled = "self.norm(x.mean((2, 3), keepdim=True)).flatten(1)"
        order = "Mean over the positions, layer norm"
    if classes:
        init += assign("self.classify", call("nn.Linear", width, classes))
        init += [
            f"{' ' * 8}nn.init.trunc_normal_(self.classify.weight, std=0.02)",
            f"{' ' * 8}nn.init.zeros_(self.classify.bias)",
        ]
        pooled = f"self.classify({pooled})"
    last = f"{order}, linear classifier" if classes else order
    doc = f"{last}: (B, {width}, H, W) to (B, {classes or width})."
    draft = Draft("Head", Uses([{"width": width}]))
    return draft.written(doc, init, method(_FORWARD, f"return {pooled}"))
