"""An architecture by its id, or by a trial of it: STUDY/NUMBER."""

import re

from search.store import Store
from space.errors import InputError

_TRIAL = re.compile("(?P<study>.+)/(?P<number>[0-9]{1,9})")


def architecture_named(store: Store, name: str) -> str:
    """The id of the architecture that is meant.

    Args:
        store: where it is.
        name: its id or the beginning of one, or a study and the number of a trial: first/12.

    Raises:
        InputError: none or several are meant, or there is no such study or trial.
    """
    trial = _TRIAL.fullmatch(name.strip())
    if trial is None:
        return store.architectures.get(name).id
    study = store.studies.get(trial["study"])
    number = int(trial["number"])
    found = store.trials.of_number(study.id, number)
    if found is None:
        raise InputError.of("trial", f"study {study.name!r} has no trial {number}")
    return found.architecture_id
