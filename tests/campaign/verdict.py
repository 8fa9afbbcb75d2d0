"""What faults have cost a study, from its store and the machine alone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from tests.campaign.looking import Look
from tests.campaign.study import Seen, StudyUnderFire

Value = TypeVar("Value")
_DONE = ("complete", "pruned")
_ENDS = ("complete", "pruned", "failed", "infeasible")
_MEANT = ("study.yaml", "store.db", "what-happened.log", "driver-*.std*", "tmp", "checkpoints")
_OF_TORCH = ("torchinductor_*",)
"""Its own cache, of which it keeps one for all programs of a user."""
_MEANT_CHECKPOINTS = ("*.safetensors", "*.log")


@dataclass(frozen=True)
class Figures:
    """The figures of studies, which can be added up. All but the first two should be 0.

    Attributes:
        planned: trials that there should be.
        reached: those that are complete or pruned in the end.
        duplicates: architectures or epochs that the store has twice, ends of trials that came
            twice, and runs open at once.
        lost_epochs: epochs that were in the store or a checkpoint at any moment, and are not in
            the store in the end, or were trained again.
        orphans: processes that outlived their driver.
        files_left: files that nobody needs any more.
        silent_ends: drivers that were not done, and did not say how to go on.
        tracebacks: drivers that showed a stack.
        open_runs: runs without an end in the store.
    """

    planned: int = 0
    reached: int = 0
    duplicates: int = 0
    lost_epochs: int = 0
    orphans: int = 0
    files_left: int = 0
    silent_ends: int = 0
    tracebacks: int = 0
    open_runs: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Of the studies of both."""
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def sound(self) -> bool:
        """Whether the faults have cost nothing."""
        others = (getattr(self, f.name) for f in fields(self)[2:])
        return self.reached == self.planned and not any(others)


@dataclass(frozen=True)
class Verdict:
    """What became of a study.

    Attributes:
        figures: in numbers.
        problems: in words, one for everything that is wrong.
    """

    figures: Figures
    problems: tuple[str, ...]


def judge(study: StudyUnderFire) -> Verdict:
    """Judge a study whose last driver has ended."""
    orphans = study.wait_for_the_end()
    files = files_left(study.folder, study.family.folders)
    look = study.look()
    silent = [d for d in study.drivers if d.ended_silently]
    stacks = [d for d in study.drivers if d.has_traceback]
    words: dict[str, list[str]] = {
        "given up": [study.gave_up] if study.gave_up else [],
        "not reached": not_reached(look),
        "duplicate": duplicates(look, study.seen) if look else [],
        "lost epoch": lost_epochs(look, study.seen) if look else [],
        "orphan": [f"{p.pid}" for p in orphans],
        "file left": files,
        "silent end": [f"{d.errors.name} ({d.code}) after {d.hit}" for d in silent],
        "traceback": [f"{d.errors.name} ({d.code}) after {d.hit}" for d in stacks],
        "open run": [f"run {r.id}" for r in look.runs if not r.ended] if look else [],
    }
    planned = look.planned if look else int(study.plan.settings["trials"])
    counts = [len(found) for found in list(words.values())[2:]]
    reached = 0 if look is None else sum(t.state in _DONE and not t.repeat for t in look.trials)
    problems = [f"{kind}: {text}" for kind, texts in words.items() for text in texts]
    verdict = Verdict(Figures(planned, reached, *counts), tuple(problems))
    study.keep(look)
    return verdict


def not_reached(look: Look | None) -> list[str]:
    """The trials that did not come to their end."""
    if look is None:
        return ["the store cannot be read"]
    ended = [trial for trial in look.trials if trial.state in _DONE]
    others = [f"trial {t.number} is {t.state}: {t.reason}" for t in look.trials if t not in ended]
    lacking = look.planned - len(look.trials)
    return others + ([f"{lacking} trials were never made"] if lacking else [])


def duplicates(look: Look, seen: Seen) -> list[str]:
    """What is there twice and should be there once."""
    architectures = twice((t.architecture, t.repeat) for t in look.trials)
    epochs = twice((e.trial, e.epoch) for e in look.events if e.kind == "epoch")
    ends = twice(e.trial for e in look.events if e.kind in _ENDS)
    return [
        *(f"architecture {id_} has two trials" for id_, _ in architectures),
        *(f"epoch {epoch} of trial {trial} was recorded twice" for trial, epoch in epochs),
        *(f"trial {trial} ended twice" for trial in ends),
        *([f"{seen.open_runs} runs were open at once"] if seen.open_runs > 1 else []),
    ]


def lost_epochs(look: Look, seen: Seen) -> list[str]:
    """What was trained, and is gone or was trained again."""
    gone = seen.epochs.keys() - look.epochs.keys()
    found = [f"epoch {n} of trial {trial} is gone" for trial, _, n in sorted(gone)]
    found += [f"epoch {n} of trial {t} was trained again" for t, _, n in sorted(seen.changed)]
    return found + [f"trial {e.trial} forgot epochs" for e in look.events if e.kind == "forgotten"]


def files_left(folder: Path, private: Iterable[Path]) -> list[str]:
    """Files that are not meant to stay, of a study and of its private Rays."""
    inside = [path for path in folder.iterdir() if not _matches(path, _MEANT)]
    if (folder / "tmp").is_dir():
        inside += [path for path in (folder / "tmp").iterdir() if not _matches(path, _OF_TORCH)]
    for study in (folder / "checkpoints").glob("*"):
        inside += [path for path in study.iterdir() if not _matches(path, _MEANT_CHECKPOINTS)]
    return [str(path) for path in [*inside, *(p for p in private if p.exists())]]


def twice(values: Iterable[Value]) -> list[Value]:
    """Those that come more than once."""
    return [value for value, number in Counter(values).items() if number > 1]


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(path.match(pattern) for pattern in patterns)
