"""Parameters of modules that solve for the transforms of tiles, and what they mean to `core.solve`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.solve.lens import LENS_ORDERS
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.report import SolveLimits
from rendermodules.core.solve.stack_matches import DepthRule
from rendermodules.core.solve.stack_solve import StackSolve
from rendermodules.core.solve.tile_table import FrameRule
from rendermodules.module.bigfeta_parameters import is_of_bigfeta, parameters_of_bigfeta
from rendermodules.module.fields import Bool, Float, InputFile, Int, List, Nested, Str
from rendermodules.module.schemas import (
    DefaultSchema,
    ModuleParameters,
    PoolParameters,
    RenderClientParameters,
    ZValueParameters,
)


class SolveModelParameters(DefaultSchema):
    """What is solved for."""

    model = Str(
        "family of transforms. translation, rigid and similarity keep the shape of tiles; affine, polynomial and "
        "thin_plate_spline let them deform as far as the matches support it; rotation turns tiles only",
        default="affine",
        choices=["translation", "rotation", "rigid", "similarity", "affine", "polynomial", "thin_plate_spline"],
    )
    polynomial_order = Int("order of the model polynomial", default=2, minimum=1, maximum=5)
    control_points = List(
        Int, "control points of a thin_plate_spline along x and along y of a tile", default=[5, 5], minimum=2
    )
    lens = Str(
        "distortion that all tiles of one camera share, written once as a shared transform. auto: whichever the "
        "matches support, or none, where tiles have no correction yet; radial and polynomial are of order 3, or of 5",
        default="auto",
        choices=["auto", "none", *LENS_ORDERS],
    )
    start = Str(
        "where turns start. auto: from the matches where they differ much from the tiles' present ones",
        default="auto",
        choices=["auto", "prior", "pairs"],
    )
    robust = Bool("find and reject pairs that contradict the others", default=True)
    reference = Str(
        "what the shapes of tiles are held to: those of a rigid solve, or their present ones",
        default="rigid",
        choices=["rigid", "prior"],
    )
    regularization = Float(
        "how strongly tiles are held: weight of their mean square departure in pixels, in matched points. By default "
        "it is found from the matches",
        minimum=0,
    )
    degree_factors = List(
        Float,
        "hold the coefficients of polynomials of pixels to their present values instead, by regularization times the "
        "factor of their degree (shift, linear terms, ...), as BigFeta does",
        minimum=0,
    )
    min_points = Int("pairs with fewer points are left out", default=3, minimum=1)
    max_points = Int("of pairs with more points so many are taken by chance; all by default", minimum=1)
    seed = Int("of that chance", default=0, minimum=0)

    @validates_schema
    def check_model(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse lists of the wrong length."""
        if len(data["control_points"]) != 2:
            raise ValidationError("must be two numbers, along x and along y", "control_points")
        order = data["polynomial_order"] if data["model"] == "polynomial" else 1
        factors = data.get("degree_factors")
        if factors is not None and len(factors) != order + 1:
            raise ValidationError(f"the model has degrees 0 to {order} and needs {order + 1} factors", "degree_factors")
        if factors is not None and data.get("regularization") is None:
            raise ValidationError("need a number as regularization", "degree_factors")


class SolveFrameParameters(DefaultSchema):
    """Which transforms the matches have passed through, and where the solved one goes."""

    num_local_transforms = Int(
        "how many of a tile's first transforms the coordinates of the matches have passed through, lists and "
        "references taken apart; 0 for pixels of the image. By default those that Render applies before it matches: up "
        "to the one with the label lens, or else all but the last, at most two",
        minimum=0,
    )
    placing = Str(
        "where the solved transform goes: replace_last; replace: in place of all behind the local ones; append",
        default="replace_last",
        choices=["replace_last", "replace", "append"],
    )


class SolveDepthParameters(DefaultSchema):
    """How matches count by how far apart their sections are."""

    depths = List(Float, "distances in z whose matches are used, 0 for those within a section; all by default")
    montage_weight = Float("factor of the weights of matches within a section", default=1.0, minimum=0)
    cross_weight = Float("factor of the weights of matches across sections", default=1.0, minimum=0)
    inverse_distance = Bool("divide the weights across sections by their distance in z plus 1", default=True)
    weights_by_depth = List(
        Float, "factors of weights for the distances 0, 1, 2, ..., instead of the other three", minimum=0
    )


class SolveGaugeParameters(DefaultSchema):
    """What stays where it is; without anything every connected part comes to lie nearest to where it was."""

    fixed_zValues = List(Float, "z of sections whose tiles stay where they are")
    fixed_tiles = List(Str, "ids of tiles that stay where they are")
    anchor_stack = Str("stack whose tiles of the same ids say where tiles are wished to be")
    anchor_weight = Float("how much each wish counts, in matched points of weight 1", default=1.0, minimum=0)


class UnmatchedTileParameters(DefaultSchema):
    """What becomes of tiles without matches."""

    unmatched_tiles = Str(
        "tiles without matches: neighbors moves them as the tiles about them, prior leaves them where they are, "
        "drop leaves them out of the output; they are reported in any case",
        default="neighbors",
        choices=["neighbors", "prior", "drop"],
    )


class SolveLimitParameters(DefaultSchema):
    """What a solve must keep to. Otherwise the exit status is 1, and the output stack stays LOADING to be looked at."""

    max_residual = Float(
        "greatest root mean square residual of the matches, in world pixels; null does not limit, here and below",
        default=10.0,
        minimum=0,
        nullable=True,
    )
    min_scale = Float(
        "least mean scale of the tiles against what it was, below which a solve has collapsed",
        default=0.9,
        minimum=0,
        nullable=True,
    )
    max_scale = Float(
        "greatest mean scale of the tiles, above which it has burst", default=1.1, minimum=0, nullable=True
    )
    max_unconnected = Float(
        "greatest part of the tiles that no matches join to the largest connected part, 0 to 1",
        default=0.5,
        minimum=0,
        nullable=True,
    )
    max_rejected = Float(
        "greatest part of the pairs that contradict the others, 0 to 1", default=0.5, minimum=0, nullable=True
    )


class SolveInputParameters(ModuleParameters, ZValueParameters):
    """Tiles and matches, from Render or from files."""

    render = Nested(RenderClientParameters, "connection to Render; not needed where only files are read and written")
    input_stack = Str("stack to read, unless tile_files are")
    tile_files = List(InputFile, "files of tile specs or resolved tiles, plain or packed by gzip, instead of a stack")
    match_collections = List(Str, "match collections to read; the points of a pair add up")
    match_owner = Str("owner of the match collections; that of the stack by default")
    match_files = List(InputFile, "files of point matches, plain or packed by gzip, beside or instead of collections")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "inputStack": "input_stack",
        "stack": "input_stack",
        "match_collection": "match_collections",
        "matchcollection": "match_collections",
        "matchCollection": "match_collections",
    }

    # hooks run in the order of their names
    @pre_load
    def accept_bigfeta(self, data: Any, **_: Any) -> Any:
        """Return parameters of BigFeta as ours."""
        if not is_of_bigfeta(data):
            return data
        ours = parameters_of_bigfeta(data)
        # what another module of BigFeta's family does not need is left out, but nothing that is misspelt
        return {name: value for name, value in ours.items() if name in self.fields or data.get(name) == value}

    @pre_load
    def require_render(self, data: Any, **_: Any) -> Any:
        """Ask for the connection where something of Render is named."""
        named = ("input_stack", "match_collections", "anchor_stack", "output_stack")
        if isinstance(data, dict) and data.get("render") is None and any(data.get(name) for name in named):
            return {**data, "render": {}}
        return data

    @validates_schema
    def check_inputs(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse what names no tiles, tiles twice, or no matches."""
        if bool(data.get("input_stack")) == bool(data.get("tile_files")):
            raise ValidationError("give input_stack or tile_files", "input_stack")
        if not data.get("match_collections") and not data.get("match_files"):
            raise ValidationError("give match_collections or match_files", "match_collections")


class SolveParameters(
    SolveInputParameters,
    SolveModelParameters,
    SolveFrameParameters,
    SolveDepthParameters,
    SolveGaugeParameters,
    UnmatchedTileParameters,
    PoolParameters,
):
    """What is solved: tiles, matches, model."""

    solve_type = Str(
        "montage solves each z by itself, 3D all of them together", default="montage", choices=["montage", "3D"]
    )


def solve_request(parameters: Mapping[str, Any]) -> StackSolve:
    """Return what parameters ask of a solve; a part that a module does not have is at its default."""
    chosen = {
        name: parameters[name]
        for name in ("model", "polynomial_order", "lens", "start", "robust", "reference", "regularization", "seed")
        if name in parameters
    }
    factors, depths, by_depth = (
        None if parameters.get(name) is None else tuple(parameters[name])
        for name in ("degree_factors", "depths", "weights_by_depth")
    )
    columns, rows = parameters["control_points"]
    options = SolveOptions(
        **chosen,
        control_grid=(columns, rows),
        degree_factors=factors,
        minimum_points=parameters["min_points"],
        maximum_points=parameters["max_points"],
    )
    weights = {name: parameters[name] for name in _WEIGHTS if name in parameters}
    return StackSolve(
        options,
        FrameRule(parameters["num_local_transforms"], parameters["placing"]),
        DepthRule(depths, weights_by_depth=by_depth, **weights),
        parameters["unmatched_tiles"],
        frozenset(parameters.get("fixed_zValues") or ()),
        frozenset(parameters.get("fixed_tiles") or ()),
    )


_WEIGHTS = ("montage_weight", "cross_weight", "inverse_distance")


def solve_limits(parameters: Mapping[str, Any]) -> SolveLimits:
    """Return the limits that parameters set."""
    return SolveLimits(**{name: parameters[name] for name in SolveLimits.__dataclass_fields__})
