"""The figures of a report, as SVG within the page."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rendermodules.command.report.markup import Markup, element
from rendermodules.command.report.numbers import Histogram, Seam, SectionNumbers
from rendermodules.command.report.pictures import Picture

_WIDTH, _HEIGHT = 520, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 34

_DRAWN_WORST = 8
_DRAWN_OTHERS = 16

_STOPS = ((70, 130, 255), (40, 195, 235), (80, 215, 120), (190, 225, 60), (255, 215, 50))
_BEYOND = "rgb(255,60,40)"


def residual_colour(residual: float, limit: float) -> str:
    """Return blue for 0 over green to yellow for the limit, red beyond it, as the pages of the service have it."""
    if residual > limit:
        return _BEYOND
    place = max(residual / limit, 0.0) * (len(_STOPS) - 1)
    red, green, blue = (np.interp(place, range(len(_STOPS)), values) for values in zip(*_STOPS, strict=True))
    return f"rgb({red:.0f},{green:.0f},{blue:.0f})"


def histogram_figure(histogram: Histogram, limit: float, title: str) -> Markup:
    """Return bars of a histogram of residuals, coloured by residual, with the limit marked."""
    edges, counts = np.array(histogram.edges), np.array(histogram.counts)
    most = max(int(counts.max()), 1)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return float(_LEFT + wide * value / edges[-1])

    bars = [
        element(
            "rect",
            element("title", f"{low:.2f} to {up:.2f} px: {count}"),
            x=f"{x(low):.1f}",
            y=f"{_TOP + high * (1 - count / most):.1f}",
            width=f"{max(x(up) - x(low) - 1, 0.5):.1f}",
            height=f"{high * count / most:.1f}",
            fill=residual_colour((low + up) / 2, limit),
        )
        for low, up, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        if count
    ]
    ticks = [_text(f"{value:.2g}", x(value), _HEIGHT - 18, "middle") for value in np.linspace(0, edges[-1], 5).tolist()]
    return _figure(
        title,
        [
            bars,
            _vertical_limit(limit, x(limit), _TOP + high, limit <= edges[-1]),
            _axis(),
            ticks,
            _text(f"{most}", _LEFT - 5, _TOP + 8, "end"),
            _text("residual in px; the last bar holds all beyond", _LEFT + wide / 2, _HEIGHT - 4, "middle"),
        ],
    )


def course_figure(sections: Sequence[SectionNumbers], limit: float, between_limit: float) -> Markup:
    """Return the residuals of the sections over z: median and 95th percentile within, median to the next one."""
    z_values = [section.z for section in sections]
    low, high = min(z_values), max(z_values)
    within, between = [section.within for section in sections], [section.between for section in sections]
    series = {
        "median within": [None if one is None else one.median for one in within],
        "95 % within": [None if one is None else one.percentile_95 for one in within],
        "median to the next": [None if one is None else one.median for one in between],
    }
    known = [value for values in series.values() for value in values if value is not None]
    greatest = max(known, default=0.0) or limit
    # where all is well the limits lie above the figure
    limits = {"within": limit, "to the next": between_limit}
    shown = {name: value for name, value in limits.items() if value < 2 * greatest}
    top = 1.2 * max([greatest, *shown.values()])
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(z: float) -> float:
        return _LEFT + wide * ((z - low) / (high - low) if high > low else 0.5)

    def y(value: float) -> float:
        return _TOP + tall * (1 - value / top)

    lines: list[Markup] = []
    for number, (name, values) in enumerate(series.items()):
        points = [(x(z), y(value)) for z, value in zip(z_values, values, strict=True) if value is not None]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        lines.append(element("polyline", points=path, class_=f"series s{number}"))
        lines += [element("circle", cx=f"{px:.1f}", cy=f"{py:.1f}", r=2, class_=f"dot s{number}") for px, py in points]
        lines.append(_text(name, _LEFT + 10 + 150 * number, _TOP - 2, "start", f"s{number}"))
    for name, value in shown.items():
        lines.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "limit"))
        lines.append(_text(f"limit {name}: {value:g} px", _WIDTH - _RIGHT - 4, y(value) - 3, "end"))
    return _figure(
        "residuals along the stack",
        [
            lines,
            _axis(),
            _text(f"{top:.2g} px", _LEFT - 5, _TOP + 8, "end"),
            _text("0", _LEFT - 5, _TOP + tall, "end"),
            _text(f"z {low:g}", _LEFT, _HEIGHT - 18, "start"),
            _text(f"{high:g}", _WIDTH - _RIGHT, _HEIGHT - 18, "end"),
        ],
    )


def seam_figure(seam: Seam, picture: Picture, limit: float) -> Markup:
    """Return a picture of a seam with its matches: a circle at p, and a line to where q lies."""
    marks = []
    shown = _few(np.linalg.norm(seam.p_world - seam.q_world, axis=1))
    for (px, py), (qx, qy) in zip(seam.p_world[shown].tolist(), seam.q_world[shown].tolist(), strict=True):
        colour = residual_colour(float(np.hypot(px - qx, py - qy)), limit)
        left, top = px - picture.x, py - picture.y
        marks.append(
            element(
                "line",
                x1=f"{left:.1f}",
                y1=f"{top:.1f}",
                x2=f"{qx - picture.x:.1f}",
                y2=f"{qy - picture.y:.1f}",
                stroke=colour,
                stroke_width=2,
            )
        )
        marks.append(element("circle", cx=f"{left:.1f}", cy=f"{top:.1f}", r=4, stroke=colour, fill="none"))
    image = (
        element("image", href=picture.source, width=picture.width, height=picture.height)
        if picture.source
        else _text(picture.caption[:60], 10, 20, "start")
    )
    return element(
        "svg",
        element("title", picture.caption),
        image,
        marks,
        viewBox=f"0 0 {picture.width} {picture.height}",
        class_="seam",
        role="img",
    )


def _few(residuals: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which matches are drawn: the worst ones, and some of the others."""
    order = np.argsort(residuals, kind="stable")
    others = order[:-_DRAWN_WORST]
    step = max(1, len(others) // _DRAWN_OTHERS)
    return np.concatenate([others[::step], order[-_DRAWN_WORST:]])


def _vertical_limit(limit: float, x: float, bottom: float, is_inside: bool) -> list[Markup]:
    if not is_inside:
        return [_text(f"limit {limit:g} px, beyond", _WIDTH - _RIGHT, _TOP + 10, "end")]
    return [_line(x, _TOP, x, bottom, "limit"), _text(f"limit {limit:g} px", x + 4, _TOP + 10, "start")]


def _figure(title: str, inside: Sequence[object]) -> Markup:
    return element(
        "svg", element("title", title), inside, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="figure", role="img"
    )


def _axis() -> list[Markup]:
    bottom = _HEIGHT - _BOTTOM
    return [_line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "axis"), _line(_LEFT, _TOP, _LEFT, bottom, "axis")]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=kind)


def _text(text: str, x: float, y: float, anchor: str, kind: str | None = None) -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind)
