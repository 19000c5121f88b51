"""Parameters of BigFeta as those of our solver."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

_MODELS = {
    "AffineModel": "affine",
    "affine": "affine",
    "affine_fullsize": "affine",
    "SimilarityModel": "similarity",
    "rigid": "similarity",
    "Polynomial2DTransform": "polynomial",
    "RotationModel": "rotation",
    "TranslationModel": "translation",
    "ThinPlateSplineTransform": "thin_plate_spline",
}
"""BigFeta's models; what it calls rigid is a similarity."""

_RENAMED = {
    "first_section": "minZ",
    "last_section": "maxZ",
    "poly_order": "polynomial_order",
    "n_parallel_jobs": "pool_size",
}

_KEPT = (
    *("input_json", "output_json", "log_level", "solve_type", "close_stack", "overwrite_zlayer"),
    *("minZ", "maxZ", "z", "zValues", "pool_size", "render"),
)
"""Parameters with the same name and meaning."""

_NEEDLESS = (
    *("fullsize_transform", "processing_chunk_size", "profile_data_load", "solve_implementation", "render_output"),
    *("hdf5_options", "transform_apply", "output_mode", "assemble_from_file", "ingest_from_file"),
)
"""Parameters that decide nothing here, or are looked at below."""

_NESTED = ("input_stack", "output_stack", "pointmatch", "matrix_assembly", "regularization", "transformation")


def is_of_bigfeta(data: Any) -> bool:
    """Return whether parameters are BigFeta's: only there a stack is an object."""
    if not isinstance(data, Mapping):
        return False
    return isinstance(data.get("input_stack"), Mapping) or isinstance(data.get("pointmatch"), Mapping)


def parameters_of_bigfeta(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return BigFeta's parameters as ours, and warn of what means something else here.

    Raises
    ------
    ValidationError
        Something is asked for that is not done here.
    """
    for name in ("assemble_from_file", "ingest_from_file"):
        if data.get(name):
            raise ValidationError(f"solving from files of systems is not done here; leave {name} out", name)
    result = {name: data[name] for name in _KEPT if name in data}
    result.update({new: data[old] for old, new in _RENAMED.items() if old in data})
    known = {*_KEPT, *_RENAMED, *_NEEDLESS, *_NESTED}
    # what is unknown, or ours already, is judged by the schema
    result.update({name: value for name, value in data.items() if name not in known})
    result.update(_inputs(data))
    result.update(_outputs(data))
    result.update(_assembly(data.get("matrix_assembly") or {}))
    model = data.get("transformation", "AffineModel")
    if model not in _MODELS:
        raise ValidationError(f"no model of BigFeta is called {model}", "transformation")
    result["model"] = _MODELS[model]
    result.update(_regularization(data.get("regularization") or {}, result))
    if data.get("transform_apply"):
        # matches are in pixels of images, and points pass through the transforms ahead of the last
        result["num_local_transforms"] = 0
    return result


def _inputs(data: Mapping[str, Any]) -> dict[str, Any]:
    stack, matches = data.get("input_stack") or {}, data.get("pointmatch") or {}
    result: dict[str, Any] = {}
    if stack.get("db_interface") == "file":
        result["tile_files"] = [stack["input_file"]]
    else:
        result["input_stack"] = _only_name(stack, "input_stack")
    if matches.get("db_interface") == "file":
        result["match_files"] = [matches["input_file"]]
    else:
        names = matches.get("name") or []
        result["match_collections"] = [names] if isinstance(names, str) else list(names)
        if matches.get("owner") not in (None, stack.get("owner")):
            result["match_owner"] = matches["owner"]
    place = stack if stack.get("db_interface") != "file" else matches
    if place.get("db_interface") != "file" and "render" not in data:
        names = ("host", "port", "owner", "project", "client_scripts", "memGB")
        result["render"] = {name: place[name] for name in names if place.get(name) is not None}
    return result


def _outputs(data: Mapping[str, Any]) -> dict[str, Any]:
    mode, stack, source = data.get("output_mode", "none"), data.get("output_stack") or {}, data.get("input_stack") or {}
    if mode == "hdf5":
        raise ValidationError("systems are not written; solve them, output_mode stack", "output_mode")
    if mode == "none":
        return {}
    if stack.get("db_interface") == "file":
        packed = ".gz" if stack.get("compress_output", True) and not stack["output_file"].endswith(".gz") else ""
        return {"output_file": f"{stack['output_file']}{packed}"}
    for name in ("owner", "project"):
        if stack.get(name) not in (None, source.get(name)):
            raise ValidationError(f"the output stack must have the {name} of the input stack", "output_stack")
    return {"output_stack": _only_name(stack, "output_stack")}


def _only_name(stack: Mapping[str, Any], key: str) -> str:
    names: Sequence[str] | str = stack.get("name") or []
    names = [names] if isinstance(names, str) else names
    if len(names) != 1:
        raise ValidationError("give the name of one stack", key)
    return names[0]


def _assembly(assembly: Mapping[str, Any]) -> dict[str, Any]:
    depth = assembly.get("depth", [0, 1, 2])
    by_depth = assembly.get("explicit_weight_by_depth")
    depths = list(range(depth + 1)) if isinstance(depth, int) else list(depth)
    result = {
        "depths": depths,
        "montage_weight": assembly.get("montage_pt_weight", 1.0),
        "cross_weight": assembly.get("cross_pt_weight", 1.0),
        "inverse_distance": assembly.get("inverse_dz", True),
        "min_points": assembly.get("npts_min", 5),
        "max_points": assembly.get("npts_max", 500),
    }
    if by_depth is not None:
        if len(by_depth) != len(depths):
            raise ValidationError("needs a weight for each depth", "matrix_assembly.explicit_weight_by_depth")
        table = dict(zip(depths, by_depth, strict=True))
        result["weights_by_depth"] = [table.get(distance, 0.0) for distance in range(max(depths) + 1)]
    return result


def _regularization(given: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    model, shift = result["model"], given.get("translation_factor", 0.005)
    if not given:
        return {}
    if model not in ("affine", "polynomial"):
        warnings.warn(
            f"for the model {model} the regularization is found from the matches; default_lambda is not used",
            FutureWarning,
            stacklevel=2,
        )
        return {}
    order = result.get("polynomial_order", 2) if model == "polynomial" else 1
    factors = given.get("poly_factors") if model == "polynomial" else None
    return {
        "regularization": given.get("default_lambda", 0.005),
        "degree_factors": list(factors) if factors else [shift, *[1.0] * order],
        "reference": "prior",
    }
