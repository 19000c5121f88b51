from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.dataimport import ImportStatetable
from rendermodules.io.images import read_image, write_image
from rendermodules.module import stacks

NAMES = "ribbon,section,session,ch_name,zstack,frame,full_path,z,tileID,a00,a01,a02,a10,a11,a12"


@pytest.fixture
def tables(tmp_path):
    """Two ribbons of two sections of two tiles; the second session has a third channel."""
    files = []
    for ribbon in (0, 1):
        lines = [NAMES]
        for section in (0, 1):
            for session, channel in ((1, "DAPI_1"), (1, "GFP"), (2, "DAPI_2"), (2, "PSD 95")):
                for frame in (0, 1):
                    name = f"rib{ribbon}/S{section}_{channel}_F{frame}.tif"
                    write_image(tmp_path / "raw ü" / name, np.zeros((6, 8), np.uint16))
                    tile = f"R{ribbon}S{section}SS{session}F{frame}_{channel.replace(' ', '_')}"
                    place = f"{ribbon},{section},{session},{channel},0,{frame},{name}"
                    lines.append(f"{place},{2 * ribbon + section},{tile},1,0,{7 * frame},0,1,0")
        path = tmp_path / "raw ü" / f"state_{ribbon}.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        files.append(str(path))
    return files


def imported(render_parameters, tables, **parameters):
    return ImportStatetable(input_data={"render": render_parameters, "statetable_files": tables, **parameters}).run()


def test_a_stack_for_each_channel(render, render_parameters, tables):
    result = imported(render_parameters, tables, maxIntensity=50000)
    counts = {stack["output_stack"]: stack["tile_count"] for stack in result["stacks"]}
    assert counts == {"ACQ_DAPI_1": 8, "ACQ_GFP": 8, "ACQ_DAPI_2": 8, "ACQ_PSD 95": 8}
    tile = stacks.read_section(render, "ACQ_GFP", 2.0).tiles[1]
    assert (tile["tileId"], tile["layout"]["sectionId"]) == ("R1S0SS1F1_GFP", "1000")
    assert (tile["width"], tile["maxIntensity"], tile["minX"]) == (8, 50000.0, 7.0)
    assert tile["mipmapLevels"]["0"]["imageUrl"].endswith("/raw%20%C3%BC/rib1/S0_GFP_F1.tif")


def test_a_stack_for_each_session(render, render_parameters, tables):
    result = imported(render_parameters, tables, multichannel=True, output_stack_prefix="M", pool_size=2)
    assert [stack["output_stack"] for stack in result["stacks"]] == ["MSession1", "MSession2"]
    assert stacks.z_values(render, "MSession2") == [0.0, 1.0, 2.0, 3.0]
    tile = stacks.read_section(render, "MSession2", 3.0).tiles[0]
    assert tile["tileId"] == "R1S1SS2F0_DAPI_2"
    assert [channel["name"] for channel in tile["channels"]] == ["DAPI_2", "PSD 95"]
    assert tile["channels"][1]["maxIntensity"] == 65535.0


@pytest.mark.parametrize(("given", "expected"), [({}, 103.0), ({"pixelsize": 98.5}, 98.5)])
def test_new_stacks_have_the_resolution_of_the_microscope(render, render_parameters, tables, given, expected):
    table = Path(tables[0])
    first, *lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([f"{first},scale_x", *(f"{line},0.103" for line in lines)]), encoding="utf-8")
    imported(render_parameters, tables[:1], section_thickness=70, **given)
    version = stacks.stack_metadata(render, "ACQ_GFP")["currentVersion"]
    assert [version[f"stackResolution{axis}"] for axis in "XYZ"] == [expected, expected, 70.0]


def test_ribbons_one_after_the_other(render, render_parameters, tables):
    imported(render_parameters, tables[:1], channels=["GFP"])
    imported(render_parameters, tables[1:], channels=["GFP"], sections=[1])
    assert stacks.stack_names(render) == ["ACQ_GFP"]
    assert stacks.z_values(render, "ACQ_GFP") == [0.0, 1.0, 3.0]


def test_parameters_of_before(render, render_parameters, tables):
    with pytest.warns(FutureWarning) as warned:
        ImportStatetable(
            input_data={
                "render": render_parameters,
                "statetableFile": tables[0],
                "projectDirectory": str(tables[0]).rpartition("/")[0],
                "outputStackPrefix": "OLD",
                "delete_stack": True,
            }
        ).run()
    assert any("statetableFile is now called statetable_files" in str(warning.message) for warning in warned)
    assert "OLD_GFP" in stacks.stack_names(render)


def test_everything_wrong_is_said_before_anything_is_written(render, render_parameters, tables, tmp_path):
    gone = [tmp_path / "raw ü" / "rib0" / f"S0_DAPI_1_F{frame}.tif" for frame in (0, 1)]
    for path in gone:
        path.unlink()
    first = Path(tables[0])
    lines = first.read_text(encoding="utf-8").splitlines()
    first.write_text("\n".join([*lines, lines[3]]), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        imported(render_parameters, tables)
    assert "the images of ACQ_DAPI_1: the image cannot be read: state_0.csv line 2" in str(caught.value)
    assert "state_0.csv line 3" in str(caught.value)
    assert f"the images of ACQ_GFP: two images of one tile: state_0.csv line {len(lines) + 1}" in str(caught.value)
    assert stacks.stack_names(render) == []


def test_what_is_wrong_with_several_tables_and_stacks_is_said_at_once(render, render_parameters, tables, tmp_path):
    for channel in ("DAPI_1", "GFP"):
        (tmp_path / f"raw ü/rib0/S0_{channel}_F0.tif").unlink()
    with pytest.raises(InputError) as caught:
        imported(render_parameters, tables)
    assert "the images of ACQ_DAPI_1: the image cannot be read: state_0.csv line 2" in str(caught.value)
    assert "the images of ACQ_GFP: the image cannot be read: state_0.csv line 4" in str(caught.value)
    for table in tables:
        path = Path(table)
        path.write_text(path.read_text(encoding="utf-8").replace(",DAPI_1,0,0,", ",DAPI_1,0,none,"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        imported(render_parameters, tables)
    for table in tables:
        assert f"{table}: frame is not a whole number: {Path(table).name} line 2 ('none')" in str(caught.value)
    assert stacks.stack_names(render) == []


def test_no_stack_is_written_when_one_of_the_others_cannot_be(render, render_parameters, tables):
    path = Path(tables[0])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[4], lines[-1]]), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        imported(render_parameters, tables[:1])
    assert "the images of ACQ_GFP: two images of one tile: line 18 and line 5" in str(caught.value)
    assert "the images of ACQ_PSD 95: two images of one tile: line 19 and line 17" in str(caught.value)
    assert stacks.stack_names(render) == []


def test_a_row_twice(render, render_parameters, tables):
    path = Path(tables[0])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(InputError, match=r"two images of one tile: line 18 and line 2 \(R0S0SS1F0_DAPI_1\)"):
        imported(render_parameters, tables[:1])
    assert stacks.stack_names(render) == []


def test_with_mipmaps_by_a_rule_of_paths(render, render_parameters, tables, tmp_path):
    rule = {"path_find": "raw ü", "path_replace": "small", "levels": 2, "imgformat": "png"}
    imported(render_parameters, tables, multichannel=True, mipmaps=rule)
    tile = stacks.read_section(render, "ACQSession1", 0.0).tiles[0]
    levels = tile["channels"][1]["mipmapLevels"]
    assert sorted(levels) == ["0", "1", "2"]
    assert levels["2"]["imageUrl"] == (tmp_path / "small" / "rib0" / "S0_GFP_F0_mip02.png").as_uri()
    assert read_image(levels["2"]["imageUrl"]).shape == (1, 2)
    with pytest.raises(
        InputError, match=r"rule of paths does not fit the image: state_0.csv line 2 .*state_1.csv line"
    ):
        imported(render_parameters, tables, output_stack_prefix="N", mipmaps={**rule, "path_find": "raw/data"})
    assert not [name for name in stacks.stack_names(render) if name.startswith("N")]
