"""The report as one page of HTML that needs nothing else: no scripts, and nothing from elsewhere."""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from rendermodules.command.report.figures import course_figure, histogram_figure, seam_figure
from rendermodules.command.report.markup import Markup, element, table
from rendermodules.command.report.numbers import (
    MOST_ABOVE_LIMIT,
    Choice,
    Overall,
    ReportNumbers,
    Seam,
    SectionNumbers,
)
from rendermodules.command.report.pictures import Picture
from rendermodules.command.survey import StackSurvey
from rendermodules.command.text_tables import z_range

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_LISTED_TILES = 20
_LISTED_SECTIONS = 12

SectionPictures = Callable[[SectionNumbers], tuple[Picture | None, Picture | None]]
SeamPictures = Callable[[Seam], Sequence[Picture]]


def report_page(
    numbers: ReportNumbers, made: Mapping[str, str], thumbnails: SectionPictures, seams: SeamPictures
) -> str:
    """Return the page.

    Parameters
    ----------
    numbers : ReportNumbers
    made : mapping of str to str
        When and by what the report was made, by name.
    thumbnails : callable
        Gives the pictures of a section before and after, None where there shall be none.
    seams : callable
        Gives the pictures of a seam.
    """
    choice = numbers.choice
    title = f"{numbers.project}: {choice.before} to {choice.after}"
    body = [
        element("h1", title),
        _verdict(numbers),
        _figures(numbers),
        element("h2", "Sections"),
        course_figure(numbers.sections, choice.limit, choice.between_limit),
        _section_table(numbers, thumbnails),
        _seams("Worst seams within sections", numbers.within, seams),
        _seams("Worst pairs between sections", numbers.between, seams),
        element("h2", "How it was made"),
        [_provenance(stack) for stack in numbers.chain],
        element("p", "; ".join(f"{name} {value}" for name, value in made.items()), class_="quiet"),
    ]
    style = files("rendermodules.command.report").joinpath("page.css").read_text(encoding="utf-8")
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(style)),
    ]
    page = element("html", element("head", head), element("body", element("main", body)), lang="en")
    return f"<!doctype html>\n{page}\n"


def _verdict(numbers: ReportNumbers) -> Markup:
    marked, missing = numbers.marked, numbers.missing
    dropped = sum(len(section.dropped) for section in numbers.sections)
    unmatched = sum(len(section.unmatched) for section in numbers.sections)
    if marked:
        text = f"{len(marked)} of {len(numbers.sections)} sections need a look: z {_z_list([one.z for one in marked])}."
    else:
        text = f"No section of {len(numbers.sections)} is beyond a threshold."
    if missing:
        text += f" {len(missing)} of {numbers.choice.before} are not in {numbers.choice.after}: z {_z_list(missing)}."
    within, choice = numbers.within.figures, numbers.choice
    facts = [
        f"median residual within sections {within.median:.2f} px" if within else "no matches within sections",
        f"{dropped} tiles dropped, {unmatched} without matches",
        f"matches of {', '.join(choice.collections) or 'no collection'}",
        f"thresholds: {choice.limit:g} px for a match within a section and {choice.between_limit:g} px between two, "
        f"{MOST_ABOVE_LIMIT:.0%} of the matches of a section above it; no tile dropped or without matches",
    ]
    kind = "bad" if marked or missing else "good"
    return element("div", element("p", text, class_="lead"), element("p", "; ".join(facts)), class_=kind)


def _z_list(z_values: Sequence[float]) -> str:
    return ", ".join(f"{z:g}" for z in z_values[:_LISTED_SECTIONS]) + " ..." * (len(z_values) > _LISTED_SECTIONS)


def _figures(numbers: ReportNumbers) -> list[Markup]:
    named = (("within sections", numbers.within), ("between neighbouring sections", numbers.between))
    rows = [[name, *_figure_cells(overall)] for name, overall in named]
    names = ["pairs", "matches", "mean", "median", "95 %", "worst", "above limit"]
    head = ["residuals in px", *(element("th", name, class_="number") for name in names)]
    histograms = [
        element(
            "figure",
            histogram_figure(overall.histogram, overall.limit, f"residuals {name}"),
            element("figcaption", f"Residuals {name}"),
        )
        for name, overall in named
        if overall.figures
    ]
    return [table(head, rows), element("div", histograms, class_="figures")]


def _figure_cells(overall: Overall) -> list[Markup]:
    residuals, limit = overall.figures, overall.limit
    if residuals is None:
        return [element("td", "no matches", colspan=7, class_="quiet")]
    values = [residuals.mean, residuals.median, residuals.percentile_95, residuals.greatest]
    return [
        *(element("td", f"{count:,}", class_="number") for count in (residuals.pairs, residuals.matches)),
        *(element("td", f"{value:.2f}", class_=_mark(value > limit)) for value in values),
        element(
            "td",
            f"{residuals.above_limit:.1%} above {limit:g} px",
            class_=_mark(residuals.above_limit > MOST_ABOVE_LIMIT),
        ),
    ]


def _mark(is_beyond: bool) -> str:
    return "number beyond" if is_beyond else "number"


def _section_table(numbers: ReportNumbers, thumbnails: SectionPictures) -> Markup:
    choice = numbers.choice
    rows = []
    for section in numbers.sections:
        before, after = thumbnails(section)
        rows.append(
            [
                element("td", element("b", f"z {section.z:g}"), id=f"z{section.z:g}"),
                _thumbnail(before, choice.before),
                _thumbnail(after, choice.after),
                [
                    element("span", f"{section.tiles_before or '-'} to {section.tiles_after}", class_="number"),
                    _tile_list("dropped", [f"{tile.tile_id}: {tile.reason}" for tile in section.dropped]),
                    _tile_list("without matches", section.unmatched),
                ],
                _section_residuals(section, choice),
                [element("p", problem, class_="problem") for problem in section.problems] or "well",
            ]
        )
    return table(["section", choice.before, choice.after, "tiles", "residuals in px", ""], rows)


def _section_residuals(section: SectionNumbers, choice: Choice) -> Markup:
    candidates = (("within", section.within, choice.limit), ("to the next", section.between, choice.between_limit))
    rows = [
        [
            name,
            *(
                element("td", f"{value:.2f}", class_=_mark(value > limit))
                for value in (residuals.median, residuals.percentile_95, residuals.greatest)
            ),
        ]
        for name, residuals, limit in candidates
        if residuals
    ]
    if not rows:
        return element("span", "no matches", class_="quiet")
    return table(["", *(element("th", name, class_="number") for name in ("median", "95 %", "worst"))], rows)


def _thumbnail(picture: Picture | None, stack: str) -> Markup | str:
    if picture is None:
        return ""
    if not picture.source:
        return element("span", picture.caption, class_="quiet")
    return element("img", src=picture.source, alt=f"{stack}, {picture.caption}", loading="lazy")


def _tile_list(what: str, lines: Sequence[str]) -> Markup | None:
    if not lines:
        return None
    items = [element("li", line) for line in lines[:_LISTED_TILES]]
    if len(lines) > _LISTED_TILES:
        items.append(element("li", f"and {len(lines) - _LISTED_TILES} more; the JSON file has all"))
    return element("details", element("summary", f"{len(lines)} {what}", class_="beyond"), element("ul", items))


def _seams(title: str, overall: Overall, pictures: SeamPictures) -> list[Markup]:
    if not overall.worst:
        return []
    limit = overall.limit
    shown = [
        element(
            "figure",
            element("div", [seam_figure(seam, picture, limit) for picture in pictures(seam)], class_="row"),
            element(
                "figcaption",
                element("b", f"{seam.mean:.2f} px", class_="beyond" if seam.mean > limit else None),
                f" on average, worst {seam.greatest:.2f} px, {seam.matches} matches of {seam.p} and {seam.q}, "
                f"at x {seam.x:.0f}, y {seam.y:.0f}, z {z_range(sorted({seam.p_z, seam.q_z}))}",
            ),
        )
        for seam in overall.worst
    ]
    note = (
        "At full resolution. Circles are where one tile has a point, lines lead to where the other has it; "
        "the worst matches are drawn, and some of the others."
    )
    return [element("h2", title), element("p", note, class_="quiet"), element("div", shown, class_="seams")]


def _provenance(stack: StackSurvey) -> Markup:
    record = dict(stack.provenance)
    facts: dict[str, Any] = {
        "made by": stack.module or "nobody noted it",
        "version": record.get("version"),
        "from": ", ".join(stack.inputs),
        "when": record.get("started") or stack.modified,
        "state": stack.state,
        "sections": f"{len(stack.z_values)}, z {z_range(stack.z_values)}" if stack.z_values else "none",
        "tiles": stack.tile_count,
    }
    terms = [[element("dt", name), element("dd", value)] for name, value in facts.items() if value not in (None, "")]
    parameters = record.get("parameters")
    shown = (
        element("details", element("summary", "parameters"), element("pre", json.dumps(parameters, indent=2)))
        if parameters
        else None
    )
    return element("section", element("h3", stack.name), element("dl", terms), shown)
