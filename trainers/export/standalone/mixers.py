"""The mixers of a network as classes of the file, and as the expressions that make them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from space.axes import Locality, Rank
from space.custom import CustomMixer
from space.layout import Layout
from trainers.export.standalone import kernels, neighbourhoods, whole_maps, window_cores
from trainers.export.standalone.core import Core, Setting
from trainers.export.standalone.custom_mixers import making
from trainers.export.standalone.draft import Draft, Uses, Value
from trainers.export.standalone.places import Place, Survey
from trainers.export.standalone.ranks import custom_wrapper, wrapper
from trainers.export.standalone.reductions import Reduction, reduction
from trainers.export.standalone.text import Call, Expression, call
from trainers.export.standalone.weights import GENERATOR, write_generator, write_query_key


def core_of(place: Place) -> Core | None:
    """The weighted sum at a place; none between the factors of rank joint."""
    if place.mixer.rank is Rank.JOINT:
        return None
    plan = place.plan
    if plan.layout is Layout.KERNEL:
        return kernels.core(plan)
    if plan.layout is Layout.NEIGHBOURHOOD:
        return neighbourhoods.core(plan)
    windows = plan.mixer.locality is Locality.WINDOW
    return window_cores.core(plan) if windows else whole_maps.core(plan)


def reduction_of(place: Place) -> Reduction | None:
    """The reduction at a place, for rank spatial."""
    return reduction(place) if place.reduced else None


@dataclass
class MixerClasses:
    """The classes of all mixers of a network.

    Attributes:
        survey: of the network.
        batch_norm: what batch norms are called.
        texts: the classes, in the order in which they use each other.
    """

    survey: Survey
    batch_norm: str
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = [place for place in self.survey.places if not place.mixer.is_custom]
        self._drafts: dict[str, Draft] = {}
        self._maps = {core.name: self._maps_of(core) for core in self._cores()}
        self._write_shared()
        for core in self._cores():
            setting = Setting(self._maps[core.name], self._drafts)
            draft = self._draft(core.name, core.values, self._places_of(core_of, core.name))
            self.texts[core.name] = core.write(draft, setting)
        for each in _distinct(map(reduction_of, self._places)):
            draft = self._draft(each.name, each.values, self._places_of(reduction_of, each.name))
            self.texts[each.name] = each.write(draft)
        self._write_wrappers()
        for place in self.survey.places:
            if place.mixer.is_custom:
                name = self._custom_name(place)
                self.texts[name] = custom_wrapper(name, self.survey.two_maps, place.reads_context)

    @property
    def alone(self) -> bool:
        """Whether all blocks have mixers of one class, so that blocks can make their own."""
        return not self.survey.custom_mixers and len(set(map(self._key, self._places))) == 1

    def expression(self, place: Place, texts: Mapping[str, str] | None = None) -> Call:
        """The call that makes the mixer of a place, with its values or with other texts for them.

        Args:
            place: of the network.
            texts: names of arguments by which all places are told apart; None for values.
        """
        if isinstance(place.mixer, CustomMixer):
            made_by_others = making(place.mixer, place.width, place.size)
            return call(self._custom_name(place), made_by_others)
        kind = wrapper(place)
        around = self._drafts[self._wrapper_name(place)]
        modules: dict[str, Expression] = {}
        made = {"reduction": reduction_of(place), "mixing": core_of(place)}
        for name in kind.modules:
            part = made[name]
            assert part is not None  # as the wrapper has such a module
            inner = name == "mixing" and place.mixer.rank is Rank.CHANNEL
            modules[name] = self._called(part.name, part.values(place), texts, around, inner)
        values = kind.values(place)
        return around.called(self._texts(around, values, texts) | modules)

    def arguments(self, place: Place) -> dict[str, Value]:
        """What blocks that make their own mixers are told for it: the arguments of all parts."""
        found: dict[str, Value] = {}
        for part in (core_of(place), reduction_of(place)):
            if part is not None:
                draft, values = self._drafts[part.name], part.values(place)
                found |= {name: values[name] for name in draft.arguments if name != "width"}
        around, values = self._drafts[self._wrapper_name(place)], wrapper(place).values(place)
        plain = (n for n in around.arguments if n not in ("width", *around.modules))
        return found | {name: values[name] for name in plain}

    def _called(
        self,
        name: str,
        values: Mapping[str, Value],
        texts: Mapping[str, str] | None,
        around: Draft,
        inner: bool,
    ) -> Call:
        draft = self._drafts[name]
        given = self._texts(draft, values, texts)
        if texts is not None and inner:
            given["width"] = around.uses.term("inner").text
        return draft.called(given)

    @staticmethod
    def _texts(
        draft: Draft, values: Mapping[str, Value], texts: Mapping[str, str] | None
    ) -> dict[str, Expression]:
        names = [name for name in draft.arguments if name not in draft.modules]
        return {name: repr(values[name]) if texts is None else texts[name] for name in names}

    # --- writing ----------------------------------------------------------------------------------

    def _cores(self) -> list[Core]:
        return _distinct(map(core_of, self._places))

    def _places_of(
        self, part_of: Callable[[Place], Core | Reduction | None], name: str
    ) -> list[Place]:
        parts = ((place, part_of(place)) for place in self._places)
        return [place for place, part in parts if part is not None and part.name == name]

    def _draft(
        self,
        name: str,
        values: Callable[[Place], dict[str, Value]],
        places: list[Place],
        modules: tuple[str, ...] = (),
    ) -> Draft:
        self._drafts[name] = Draft(name, Uses([values(place) for place in places]), modules)
        return self._drafts[name]

    def _maps_of(self, core: Core) -> int:
        places = self._places_of(core_of, core.name)
        source = places[0].mixer.dynamics.source
        reduced = any(place.reduced for place in places)
        if not source.dynamic or not (reduced or self.survey.two_maps):
            return 1
        return 3 if source.reads_sources and reduced else 2

    def _write_shared(self) -> None:
        places: dict[str, list[dict[str, Value]]] = {}
        for place in self._places:
            core = core_of(place)
            if core is not None and core.shared is not None:
                name, values = core.shared
                places.setdefault(name, []).append(values(place))
        for name, values_of in places.items():
            draft = self._drafts[name] = Draft(name, Uses(values_of))
            if name == GENERATOR:
                self.texts[name] = write_generator(draft, self.batch_norm)
            else:
                self.texts[name] = write_query_key(draft)

    def _write_wrappers(self) -> None:
        for name in dict.fromkeys(map(self._wrapper_name, self._places)):
            places = [place for place in self._places if self._wrapper_name(place) == name]
            kind = wrapper(places[0])
            draft = self._draft(name, kind.values, places, kind.modules)
            self.texts[name] = kind.write(draft, self.survey, self._maps_at(places[0]))

    def _maps_at(self, place: Place) -> int:
        core = core_of(place)
        return 1 if core is None else self._maps[core.name]

    def _wrapper_name(self, place: Place) -> str:
        """With a word before it where sums that are given fewer maps have the plain name."""
        name = wrapper(place).name
        counts = {self._maps_at(each) for each in self._places if wrapper(each).name == name}
        maps = self._maps_at(place)
        return name if maps == min(counts) else f"{_MORE_MAPS[maps]}{name}"

    def _custom_name(self, place: Place) -> str:
        every = {each.reads_context for each in self.survey.places if each.mixer.is_custom}
        return f"{'Dynamic' * (place.reads_context and len(every) > 1)}CustomMixer"

    def _key(self, place: Place) -> tuple[str, ...]:
        parts = (wrapper(place), core_of(place), reduction_of(place))
        return tuple(part.name for part in parts if part is not None)


Part = TypeVar("Part", Core, Reduction)

_MORE_MAPS = {2: "Dynamic", 3: "Attention"}


def _distinct(parts: Iterable[Part | None]) -> list[Part]:
    return list({part.name: part for part in parts if part is not None}.values())
