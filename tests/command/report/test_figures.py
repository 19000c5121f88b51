"""The figures of a report."""

import re

import numpy as np

from rendermodules.command.report.figures import (
    course_figure,
    histogram_figure,
    residual_colour,
    seam_figure,
)
from rendermodules.command.report.numbers import Histogram, Residuals, Seam, SectionNumbers
from rendermodules.command.report.pictures import Picture


def residuals(median):
    return Residuals(10, 2, median, median, 2 * median, 3 * median, 0.0)


def section(z, within, between=None):
    return SectionNumbers(z, 4, 4, [], within and residuals(within), None, between and residuals(between))


def test_colours_end_at_the_limit():
    assert residual_colour(0.0, 5.0) == "rgb(70,130,255)"
    assert residual_colour(5.0, 5.0) == "rgb(255,215,50)"
    assert residual_colour(5.1, 5.0) == "rgb(255,60,40)"


def test_a_histogram_has_a_bar_for_each_bin_with_something_in_it():
    figure = histogram_figure(Histogram([0.0, 1.0, 2.0, 3.0], [4, 0, 2]), 1.5, "residuals <here>")
    assert figure.count("<rect") == 2
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"', figure)]
    assert heights[0] == 2 * heights[1]
    assert "0.00 to 1.00 px: 4" in figure
    assert "residuals &lt;here&gt;" in figure
    assert "limit 1.5 px" in figure


def test_a_course_leaves_gaps_where_nothing_is_known():
    figure = course_figure([section(1.0, 0.5, 1.0), section(2.0, None), section(3.0, 0.7)], 5.0, 10.0)
    assert figure.count('class="dot s0"') == 2
    assert figure.count('class="dot s2"') == 1
    assert "nan" not in figure


def test_a_limit_that_is_far():
    assert "limit within" not in course_figure([section(1.0, 0.5)], 50.0, 90.0)
    assert "limit within: 0.7 px" in course_figure([section(1.0, 0.5)], 0.7, 90.0)
    assert "limit 50 px, beyond" in histogram_figure(Histogram([0.0, 1.0], [4]), 50.0, "")


def test_of_many_matches_the_worst_are_drawn():
    p = np.zeros((500, 2))
    q = np.column_stack([np.linspace(0.0, 9.0, 500), np.zeros(500)])
    seam = Seam("a", "b", 1.0, 1.0, 500, 5.0, 9.0, 0.0, 0.0, p, q)
    figure = seam_figure(seam, Picture("", 0, 0, 50, 40, ""), 5.0)
    assert 20 <= figure.count("<circle") <= 30
    assert 'x2="9.0"' in figure


def test_a_course_of_one_section():
    assert course_figure([section(4.0, 0.5)], 5.0, 10.0).count("<circle") == 2


def test_a_seam_has_its_matches_over_the_picture():
    points = np.array([[110.0, 205.0], [120.0, 210.0]])
    seam = Seam("a", "b", 1.0, 1.0, 2, 5.0, 10.0, 115.0, 207.0, points, points + [10.0, 0.0])
    figure = seam_figure(seam, Picture("data:image/jpeg;base64,AA", 100, 200, 50, 40, "raw, z 1"), 5.0)
    assert 'viewBox="0 0 50 40"' in figure
    assert 'x1="10.0" y1="5.0" x2="20.0" y2="5.0"' in figure
    assert figure.count("<circle") == 2
    gone = seam_figure(seam, Picture("", 100, 200, 50, 40, "raw, z 1: it is <gone>"), 5.0)
    assert "<image" not in gone
    assert "it is &lt;gone&gt;" in gone
