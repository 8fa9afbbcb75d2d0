"""Write the embedded Fashion-MNIST subset from the full set.

    python scripts/make_fashion_mnist_subset.py [FULL_SET_FOLDER] [OUTPUT_FOLDER]

Without a folder the full set is looked for as `source: full` does. The choice is stratified and
depends on nothing but the constants below: running it again gives the same bytes.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trainers.data.data_kind import Part
from trainers.data.idx import write_idx
from trainers.data.kinds.fashion_mnist import EMBEDDED, FILES, FashionMnistConfig, load_part
from trainers.data.labelled_images import LabelledImages

IMAGES: dict[Part, int] = {"train": 10_000, "test": 2_000}
SEED = 2106_04263


def choose(part: LabelledImages, count: int) -> LabelledImages:
    """As many images of every class as of every other, in random order."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    classes = np.unique(part.labels)
    chosen = [
        generator.choice(np.flatnonzero(part.labels == label), count // len(classes), replace=False)
        for label in classes
    ]
    order = generator.permutation(np.concatenate(chosen))
    return LabelledImages(part.images[order], part.labels[order])


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else EMBEDDED
    output.mkdir(parents=True, exist_ok=True)
    config = FashionMnistConfig(source="full", folder=folder)
    for part, count in IMAGES.items():
        subset = choose(load_part(config, part), count)
        for stem, array in zip(FILES[part], (subset.images, subset.labels), strict=True):
            path = output / f"{stem}.gz"
            write_idx(path, array)
            print(f"{path}: {len(array)} entries, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
