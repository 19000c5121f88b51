"""Fewer transforms that do the same."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from rendermodules.core.sections import Section, TransformSpec, transform_list, with_transform_list
from rendermodules.core.transforms import Affine, Polynomial, SharedTransforms, TransformError, parsed_transform
from rendermodules.core.transforms.base import Floats

LENS_LABEL = "lens"
"""Render draws tiles without what comes behind the last transform of this label when it looks for matches."""


def with_consolidated_transforms(
    section: Section, part: slice, *, keep_references: bool, polynomial_degree: int
) -> Section:
    """Return the section with runs of affine transforms in each tile made one affine.

    Everything else stays where it is: shared transforms that are not affine stay references, and no transform moves
    past another. A run of one is left as it is, with its id and labels; a merged one has the labels of all.

    Parameters
    ----------
    section : Section
    part : slice
        Which transforms of each tile may change; nested lists without labels are counted as what they hold.
    keep_references : bool
        Whether references to affine transforms stay too, instead of being merged with their neighbours.
    polynomial_degree : int
        Write each run as a polynomial of this degree, as solvers want their start; 0 writes affines.

    Raises
    ------
    TransformError
        A transform cannot be understood; the message names the tile.
    """
    consolidate = _Consolidation(section.transforms, keep_references, polynomial_degree)
    tiles = []
    for tile in section.tiles:
        transforms = list(_spliced(transform_list(tile)))
        try:
            transforms[part] = consolidate.merged(transforms[part])
        except TransformError as error:
            raise TransformError(f"tile {tile['tileId']}: {error}") from None
        tiles.append(with_transform_list(tile, transforms))
    return replace(section, tiles=tiles)


class _Consolidation:
    """What is the same for all tiles of a section; shared transforms are read once."""

    def __init__(self, shared: SharedTransforms, keep_references: bool, polynomial_degree: int) -> None:
        self._shared = shared
        self._keep_references = keep_references
        self._polynomial_degree = polynomial_degree
        self._of_references: dict[str, Floats | None] = {}

    def merged(self, transforms: Iterable[TransformSpec]) -> list[TransformSpec]:
        result: list[TransformSpec] = []
        run: list[tuple[TransformSpec, Floats]] = []
        for spec in transforms:
            matrix = self._matrix(spec)
            if matrix is None:
                result += [*self._written(run), spec]
                run = []
            else:
                run.append((spec, matrix))
        return [*result, *self._written(run)]

    def _matrix(self, spec: TransformSpec) -> Floats | None:
        """Return the (2, 3) matrix of a transform that may be merged with its neighbours, otherwise None."""
        if spec.get("type") != "ref":
            return None if LENS_LABEL in _labels(spec) else parsed_transform(spec, self._shared).affine
        if self._keep_references:
            return None
        name = spec["refId"]
        if name not in self._of_references:
            lens = LENS_LABEL in _labels(self._shared.get(name, {}))
            self._of_references[name] = None if lens else parsed_transform(spec, self._shared).affine
        return self._of_references[name]

    def _written(self, run: list[tuple[TransformSpec, Floats]]) -> list[TransformSpec]:
        if not run:
            return []
        if len(run) == 1 and not self._polynomial_degree:
            return [run[0][0]]
        product = run[0][1]
        for _, matrix in run[1:]:
            product = matrix[:, :2] @ product
            product[:, 2] += matrix[:, 2]
        targets = (self._shared.get(spec.get("refId", ""), spec) for spec, _ in run)
        labels = list(dict.fromkeys(label for spec in targets for label in _labels(spec)))
        merged = _polynomial(product, self._polynomial_degree) if self._polynomial_degree else Affine(product)
        return [merged.spec(labels=labels)]


def _polynomial(affine: Floats, degree: int) -> Polynomial:
    coefficients = np.zeros((2, (degree + 1) * (degree + 2) // 2))
    coefficients[:, :3] = affine[:, [2, 0, 1]]
    return Polynomial(coefficients)


def _spliced(transforms: Iterable[TransformSpec]) -> Iterator[TransformSpec]:
    """Return the transforms with those of lists in place of the lists; labelled lists stay, for labels hold for all."""
    for spec in transforms:
        if spec.get("type") == "list" and not _labels(spec):
            yield from _spliced(spec["specList"])
        else:
            yield spec


def _labels(spec: TransformSpec) -> list[str]:
    labels: list[str] = (spec.get("metaData") or {}).get("labels") or []
    return labels
