"""``rendermodules completion``: scripts that the shells themselves run."""

import shutil
import subprocess

import pytest

from rendermodules.cli import main
from rendermodules.command.completion import SHELLS
from rendermodules.module.catalogue import modules


@pytest.fixture
def script(capsys):
    def write(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return write


@pytest.mark.parametrize("shell", SHELLS)
def test_every_module_is_known(shell, script):
    text = script(shell)
    assert all(entry.path in text for entry in modules())


def completed_by_bash(file, *words):
    line = " ".join(words)
    code = f"""
    source {file}
    COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
    COMP_CWORD={len(words) - 1}
    COMP_LINE='{line}' COMP_POINT={len(line)}
    _shtab_rendermodules 2>/dev/null
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_bash_completes(script, tmp_path):
    file = tmp_path / "completion.bash"
    file.write_text(script("bash"))
    assert completed_by_bash(file, "rendermodules", "tem") == ["template"]
    assert completed_by_bash(file, "rendermodules", "help", "module.") == ["module.template_module"]
    assert completed_by_bash(file, "rendermodules", "run", "module.t") == ["module.template_module"]
    assert completed_by_bash(file, "rendermodules", "list", "sti") == ["stitching"]
    options = completed_by_bash(file, "rendermodules", "run", "module.template_module", "--render.")
    assert "--render.host" in options


def test_fish_completes(script, tmp_path):
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")
    file = tmp_path / "completion.fish"
    file.write_text(script("fish"))

    def completed(line):
        done = subprocess.run(["fish", "-c", f"source {file}; complete -C '{line}'"], capture_output=True, text=True)
        return [one.split("\t")[0] for one in done.stdout.splitlines()]

    assert completed("rendermodules tem") == ["template"]
    assert completed("rendermodules run module.t") == ["module.template_module"]
    assert "--render.host" in completed("rendermodules run module.template_module --render.")


@pytest.mark.parametrize(("shell", "check"), [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_the_other_shells_can_read_it(shell, check, script, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    file = tmp_path / "completion"
    file.write_text(script(shell))
    subprocess.run([*check, str(file)], check=True)
