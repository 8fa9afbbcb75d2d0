"""Studies of Optuna with as many decisions and reports as ours, to stand beside our stores."""

from typing import TYPE_CHECKING

from benchmarks.filled_store import EPOCHS

if TYPE_CHECKING:
    import optuna

DECISIONS = tuple(f"decision {place}" for place in range(12))
VALUES = tuple(range(8))


def filled_study(storage: str, trials: int) -> "optuna.Study":
    """A study with so many complete trials in a database that is made for it."""
    import optuna
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=storage, direction="maximize", study_name="study-0")
    choices = CategoricalDistribution(VALUES)
    study.add_trials(
        [
            create_trial(
                value=number % 97 / 97,
                params={
                    name: VALUES[(number + place) % len(VALUES)]
                    for place, name in enumerate(DECISIONS)
                },
                distributions=dict.fromkeys(DECISIONS, choices),
                intermediate_values=dict.fromkeys(range(EPOCHS), number % 89 / 89),
            )
            for number in range(trials)
        ]
    )
    return study
