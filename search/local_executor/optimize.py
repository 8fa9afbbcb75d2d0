"""Searching in this process: one evaluation after the other, as the study asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from search.local_executor.checks import check_known, check_space, whole_settings
from search.local_executor.evaluate import DEFAULT, ended, evaluate, within_bounds
from search.local_executor.result import Evaluation, Result
from search.objective_parsing import bare_bound_problems
from search.objectives import JudgedBy, Objective, Objectives, Values, objectives_from
from search.schedulers import NoScheduler, make_scheduler
from search.searchers import Exhausted, SearchSpace, Task, make_searcher
from search.searchers.searcher import P
from search.study import Study
from search.trial_states import TrialState
from space.errors import InputError, refuse


def optimize(
    space: SearchSpace[P],
    objective: Callable[[P], Any],
    searcher: str = "evolution",
    scheduler: str | None = None,
    budget: int = 200,
    seed: int = 0,
    *,
    objectives: Mapping[str, str] | None = None,
    constraints: Mapping[str, Any] | None = None,
    known: Callable[[P], Values] | None = None,
    fidelities: int = 1,
    searcher_options: Mapping[str, Any] | None = None,
    scheduler_options: Mapping[str, Any] | None = None,
    on_evaluation: Callable[[Evaluation[P]], object] | None = None,
    judged_by: JudgedBy = "last",
) -> Result[P]:
    """Search a space for the points that an objective likes best.

    No point is evaluated twice. The same arguments give the same points, provided that the
    objective gives the same metrics.

    Args:
        space: anything with `sample(rng)`, `neighbours(point)`, `key(point)`, `encode(point)`,
            whose points are hashable; a `DesignSpace` is one.
        objective: returns a number to maximise, or a dictionary of numbers by name; or is a
            generator that yields one of them for every fidelity (epoch), so that a scheduler can
            stop it early. What returns is a whole evaluation, at the last fidelity, and never
            stopped. One that raises, or returns what is no finite number, fails its point.
        searcher: random, tpe, nsga2, gp, evolution, local or surrogate.
        scheduler: none, median, asha, hyperband or moasha; all but none need `fidelities`.
        budget: how many points are evaluated at most; failed and stopped ones count.
        seed: of all random choices.
        objectives: "maximise" or "minimise" by name. Left out, every metric of the first
            result that is not known and that no constraint names is maximised; should they be
            several, and the scheduler one of a single objective, that is refused only then.
        constraints: an upper bound by name, or {"at_least": …, "at_most": …}; what is maximised
            needs the latter.
        known: metrics of a point that need no evaluation; those that break a constraint are
            never evaluated.
        fidelities: how often a generator yields for a whole evaluation. One that ends
            sooner has seen enough by itself, say by a patience of its own: it is complete, is
            judged by its last metrics, and its curve says how far it came.
        searcher_options, scheduler_options: their keyword arguments.
        on_evaluation: called with every evaluation when it has ended.
        judged_by: the fidelity that an evaluation is judged by: "last", or "best" as in
            `Protocol.judged_by`.

    Raises:
        InputError: settings, or a space, that cannot be searched; nothing was evaluated, but for
            several objectives that only the first result showed.
        Exception: whatever the space, `known` or `on_evaluation` raises gets through, and ends the
            search; only the objective's exceptions are results.
    """
    known_metrics, notify = known or _nothing, on_evaluation or _nothing
    functions = {"objective": objective, "known": known_metrics, "on_evaluation": notify}
    budget, seed, fidelities = whole_settings(functions, budget, seed, fidelities, judged_by)
    check_known(known_metrics, check_space(space, seed))

    def begin(wanted: Objectives, *, judges: bool = True) -> _Search[P]:
        task = Task(space, wanted, _as_floats(known_metrics), fidelities)
        chosen = make_scheduler(scheduler, wanted, fidelities, scheduler_options)
        if fidelities < 2 and not isinstance(chosen, NoScheduler):
            message = f"must be at least 2 for the scheduler {scheduler!r}; got {fidelities}"
            raise InputError.of("fidelities", message)
        chosen = chosen if judges else NoScheduler(wanted, fidelities)
        asked = make_searcher(searcher, task, seed, searcher_options)
        return _Search(Study(task, (asked,), chosen, judged_by), objective, notify)

    if objectives is not None:
        wanted = objectives_from(objectives, constraints)
        refuse(bare_bound_problems(objectives, constraints or {}))
        return begin(wanted).run(budget)
    # Wrong names and options are refused now, not after the first evaluation.
    search = begin(objectives_from({DEFAULT: "maximise"}, constraints), judges=False)
    first = list(search.look(budget))
    return begin(_shown(first, search.study.task)).run(budget, first)


def _nothing(point: Any) -> Any:
    return {}


def _as_floats(known: Callable[[P], Values]) -> Callable[[P], Values]:
    """The known metrics as those that are returned: decimals do not mix with floats."""
    return lambda point: {str(name): float(value) for name, value in known(point).items()}


def _shown(evaluations: list[Evaluation[P]], task: Task[P]) -> Objectives:
    """Every metric that was returned is an objective, but for known and constrained ones."""
    asked_for = task.objectives
    if not evaluations:
        return asked_for
    others = {constraint.name for constraint in asked_for.constraints}
    others.update(task.known(evaluations[-1].point))
    names = [name for name in evaluations[-1].values if name not in others]
    return Objectives(tuple(map(Objective, names)) or asked_for.objectives, asked_for.constraints)


@dataclass(frozen=True)
class _Search(Generic[P]):
    """A study, and what evaluates its points one after the other."""

    study: Study[P]
    objective: Callable[[P], Any]
    notify: Callable[[Evaluation[P]], object]

    def look(self, budget: int) -> Iterator[Evaluation[P]]:
        """Evaluate points until one has shown the names of its metrics.

        That one is not shown to anybody yet: how it ended depends on the objectives.
        """
        for _ in range(budget):
            try:
                trial = self.study.ask()
            except Exhausted:
                return  # who goes on asks again, and says why
            evaluation = evaluate(self.study, trial, self.objective, ())
            yield evaluation
            if evaluation.state != TrialState.FAILED:
                return
            self.notify(evaluation)

    def run(self, budget: int, first: Iterable[Evaluation[P]] = ()) -> Result[P]:
        """Go on after the first evaluations until the budget is used or no point is left."""
        task = self.study.task
        evaluations = [self._again(evaluation) for evaluation in first]
        while len(evaluations) < budget:
            try:
                trial = self.study.ask()
            except Exhausted as error:
                return Result(task, tuple(evaluations), str(error))
            evaluation = evaluate(self.study, trial, self.objective, task.objectives.names)
            evaluations.append(self._shown(evaluation))
        return Result(task, tuple(evaluations))

    def _again(self, evaluation: Evaluation[P]) -> Evaluation[P]:
        """Take what was evaluated already for a trial of this study."""
        study, state = self.study, evaluation.state
        trial = study.add(evaluation.point)
        for fidelity, values in evaluation.curve.items():
            study.report(trial.number, fidelity, values)
        if state == TrialState.FAILED:  # it was shown when it failed
            study.tell(trial.number, state, evaluation.reason)
            return evaluation
        names = study.task.objectives.names
        return self._shown(ended(study, trial, state, None, evaluation.seconds, names))

    def _shown(self, evaluation: Evaluation[P]) -> Evaluation[P]:
        final = within_bounds(evaluation, self.study.task.objectives)
        self.notify(final)
        return final
