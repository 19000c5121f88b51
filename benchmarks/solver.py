"""Accuracy, time and memory of the global solve on synthetic tiles with known truth.

    python benchmarks/solver.py [accuracy] [wrong] [size] [--largest N] [--bigfeta PYTHON]

``accuracy`` compares the learnt strength of regularisation with the best of a sweep that knows the truth, ``wrong``
adds wrong pairs, ``size`` measures CPU seconds and memory, each case in a process of its own. With the interpreter of
an environment that has BigFeta, ``size`` runs it too, on the same tiles and matches through its files.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rendermodules.core.solve.matches import PairMatches
from rendermodules.core.solve.options import SolveOptions, TileSet, tile_set
from rendermodules.core.solve.tiles import solved_tiles

SIZE = 2048
OVERLAP = 0.1
MARGIN = 25


@dataclass
class Stack:
    """Tiles at their nominal places, matches, the true affines, and which pairs are wrong."""

    tiles: TileSet
    matches: PairMatches
    truth: np.ndarray
    wrong: np.ndarray


def neighbours(columns: int, rows: int, sections: int, depth: int) -> np.ndarray:
    """Return the pairs of a stack: beside each other within a section, and overlapping in sections up to depth."""
    index = np.arange(columns * rows * sections).reshape(sections, rows, columns)
    steps = [(0, 0, 1), (0, 1, 0)]
    for dz in range(1, min(depth, sections - 1) + 1):
        steps += [(dz, 0, 0), (dz, 0, 1), (dz, 1, 0), (dz, 0, -1), (dz, -1, 0)]
    pairs = []
    for dz, dy, dx in steps:
        low = index[: sections - dz, max(0, -dy) : rows - max(0, dy), max(0, -dx) : columns - max(0, dx)]
        high = index[dz:, max(0, dy) : rows - max(0, -dy), max(0, dx) : columns - max(0, -dx)]
        pairs.append(np.stack([low.ravel(), high.ravel()], axis=1))
    return np.concatenate(pairs)


def stack(
    columns: int,
    rows: int,
    sections: int = 1,
    *,
    points: int = 18,
    noise: float = 0.2,
    shape: float = 0.0,
    wrong: float = 0.0,
    depth: int = 2,
    seed: int = 0,
) -> Stack:
    """Make tiles with stage jitter of 20 pixels, turns of 0.25 degrees, and affine deformations of some pixels."""
    random = np.random.default_rng(seed)
    count = columns * rows * sections
    place = np.stack(np.unravel_index(np.arange(count), (sections, rows, columns)), axis=1)
    nominal = place[:, [2, 1]] * SIZE * (1 - OVERLAP)
    angle = np.deg2rad(random.uniform(-0.25, 0.25, count))
    turn = np.stack([np.stack([np.cos(angle), -np.sin(angle)], 1), np.stack([np.sin(angle), np.cos(angle)], 1)], 1)
    linear = turn @ (np.eye(2) + random.normal(size=(count, 2, 2)) * shape / (SIZE / np.sqrt(2)))
    middle = np.full(2, SIZE / 2)
    shift = nominal + random.uniform(-20, 20, (count, 2)) + middle - linear @ middle
    pairs = neighbours(columns, rows, sections, depth)
    low = np.maximum(nominal[pairs[:, 0]], nominal[pairs[:, 1]]) + MARGIN
    high = np.minimum(nominal[pairs[:, 0]], nominal[pairs[:, 1]]) + SIZE - MARGIN
    world = low[:, None] + random.random((len(pairs), points, 2)) * (high - low)[:, None]
    inverse = np.linalg.inv(linear)
    p, q = (
        np.einsum("mij,mnj->mni", inverse[side], world - shift[side][:, None]) + random.normal(0, noise, world.shape)
        for side in pairs.T
    )
    bad = random.choice(len(pairs), round(wrong * len(pairs)), replace=False)
    q[bad] += random.uniform(-200, 200, (len(bad), 1, 2))
    matches = PairMatches(
        pairs,
        np.arange(len(pairs) + 1) * points,
        p.reshape(-1, 2),
        q.reshape(-1, 2),
        np.ones(len(pairs) * points),
    )
    priors = np.concatenate([np.tile(np.eye(2), (count, 1, 1)), nominal[:, :, None]], axis=2)
    tiles = tile_set(priors, np.full((count, 2), float(SIZE)), 1000.0 + place[:, 0])
    return Stack(tiles, matches, np.concatenate([linear, shift[:, :, None]], axis=2), bad)


def error(matrices: np.ndarray, truth: np.ndarray) -> float:
    """Return the root mean square error of tile corners after the best rigid motion of everything."""
    corners = np.array([[0, 0, 1], [SIZE, 0, 1], [0, SIZE, 1], [SIZE, SIZE, 1]]).T
    found, right = ((affines @ corners).transpose(0, 2, 1).reshape(-1, 2) for affines in (matrices, truth))
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (found, right))
    z, w = z - z.mean(), w - w.mean()
    turn = np.vdot(z, w)
    return float(np.sqrt(np.mean(np.abs(z * turn / abs(turn) - w) ** 2)))


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def accuracy() -> None:
    print("Root mean square error in pixels, noise in pixels per coordinate, shape: deformation at a corner\n")
    print(f"{'tiles':>7} {'noise':>6} {'shape':>6} | {'rigid':>8} {'affine':>8} {'best of sweep':>14} {'strength':>9}")
    for side, noise, shape in [
        (10, 0.2, 0.0),
        (10, 0.2, 1.0),
        (32, 0.2, 0.0),
        (32, 0.2, 0.3),
        (32, 0.2, 1.0),
        (32, 0.2, 5.0),
        (32, 1.0, 1.0),
        (32, 0.05, 1.0),
        (100, 0.2, 0.0),
        (100, 0.2, 1.0),
    ]:
        rows = []
        for seed in range(3 if side < 100 else 1):
            made = stack(side, side, noise=noise, shape=shape, seed=seed)
            solved = {
                name: solved_tiles(made.tiles, made.matches, SolveOptions(**options))
                for name, options in (
                    ("rigid", {"model": "rigid"}),
                    ("affine", {"model": "affine"}),
                    *(
                        (k, {"model": "affine", "regularization": 10.0**k, "robust": False})
                        for k in np.arange(-3, 6, 0.5)
                    ),
                )
            }
            errors = {name: error(solution.matrices, made.truth) for name, solution in solved.items()}
            best = min((value, name) for name, value in errors.items() if not isinstance(name, str))
            rows.append((errors["rigid"], errors["affine"], best[0], best[1]))
        rigid, affine, best, strength = np.mean(rows, axis=0)
        line = f"{rigid:8.3f} {affine:8.3f} {best:14.3f} {10**strength:9.3g}"
        print(f"{side * side:7d} {noise:6.2f} {shape:6.2f} | {line}")


def wrong() -> None:
    print("\nWrong pairs (up to 200 pixels off) among 2,500 tiles, model affine, mean of 3 seeds\n")
    print(f"{'share':>6} | {'error':>7} {'residual of right pairs':>24} {'right rejected':>15} {'wrong kept':>11}")
    for share in (0.0, 0.05, 0.1, 0.2):
        rows = []
        for seed in range(3):
            made = stack(50, 50, wrong=share, seed=seed)
            solution = solved_tiles(made.tiles, made.matches, SolveOptions(model="affine"))
            key = made.matches.pairs @ [len(made.tiles), 1]
            bad = np.isin(solution.pairs @ [len(made.tiles), 1], key[made.wrong])
            residual = np.sqrt(np.mean(solution.pair_residuals[~bad] ** 2))
            rejected, kept = solution.rejected[~bad].sum(), (~solution.rejected[bad]).sum()
            rows.append((error(solution.matrices, made.truth), residual, rejected, kept))
        mean = np.mean(rows, axis=0)
        print(f"{share:6.2f} | {mean[0]:7.3f} {mean[1]:24.3f} {mean[2]:15.1f} {mean[3]:11.1f}")


def measured(columns: int, rows: int, sections: int, points: int, depth: int, options: dict) -> tuple[float, ...]:
    """Return CPU seconds, wall seconds and peak memory in MiB of one solve in this process, and its error."""
    warm = stack(3, 3)
    solved_tiles(warm.tiles, warm.matches, SolveOptions(**options))
    made = stack(columns, rows, sections, points=points, depth=depth)
    cpu, wall = cpu_seconds(), time.perf_counter()
    solution = solved_tiles(made.tiles, made.matches, SolveOptions(**options))
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return cpu, wall, peak, error(solution.matrices, made.truth), len(made.matches.pairs)


FIXED = {
    "model": "affine",
    "regularization": 1e5,
    "degree_factors": (1e-3, 1.0),
    "robust": False,
    "start": "prior",
}
"""One linear solve with BigFeta's regularisation."""

CASES = [
    (25, 25, 3, 40, 2),
    (60, 60, 3, 40, 2),
    (150, 150, 3, 10, 2),
    (316, 316, 1, 18, 2),
    (40, 25, 100, 18, 1),
]
"""Columns, rows, sections, points per pair, depth."""


def size(largest: int, bigfeta: str | None) -> None:
    print("\nCPU seconds and peak memory (matches of the benchmark included)\n")
    print(
        f"{'tiles':>7} {'pairs':>7} {'points':>8} | {'solve':>22} {'CPU s':>7} {'wall s':>7} {'MiB':>6} {'error px':>9}"
    )
    for case in CASES:
        tiles = case[0] * case[1] * case[2]
        if tiles > largest:
            continue
        for name, options in (
            ("affine, given strength", FIXED),
            ("rigid", {"model": "rigid"}),
            ("affine", {"model": "affine"}),
        ):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                cpu, wall, peak, off, pairs = pool.submit(measured, *case, options).result()
            counts = f"{tiles:7d} {pairs:7.0f} {pairs * case[3]:8.0f}"
            print(f"{counts} | {name:>22} {cpu:7.2f} {wall:7.2f} {peak:6.0f} {off:9.3f}", flush=True)
        if bigfeta and tiles <= 70_000:
            print(" " * 25 + f"| {'BigFeta':>22} {with_bigfeta(case, bigfeta)}", flush=True)


BIGFETA = """
import json, resource, sys, time
from bigfeta import bigfeta
start = time.process_time(), time.perf_counter()
run = bigfeta.BigFeta(input_data=json.load(open(sys.argv[1])), args=[])
run.run()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print("%7.2f %7.2f %6.0f" % (time.process_time() - start[0], time.perf_counter() - start[1], peak))
"""


def with_bigfeta(case: tuple[int, ...], python: str) -> str:
    """Return CPU seconds, wall seconds and peak memory of BigFeta, reading of its files included."""
    made = stack(*case[:3], points=case[3], depth=case[4])
    with tempfile.TemporaryDirectory() as folder:
        parameters = bigfeta_files(made, Path(folder))
        command = [python, "-c", BIGFETA, str(parameters)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        return f"failed: {finished.stderr.strip().splitlines()[-1]}"
    return finished.stdout.strip().splitlines()[-1]


def bigfeta_files(made: Stack, folder: Path) -> Path:
    """Write tiles and matches as BigFeta's file interface wants them, and return its parameters."""
    names = [f"t{number:07d}" for number in range(len(made.tiles))]
    specs = {}
    for name, prior, z in zip(names, made.tiles.priors, made.tiles.sections, strict=True):
        data = " ".join(repr(float(value)) for value in prior.T.ravel())
        leaf = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": data}
        specs[name] = {
            "tileId": name,
            "z": z,
            "width": SIZE,
            "height": SIZE,
            "minIntensity": 0,
            "maxIntensity": 255,
            "layout": {"sectionId": str(z), "imageRow": 0, "imageCol": 0},
            "mipmapLevels": {"0": {"imageUrl": "file:/none.png"}},
            "transforms": {"type": "list", "specList": [leaf]},
        }
    (folder / "stack.json").write_text(json.dumps({"tileIdToSpecMap": specs, "transformIdToSpecMap": {}}))
    documents = []
    matches = made.matches
    for (p, q), start, end in zip(matches.pairs, matches.offsets[:-1], matches.offsets[1:], strict=True):
        points = {
            "p": matches.points_p[start:end].T.tolist(),
            "q": matches.points_q[start:end].T.tolist(),
            "w": matches.weights[start:end].tolist(),
        }
        groups = {"pGroupId": str(made.tiles.sections[p]), "qGroupId": str(made.tiles.sections[q])}
        documents.append({"pId": names[p], "qId": names[q], **groups, "matches": points})
    (folder / "matches.json").write_text(json.dumps(documents))
    common = {"owner": "o", "project": "p", "db_interface": "file"}
    parameters = {
        "first_section": int(made.tiles.sections.min()),
        "last_section": int(made.tiles.sections.max()),
        "solve_type": "3D",
        "transformation": "AffineModel",
        "output_mode": "none",
        "n_parallel_jobs": 1,
        "input_stack": {**common, "name": ["s"], "input_file": str(folder / "stack.json")},
        "output_stack": {**common, "name": ["o"], "output_file": str(folder / "out.json")},
        "pointmatch": {**common, "name": ["m"], "input_file": str(folder / "matches.json")},
        "matrix_assembly": {"depth": [0, 1, 2], "npts_min": 1, "inverse_dz": False},
        "regularization": {"default_lambda": 1e5, "translation_factor": 1e-3},
        "log_level": "ERROR",
    }
    (folder / "parameters.json").write_text(json.dumps(parameters))
    return folder / "parameters.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["accuracy", "wrong", "size"])
    parser.add_argument("--largest", type=int, default=70_000, help="tiles of the largest case")
    parser.add_argument("--bigfeta", help="Python interpreter with BigFeta")
    arguments = parser.parse_args()
    if "accuracy" in arguments.parts:
        accuracy()
    if "wrong" in arguments.parts:
        wrong()
    if "size" in arguments.parts:
        size(arguments.largest, arguments.bigfeta)


if __name__ == "__main__":
    main()
