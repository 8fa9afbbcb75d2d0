"""Under what conditions a study judged its candidates, in a few words."""

from search.store.records import StudyRecord
from space.wording import count


def conditions(study: StudyRecord) -> str:
    """Such as "judged after 6 epochs at 28×28 on 5,000 images", as far as the store tells."""
    words = [f"judged after {count(int(study.protocol['epochs']), 'epoch')}"]
    shape = study.space.get("input") or {}
    if "height" in shape and "width" in shape:
        words.append(f"at {shape['height']}×{shape['width']}")
    told = study.objective.get("data") or {}
    if "train_images" in told:
        words.append(f"on {count(told['train_images'], 'image')}")
    samples = study.protocol.get("samples_per_epoch")
    if samples is not None:
        words.append(f"({samples:,} an epoch)")
    return " ".join(words)
