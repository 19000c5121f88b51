"""The demo: raw tiles of synthetic sections to an aligned volume, by the commands that a user would type.

Every step is a module with a parameter file in the folder of the demo, so that each can be read, changed and run by
hand. The last lines compare the result with the truth.
"""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rendermodules.io.files import write_bytes_whole
from rendermodules.module.errors import RenderModuleError

STORE = "render.db"
"""File of the store that the demo makes."""

MONTAGE_LIMIT = 0.3
"""Largest error of a section in pixels with which the demo is content."""


@dataclass(frozen=True)
class Step:
    """One command of the demo.

    Attributes
    ----------
    title : str
        What it is for.
    name : str
        Of its parameter file.
    module : str
        Area and name of the module.
    parameters : dict
        Its parameters; paths are relative to the folder of the demo.
    """

    title: str
    name: str
    module: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class DemoOptions:
    """How large the demo is and where it is kept.

    Attributes
    ----------
    host : str
        Of the connection to Render; by default a store in the folder of the demo.
    pool_size : int
        Number of workers.
    sections, tiles : int
        Number of sections, and of tiles along each side of a section.
    """

    host: str = STORE
    pool_size: int = 2
    sections: int = 3
    tiles: int = 3

    @property
    def project(self) -> dict[str, str]:
        """The connection to Render."""
        return {"host": self.host, "owner": "demo", "project": "synthetic"}


def demo_steps(options: DemoOptions) -> list[Step]:
    """Return the steps of the demo, in order."""
    workers = {"pool_size": options.pool_size}
    render = {"render": options.project}
    return [
        Step(
            "photograph overlapping tiles of serial sections, with a stage that errs",
            "create_images",
            "synthetic.create_synthetic_images",
            {
                "output_dir": "acquisition",
                "sections": options.sections,
                "rows": options.tiles,
                "columns": options.tiles,
                **workers,
            },
        ),
        Step(
            "import the images with the positions that the stage believed",
            "import",
            "dataimport.import_image_directory",
            {
                **render,
                "positions_file": "acquisition/positions.csv",
                "output_stack": "acquired",
                "pixelsize": 4.0,
                "section_thickness": 40.0,
                **workers,
            },
        ),
        Step(
            "make smaller copies of the images, for quick views",
            "mipmaps",
            "dataimport.generate_mipmaps",
            {
                **render,
                "input_stack": "acquired",
                "output_dir": "mipmaps",
                "levels": 3,
                "output_stack": "raw",
                **workers,
            },
        ),
        Step(
            "list the tiles that overlap within a section",
            "montage_pairs",
            "pointmatch.create_tilepairs",
            {**render, "input_stack": "raw", "zNeighborDistance": 0, "tile_pair_file": "montage_pairs.json"},
        ),
        Step(
            "find the same points in both tiles of a pair",
            "montage_matches",
            "pointmatch.generate_point_matches",
            {**render, "pairJson": ["montage_pairs.json"], "output_collection": "montage", **workers},
        ),
        Step(
            "place the tiles of each section",
            "montage",
            "solver.solve_transforms",
            {
                **render,
                "input_stack": "raw",
                "output_stack": "montage",
                "match_collections": ["montage"],
                "solve_type": "montage",
                **workers,
            },
        ),
        Step(
            "list the tiles that lie over each other in consecutive sections",
            "section_pairs",
            "pointmatch.create_tilepairs",
            {
                **render,
                "input_stack": "montage",
                "zNeighborDistance": 1,
                "excludeSameLayerNeighbors": True,
                "tile_pair_file": "section_pairs.json",
            },
        ),
        Step(
            "find the same structures in consecutive sections",
            "section_matches",
            "pointmatch.generate_point_matches",
            {**render, "pairJson": ["section_pairs.json"], "output_collection": "sections", **workers},
        ),
        Step(
            "place the tiles of all sections together",
            "align",
            "solver.solve_transforms",
            {
                **render,
                "input_stack": "montage",
                "output_stack": "aligned",
                "match_collections": ["montage", "sections"],
                "solve_type": "3D",
                **workers,
            },
        ),
        Step(
            "move the volume away from negative coordinates",
            "move",
            "stack.apply_transform_to_stack",
            {**render, "input_stack": "aligned", "output_stack": "volume", "B0": 200.0, "B1": 200.0, **workers},
        ),
        Step(
            "draw the volume",
            "draw",
            "materialize.render_volume",
            {**render, "input_stacks": ["volume"], "volume_dir": "volume", "format": "ome_zarr", **workers},
        ),
        Step(
            "compare the sections with the truth",
            "judge_sections",
            "synthetic.evaluate_stack",
            {**render, "input_stack": "montage", "truth_dir": "acquisition", "max_error": MONTAGE_LIMIT},
        ),
        Step(
            "compare the volume with the truth",
            "judge_volume",
            "synthetic.evaluate_stack",
            {**render, "input_stack": "volume", "truth_dir": "acquisition", "frame": "world"},
        ),
    ]


def run_demo(folder: str, options: DemoOptions) -> int:
    """Run the demo in a folder; return the exit status.

    Parameters
    ----------
    folder : path
        Made if it does not exist; what an earlier demo has left there is removed.
    options : DemoOptions
        Size and place.

    Raises
    ------
    RenderModuleError
        The folder holds something else, or a step failed.
    """
    place = Path(folder).absolute()
    steps = demo_steps(options)
    _clear(place)
    _say(f"The demo works in {place}. By hand:\n\n  cd {shlex.quote(str(place))}")
    for number, step in enumerate(steps, 1):
        file = f"{number:02d}_{step.name}.json"
        write_bytes_whole(place / file, json.dumps(step.parameters, indent=2).encode() + b"\n")
        arguments = ["run", step.module, "--input_json", file, "--output_json", _result_file(file)]
        _say(f"\n{number:2d}. {step.title}\n  {_command()} {shlex.join(arguments)}")
        _run(place, arguments)
    project = options.project
    report = ["report", project["project"], "--host", project["host"], "--owner", project["owner"]]
    report += ["--after", "montage", "--before", "raw", "--out", "report.html"]
    _say(f"\n    see how good it is\n  {_command()} {shlex.join(report)}")
    _run(place, report)
    _say(_summary(place, steps, options))
    return 0


def _command() -> str:
    """Return how the command is called in the shell of the user."""
    return "rendermodules" if shutil.which("rendermodules") else f"{sys.executable} -m rendermodules"


def _run(place: Path, arguments: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "rendermodules", *arguments], cwd=place, check=False)
    if done.returncode:
        raise RenderModuleError(f"this step ended with status {done.returncode}; its messages are above")


def _clear(place: Path) -> None:
    """Remove what an earlier demo has left, and nothing else."""
    if not place.exists():
        place.mkdir(parents=True)
    elif any(place.iterdir()):
        if not (place / "01_create_images.json").is_file():
            raise RenderModuleError(f"{place} holds something other than a demo; choose another folder with --out")
        shutil.rmtree(place)
        place.mkdir()


def _result_file(file: str) -> str:
    return file.replace(".json", ".out.json")


def _results(place: Path, steps: Sequence[Step], name: str) -> dict[str, Any]:
    number = next(number for number, step in enumerate(steps, 1) if step.name == name)
    results: dict[str, Any] = json.loads((place / _result_file(f"{number:02d}_{name}.json")).read_bytes())
    return results


def _summary(place: Path, steps: Sequence[Step], options: DemoOptions) -> str:
    sections = _results(place, steps, "judge_sections")["sections"]
    volume = _results(place, steps, "judge_volume")["sections"]
    (drawn,) = _results(place, steps, "draw")["files"]
    lines = [
        "",
        "Error against the truth, root mean square in pixels:",
        "",
        "  section   as the stage believed   montage   seams of the montage   to the next section in the volume",
    ]
    for one, aligned in zip(sections, volume, strict=True):
        across = "-" if aligned["across"] is None else f"{aligned['across']:.3f}"
        lines.append(
            f"  z={one['z']:<7} {one['before']:>20.2f} {one['after']:>10.3f} {one['seam']:>15.3f} {across:>25}"
        )
    lines += ["", f"The volume: {place / drawn} (OME-Zarr)", f"The report: {place / 'report.html'}"]
    if options.host == STORE:
        serve = f"cd {shlex.quote(str(place))} && {_command()} serve --store {STORE}"
        lines.append(f"To look at it: {serve}\n               and open http://127.0.0.1:8080/")
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
