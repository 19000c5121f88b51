"""How well the tiles of sections bring their matches together: residuals in the world, and maps of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rendermodules.core.residual_statistics import ResidualStatistics, residual_statistics
from rendermodules.core.sections import Section
from rendermodules.core.solve.arrays import FloatArray, IntArray
from rendermodules.core.solve.match_table import MatchTable
from rendermodules.core.solve.quality import shears
from rendermodules.core.solve.stack_matches import DepthRule, StackMatches, stack_matches
from rendermodules.core.solve.tile_table import FrameRule, TileTable, joined_tables, tile_table


@dataclass(frozen=True)
class StackResiduals:
    """Residuals of the matches between tiles.

    Attributes
    ----------
    table : TileTable
        The tiles; their ``priors`` lead from the frame of the matches, moved to the low corner of each tile, to the
        world.
    found : StackMatches
        The matches that were used, in that frame, and what was left out.
    world_p, world_q : (n, 2) float arrays
        Where the tiles of each pair put its points, world pixels.
    statistics : ResidualStatistics
        Figures of the lengths of the residuals, in world pixels.
    """

    table: TileTable
    found: StackMatches
    world_p: FloatArray
    world_q: FloatArray
    statistics: ResidualStatistics

    @property
    def residuals(self) -> FloatArray:
        """By how much (n, 2) p lands beside q."""
        return self.world_p - self.world_q

    @property
    def positions(self) -> FloatArray:
        """The middle (n, 2) between p and q in the world."""
        return (self.world_p + self.world_q) / 2


def stack_residuals(
    sections: Sequence[Section],
    found: MatchTable,
    num_local_transforms: int | None,
    depths: Sequence[float] | None = None,
    min_points: int = 1,
) -> StackResiduals:
    """Return the residuals of matches between the tiles of sections, where these lie now.

    Parameters
    ----------
    sections : sequence of Section
        Tiles with all of their transforms.
    found : MatchTable
        Matches between them, and perhaps others.
    num_local_transforms : int or None
        How many leading transforms of a tile the matches have passed through; None goes by Render's rule.
    depths : sequence of float, optional
        Distances in z that are looked at; all by default.
    min_points : int, default: 1
        Pairs with fewer points are left out.

    Raises
    ------
    TransformError
        A transform cannot be understood; the message names the tile.
    """
    found = _with_points(found, min_points)
    table, in_world = (
        joined_tables([tile_table(section, FrameRule(num_local_transforms, placing)) for section in sections])
        for placing in ("replace", "append")
    )
    rule = DepthRule(None if depths is None else tuple(depths), inverse_distance=False)
    local, world = (stack_matches(found, one, rule) for one in (table, in_world))
    matches = world.matches
    tiles = np.repeat(matches.pairs, matches.counts, axis=0)
    world_p, world_q = (
        points + in_world.origins[tiles[:, side]] for side, points in enumerate((matches.points_p, matches.points_q))
    )
    statistics = residual_statistics(world_p - world_q, matches.pair_of_point, matches.pairs, table.z, matches.weights)
    return StackResiduals(table, local, world_p, world_q, statistics)


def _with_points(found: MatchTable, least: int) -> MatchTable:
    enough = found.counts >= least
    if enough.all():
        return found
    points = np.repeat(enough, found.counts)
    chosen = np.flatnonzero(enough).tolist()
    return MatchTable(
        [found.p_canvases[place] for place in chosen],
        [found.q_canvases[place] for place in chosen],
        found.counts[enough],
        found.points_p[points],
        found.points_q[points],
        found.weights[points],
    )


@dataclass(frozen=True)
class TileShapes:
    """What the transforms of tiles do to their shape; of curved ones on average.

    Attributes
    ----------
    scale_x, scale_y : (t,) float arrays
        Length of the image of a unit along x and along y.
    rotation : (t,) float array
        Turn of the x axis, radians, from x towards y.
    shear : (t,) float array
        By how much the images of the axes are off a right angle, radians.
    """

    scale_x: FloatArray
    scale_y: FloatArray
    rotation: FloatArray
    shear: FloatArray


def tile_shapes(table: TileTable) -> TileShapes:
    """Return the shapes of tiles from their ``priors``."""
    linear = table.priors[:, :, :2]
    return TileShapes(
        np.linalg.norm(linear[:, :, 0], axis=1),
        np.linalg.norm(linear[:, :, 1], axis=1),
        np.arctan2(linear[:, 1, 0], linear[:, 0, 0]),
        shears(linear),
    )


@dataclass(frozen=True)
class ResidualMotion:
    """The part of residuals that a motion of one side as a whole would take away.

    Attributes
    ----------
    shift : (2,) float array
        Mean residual, world pixels.
    rotation : float
        Radians, from x towards y.
    growth : float
        Relative change of size.
    """

    shift: FloatArray
    rotation: float
    growth: float


def residual_motion(positions: FloatArray, residuals: FloatArray, weights: FloatArray) -> ResidualMotion:
    """Return the motion in residuals (n, 2) at positions (n, 2), by least squares; zero without points of weight."""
    total = weights.sum()
    if not total:
        return ResidualMotion(np.zeros(2), 0.0, 0.0)
    shift, middle = weights @ residuals / total, weights @ positions / total
    arms, rests = positions - middle, residuals - shift
    inertia = max(float(weights @ (arms**2).sum(axis=1)), 1e-300)
    turn = weights @ (arms[:, 0] * rests[:, 1] - arms[:, 1] * rests[:, 0]) / inertia
    growth = weights @ (arms * rests).sum(axis=1) / inertia
    return ResidualMotion(shift, float(turn), float(growth))


@dataclass(frozen=True)
class ResidualMap:
    """Mean residuals in the cells of a grid.

    Attributes
    ----------
    box : (4,) float array
        minX, minY, maxX, maxY of the grid.
    counts : (rows, columns) int array
        Points in each cell.
    means : (rows, columns, 2) float array
        x and y of the mean residual, NaN without points.
    """

    box: FloatArray
    counts: IntArray
    means: FloatArray


def residual_map(points: FloatArray, residuals: FloatArray, box: FloatArray, rows: int, columns: int) -> ResidualMap:
    """Return the mean of residuals (n, 2) at points (n, 2) in the cells of a box; points outside are not used."""
    box = np.asarray(box, dtype=float)
    places = np.floor((points - box[:2]) / np.maximum(box[2:] - box[:2], 1e-300) * [columns, rows])
    inside = ((places >= 0) & (places < [columns, rows])).all(axis=1)
    column, row = places[inside].astype(np.int64).T
    cells = row * columns + column
    counts = np.bincount(cells, minlength=rows * columns)
    sums = [np.bincount(cells, values, minlength=rows * columns) for values in residuals[inside].T]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack(sums, axis=1) / counts[:, None]
    return ResidualMap(box, counts.reshape(rows, columns), means.reshape(rows, columns, 2))


def pattern_in_tiles(found: StackResiduals, cells: int) -> ResidualMap:
    """Return the mean residual by place in the tile, in a grid of ``cells`` times ``cells``.

    Whatever it shows, all tiles have in common: a lens distortion that no transform corrects, above all. Residuals are
    those of the tile against its neighbours, in the world's directions; places are in the frame of the matches.
    """
    matches, sizes = found.found.matches, found.table.sizes
    points = np.concatenate([matches.points_p, matches.points_q])
    residuals = np.concatenate([found.residuals, -found.residuals])
    largest = sizes.max(axis=0) if len(sizes) else np.ones(2)
    return residual_map(points, residuals, np.array([0.0, 0.0, *largest]), cells, cells)
