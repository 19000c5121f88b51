import fsspec
import pytest

from rendermodules.core.problems import InputError
from rendermodules.io.patterns import expanded_places


def test_patterns(tmp_path, bucket):
    for name in ("a 1.json", "a 2.json", "b.json"):
        (tmp_path / name).write_text("[]")
        with fsspec.open(f"{bucket}/x/{name}", "wb") as file:
            file.write(b"[]")
    found = expanded_places([str(tmp_path / "a*.json"), str(tmp_path / "b.json"), str(tmp_path / "*.json")])
    assert found == [str(tmp_path / name) for name in ("a 1.json", "a 2.json", "b.json")]
    assert expanded_places([f"{bucket}/x/a*.json"]) == [f"{bucket}/x/a 1.json", f"{bucket}/x/a 2.json"]
    (tmp_path / "a[1].json").touch()
    assert expanded_places([str(tmp_path / "a[1].json")]) == [str(tmp_path / "a[1].json")]
    with pytest.raises(InputError, match=r"there is no file .*c\.json"):
        expanded_places([str(tmp_path / "c.json")])
