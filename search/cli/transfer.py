"""`transfer`: trained networks as backbones of detection and segmentation."""

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from search.cli.options import set_option, store_option
from space.cli.commands import json_option, print_json
from space.cli.tables import print_table
from space.wording import duration

if TYPE_CHECKING:
    from search.handover.transfer import Transferred
    from trainers.transfer.state import Progress

_SAID_EVERY = 15.0
"""Seconds between two lines of progress."""
_SHOWN = {
    "detection": ("box_ap", "box_ap50", "mask_ap", "mask_ap50"),
    "segmentation": ("mean_iou", "mean_accuracy", "pixel_accuracy"),
}
_TITLES = {
    "box_ap": "box AP",
    "box_ap50": "box AP50",
    "mask_ap": "mask AP",
    "mask_ap50": "mask AP50",
    "mean_iou": "mIoU",
    "mean_accuracy": "mAcc",
    "pixel_accuracy": "aAcc",
}


@click.command("transfer")
@click.argument("architectures", nargs=-1)
@click.option("--task", required=True, metavar="TASK", help="detection or segmentation.")
@click.option(
    "--data",
    required=True,
    metavar="FOLDER",
    help="Of COCO's shape for detection, of ADE20K's for segmentation.",
)
@click.option(
    "--recipe",
    required=True,
    metavar="NAME|FILE",
    help="A file with the fields of a recipe, or the name of one that comes with mixspace.",
)
@click.option(
    "--top",
    type=click.IntRange(1, 100),
    metavar="N",
    help="The best N of --study, in place of ids.",
)
@click.option("--study", metavar="NAME", help="Whose trainings are taken.")
@click.option("--frozen", is_flag=True, help="Train only what is new; the network stays as it is.")
@click.option(
    "--from-scratch", is_flag=True, help="Begin with random weights, to compare with trained ones."
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="How often each is trained; with one nothing is known of the spread.",
)
@click.option(
    "--to",
    default="transfers",
    show_default=True,
    metavar="DIR",
    help="The folder that gets a folder for each training.",
)
@click.option(
    "--device",
    metavar="DEVICE",
    help="That computes, such as cpu or cuda:1; else the GPU where there is one.",
)
@set_option("Change a field, such as recipe.epochs=12, data.limit_train=1000 or data.workers=8.")
@store_option()
@json_option
def command(
    architectures: tuple[str, ...],
    task: str,
    data: str,
    recipe: str,
    overrides: tuple[str, ...],
    store: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Train ARCHITECTURES as backbones of another task, and judge them there.

    ARCHITECTURES are ids, or beginnings of them, as `best` prints them, or folders that `export`
    wrote. Detection puts Mask R-CNN or its cascade on them, segmentation UPerNet; the recipes
    coco-cascade-mask-rcnn and ade20k-upernet are the paper's. Of an architecture the weights of a
    full training are taken, else those of the search.

    \b
    Examples:
      python -m search transfer 3f2a --task detection --data coco --recipe coco-cascade-mask-rcnn
      python -m search transfer shipped --task segmentation --data ade --recipe ade20k-upernet
      python -m search transfer --top 3 --study first --task detection --data mine \\
        --recipe small-mask-rcnn --seeds 3
      python -m search transfer 3f2a --from-scratch --task detection --data mine \\
        --recipe small-mask-rcnn

    Each training has a folder in --to: result.json with the figures and all that they depend on,
    model.safetensors with the weights. The same command again goes on where it was interrupted, and
    says what is done. It needs the extra mixspace[transfer].
    """
    from search.handover.transfer import summary, transfer  # torch is heavy
    from search.handover.transfer_request import Wanted

    wanted = Wanted(task, architectures, data, recipe, overrides=overrides, **options)
    lines = _Lines()
    found = []
    for each in transfer(store, wanted, say=_say, report=lines.report):
        _say(f"{'done before' if each.earlier else 'done'}: {each.folder}")
        found.append(each)
    if as_json:
        print_json(summary(found))
    else:
        _print(task, found)


def _say(text: str) -> None:
    click.echo(text, err=True)


class _Lines:
    """Says now and then how far a training is, and how long it will take."""

    def __init__(self) -> None:
        self._said = self._begun = time.monotonic()
        self._first = 0
        self._last = -1

    def report(self, progress: "Progress", steps: int, loss: float) -> None:
        """Told of every step."""
        now = time.monotonic()
        if self._last < 0 or progress.step <= self._last:  # another training
            self._begun, self._first = now, progress.step
        self._last = progress.step
        if now - self._said >= _SAID_EVERY or progress.step == steps:
            self._said = now
            skipped = f", {progress.skipped:,} skipped" if progress.skipped else ""
            left = self._left(steps - progress.step, now)
            _say(f"step {progress.step:,} of {steps:,}, loss {loss:.3f}{skipped}{left}")

    def _left(self, steps: int, now: float) -> str:
        made = self._last - self._first
        if not (made and steps):
            return ""
        return f", {duration(steps * (now - self._begun) / made)} left"


def _print(task: str, found: "Sequence[Transferred]") -> None:
    groups: dict[tuple[str, str], list[Transferred]] = defaultdict(list)
    for each in found:
        origin = each.result["backbone"]["origin"]
        groups[each.result["identity"]["architecture"], origin].append(each)
    shown = [name for name in _SHOWN[task] if any(name in each.result["metrics"] for each in found)]
    columns = ("architecture", "weights", *(_TITLES[name] for name in shown), "params", "seeds")
    rows = [
        (
            architecture,
            origin,
            *(_figure([each.result["metrics"].get(name) for each in group]) for name in shown),
            f"{group[0].result['params'] / 1e6:,.2f}M",
            str(len(group)),
        )
        for (architecture, origin), group in groups.items()
    ]
    pictures = found[0].result["validation_images"] if found else 0
    print_table(
        f"{task} on {pictures:,} validation pictures",
        columns,
        rows,
        right=(*columns[2:],),
        whole=("architecture",),
    )


def _figure(values: "Sequence[float | None]") -> str:
    """A mean in percent, with the spread of several seeds."""
    known = [100 * value for value in values if value is not None]
    if not known:
        return ""
    if len(known) == 1:
        return f"{known[0]:.1f}"
    return f"{statistics.mean(known):.1f} ± {statistics.stdev(known):.1f}"
