import marshmallow
import pytest

from rendermodules.module import fields
from rendermodules.module.schemas import DefaultSchema


class Inner(DefaultSchema):
    name = fields.Str("a name", required=True)
    size = fields.Int("a size", default=3)


class Example(DefaultSchema):
    count = fields.Int("how many", default=1, minimum=1)
    factor = fields.Float("a factor of 50%")
    limit = fields.Float("a limit", default=2.0, minimum=0, nullable=True)
    flag = fields.Bool("a switch", default=False)
    zs = fields.List(fields.Float, "numbers")
    parts = fields.NestedList(Inner, "parts")
    spec = fields.Json("free JSON")
    kind = fields.Str("a kind", default="a", choices=["a", "b"])
    source = fields.InputFile("a file")
    target = fields.OutputFile("a file")
    folder = fields.OutputDir("a folder")
    level = fields.LogLevel("a level", default="INFO")


def load(**values):
    return Example().load(values)


def test_every_declared_key_is_there():
    loaded = load()
    assert set(loaded) == set(Example().fields)
    assert loaded["count"] == 1
    assert loaded["factor"] is None


def test_null_stays_null_only_where_it_may():
    assert load()["limit"] == 2.0
    assert load(limit=None)["limit"] is None
    with pytest.raises(marshmallow.ValidationError, match="not be null"):
        load(count=None)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("yes", True), ("0", False)])
def test_words_from_the_command_line(text, value):
    assert load(flag=text)["flag"] is value


@pytest.mark.parametrize("text", ["1, 2.5", "[1, 2.5]"])
def test_lists_from_the_command_line(text):
    assert load(zs=text)["zs"] == [1.0, 2.5]


def test_json_from_the_command_line():
    assert load(spec='{"a": [1]}')["spec"] == {"a": [1]}
    assert load(parts='[{"name": "x"}]')["parts"] == [{"name": "x", "size": 3}]
    with pytest.raises(marshmallow.ValidationError, match="not JSON"):
        load(spec="{")


@pytest.mark.parametrize(("value", "expected"), [("5", 5), (5.0, 5), (5, 5)])
def test_whole_numbers(value, expected):
    assert load(count=value)["count"] == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 5.7},
        {"count": 0},
        {"factor": float("nan")},
        {"kind": "c"},
        {"level": "LOUD"},
        {"zs": [1, "x"]},
        {"zs": "[1"},
    ],
)
def test_wrong_values_are_refused(wrong):
    with pytest.raises(marshmallow.ValidationError):
        load(**wrong)


def test_paths(tmp_path):
    file = tmp_path / "there.txt"
    file.touch()
    assert load(source=str(file))["source"] == str(file)
    with pytest.raises(marshmallow.ValidationError, match="is no file"):
        load(source=str(tmp_path / "gone"))
    with pytest.raises(marshmallow.ValidationError, match="is a folder"):
        load(target=str(tmp_path))
    with pytest.raises(marshmallow.ValidationError, match="is a file"):
        load(folder=str(file))
    with pytest.raises(marshmallow.ValidationError, match="is a file"):
        load(target=str(file / "below"))
    load(target=str(tmp_path / "new" / "a.json"), folder=str(tmp_path / "made later"))
    assert sorted(tmp_path.iterdir()) == [file], "checking parameters made something"


def test_a_folder_without_rights_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fields.os, "access", lambda *_: False)
    with pytest.raises(marshmallow.ValidationError, match="no right to write"):
        load(folder=str(tmp_path / "below"))


def test_help_with_a_percent_sign():
    from argschema.utils import schema_argparser

    assert "50%" in schema_argparser(Example()).format_help()


def test_paths_may_be_urls_or_below_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "a ü.tif"
    file.touch()
    for given in (str(file), file.as_uri(), "~/a ü.tif"):
        assert load(source=given)["source"] == str(file)
    assert load(target="~nobody.json")["target"] == "~nobody.json"
    with pytest.raises(marshmallow.ValidationError, match="is not on this machine"):
        load(folder="s3://bucket/a")
