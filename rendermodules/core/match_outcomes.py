"""What came of matching many pairs: how many have matches, and in plain words why the others have none."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rendermodules.core.problems import listed
from rendermodules.core.tile_matching import NOT_IN_STACK, UNREADABLE, PairOutcome

Summary = dict[str, Any]
"""What is kept of some pairs, plain JSON values; see `outcome_summary`."""


class _Cause(NamedTuple):
    """A cause that is behind several reasons, and what helps."""

    reasons: tuple[str, ...]
    words: str
    remedy: str


# the first one of which a reason is found counts: what hinders correlation is told before what hinders features
_CAUSES = (
    _Cause((NOT_IN_STACK,), "of tiles that the stack does not have", "a pair file made from the stack that is matched"),
    _Cause((UNREADABLE,), "of images that cannot be read", "images that can be read"),
    _Cause(("no overlap", "too narrow"), "that hardly overlap", "a larger searchRadius if tiles lie farther off"),
    _Cause(("flat", "uninformative"), "with an empty side", "nothing, if there is no tissue"),
    _Cause(
        ("ambiguous", "two places fit"),
        "of a texture that repeats itself",
        "a smaller searchRadius if the stage is as exact as that",
    ),
    _Cause(
        ("too few matches",),
        "with too few matches",
        "a smaller matchMinNumInliers, or a smaller blockSize for thin overlaps",
    ),
    _Cause(
        ("missing in the other", "stretched", "turned against", "disagreeing", "too few blocks found"),
        "whose images contradict each other",
        "masks over what is not tissue; method sift for sections that are torn or folded",
    ),
    _Cause(
        ("weak correlation", "too few candidates", "as by chance"),
        "that show nothing in common",
        "a larger searchRadius if tiles lie farther off; else another renderScale, or renderWithFilter",
    ),
)
_OTHER = _Cause((), "for other reasons", "see dropped in the output")


@dataclass(frozen=True)
class MatchingTotals:
    """What came of all pairs together.

    Attributes
    ----------
    tried, matched, match_count : int
        Pairs, those with matches, and the matches of all of them.
    methods, dropped : dict of str to int
        How many pairs were matched by which method, and have no matches for which reason.
    sections : dict of (str, str) to (int, int)
        By the group ids of p and q: pairs, and those with matches.
    unreadable : list of str
        What is wrong with images that cannot be read, each once.
    frames : set of int
        The numbers of local transforms that the tiles had; matches are in one frame if it is a single one.
    """

    tried: int
    matched: int
    match_count: int
    methods: dict[str, int]
    dropped: dict[str, int]
    sections: dict[tuple[str, str], tuple[int, int]]
    unreadable: list[str]
    frames: set[int]

    def poor_sections(self, least: float) -> list[dict[str, Any]]:
        """Return the pairs of sections, or sections, of whose pairs a smaller part than ``least`` has matches."""
        return [
            {"pGroupId": p_group, "qGroupId": q_group, "pairs": tried, "matched": matched}
            for (p_group, q_group), (tried, matched) in self.sections.items()
            if matched < least * tried
        ]


def outcome_summary(outcomes: Sequence[PairOutcome], num_local_transforms: int | None) -> Summary:
    """Return what is kept of some pairs after their matches were written.

    Parameters
    ----------
    outcomes : list of PairOutcome
    num_local_transforms : int or None
        Of their tiles; None if there is none.
    """
    tried = Counter((one.pair.p.group_id, one.pair.q.group_id) for one in outcomes)
    matched = Counter((one.pair.p.group_id, one.pair.q.group_id) for one in outcomes if one.matches)
    dropped = [one for one in outcomes if not one.matches]
    return {
        "match_count": sum(len(record) for one in outcomes for record in one.matches),
        "methods": Counter(one.method for one in outcomes if one.matches),
        "sections": [[*groups, count, matched[groups]] for groups, count in tried.items()],
        "dropped": [[one.pair.p.name, one.pair.q.name, one.kind] for one in dropped],
        "unreadable": sorted({str(one.reason)[len(UNREADABLE) + 2 : -1] for one in dropped if one.kind == UNREADABLE}),
        "num_local_transforms": num_local_transforms,
    }


def matching_totals(summaries: Iterable[Summary]) -> MatchingTotals:
    """Return what came of all pairs, from their summaries by `outcome_summary`."""
    methods: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    sections: dict[tuple[str, str], tuple[int, int]] = {}
    count = 0
    unreadable: set[str] = set()
    frames: set[int] = set()
    for summary in summaries:
        count += summary["match_count"]
        methods.update(summary["methods"])
        reasons.update(reason for _, _, reason in summary["dropped"])
        unreadable.update(summary["unreadable"])
        frames |= {summary["num_local_transforms"]} - {None}
        for p_group, q_group, tried, matched in summary["sections"]:
            before = sections.get((p_group, q_group), (0, 0))
            sections[p_group, q_group] = (before[0] + tried, before[1] + matched)
    tried, matched = (sum(numbers) for numbers in zip(*sections.values(), strict=True)) if sections else (0, 0)
    return MatchingTotals(tried, matched, count, dict(methods), dict(reasons), sections, sorted(unreadable), frames)


def dropped_in_words(dropped: Mapping[str, int]) -> str:
    """Return in one short line why pairs have no matches, the commonest cause first, and what helps against that one.

    Parameters
    ----------
    dropped : dict of str to int
        How many pairs were dropped, by the `kind` of their outcome.
    """
    causes: Counter[_Cause] = Counter()
    for reason, count in dropped.items():
        causes[_cause(reason)] += count
    if not causes:
        return "none were dropped"
    said = listed([f"{count} {cause.words}" for cause, count in causes.most_common()])
    return f"{causes.total()} were dropped: {said}. For most of them helps: {causes.most_common(1)[0][0].remedy}"


def _cause(reason: str) -> _Cause:
    return next((cause for cause in _CAUSES if any(part in reason for part in cause.reasons)), _OTHER)
