"""The numbers of a report: residuals, dropped tiles and provenance of a stack and of what it was made of."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderapi.render import Render

from rendermodules.command.places import answer
from rendermodules.command.report.joined_tiles import JoinedTiles
from rendermodules.command.survey import ProjectSurvey, StackSurvey, path_of_stack
from rendermodules.core.lineage import matched_stack, texts
from rendermodules.core.match_frames import LENS_LABEL, transform_labels, transforms_for_matching
from rendermodules.core.match_placement import PlacedMatches, matches_of_documents, placed_matches
from rendermodules.core.residual_statistics import GroupStatistics, group_statistics
from rendermodules.core.sections import Section, TransformSpec, transform_list
from rendermodules.core.transforms import flattened
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.progress import progress
from rendermodules.module.stacks import read_section

Floats = NDArray[np.float64]

MOST_ABOVE_LIMIT = 0.05
"""Share of the matches of a section that may be farther apart than the limit before the section is marked."""

HISTOGRAM_BINS = 40
HISTOGRAM_SPREAD = 2.5
"""Range of a histogram over the 95th percentile."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a report is about.

    Attributes
    ----------
    before, after : str
        The stacks that are compared.
    collections : list of str
        Match collections that are looked at; all of a pair's matches count.
    limit, between_limit : float
        Residuals in world pixels above which a match within a section, or between two, is marked.
    num_local_transforms : int or None
        How many transforms of a tile are in the matched pixels already; None is Render's rule.
    seams : int
        How many of the worst pairs are kept, within sections and between them.
    """

    before: str
    after: str
    collections: list[str]
    limit: float
    between_limit: float
    num_local_transforms: int | None
    seams: int


@dataclass(frozen=True)
class Residuals:
    """Figures of residuals in world pixels; ``above_limit`` is the share of those above the limit."""

    matches: int
    pairs: int
    mean: float
    median: float
    percentile_95: float
    greatest: float
    above_limit: float


@dataclass(frozen=True)
class Seam:
    """A pair of tiles, with its matches in the world of the stack."""

    p: str
    q: str
    p_z: float
    q_z: float
    matches: int
    mean: float
    greatest: float
    x: float
    y: float
    p_world: Floats = field(repr=False)
    q_world: Floats = field(repr=False)


@dataclass(frozen=True)
class DroppedTile:
    """A tile that is not in the stack any more, and where it was lost."""

    tile_id: str
    lost_in: str
    reason: str


@dataclass(frozen=True)
class SectionNumbers:
    """The numbers of one section.

    Attributes
    ----------
    z : float
    tiles_before, tiles_after : int
    dropped : list of DroppedTile
    within : Residuals or None
        Of the matches of its tiles with each other.
    next_z : float or None
        The section after it.
    between : Residuals or None
        Of the matches with that.
    unmatched : list of str
        Tiles without any match, whose place nothing tells but the stage.
    parts : int
        Into how many parts the other tiles fall that no match joins.
    problems : list of str
        Empty where all is well.
    """

    z: float
    tiles_before: int
    tiles_after: int
    dropped: list[DroppedTile]
    within: Residuals | None
    next_z: float | None
    between: Residuals | None
    unmatched: list[str] = field(default_factory=list)
    parts: int = 1
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Histogram:
    """How many residuals lie between ``edges``; those beyond the last one are in the last bin."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Overall:
    """The residuals of all sections, and the limit that they are held against."""

    limit: float
    figures: Residuals | None
    histogram: Histogram
    worst: list[Seam]


@dataclass(frozen=True)
class ReportNumbers:
    """All numbers of a report.

    ``missing`` are the z of sections that the stack before has and the stack after has not; ``chain`` is the stack and
    what it was made of, itself last.
    """

    owner: str
    project: str
    choice: Choice
    sections: list[SectionNumbers]
    missing: list[float]
    within: Overall
    between: Overall
    chain: list[StackSurvey]

    @property
    def marked(self) -> list[SectionNumbers]:
        """The sections with problems."""
        return [section for section in self.sections if section.problems]


def report_numbers(render: Render, found: ProjectSurvey, choice: Choice) -> ReportNumbers:
    """Return the numbers of a report.

    Parameters
    ----------
    render : Render
        Connection.
    found : ProjectSurvey
    choice : Choice

    Notes
    -----
    Two sections are held at a time, 4 bytes for each match of the stack, and some 200 for each tile and pair.
    """
    chain = found.ancestors(choice.after)
    z_values = found.stack(choice.after).z_values
    if not z_values:
        raise RenderModuleError(f"stack {choice.after} holds no tile yet")
    before = set(found.stack(choice.before).z_values)
    gathered_within, gathered_between = _Gathered(choice.limit, choice), _Gathered(choice.between_limit, choice)
    joined, sections = JoinedTiles(), []
    with progress(len(z_values), "sections", logger) as advance:
        for (z, section), (next_z, following) in _in_pairs(render, choice.after, z_values):
            placed = placed_of_sections(render, choice, section)
            within = gathered_within.add(placed, z, z)
            joined.add_section(tile["tileId"] for tile in section.tiles)
            joined.add_pairs(placed.pairs)
            between = None
            if following is not None and next_z is not None:
                placed = placed_of_sections(render, choice, section, following)
                between = gathered_between.add(placed, z, next_z)
                joined.add_pairs(placed.pairs)
            tiles_before, dropped = _dropped(render, chain, choice, z, section) if z in before else (0, [])
            sections.append(SectionNumbers(z, tiles_before, len(section.tiles), dropped, within, next_z, between))
            advance()
    across = gathered_between.overall()
    return ReportNumbers(
        found.owner,
        found.project,
        choice,
        _judged(sections, joined, choice, across.figures is not None),
        sorted(before - set(z_values)),
        gathered_within.overall(),
        across,
        chain,
    )


def num_local_transforms_of(render: Render, found: ProjectSurvey, name: str, collections: Sequence[str]) -> int | None:
    """Return how many transforms of a tile of a stack are in the pixels that were matched; None is Render's rule.

    A lens that tiles have under its label is always the last of them. Of tiles without one the stack tells that was
    matched, as far as is known; see `matched_stack`.
    """
    stack = found.stack(name)
    if not stack.z_values or any(LENS_LABEL in transform_labels(spec) for spec in _first_specs(render, stack)):
        return None
    matched = matched_stack(name, found.records, collections)
    if matched.num_local_transforms is not None:
        return matched.num_local_transforms
    source = found.stack(matched.stack)
    return len(transforms_for_matching(_first_specs(render, source))) if source.z_values else None


def _first_specs(render: Render, stack: StackSurvey) -> Sequence[TransformSpec]:
    """Return the transforms of the first tile of a stack as a flat list."""
    section = read_section(render, stack.name, stack.z_values[0])
    return flattened(transform_list(section.tiles[0]), section.transforms)


def collections_of(found: ProjectSurvey, chain: Sequence[StackSurvey]) -> list[str]:
    """Return the match collections that the parameters of a chain of stacks name, or all where they name none."""
    names = [collection.name for collection in found.collections]
    used = {text for stack in chain for text in texts(stack.provenance.get("parameters") or {})}
    return [name for name in names if name in used] or names


def _in_pairs(
    render: Render, stack: str, z_values: Sequence[float]
) -> Iterator[tuple[tuple[float, Section], tuple[float | None, Section | None]]]:
    """Give each section with the next one, each read once."""
    section = read_section(render, stack, z_values[0])
    for index, z in enumerate(z_values):
        next_z = z_values[index + 1] if index + 1 < len(z_values) else None
        following = None if next_z is None else read_section(render, stack, next_z)
        yield (z, section), (next_z, following)
        if following is not None:
            section = following


class _Gathered:
    """Residuals of section after section."""

    def __init__(self, limit: float, choice: Choice) -> None:
        self._limit = limit
        self._seams = choice.seams
        self._residuals: list[NDArray[np.float32]] = []
        self._pairs = 0
        self._worst: list[Seam] = []

    def add(self, placed: PlacedMatches, p_z: float, q_z: float) -> Residuals | None:
        """Take the matches of a section, or of two, and return their figures."""
        self._residuals.append(placed.residuals.astype(np.float32))
        self._pairs += len(placed.pairs)
        self._keep_worst(placed, p_z, q_z)
        return _figures(placed.residuals, len(placed.pairs), self._limit)

    def overall(self) -> Overall:
        """Return what is known of all."""
        residuals = np.concatenate([np.empty(0, np.float32), *self._residuals]).astype(float)
        figures = _figures(residuals, self._pairs, self._limit)
        # where all is well the limit lies beyond the figure
        spread = HISTOGRAM_SPREAD * (figures.percentile_95 if figures else self._limit)
        top = min(2.0 * self._limit, max(spread, self._limit / 100))
        edges = np.linspace(0.0, top, HISTOGRAM_BINS + 1)
        counts = np.histogram(np.minimum(residuals, edges[-1]), edges)[0]
        return Overall(self._limit, figures, Histogram(edges.tolist(), counts.tolist()), self._worst)

    def _keep_worst(self, placed: PlacedMatches, p_z: float, q_z: float) -> None:
        statistics = group_statistics(placed.residuals, placed.pair_of_match, len(placed.pairs))
        order = np.argsort(-np.nan_to_num(statistics.mean), kind="stable")[: self._seams]
        for pair in order.tolist():
            if statistics.count[pair]:
                self._worst.append(_seam(placed, pair, (p_z, q_z), statistics))
        self._worst = sorted(self._worst, key=lambda seam: -seam.mean)[: self._seams]


def _seam(placed: PlacedMatches, pair: int, z: tuple[float, float], statistics: GroupStatistics) -> Seam:
    rows = placed.pair_of_match == pair
    x, y = placed.places[rows].mean(axis=0).tolist()
    p, q = placed.pairs[pair]
    return Seam(
        p=p,
        q=q,
        p_z=z[0],
        q_z=z[1],
        matches=int(statistics.count[pair]),
        mean=float(statistics.mean[pair]),
        greatest=float(statistics.greatest[pair]),
        x=x,
        y=y,
        p_world=placed.p_world[rows],
        q_world=placed.q_world[rows],
    )


def _figures(residuals: Floats, pairs: int, limit: float) -> Residuals | None:
    if not len(residuals):
        return None
    median, high = np.percentile(residuals, [50, 95])
    return Residuals(
        len(residuals),
        pairs,
        float(residuals.mean()),
        float(median),
        float(high),
        float(residuals.max()),
        float((residuals > limit).mean()),
    )


def placed_of_sections(
    render: Render, choice: Choice, section: Section, following: Section | None = None
) -> PlacedMatches:
    """Return the matches within a section, or between it and the next one, in the world."""
    groups = _groups(section)
    documents: list[Mapping[str, Any]] = []
    for collection in choice.collections:
        base = ("owner", render.DEFAULT_OWNER, "matchCollection", collection, "group")
        if following is None:
            for index, first in enumerate(groups):
                documents += answer(render, *base, first, "matchesWithinGroup")
                for second in groups[index + 1 :]:
                    documents += answer(render, *base, first, "matchesWith", second)
        else:
            for first in groups:
                for second in _groups(following):
                    documents += answer(render, *base, first, "matchesWith", second)
    both = [section] if following is None else [section, following]
    tiles = {tile["tileId"]: tile for one in both for tile in one.tiles}
    shared = {name: spec for one in both for name, spec in one.transforms.items()}
    return placed_matches(matches_of_documents(documents), tiles, shared, choice.num_local_transforms)


def _groups(section: Section) -> list[str]:
    return sorted({str((tile.get("layout") or {}).get("sectionId")) for tile in section.tiles})


def _dropped(
    render: Render, chain: Sequence[StackSurvey], choice: Choice, z: float, section: Section
) -> tuple[int, list[DroppedTile]]:
    """Return how many tiles there were, and those that are gone, each with the stack in which it is missing first."""
    before = _tile_ids(render, choice.before, z)
    lost = sorted(before - {tile["tileId"] for tile in section.tiles})
    if not lost:
        return len(before), []
    names = [stack.name for stack in chain]
    later = chain[names.index(choice.before) + 1 :] if choice.before in names else chain[-1:]
    present = {stack.name: _tile_ids(render, stack.name, z) for stack in later}
    dropped = []
    for tile_id in lost:
        stack = next(stack for stack in later if tile_id not in present[stack.name])
        made_by = f"made by {stack.module}" if stack.module else "of which nobody noted how it was made"
        dropped.append(DroppedTile(tile_id, stack.name, f"not in {stack.name}, {made_by}"))
    return len(before), dropped


def _tile_ids(render: Render, stack: str, z: float) -> set[str]:
    try:
        bounds = answer(render, *path_of_stack(render, stack), "z", repr(float(z)), "tileBounds")
    except RenderModuleError:
        # a stack in between that lacks the section
        return set()
    return {bound["tileId"] for bound in bounds}


def _judged(
    sections: Sequence[SectionNumbers], joined: JoinedTiles, choice: Choice, is_joined_across: bool
) -> list[SectionNumbers]:
    """Return the sections with how their tiles are joined, and with their problems."""
    judged = []
    for section, joins in zip(sections, joined.sections(), strict=True):
        # a tile that is alone in its section has matches with other sections only
        unmatched = joins.unmatched if section.tiles_after > 1 or is_joined_across else []
        known = replace(section, unmatched=unmatched, parts=joins.parts)
        judged.append(replace(known, problems=_problems(known, choice)))
    return judged


def _problems(section: SectionNumbers, choice: Choice) -> list[str]:
    problems = []
    if section.dropped:
        problems.append(f"{len(section.dropped)} of {section.tiles_before} tiles were dropped")
    if section.tiles_after > 1 and section.within is None:
        problems.append("no matches within the section")
    elif section.unmatched:
        problems.append(f"{len(section.unmatched)} of {section.tiles_after} tiles have no matches")
    if section.parts > 1:
        problems.append(f"its tiles fall into {section.parts} parts that no match joins")
    for residuals, where, limit in (
        (section.within, "within the section", choice.limit),
        (section.between, "to the next one", choice.between_limit),
    ):
        if residuals is not None and residuals.above_limit > MOST_ABOVE_LIMIT:
            problems.append(f"{residuals.above_limit:.0%} of the matches {where} are above {limit:g} px")
    return problems
