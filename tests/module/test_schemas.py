import marshmallow
import pytest

from rendermodules.module.schemas import RenderClientParameters, SectionMapParameters, ZValueParameters

RENDER = {"host": "a", "owner": "b", "project": "c"}
STACKS = {"input_stack": "raw", "output_stack": "new"}


def test_connection_is_filled_from_the_environment(monkeypatch):
    monkeypatch.setenv("RENDER_HOST", "somewhere")
    monkeypatch.setenv("RENDER_PORT", "8080")
    monkeypatch.setenv("RENDER_OWNER", "me")
    loaded = RenderClientParameters().load({"project": "p", "owner": "you"})
    assert (loaded["host"], loaded["port"], loaded["owner"], loaded["project"]) == ("somewhere", 8080, "you", "p")


def test_connection_may_come_from_the_environment_alone(monkeypatch):
    for key, value in RENDER.items():
        monkeypatch.setenv(f"RENDER_{key.upper()}", value)
    assert SectionMapParameters().load(dict(STACKS))["render"]["project"] == "c"


def test_what_is_missing_is_named():
    with pytest.raises(marshmallow.ValidationError) as caught:
        RenderClientParameters().load({"host": "a"})
    assert set(caught.value.normalized_messages()) == {"owner", "project"}


def test_old_spellings_are_taken_with_a_warning():
    data = {"render": RENDER, "inputStack": "raw", "outputStack": "new", "zmin": 2}
    with pytest.warns(FutureWarning, match="is now called"):
        loaded = SectionMapParameters().load(data)
    assert (loaded["input_stack"], loaded["output_stack"], loaded["minZ"]) == ("raw", "new", 2.0)
    assert "inputStack" in data, "the caller's parameters were changed"


def test_keys_that_are_no_longer_needed_are_dropped_with_a_warning():
    class Parameters(ZValueParameters):
        aliases = {"output_directory": None}

    with pytest.warns(FutureWarning, match="output_directory is no longer needed"):
        assert Parameters().load({"output_directory": "/tmp", "z": 1})["z"] == 1


def test_the_new_spelling_wins():
    with pytest.warns(FutureWarning):
        assert ZValueParameters().load({"minZ": 1, "zmin": 2})["minZ"] == 1


@pytest.mark.parametrize(
    "selection",
    [{"z": 1, "minZ": 1}, {"zValues": [1], "z": 1}, {"zValues": []}, {"minZ": 3, "maxZ": 2}, {"minZ": "nan"}],
)
def test_contradicting_sections_are_refused(selection):
    with pytest.raises(marshmallow.ValidationError):
        ZValueParameters().load(selection)


def test_fractional_z():
    assert ZValueParameters().load({"zValues": "1020.1,3"})["zValues"] == [1020.1, 3.0]
