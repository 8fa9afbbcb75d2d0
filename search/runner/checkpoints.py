"""Where the checkpoints of a study lie."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from search.store import StudyRecord, TrialRecord


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The folder of one study."""

    folder: Path

    @classmethod
    def of(cls, study: StudyRecord, root: Path | None = None) -> "Checkpoints":
        """The folder of a study.

        Args:
            study: whose.
            root: the `checkpoints` of the configuration; None takes those it was made with.
        """
        root = Path(study.config["checkpoints"]) if root is None else root
        # The time keeps a new study of an old name from finding the old one's files.
        return cls(root.absolute() / f"{study.name}-{study.created:%Y%m%d-%H%M%S}")

    def file(self, trial: TrialRecord) -> Path:
        """The file of a trial."""
        return self.folder / f"{trial.number:05d}-{trial.architecture_id}.safetensors"

    def adopt(self, trial: TrialRecord, source: Path) -> bool:
        """Give a trial the checkpoint of another study's; False when that is gone.

        A link where the file system has it: checkpoints are replaced, never written into.
        """
        target = self.file(trial)
        if not source.exists():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        return True
