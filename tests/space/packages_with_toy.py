"""The packages with one weight source more, in another folder, linked where nothing differs."""

import shutil
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_TOY = Path(__file__).parent / "toy"
_LINKED = ("search", "trainers", "dashboard", "mixspace", "tests", "configs", "pyproject.toml")

DEFINITION = '''

def toy(reference: Reference, p: Position, reach: list[Position], context: Context) -> Entries:
    """softmax over all taps of parameters; those outside of the map meet no source."""
    logits = reference.parameter("mixing.weights.logits")
    if reference.mixer.position_shared:
        kernels = torch.softmax(logits.flatten(2), 2).reshape(logits.shape)
    else:
        sliding = reference.mixer.locality is Locality.SLIDING
        kernels = torch.softmax(logits, 1 if sliding else 2)
    return {q: reference.looked_up(kernels, p, q) for q in reach}


WEIGHTS["toy"] = toy
'''


def packages_with_toy(folder: Path) -> Path:
    """A folder with all packages: `space/weight_sources/toy/` is new, and its definition.

    Nothing else differs from the packages that are tested.
    """
    for name in _LINKED:
        (folder / name).symlink_to(_ROOT / name)
    space, sources = folder / "space", folder / "space/weight_sources"
    _linked(_ROOT / "space", space, but=("reference.py", "weight_sources"))
    _linked(_ROOT / "space/weight_sources", sources)
    shutil.copytree(_TOY, sources / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    definition = (_ROOT / "space/reference.py").read_text() + DEFINITION
    (space / "reference.py").write_text(definition)
    return folder


def _linked(source: Path, folder: Path, but: tuple[str, ...] = ()) -> None:
    """Links to folders, and copies of files: a package is where its own files are."""
    folder.mkdir()
    for path in source.iterdir():
        if path.name in (*but, "__pycache__"):
            continue
        if path.is_dir():
            (folder / path.name).symlink_to(path)
        else:
            shutil.copy(path, folder)
