"""`count`: how many networks a space holds."""

import time

import click

from space.cli.commands import json_option, print_json
from space.cli.subjects import read_subject
from space.design import SpaceTooLarge


@click.command("count")
@click.argument("space")
@json_option
def command(space: str, as_json: bool) -> None:
    """Count the distinct networks of SPACE, a YAML file or a name, that its limits allow.

    \b
    Examples:
      python -m space count fashion-quickstart
      python -m space count imagenet-tiny --json

    A space file may set these `limits`: params, macs (or flops), training_bytes (what autograd
    saves for the backward pass) and inference_bytes (what is alive at once at most), both for one
    image in float32. Numbers are written 30M or 4.5G, bytes 512 MiB or 2 GB.

    The count is exact: networks that compute the same functions count once. A space that is too
    large to count exactly is refused with the reason and exit code 1, and never estimated.
    """
    subject = read_subject(space).space()
    started = time.perf_counter()
    before = subject.size_hint()
    try:
        feasible = subject.count()
    except SpaceTooLarge as error:
        reason = f"{error}. Without its limits the space has {before:,} networks"
        raise SpaceTooLarge(f"{space} is too large to count exactly: {reason}") from None
    seconds = time.perf_counter() - started
    limits = subject.limits.to_dict()
    if as_json:
        print_json(
            {
                "space": subject.name,
                "feasible": feasible,
                "without_limits": before,
                "share": feasible / before,
                "limits": limits,
                "exact": True,
                "seconds": round(seconds, 3),
            }
        )
        return
    click.echo(f"{feasible:,} networks")
    if limits:
        words = " and ".join(f"{name} up to {value:,}" for name, value in limits.items())
        click.echo(f"are feasible ({words}), of {before:,} without limits: {feasible / before:.3g}")
    click.echo(f"Counted exactly in {seconds:.2f} s.")
