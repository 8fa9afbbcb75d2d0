"""Every field of a protocol with two values of it: what the tests of recipes are made from."""

from typing import Any

from pydantic import BaseModel

from trainers import Protocol

Path = tuple[str, ...]


def leaves(model: type[BaseModel], prefix: Path = ()) -> list[Path]:
    """The fields of a model, those of its parts in their place."""
    found: list[Path] = []
    for name, field in model.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            found += leaves(part, (*prefix, name))
        else:
            found.append((*prefix, name))
    return found


OTHER_VALUES: dict[Path, tuple[Any, Any]] = {
    ("data",): ("fashion-mnist", "image-folder"),
    ("content_hash",): (None, "0" * 16),
    ("split_hash",): (None, "0" * 16),
    ("split_seed",): (0, 1),
    ("validation_fraction",): (0.2, 0.3),
    ("epochs",): (6, 7),
    ("batch_size",): (64, 32),
    ("samples_per_epoch",): (None, 200),
    ("accumulation",): (1, 2),
    ("batch_norm_parts",): (1, 2),
    ("layer_decay",): (None, 0.75),
    ("max_nonfinite_steps",): (10, 0),
    ("optimiser",): ("adamw", "adamw"),  # the only one
    ("learning_rate",): (5e-3, 4e-3),
    ("weight_decay",): (0.2, 0.1),
    ("weight_decay_exempt",): ("network", "one_dimensional"),
    ("betas",): ((0.9, 0.99), (0.99, 0.9)),
    ("warmup_epochs",): (1.0, 2.0),
    ("warmup_learning_rate",): (1e-4, 2e-4),
    ("minimum_learning_rate",): (1e-5, 2e-5),
    ("label_smoothing",): (0.1, 0.0),
    ("clip_norm",): (5.0, None),
    ("drop_path",): (0.0, 0.1),
    ("precision",): ("auto", "float32"),
    ("seed_policy",): ("per-trial", "shared"),
    ("initialisation",): ("scratch", "finetuned"),
    ("source_protocol",): (None, "0" * 16),
    ("judged_by",): ("last", "best"),
    ("weight_init",): ("published", "lecun"),
    ("ema_decay",): (None, 0.99),
    ("augmentation", "crop_padding"): (0, 2),
    ("augmentation", "flip"): (0.5, 0.0),
    ("augmentation", "mixup"): (0.0, 0.8),
    ("augmentation", "cutmix"): (0.0, 1.0),
    ("augmentation", "mixup_switch"): (0.5, 0.1),
    ("augmentation", "random_erasing"): (0.0, 0.25),
    ("augmentation", "rand_augment"): (None, "rand-m9-mstd0.5-inc1"),
    ("augmentation", "colour_jitter"): (0.0, 0.4),
    ("augmentation", "repeats"): (1, 3),
    ("augmentation", "crop_scale"): ((0.08, 1.0), (0.5, 0.9)),
    ("augmentation", "interpolation"): ("bicubic", "bilinear"),
    ("augmentation", "image_size"): (224, 32),
    ("augmentation", "test_crop"): (0.875, 1.0),
    ("augmentation", "background"): ("white", "black"),
}
"""The default and another value, by field."""

OF_FOLDERS = {
    "rand_augment",
    "colour_jitter",
    "crop_scale",
    "interpolation",
    "image_size",
    "test_crop",
    "background",
}


def changed(path: Path) -> tuple[Protocol, Protocol]:
    """Two protocols that differ in that field alone."""
    default, other = OTHER_VALUES[path]
    base = {"data": "image-folder"} if path[-1] in OF_FOLDERS else {}
    base |= {"initialisation": "finetuned"} if path == ("source_protocol",) else {}

    def made(value: Any) -> Protocol:
        written = {path[0]: value} if len(path) == 1 else {path[0]: {path[1]: value}}
        return Protocol.from_dict(base | written)

    return made(default), made(other)
