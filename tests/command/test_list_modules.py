"""``rendermodules list``."""

import json
import subprocess
import sys

from rendermodules.cli import main
from rendermodules.module.catalogue import modules


def test_every_module_has_its_line(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(modules()) + len({entry.area for entry in modules()})
    assert any(line.startswith("stack: ") for line in lines)
    assert any(line.split()[0] == "apply_transform_to_stack" for line in lines)


def test_one_area(capsys):
    assert main(["list", "module"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["list", "modul"]) == 1
    assert "no area is called modul; there are " in capsys.readouterr().err


def test_json(capsys):
    assert main(["list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed.keys() == {entry.path for entry in modules()}
    template = listed["module.template_module"]
    assert template["area"] == "module"
    assert template["class"] == "rendermodules.module.template_module.TemplateModule"
    assert template["parameters"][0]["name"] == "example"
    assert template["parameters"][0]["required"] is True


def test_nothing_heavy_is_imported():
    code = "import sys; from rendermodules.cli import main; main(['list']);sys.stderr.write(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not {"numpy", "argschema", "marshmallow", "renderapi", "requests", "cv2", "falcon"} & set(loaded)
