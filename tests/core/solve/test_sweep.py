"""Sweeps over strengths of regularisation."""

import numpy as np
import pytest

from rendermodules.core.solve.matches import concatenated
from rendermodules.core.solve.options import SolveError, SolveOptions
from rendermodules.core.solve.sweep import swept_strengths
from rendermodules.core.solve.tiles import solved_tiles

STRENGTHS = np.geomspace(1e-3, 1e6, 10).tolist()


def test_rows_are_what_solves_give(montage):
    made = montage()
    sweep = swept_strengths(made.tiles, made.matches, SolveOptions(), STRENGTHS)
    assert sweep.singular == []
    for row in sweep.rows[3::3]:
        solution = solved_tiles(made.tiles, made.matches, SolveOptions(regularization=row.strength))
        assert row.residual == pytest.approx(solution.statistics.residual_rms, rel=0.02)
        assert row.scale_mean == pytest.approx(solution.statistics.scale_mean, abs=1e-5)
        assert row.scale_greatest == pytest.approx(solution.statistics.scale_greatest, abs=1e-4)
    assert sweep.learnt == pytest.approx(solved_tiles(made.tiles, made.matches, SolveOptions()).regularization)


def test_sections_are_judged_by_the_weights_that_a_solve_gives_them(sections):
    matches = concatenated([sections.within, sections.across])
    sweep = swept_strengths(sections.tiles, matches, SolveOptions(), [1e2])
    solution = solved_tiles(sections.tiles, matches, SolveOptions())
    assert sweep.learnt == pytest.approx(solution.regularization)
    assert sweep.balance == solution.balance
    alike = swept_strengths(sections.tiles, matches, SolveOptions(balance=False), [1e2])
    assert alike.balance == {}
    assert alike.rows[0].score != pytest.approx(sweep.rows[0].score, rel=0.1)


def test_stronger_holds_tighter_and_fits_less(montage):
    made = montage()
    rows = swept_strengths(made.tiles, made.matches, SolveOptions(), STRENGTHS).rows
    assert (np.diff([row.residual for row in rows]) >= 0).all()
    assert (np.diff([row.departure for row in rows]) <= 0).all()
    assert rows[0].scale_x_spread > 5 * rows[-1].scale_x_spread
    # rigid tiles are likeliest held tight
    assert min(rows, key=lambda row: row.score).strength > 1e2


def test_bigfetas_regularisation_lets_everything_shrink(montage):
    made = montage()
    options = SolveOptions(degree_factors=(1e-5, 1.0), regularization=1.0)
    sweep = swept_strengths(made.tiles, made.matches, options, [0.1, 1e7])
    assert sweep.rows[0].scale_mean < 0.9 < sweep.rows[1].scale_mean


@pytest.mark.parametrize("model", ["rigid", "translation", "rotation"])
def test_models_without_regularisation_are_refused(montage, model):
    made = montage(rows=2, columns=2)
    with pytest.raises(SolveError, match=f"{model} has no regularization"):
        swept_strengths(made.tiles, made.matches, SolveOptions(model=model), [1.0])
