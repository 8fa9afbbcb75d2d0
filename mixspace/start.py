"""`run`: a search from a configuration, written in a file or in Python."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mixspace.running import NextCalls, carry_out
from mixspace.study import Study
from search.config import Config, config_from
from search.next_steps import STORE_VARIABLE
from space.surface import PYTHON


def run(
    config: str | Path | Mapping[str, Any] | Config | None = None,
    *,
    resume: bool = False,
    address: str | None = None,
    progress: bool = True,
    **fields: Any,
) -> Study:
    """Run a search, as `python -m search run` does, and give the study.

    Everything is checked before anything is written. Ctrl-C, or the interrupt of a notebook, stops
    cleanly: what was trained is in the store, and the study is returned with an outcome that says
    so. With `resume=True` the same call goes on. A second interrupt does not wait for the workers:
    in a notebook, or at a prompt, it is a KeyboardInterrupt, and what is lost is the epoch under
    way; a script it ends at once.

        mixspace.run("quickstart", study="mine", trials=20, searcher="tpe")
        mixspace.run("quickstart", study="longer", protocol={"epochs": 12})

    Args:
        config: path of a YAML file, a mapping as it would hold, or a Config; None where the fields
            say all. A path to a space's own file is seen from the folder of the YAML file, or from
            the working directory.
        resume: whether to go on with the study if it is there already.
        address: of a Ray cluster, HOST:PORT; None takes RAY_ADDRESS, or starts a private Ray.
        progress: whether to show a bar and lines on stderr; else the lines go to the log
            "mixspace".
        fields: of the configuration, in place of what `config` has, as `--set` changes them: of a
            mapping the fields that it has and no others. Without `store`, MIXSPACE_STORE counts.

    Returns:
        The study, its `outcome` set: done, interrupted, or stopped at a time limit.

    Raises:
        InputError: with every problem of every part; nothing was written.
        StoreError: the store failed during the work.
        RunFailed: the run failed, or every trial did.
        KeyboardInterrupt: it was interrupted twice, in a notebook or at a prompt.
    """
    if isinstance(fields.get("store"), os.PathLike):
        fields["store"] = os.fspath(fields["store"])
    checked = config_from(config, fields, os.environ.get(STORE_VARIABLE) or None)
    calls = NextCalls(checked, again=f"the same call with {PYTHON.given('resume', True)}")
    outcome = carry_out(checked, calls, resume=resume, address=address, progress=progress)
    return Study.after_run(checked, outcome)
