import pytest

from rendermodules.core.acquisitions import section_of_images
from rendermodules.core.problems import InputError
from rendermodules.core.state_tables import (
    REQUIRED_COLUMNS,
    channel_stacks,
    selected_rows,
    session_stacks,
    state_table_rows,
)
from rendermodules.core.tables import Table

ROW = {
    "ribbon": "4",
    "section": "12",
    "session": "1",
    "ch_name": "DAPI_1",
    "zstack": "0",
    "frame": "0",
    "full_path": "/raw/a b.tif",
    "xstage": "10.5",
    "ystage": "-2",
    "scale_x": "0.103",
    "z": "12.5",
    "width": "2048",
    "height": "1024",
    "tileID": "T1",
    "a00": "1",
    "a01": "0.5",
    "a02": "100",
    "a10": "-0.5",
    "a11": "2",
    "a12": "200",
}


def rows_of(*changes, drop=()):
    lines = [{**ROW, **change} for change in changes]
    columns = {name: [line[name] for line in lines] for name in ROW if name not in drop}
    table = Table("state.csv", columns, [f"line {index}" for index in range(2, len(lines) + 2)])
    return state_table_rows(table, zstack=0, temca="Leica", camera="zyla")


def test_a_row():
    (row,) = rows_of({})
    assert (row.ribbon, row.section, row.session, row.frame) == (4, 12, 1, 0)
    image = row.image
    assert (image.url, image.z, image.tile_id, image.section_id) == ("/raw/a b.tif", 12.5, "T1", "4012")
    assert image.affine == (1.0, -0.5, 0.5, 2.0, 100.0, 200.0)
    assert (image.width, image.height, image.channel) == (2048, 1024, "DAPI_1")
    assert image.layout == {
        "temca": "Leica",
        "camera": "zyla",
        "imageRow": 0,
        "imageCol": 0,
        "rotation": 0.0,
        "stageX": 10.5,
        "stageY": -2.0,
        "pixelsize": 0.103,
    }


def test_other_focal_planes_are_left_out():
    assert [row.image.tile_id for row in rows_of({}, {"zstack": "1", "tileID": "T2"})] == ["T1"]
    assert len(rows_of({}, {"tileID": "T2"}, drop=("zstack", "session", "frame", "xstage", "width"))) == 2


def test_missing_columns_are_all_named():
    with pytest.raises(InputError, match="state.csv: there is no column ribbon, tileID, a12; there are section"):
        rows_of({}, drop=("ribbon", "tileID", "a12"))
    assert set(REQUIRED_COLUMNS) <= set(ROW)


def test_bad_cells_are_all_named():
    with pytest.raises(InputError) as caught:
        rows_of({"z": "nan"}, {"a00": ""}, {"ribbon": "1.5"}, {"z": "inf"})
    text = str(caught.value)
    assert "z is not a number: line 2 ('nan'), line 5 ('inf')" in text
    assert "a00 is empty: line 3" in text
    assert "ribbon is not a whole number: line 4 ('1.5')" in text


def test_selection():
    rows = rows_of({}, {"session": "2"}, {"ribbon": "5", "ch_name": "GFP"})
    assert selected_rows(rows) == rows
    assert selected_rows(rows, sessions=[2]) == rows[1:2]
    assert selected_rows(rows, ribbons=[5], channels=["GFP"]) == rows[2:]
    with pytest.raises(InputError, match="no row has channel RFP; there are DAPI_1, GFP"):
        selected_rows(rows, channels=["RFP"])


def test_a_stack_for_each_channel_also_one_of_a_later_ribbon():
    stacks = channel_stacks(rows_of({}, {"ribbon": "5", "ch_name": "GFP", "tileID": "T2"}), "ACQ")
    assert {name: [image.tile_id for image in images] for name, images in stacks.items()} == {
        "ACQ_DAPI_1": ["T1"],
        "ACQ_GFP": ["T2"],
    }
    assert "channels" not in section_of_images(stacks["ACQ_GFP"]).tiles[0]


def test_a_stack_for_each_session():
    gfp = {"ch_name": "GFP", "tileID": "T1g", "a02": "105", "full_path": "g.tif"}
    stacks = session_stacks(rows_of(gfp, {}, {"session": "3", "tileID": "T7"}), "ACQ", "dapi")
    assert list(stacks) == ["ACQSession1", "ACQSession3"]
    (tile,) = section_of_images(stacks["ACQSession1"]).tiles
    assert tile["tileId"] == "T1"
    assert tile["transforms"]["specList"][0]["dataString"] == "1.0 -0.5 0.5 2.0 100.0 200.0"
    assert [channel["name"] for channel in tile["channels"]] == ["DAPI_1", "GFP"]


def test_tiles_without_reference_are_named():
    with pytest.raises(InputError, match="the tile has no channel DAPI_1: line 3"):
        session_stacks(rows_of({}, {"frame": "1", "ch_name": "GFP"}), "ACQ", "DAPI")
    with pytest.raises(InputError, match="no channel's name contains 'DAPI'; there are GFP"):
        session_stacks(rows_of({"ch_name": "GFP"}), "ACQ", "DAPI")
