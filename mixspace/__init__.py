"""mixspace from Python: what people import, in a notebook or a script.

    import mixspace

    study = mixspace.run("quickstart", study="mine", trials=20)
    study.trials_dataframe()
    model = study.load()  # the best network with its trained weights

Every name is imported when it is first used: `import mixspace` alone loads neither torch nor Ray
nor pandas. What else there is stands in the packages `space`, `trainers` and `search`.
"""

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixspace import visualization
    from mixspace.handing_over import export, transfer
    from mixspace.running import RunFailed
    from mixspace.start import run
    from mixspace.study import Study
    from search.local_executor import optimize
    from search.searchers import Exhausted
    from search.store import (
        DuplicateArchitecture,
        NoStore,
        StoreAway,
        StoreError,
        TrainedElsewhere,
        open_store,
    )
    from space import (
        Architecture,
        Cost,
        DesignSpace,
        Infeasible,
        InputError,
        MapSize,
        Mixer,
        MixerType,
        MixspaceError,
        Problem,
        RelationGraph,
        all_mixer_types,
        cost,
        register_mixer,
        zoo,
    )
    from space.design import SpaceTooLarge
    from space.networks import build
    from trainers import NonFiniteLoss, TestSplitLocked, UnreadableData
    from trainers.export import Exported, ExportFailed, LoadedNetwork, NotEqual, load

    __version__: str

__all__ = [
    "Architecture",
    "Cost",
    "DesignSpace",
    "DuplicateArchitecture",
    "Exhausted",
    "ExportFailed",
    "Exported",
    "Infeasible",
    "InputError",
    "LoadedNetwork",
    "MapSize",
    "Mixer",
    "MixerType",
    "MixspaceError",
    "NoStore",
    "NonFiniteLoss",
    "NotEqual",
    "Problem",
    "RelationGraph",
    "RunFailed",
    "SpaceTooLarge",
    "StoreAway",
    "StoreError",
    "Study",
    "TestSplitLocked",
    "TrainedElsewhere",
    "UnreadableData",
    "__version__",
    "all_mixer_types",
    "build",
    "cost",
    "export",
    "load",
    "open_store",
    "optimize",
    "register_mixer",
    "run",
    "transfer",
    "visualization",
    "zoo",
]

_MODULES = {
    **dict.fromkeys(
        (
            *("DuplicateArchitecture", "NoStore", "StoreAway", "StoreError", "TrainedElsewhere"),
            "open_store",
        ),
        "search.store",
    ),
    **dict.fromkeys(("NonFiniteLoss", "TestSplitLocked", "UnreadableData"), "trainers"),
    **dict.fromkeys(
        ("ExportFailed", "Exported", "LoadedNetwork", "NotEqual", "load"), "trainers.export"
    ),
    "Exhausted": "search.searchers",
    "RunFailed": "mixspace.running",
    "SpaceTooLarge": "space.design",
    "Study": "mixspace.study",
    "build": "space.networks",
    "export": "mixspace.handing_over",
    "optimize": "search.local_executor",
    "run": "mixspace.start",
    "transfer": "mixspace.handing_over",
}
"""Where the names are that are not in `space`. No module of ours may have a name of `__all__`: once
it is imported, Python puts it where the name was. `visualization` is a module, and may."""

_WHOLE = {"visualization": "mixspace.visualization", "zoo": "space.zoo"}
"""The names that are modules."""


def _take_our_own_packages() -> None:
    """See to it that `space`, `trainers` and `search` are ours, or refuse to work.

    What does so is read from its own file: a `search` of the user's may stand in front of ours.

    Raises:
        ImportError: a module of another's was imported by one of these names; its file is named.
    """
    file = Path(__file__).absolute().parent.parent / "search" / "own_packages.py"
    spec = spec_from_file_location("search.own_packages", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))


_take_our_own_packages()


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object
    if name in _WHOLE:
        value = import_module(_WHOLE[name])
    elif name == "__version__":
        value = import_module("search.cli.program").installed_version()
    else:
        value = getattr(import_module(_MODULES.get(name, "space")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
