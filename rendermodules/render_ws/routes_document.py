"""``python -m rendermodules.render_ws.routes_document``: write ROUTES.md, what is answered and how it differs.

The contract tests name the routes that they are about; they are read from the checkout that
this file belongs to.
"""

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rendermodules.io.files import write_bytes_whole
from rendermodules.render_ws.app import HEALTH_PATH, all_routes
from rendermodules.render_ws.java_routes import java_routes, place
from rendermodules.render_ws.routing import Route

DOCUMENT = Path(__file__).with_name("ROUTES.md")
CONTRACT = Path(__file__).parents[2] / "integration_tests" / "contract"

DIFFERENCES: Sequence[tuple[str, str, str]] = (
    (
        "A stack in the wrong state answers 409, data that cannot be derived 422, a number that does not parse 400",
        "500, 500, 404",
        "the client's mistake is told from the server's",
    ),
    (
        "Names may hold any character but `/` and control characters, up to 200",
        "letters, digits and single underscores; shorter than 111 together",
        "names need no changes; a stack that shall move to Java Render must keep to its set",
    ),
    (
        "Bounding boxes are always derived",
        "with `deriveData=true`; otherwise those sent are believed",
        "render-python drops them on the way; a wrong box makes a tile invisible",
    ),
    (
        "Tiles may refer to shared transforms that the stack has already, and these to others",
        "only to those in the same request, in one step",
        "a tile can be put again without its lens correction",
    ),
    (
        "Tile specs are kept as they were sent, with members that Render does not know",
        "unknown members are dropped",
        "nothing that was imported is lost",
    ),
    (
        "Section data of LOADING stacks are those of the moment",
        "those of the last completion, or an error",
        "they are never stale",
    ),
    (
        "`PUT resolvedTiles`, clones, deletions: all or nothing; a clone replaces what was there",
        "half-done when something fails; duplicates fail",
        "a program that failed can be run again",
    ),
    (
        "Mirrored tiles can be inverted by world-to-local",
        "error: no triangle has the right orientation",
        "flipped sections are common",
    ),
    (
        "World-to-local finds all pixels of a tile",
        "not those that its bounding box misses, at negative coordinates the first row and column",
        "boxes are cut towards 0; what is drawn can be asked for",
    ),
    (
        "`excludeAllTransforms=false` is the same as its absence",
        "it switches `normalizeForMatching` off, and the tile is out of the picture",
        "render-python sends it with every tile image",
    ),
    (
        "`matchPattern` is heeded by `GET S/resolvedTiles`, `mergeCollection` by the lists of group ids",
        "ignored",
        "as documented there",
    ),
    (
        "Regular expressions that repeat groups, or with more than four repeats, are refused",
        "any expression",
        "some take for ever",
    ),
    (
        "Images: borders of tiles, soft masks, several channels, ranges, backgrounds are drawn as meant",
        "see `rendering/renderer.py`",
        "black seams, darkened masks, lost channels",
    ),
    (
        "Images carry a tag that changes with every change of the stack, and `no-cache`",
        "a tag that misses changes of tiles, and an hour",
        "viewers show what is there",
    ),
    (
        "Numbers of points in `matches` must be finite, rows of x and y",
        "any lists",
        "solvers fail on them later",
    ),
    (
        "`PUT S/defaultChannel` takes the name with or without JSON's quotes",
        "keeps the quotes as part of the name",
        "no channel is called so",
    ),
    ("Pages of other sites may read, not change", "they may do anything", "a web page must not delete stacks"),
    ("Limits on bodies, images, tiles, points: 413", "none, or out of memory", "one request cannot take the machine"),
    (
        "`tiff16-image` of layers and of `PUT` render parameters",
        "404",
        "render-python can ask for them",
    ),
)
"""What the default service does, what Java Render does instead, and why; strict mode follows Java."""

STRICT_DIFFERENCES: Sequence[tuple[str, str, str]] = (
    (
        "A tile without tileId or z is refused (400)",
        "stored, and found by no route that asks for it",
        "C020-C029",
    ),
    (
        "Renaming to an illegal or incomplete name is refused (400)",
        "succeeds; the stack can never be read again, an illegal collection breaks the lists of all owners",
        "Z004-Z032",
    ),
    (
        "Recomputing match counts of pairs without points succeeds",
        "500 from the database",
        "P036",
    ),
    (
        "`mergeCollection` with `excludeMatchDetails` succeeds",
        "500, a null pointer",
        "P151",
    ),
    (
        "JPEG images may differ by one grey level more than the replayer allows in single pixels",
        "another encoder",
        "F006, G067",
    ),
    (
        "Outlines of too many tiles have labels in another font",
        "Java's",
        "F055",
    ),
    (
        "A match trial finds other features, and no quality of matches",
        "mpicbg's; the ids of a trial are the database's",
        "Q028-Q029",
    ),
    ("`/versionInfo` tells name and version", "204 in a build without git", "Q001"),
)
"""What strict mode does differently all the same; the last column names steps of the recording of Java Render."""


def contract_tests(folder: Path = CONTRACT) -> Mapping[str, list[str]]:
    """Return the contract tests of each route: ``GET S/zValues`` to ``test_stacks.py::test_completion``."""
    tests: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                for name in _routes_of(node):
                    tests[name].append(f"{file.name}::{node.name}")
    return tests


def document() -> str:
    """Return the text of ROUTES.md."""
    answered = {(route.method, place(route.path)) for route in all_routes()}
    java = list(java_routes())
    known = {(route.method, place(route.path)) for route in java}
    tests = contract_tests()
    counts, rows = defaultdict[str, list[int]](lambda: [0, 0]), []
    for route in java:
        is_answered = (route.method, place(route.path)) in answered
        counts[route.priority][0] += is_answered
        counts[route.priority][1] += 1
        test = ", ".join(f"`{test}`" for test in tests.get(f"{route.method} {route.short}", ()))
        rows.append(
            f"| {route.method} | `{route.short}` | {route.priority} | {'yes' if is_answered else 'no: 501'} | {test} |"
        )
    beyond = [f"* `{route.method} {route.path}`" for route in all_routes() if _key(route) not in known]
    return "\n".join(
        [
            "# Routes of Java Render, and what is answered here",
            "",
            "Generated by `python -m rendermodules.render_ws.routes_document`; do not edit.",
            "",
            "`S` is the path of a stack, `M` that of a match collection, `B` a box of a layer:",
            "`z/{z}/box/{x},{y},{width},{height},{scale}`.",
            "Priorities: P0 is what processing modules call, P1 what else render-python can call, P2 the rest:",
            "viewers, other clients, people. Each row names its contract tests, which pass on a store in the same",
            "process and over HTTP.",
            "",
            *(f"* {priority}: {done} of {total} answered" for priority, (done, total) in sorted(counts.items())),
            "",
            "| method | path | priority | answered | contract test |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Beyond Java Render (not in strict mode):",
            "",
            f"* `GET {HEALTH_PATH}` (outside of the prefix)",
            *beyond,
            "",
            "## Where the default service differs from Java Render",
            "",
            "`--strict` makes the service follow Java in all of these.",
            "",
            *_table(("here", "Java Render", "reason"), DIFFERENCES),
            "",
            "## Where strict mode differs from Java Render",
            "",
            "All other steps of a recording of Java Render agree: errors by class, numbers to 1e-7, PNG and TIFF",
            "images to one grey level.",
            "",
            *_table(("here", "Java Render", "steps"), STRICT_DIFFERENCES),
            "",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write ROUTES.md, or with ``--check`` only compare it; return 1 when it is not up to date."""
    parser = argparse.ArgumentParser(description="Write ROUTES.md.")
    parser.add_argument("--check", action="store_true", help="do not write; exit status 1 when it is not up to date")
    options = parser.parse_args(argv)
    text = document()
    if options.check:
        return 0 if DOCUMENT.exists() and DOCUMENT.read_text() == text else 1
    write_bytes_whole(DOCUMENT, text.encode())
    return 0


def _key(route: Route) -> tuple[str, str]:
    return route.method, place(route.path)


def _routes_of(node: ast.FunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.routes":
            for argument in decorator.args:
                yield ast.literal_eval(argument)


def _table(names: tuple[str, str, str], rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.exit(main())
