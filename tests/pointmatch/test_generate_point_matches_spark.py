import json
import sys
from pathlib import Path

import marshmallow
import pytest

from rendermodules.module.errors import RenderModuleError
from rendermodules.pointmatch import GeneratePointMatchesSpark

# it does what the Java client would: it writes a pair into the collection that its options name
CLIENT = """#!{python}
import json, pathlib, sys
from rendermodules.core.pointmatches import point_matches
from rendermodules.module.connection import connect
from rendermodules.module.matches import match_collection, write_matches
pathlib.Path("{seen}").write_text(json.dumps(sys.argv[1:]))
options = dict(zip(sys.argv, sys.argv[1:]))
render = connect({connection})
matched = point_matches(("1", "a"), ("1", "b"), [[1, 2]], [[3, 4]])
if options["--SIFTfdSize"] != "3":
    write_matches(match_collection(render, options["--collection"], options["--owner"]), [matched])
sys.exit(int(options["--SIFTsteps"]))
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def run(render_parameters, tmp_path):
    seen = tmp_path / "seen.json"
    text = CLIENT.format(python=sys.executable, seen=seen, connection=repr(render_parameters))
    program(tmp_path / "spark" / "bin" / "spark-submit", text)

    def make(**parameters):
        given = {
            "sparkhome": str(tmp_path / "spark"),
            "jarfile": "/clients.jar",
            "pairJson": ["/a.json", "/b.json"],
            "collection": "found",
            "baseDataUrl": "http://render:8080/render-ws/v1",
            "SIFTfdSize": 4,
            "SIFTsteps": 0,
        }
        return GeneratePointMatchesSpark({"render": render_parameters, **given, **parameters}).run()

    make.seen = seen
    return make


def test_the_client_gets_what_is_given(run):
    result = run(
        memory="20g",
        spark_files=["a.xml", "b.xml"],
        spark_conf={"spark.cores.max": "8"},
        renderWithFilter=True,
        requireStoredFeatures=True,
        matchModelType="RIGID",
        match_owner="other",
    )
    assert json.loads(run.seen.read_text()) == [
        *("--master", "local[*]", "--driver-memory", "6g", "--executor-memory", "20g", "--files", "a.xml,b.xml"),
        *("--conf", "spark.cores.max=8", "--class", "org.janelia.render.client.spark.SIFTPointMatchClient"),
        *("/clients.jar", "--baseDataUrl", "http://render:8080/render-ws/v1", "--owner", "other"),
        *("--collection", "found", "--pairJson", "/a.json", "--pairJson", "/b.json"),
        *("--renderWithFilter", "true", "--SIFTfdSize", "4", "--SIFTsteps", "0", "--matchModelType", "RIGID"),
        "--requireStoredFeatures",
    ]
    assert result["collectionId"] == {"owner": "other", "name": "found"}
    assert (result["pairCount"], result["submitted"]) == (1, False)


def test_a_client_that_fails_or_finds_nothing(run, tmp_path):
    with pytest.raises(RenderModuleError, match="spark-submit ended with status 3"):
        run(SIFTsteps=3)
    with pytest.raises(RenderModuleError, match="ended well, but match collection empty of tester holds no pairs"):
        run(SIFTfdSize=3, collection="empty")
    with pytest.raises(RenderModuleError, match="cannot be run"):
        run(sparkhome=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("launcher", "options"),
    [
        ("qsub", ["-l", "nodes=3:ppn=8", "-q", "connectome", "-V"]),
        ("sbatch", ["--nodes=3", "--ntasks-per-node=8", "--partition=connectome", "--export=ALL"]),
    ],
)
def test_batch_systems(run, tmp_path, monkeypatch, launcher, options):
    seen = tmp_path / "submitted.json"
    text = (
        f"#!{sys.executable}\nimport json, os, pathlib, sys\n"
        f"job = [sys.argv[1:], [os.environ['spark' + key] for key in ('home', 'jar', 'class', 'args')]]\n"
        f"pathlib.Path('{seen}').write_text(json.dumps(job))\n"
    )
    program(tmp_path / "bin" / launcher, text)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    script = tmp_path / "job.sh"
    script.touch()
    result = run(launcher=launcher, submit_script=str(script), nodes=3, processes_per_node=8, queue="connectome")
    arguments, environment = json.loads(seen.read_text())
    assert arguments == [*options, str(script)]
    assert environment[:2] == [str(tmp_path / "spark"), "/clients.jar"]
    assert "--collection found --pairJson /a.json --pairJson /b.json" in environment[3]
    assert (result["submitted"], result["pairCount"]) == (True, None)


def test_the_address_of_the_service(run, tmp_path):
    connection = {"host": "http://render", "port": 8080, "owner": "o", "project": "p"}
    command = run(render=connection, baseDataUrl=None, dry_run=True)["command"]
    assert command[command.index("--baseDataUrl") + 1] == "http://render:8080/render-ws/v1"
    assert not run.seen.exists()
    with pytest.raises(RenderModuleError, match="is an embedded store, which Java cannot reach"):
        run(baseDataUrl=None)


def test_contradictions_are_refused(run):
    for parameters in ({"launcher": "qsub"}, {"spark_conf": ["a"]}, {"matchModelType": "SPLINE"}):
        with pytest.raises(marshmallow.ValidationError):
            run(**parameters)


def test_parameters_of_before(render_parameters, tmp_path):
    script = tmp_path / "job.pbs"
    script.touch()
    old = {"pbs_template": str(script), "no_nodes": 10, "ppn": 30, "queue_name": "q", "logdir": "/logs", "owner": "me"}
    with pytest.warns(FutureWarning):
        module = GeneratePointMatchesSpark(
            {
                "render": render_parameters,
                "sparkhome": "/s",
                "jarfile": "j",
                "className": "c",
                "pairJson": "a.json",
                "collection": "m",
                "launcher": "qsub",
                **old,
            }
        )
    assert module.args["match_owner"] == "me"
    assert Path(module.args["submit_script"]) == script
