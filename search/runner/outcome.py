"""How a run ended."""

from dataclasses import dataclass

from search.exit_code import ExitCode
from search.runner.study_progress import Progress


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The end of a run.

    Attributes:
        study: its name. exit_code: for the shell.
        progress: how far the study is.
        reason: why the run stopped before the planned number of trials; None when it did not.
        was_complete: whether there was nothing to do.
        validation_images: on how many the accuracies are measured, where that is known.
        notes: on the recipe, said before the first trial (`trainers.notes_on_recipe`).
    """

    study: str
    exit_code: ExitCode
    progress: Progress
    reason: str | None = None
    was_complete: bool = False
    notes: tuple[str, ...] = ()
    validation_images: int | None = None
