"""The model card of an exported folder: README.md, with the front matter of Hugging Face's cards.

What is not known is left out or said to be unknown; nothing is made up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from space import Architecture
from space.wording import count, duration, percent
from trainers.export.card_tables import costs_table, mixers_table, stages_table, table
from trainers.export.facts import Facts, Figure, Latency, Spent
from trainers.export.parity import Parity
from trainers.export.preprocessing import Preprocessing
from trainers.protocol import Augmentation

NAME = "README.md"
_MOST_CLASSES = 20


@dataclass(frozen=True, slots=True)
class CardOfFolder:
    """What the card says of the files beside it.

    Attributes:
        architecture, classes, preprocessing: of the network.
        parities: what was compared with it, by file.
        opset: of the ONNX model; None without one.
        stands_alone: whether network.py and infer.py are there.
    """

    architecture: Architecture
    classes: Sequence[str]
    preprocessing: Preprocessing
    parities: Mapping[str, Parity]
    opset: int | None
    stands_alone: bool


def model_card(folder: CardOfFolder, facts: Facts) -> str:
    """The text of README.md."""
    sections = [
        ("", _headline(folder, facts)),
        ("Results", _results(facts)),
        ("Use", _use(folder)),
        ("Architecture", _architecture(folder.architecture)),
        ("What it costs", _costs(folder.architecture, facts)),
        ("Preprocessing", _preprocessing(folder.preprocessing)),
        ("Data", _data(folder, facts)),
        ("Training", _training(facts)),
        ("What it took", _spent(facts.spent)),
        ("How to get it again", _again(facts)),
        ("Files", _files(folder, facts)),
        ("Licence of the code", _CODE_LICENCE if folder.stands_alone else ""),
        ("Licence", _licence(facts)),
    ]
    text = "\n\n".join(
        f"## {title}\n\n{body}" if title else body for title, body in sections if body
    )
    return f"---\n{_front_matter(folder, facts)}---\n\n{text}\n"


def _front_matter(folder: CardOfFolder, facts: Facts) -> str:
    own = [figure for figure in facts.figures if figure.these_weights]
    values: dict[str, Any] = {
        "license": "unknown",
        "library_name": "timm",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "timm", "mixspace"],
    }
    if own:
        name = f"mixspace-{folder.architecture.id}"
        results = [_front_result(figure, facts) for figure in own]
        values["model-index"] = [{"name": name, "results": results}]
    dumped: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return dumped


def _front_result(figure: Figure, facts: Facts) -> dict[str, Any]:
    name = facts.protocol.data
    return {
        "task": {"type": "image-classification"},
        "dataset": {"name": name, "type": name, "split": figure.split},
        "metrics": [{"type": "accuracy", "value": figure.accuracy}],
    }


def _headline(folder: CardOfFolder, facts: Facts) -> str:
    architecture, image = folder.architecture, folder.architecture.input
    return (
        f"# {architecture.name} {architecture.id}\n\n"
        f"A network of {count(architecture.depth, 'block')} ({architecture.block_type}) that sorts "
        f"{image.channels}×{image.height}×{image.width} images into "
        f"{len(folder.classes):,} classes. Its weights are those of {facts.origin}."
    )


# --- figures --------------------------------------------------------------------------------------


def _results(facts: Facts) -> str:
    if not facts.figures:
        return "No accuracy of this network is known."
    columns = ("images", "trained", "accuracy", "trainings", "chance", "protocol")
    lines = [table(columns, map(_result_row, facts.figures))]
    if any(figure.deviation is not None for figure in facts.figures):
        lines.append("± is the standard deviation over trainings with seeds of their own.")
    lines.append("Accuracies compare only within one protocol, and only with the same images.")
    if any(figure.optimistic for figure in facts.figures):
        chosen = "by the images that it is measured on: the figure is optimistic"
        lines.append(f"\\* The epoch was chosen {chosen}.")
    if not any(figure.split == "test" for figure in facts.figures):
        lines.append("The test images were never read for this network.")
    return "\n\n".join(lines)


def _result_row(figure: Figure) -> tuple[object, ...]:
    spread = "" if figure.deviation is None else f" ± {100 * figure.deviation:.2f}"
    mark = " \\*" if figure.optimistic else ""
    accuracy = f"{percent(figure.accuracy)}{spread}{mark}"
    images = figure.split if figure.images is None else f"{figure.split} ({figure.images:,})"
    chance = "unknown" if figure.chance is None else percent(figure.chance)
    trained = f"{figure.training}{', **these weights**' if figure.these_weights else ''}"
    return images, trained, accuracy, figure.trainings, chance, figure.protocol_hash or "unknown"


# --- use ------------------------------------------------------------------------------------------

_INFER = """\
On a picture, with nothing but torch, safetensors and Pillow:

```bash
python infer.py picture.jpg
python infer.py --json --top 3 picture.jpg
```
"""
_MIXSPACE = """\
With mixspace:

```python
import mixspace

network = mixspace.load("FOLDER")
probabilities = network(network.preprocess("picture.jpg")[None]).softmax(1)[0]
network.classes[int(probabilities.argmax())]
```

With timm, which learns of the architecture by the first import:

```python
import space.zoo
import timm

network = timm.create_model("local-dir:FOLDER", pretrained=True).eval()
```
"""


def _use(folder: CardOfFolder) -> str:
    return "\n".join([_INFER] * folder.stands_alone + [_MIXSPACE]).rstrip()


# --- the network ----------------------------------------------------------------------------------


def _architecture(architecture: Architecture) -> str:
    outside = (
        f"Stem {architecture.stem.label}, blocks of type {architecture.block_type}, between stages "
        f"{architecture.downsample}, in the head a norm {architecture.head.norm} the pooling. "
        f"architecture.json has all of it; its id is {architecture.id}."
    )
    about = (
        "Its kinds of token mixer on the axes of the design space, and their rows of Table 1 of "
        "the paper (Han et al., ICLR 2022), read off the mixing matrices themselves; – for ranks "
        "that the table does not speak of:"
    )
    return "\n\n".join([outside, stages_table(architecture), about, mixers_table(architecture)])


def _costs(architecture: Architecture, facts: Facts) -> str:
    parts = [costs_table(architecture)]
    if facts.latency:
        columns = ("device", "runtime", "precision", "batch", "median", "95% interval", "runs")
        parts += [table(columns, map(_latency_row, facts.latency)), _ABOUT_LATENCY]
        if any(measured.disturbed for measured in facts.latency):
            parts.append("\\* The machine was not quiet: the network is as fast, or faster.")
    else:
        parts.append("No latency was measured.")
    return "\n\n".join(parts)


_ABOUT_LATENCY = (
    "Latency is the median wall time of a pass: of the architecture, whatever the weights are. "
    "Figures compare only on one device, in one runtime, precision and batch."
)


def _latency_row(measured: Latency) -> tuple[object, ...]:
    interval = f"{measured.low:.3g} to {measured.high:.3g} ms"
    how = (measured.device, measured.runtime, measured.precision, measured.batch)
    mark = " \\*" if measured.disturbed else ""
    return *how, f"{measured.median:.3g} ms{mark}", interval, measured.runs


def _preprocessing(how: Preprocessing) -> str:
    scale = ", ".join(
        f"{name} {' '.join(f'{value:g}' for value in getattr(how, name))}"
        for name in ("mean", "std")
    )
    colours = "grey" if how.channels == 1 else "RGB"
    return (
        f"A picture is read upright, as {colours}, transparency on {how.background}; its shorter "
        f"edge is resized to {how.resize} pixels ({how.interpolation}), its middle of "
        f"{how.height}×{how.width} is kept, and channels from 0 to 1 are normalised ({scale}). "
        "preprocessing.json has the same."
    )


# --- where it comes from --------------------------------------------------------------------------


def _data(folder: CardOfFolder, facts: Facts) -> str:
    protocol = facts.protocol
    hashes = [
        f"{name} {value}"
        for name, value in (("content", protocol.content_hash), ("split", protocol.split_hash))
        if value is not None
    ]
    sizes = [
        f"{number:,} {what} images"
        for what, number in (
            ("training", facts.train_images),
            ("validation", facts.validation_images),
        )
        if number is not None
    ]
    lines = [f"{protocol.data}: {', '.join([*sizes, *(f'hash of the {h}' for h in hashes)])}."]
    if facts.data:
        lines.append(table(("field", "value"), facts.data.items()))
    lines.append(f"Classes: {_listed(folder.classes)}.")
    lines += [f"- {remark}" for remark in facts.remarks]
    return "\n\n".join(lines)


def _listed(classes: Sequence[str]) -> str:
    more = len(classes) - _MOST_CLASSES
    behind = f" and {more:,} more (classes.txt)" if more > 0 else ""
    return ", ".join(f"`{name}`" for name in classes[:_MOST_CLASSES]) + behind


def _training(facts: Facts) -> str:
    head = (
        f"{count(facts.epochs, 'epoch')}, {duration(facts.seconds)} of training, under protocol "
        f"{facts.protocol_hash}. Fields of the augmentation that are not listed are at their "
        "defaults."
    )
    fields = facts.protocol.to_dict()
    chosen, default = fields.pop("augmentation"), Augmentation().model_dump(mode="json")
    rows = [*fields.items()]
    rows += [(f"augmentation.{n}", value) for n, value in chosen.items() if value != default[n]]
    seeds = ", ".join(f"{name.replace('_', ' ')} {seed}" for name, seed in facts.seeds.items())
    return "\n\n".join([head, f"Seeds: {seeds}.", table(("field", "value"), rows)])


def _spent(spent: Iterable[Spent]) -> str:
    rows = [
        (
            each.what,
            f"{each.trials:,}",
            duration(each.seconds),
            f"{each.device_hours:.3g} {each.device}-hours",
            ", ".join(each.names) or "unknown",
            "not measured" if each.kilowatt_hours is None else f"{each.kilowatt_hours:.3g} kWh",
        )
        for each in spent
    ]
    columns = ("trainings", "trials", "time of training", "device-hours", "devices", "energy")
    return table(columns, rows) if rows else ""


def _again(facts: Facts) -> str:
    parts = []
    if facts.code_version is not None:
        parts.append(f"Trained by mixspace {facts.code_version}.")
    if facts.exported_by is not None:
        parts.append(f"Exported by mixspace {facts.exported_by}.")
    parts = [" ".join(parts)] if parts else []
    if facts.commands:
        parts.append("```bash\n" + "\n".join(facts.commands) + "\n```")
    return "\n\n".join(parts)


# --- the folder -----------------------------------------------------------------------------------


def _files(folder: CardOfFolder, facts: Facts) -> str:
    rows = [
        ("model.safetensors", "the weights, in float32"),
        ("architecture.json", "the network, as mixspace reads it"),
        ("preprocessing.json, classes.txt", "from pictures to inputs, and from logits to names"),
        ("config.json", "the entry that timm reads"),
        *((name, "for the commands above") for name in facts.configurations),
        ("export.json", "all files with their sizes and SHA-256"),
    ]
    if folder.stands_alone:
        rows.insert(1, ("network.py", f"the network in torch alone{_off(folder, 'network.py')}"))
        rows.insert(2, ("infer.py", "classifies pictures by the files beside it"))
    if "model.onnx" in folder.parities:
        said = f"ONNX, opset {folder.opset}, any batch{_off(folder, 'model.onnx')}"
        rows.insert(1, ("model.onnx", said))
    if "model.pt2" in folder.parities:
        said = f"a program of torch.export, any batch{_off(folder, 'model.pt2')}"
        rows.insert(1, ("model.pt2", said))
    return table(("file", "what it is"), rows)


def _off(folder: CardOfFolder, name: str) -> str:
    parity = folder.parities[name]
    batches = " and ".join(map(str, parity.batches))
    return f"; largest difference of a logit {parity.error:.1e}, in batches of {batches}"


_CODE_LICENCE = """\
`network.py` and `infer.py` come with this notice, which goes where they go:

> MIT License
>
> Copyright (c) 2026 mixspace developers
>
> Permission is hereby granted, free of charge, to any person obtaining a copy
> of this software and associated documentation files (the "Software"), to deal
> in the Software without restriction, including without limitation the rights
> to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
> copies of the Software, and to permit persons to whom the Software is
> furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all
> copies or substantial portions of the Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
> IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
> FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
> AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
> LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
> OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
> SOFTWARE.
"""


def _licence(facts: Facts) -> str:
    data = "unknown" if facts.data_licence is None else facts.data_licence
    return (
        "The code of this folder comes from mixspace, which is under the MIT licence. Licence of "
        f"the training data: {data}. The licence of the weights is for whoever trained them to say."
    )
