"""What a solve is asked for: tiles, model, gauge and regularisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray

Model = Literal["translation", "rotation", "rigid", "similarity", "affine", "polynomial", "thin_plate_spline"]
"""Families of transforms. Translation, rotation, rigid and similarity move a tile in the shape that its prior gives."""


class SolveError(ValueError):
    """A solve cannot be done with what was given."""


class NoMatchesError(SolveError):
    """There are several tiles and no match that a solve can use."""


@dataclass(frozen=True)
class TileSet:
    """Tiles as a solve sees them.

    Attributes
    ----------
    priors : (t, 2, 3) float array
        Affine from the pixels of the matches to the world, as known before: it decides where components that nothing
        fixes come to lie, and their orientation.
    sizes : (t, 2) float array
        Width and height in the pixels of the matches.
    sections : (t,) float array
        z of each tile.
    fixed : (t,) bool array
        Tiles that stay at their prior.
    lens_groups : (t,) int array
        Tiles of the same number were taken with the same lens; -1 for none to be estimated.
    """

    priors: FloatArray
    sizes: FloatArray
    sections: FloatArray
    fixed: BoolArray
    lens_groups: IntArray

    def __post_init__(self) -> None:
        count = len(self.priors)
        shapes = (self.priors.shape, self.sizes.shape, self.sections.shape, self.fixed.shape, self.lens_groups.shape)
        if shapes != ((count, 2, 3), (count, 2), (count,), (count,), (count,)):
            raise ValueError(f"priors, sizes, sections, fixed and lens_groups have shapes {shapes}")
        if not (np.isfinite(self.priors).all() and np.isfinite(self.sections).all()):
            raise ValueError("a prior or the z of a tile is not finite")
        if count and not (self.sizes > 0).all():
            raise ValueError("a tile has no width or no height")
        flat = np.flatnonzero(np.abs(np.linalg.det(self.priors[:, :, :2])) < 1e-12)
        if len(flat):
            raise ValueError(f"the prior of tile {flat[0]} maps everything to a line or a point")

    def __len__(self) -> int:
        return len(self.priors)


def tile_set(
    priors: FloatArray,
    sizes: FloatArray,
    sections: FloatArray | None = None,
    fixed: BoolArray | None = None,
    lens_groups: IntArray | None = None,
) -> TileSet:
    """Return tiles of one section with one lens and none fixed, but for what is given; see ``TileSet``."""
    count = len(priors)
    return TileSet(
        np.asarray(priors, dtype=np.float64),
        np.asarray(sizes, dtype=np.float64),
        np.zeros(count) if sections is None else np.asarray(sections, dtype=np.float64),
        np.zeros(count, dtype=bool) if fixed is None else np.asarray(fixed, dtype=bool),
        np.zeros(count, dtype=np.int64) if lens_groups is None else np.asarray(lens_groups, dtype=np.int64),
    )


@dataclass(frozen=True)
class Anchors:
    """Places where tiles are wished to be.

    Attributes
    ----------
    tiles : (a,) int array
        Tile indices.
    targets : (a, 2, 3) float array
        Affine from the pixels of the matches to the world.
    weights : (a,) float array
        In matched points of weight 1: how many the wish counts for.
    """

    tiles: IntArray
    targets: FloatArray
    weights: FloatArray


NO_ANCHORS = Anchors(np.empty(0, dtype=np.int64), np.empty((0, 2, 3)), np.empty(0))


@dataclass(frozen=True)
class SolveOptions:
    """How to solve.

    Attributes
    ----------
    model : str
        Family of transforms.
    polynomial_order : int
        Of the polynomial model.
    control_grid : (int, int)
        Control points along x and y of the thin plate spline model.
    lens : str
        ``"none"``; a kind of ``solve_lens.LENS_ORDERS``; or ``"auto"``: none or the kind that the matches support.
    start : str
        Where turns start: ``"prior"``; ``"pairs"``, from the matches alone; ``"auto"``, from the matches when they
        differ much from the prior.
    robust : bool
        Find and reject pairs that contradict the others.
    balance : bool
        Weigh matches of each distance in z by how exact they prove to be, beside the weights that they have; not with
        degree factors.
    reference : str
        What the shapes of tiles are held to in linear models: ``"rigid"``, the rigid solution, or ``"prior"``.
    regularization : float or None
        Weight of the mean square departure of a tile from its reference, in matched points of weight 1; None lets
        the matches tell.
    degree_factors : tuple of float or None
        Hold the coefficients of monomials of pixels to their prior instead, with ``regularization`` times the factor
        of their degree (constant, first order, ...): the regularisation of BigFeta.
    isolated : str
        Tiles without matches: ``"prior"`` leaves them there, ``"neighbors"`` moves them as the tiles about them.
    minimum_points, maximum_points : int, int or None
        Pairs with fewer points are dropped; of more, so many are taken by chance.
    seed : int
        Of that chance.
    """

    model: Model = "affine"
    polynomial_order: int = 2
    control_grid: tuple[int, int] = (5, 5)
    lens: str = "none"
    start: Literal["auto", "prior", "pairs"] = "auto"
    robust: bool = True
    balance: bool = True
    reference: Literal["rigid", "prior"] = "rigid"
    regularization: float | None = None
    degree_factors: tuple[float, ...] | None = None
    isolated: Literal["prior", "neighbors"] = "neighbors"
    minimum_points: int = 1
    maximum_points: int | None = None
    seed: int = 0

    @property
    def balances(self) -> bool:
        """Whether matches are weighted by how exact they prove to be; BigFeta's regularisation knows no such thing."""
        return self.balance and self.degree_factors is None
