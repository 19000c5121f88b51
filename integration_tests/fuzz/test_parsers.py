"""What parses bodies, given bytes that are found by watching which branches they take."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris")

REPOSITORY = Path(__file__).parents[2]
SECONDS = float(os.environ.get("RENDERMODULES_FUZZ_SECONDS", "60")) / 4

COMMON = """
import sys, warnings, atheris
import numpy
with atheris.instrument_imports(include=["rendermodules"]):
    from rendermodules.core.transforms import TransformError
    from rendermodules.render_ws.errors import ServiceError
    from rendermodules.render_ws.java_documents import java_collection
    from rendermodules.render_ws.models import CanvasMatches, decoded, stack_version
    from rendermodules.render_ws.store.match_points import packed_points, unpacked_points
    from rendermodules.render_ws.tile_specs import received_collection, referred_ids, tile_rows
warnings.simplefilter("ignore")
def guarded(data):
    try:
        check(data)
    except ServiceError as error:
        assert error.status < 500, error
"""

PROGRAMS = {
    "tiles": """
def check(data):
    collection = received_collection(data)
    referred_ids(collection)
    for _, row in tile_rows(collection, {}):
        import json
        json.loads(row.document)
""",
    "strict tiles": """
def check(data):
    tile_rows(java_collection(received_collection(data)), {}, derived=data[-1:] == b"}")
""",
    "matches": """
def check(data):
    for pair in decoded(data, list[CanvasMatches] | None) or ():
        if pair.matches is not None:
            unpacked_points(packed_points(pair.matches))
""",
    "versions": """
def check(data):
    stack_version(data)
""",
}

SEEDS = {
    "tiles": b'{"transformIdToSpecMap":{"l":{"type":"list","specList":[{"className":"mpicbg.trakem2.transform.'
    b'TranslationModel2D","dataString":"1 2"}]}},"tileIdToSpecMap":{"t":{"tileId":"t","z":1.0,"width":9,"height":9,'
    b'"meshCellSize":64.0,"minX":0,"layout":{"sectionId":"1"},"mipmapLevels":{"0":{"imageUrl":"u"}},"transforms":'
    b'{"type":"list","specList":[{"type":"ref","refId":"l"},{"type":"interpolated","a":{"type":"ref","refId":"l"},'
    b'"b":{"className":"mpicbg.trakem2.transform.AffineModel2D","dataString":"1 0 0 1 0 0"},"lambda":0.5}]}}}}',
    "matches": b'[{"pGroupId":"1","pId":"a","qGroupId":"2","qId":"b","matches":{"p":[[1],[2]],"q":[[1],[2]],"w":[1]}}]',
    "versions": b'{"createTimestamp":"2024-01-31T09:15:00.00Z","cycleNumber":1,"mipmapPathBuilder":{"rootPath":"/"}}',
}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_no_bytes_break_a_parser(tmp_path, name):
    program = f"{COMMON}{PROGRAMS[name]}\natheris.Setup(sys.argv, guarded)\natheris.Fuzz()\n"
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "seed").write_bytes(SEEDS[name.removeprefix("strict ")])
    options = [f"-max_total_time={int(SECONDS)}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096", str(corpus)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    print(f"\n{name}: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-500:]
