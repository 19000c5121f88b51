"""From state tables and images of two sessions to one stack with all channels, by shell commands only."""

import csv

import numpy as np
import pytest

from rendermodules.core.pyramids import pyramid
from rendermodules.core.synthetic import SyntheticSettings, section_tiles, tile_image
from rendermodules.io.images import read_image, write_image
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.images import box_image

WIDTH, HEIGHT = 96, 64
CHANNELS = {1: ("DAPI_1", "PSD95", "GAD"), 2: ("MBP", "DAPI_2", "VGlut1")}
RIBBONS = {0: (0.0, 1.0), 1: (2.0,)}
COLUMNS = (
    *("ribbon", "section", "session", "ch_name", "zstack", "frame", "full_path", "z", "tileID"),
    *("a00", "a01", "a02", "a10", "a11", "a12", "scale_x"),
)
STEP = 80
FRAMES = 2
MASK = np.full((HEIGHT, WIDTH), 255, np.uint8)
# what a lens darkens: the corners
MASK[:8, :8] = MASK[:8, -8:] = MASK[-8:, :8] = MASK[-8:, -8:] = 0


def image_name(session, channel, z, frame):
    return f"session {session}/{channel}/{channel}_S{int(z):04d}_F{frame:04d}_Z00.tif"


@pytest.fixture
def acquired(tmp_path):
    """Folder with what the microscope left: images of 16 bit, and a state table for each ribbon."""
    folder = tmp_path / "raw data ü"
    for session, channels in CHANNELS.items():
        settings = SyntheticSettings(
            session=session,
            sections=3,
            rows=1,
            columns=FRAMES,
            tile_width=WIDTH,
            tile_height=HEIGHT,
            channels=channels,
            bit_depth=16,
            pixel_size=4.0,
        )
        for z in settings.zvalues:
            for tile in section_tiles(settings, z):
                for channel in channels:
                    path = folder / image_name(session, channel, z, tile.column)
                    write_image(path, tile_image(settings, tile, channel))
    for ribbon, zs in RIBBONS.items():
        write_state_table(folder / f"state_ribbon{ribbon}.csv", ribbon, zs)
    write_image(folder / "mask.png", MASK)
    return folder


def write_state_table(path, ribbon, zs):
    """Write a row for each image, and for a second plane of focus, which nobody kept."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for session, channels in CHANNELS.items():
            for section, z in enumerate(zs):
                for channel in channels:
                    for frame in range(FRAMES):
                        for plane in (0, 1):
                            name = image_name(session, channel, z, frame) if plane == 0 else "deleted.tif"
                            tile_id = f"R{ribbon}S{section}SS{session}F{frame}_{channel}"
                            place = (1, 0, frame * STEP, 0, 1, 0, 0.1)
                            writer.writerow((ribbon, section, session, channel, plane, frame, name, z, tile_id, *place))


def run_workflow(terminal, acquired):
    """Run the modules, one process after another; return the result of the last."""
    for ribbon in RIBBONS:
        terminal.run(
            "dataimport.import_statetable",
            statetable_files=[str(acquired / f"state_ribbon{ribbon}.csv")],
            output_stack_prefix=f"Ribbon{ribbon}",
            multichannel=True,
            section_thickness=70,
        )
    for session in CHANNELS:
        terminal.run(
            "stack.merge_stacks",
            stacks=[{"stack": f"Ribbon{ribbon}Session{session}"} for ribbon in RIBBONS],
            output_stack=f"Session{session}",
        )
    terminal.run(
        "stack.merge_channels",
        input_stack="Session1",
        channel_stacks=[{"stack": "Session2"}],
        output_stack="merged",
    )
    # in place
    terminal.run(
        "dataimport.generate_mipmaps",
        input_stack="merged",
        output_stack="merged",
        output_dir="mipmaps",
        imgformat="tif",
        levels=2,
    )
    terminal.run(
        "stack.set_stack_levels",
        input_stack="merged",
        output_stack="levelled",
        mode="percentile",
        low_percentile=0,
        high_percentile=100,
    )
    terminal.run(
        "stack.apply_mask_to_stack",
        input_stack="levelled",
        output_stack="masked",
        mask_file=str(acquired / "mask.png"),
        mask_dir="masks",
    )
    return terminal.run(
        "stack.remap_zs",
        input_stack="masked",
        output_stack="finished",
        mode="squeeze",
        first_z=1000,
        remap_sectionId=True,
    )


def files(folder):
    """Return the images below a folder, by path."""
    paths = [path for path in folder.rglob("*") if path.suffix in (".tif", ".png")]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def source_image(acquired, channel, z, frame):
    (session,) = [number for number, channels in CHANNELS.items() if channel in channels]
    return read_image(acquired / image_name(session, channel, z, frame))


def check_specs(sections, acquired):
    """Check z, ids, channels, masks, levels of the pyramids and levels of intensity against what was acquired."""
    zs = [z for ribbon in RIBBONS.values() for z in ribbon]
    assert list(sections) == [1000.0 + index for index in range(len(zs))]
    for (new_z, section), z in zip(sections.items(), zs, strict=True):
        ribbon = next(ribbon for ribbon, own in RIBBONS.items() if z in own)
        row = RIBBONS[ribbon].index(z)
        assert [tile["tileId"] for tile in section.tiles] == [
            f"R{ribbon}S{row}SS1F{frame}_DAPI_1" for frame in range(FRAMES)
        ]
        for frame, tile in enumerate(section.tiles):
            assert (tile["z"], tile["layout"]["sectionId"]) == (new_z, f"{new_z:.1f}")
            assert (tile["width"], tile["height"], tile["minX"]) == (WIDTH, HEIGHT, frame * STEP)
            # the reference channel of either session first, the others in the order of the table
            names = [channel["name"] for channel in tile["channels"]]
            assert names == ["DAPI_1", "DAPI_2", "PSD95", "GAD", "MBP", "VGlut1"]
            for channel in tile["channels"]:
                images = [source_image(acquired, channel["name"], z, one) for one in range(FRAMES)]
                assert channel["minIntensity"] == np.median([image.min() for image in images])
                assert channel["maxIntensity"] == np.median([image.max() for image in images])
                check_pyramid(channel["mipmapLevels"], images[frame])


def check_pyramid(levels, image):
    assert sorted(levels) == ["0", "1", "2"]
    expected = [(image, MASK), *zip(pyramid(image, 2), pyramid(MASK, 2, "minimum"), strict=True)]
    for level, (pixels, mask) in enumerate(expected):
        found = read_image(levels[str(level)]["imageUrl"])
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, pixels)
        np.testing.assert_array_equal(read_image(levels[str(level)]["maskUrl"]), mask)


def check_drawing(render, acquired):
    """Check that a section is drawn with every value of the images where the mask shows them."""
    for channel in (name for names in CHANNELS.values() for name in names):
        expected = np.zeros((HEIGHT, STEP * (FRAMES - 1) + WIDTH), np.uint16)
        for frame in range(FRAMES):
            place = expected[:, frame * STEP : frame * STEP + WIDTH]
            place[MASK > 0] = source_image(acquired, channel, 1.0, frame)[MASK > 0]
        box = box_image(render, "finished", 1001.0, 0, 0, *expected.shape[::-1], dtype="uint16", channel=channel)
        np.testing.assert_array_equal(box, expected)


def test_the_stacks_do_not_depend_on_service_and_workers(acquired, terminal, project, serve, tmp_path):
    before = files(acquired)
    _, address = serve(tmp_path / "two.db", "--image-root", str(tmp_path))
    two = terminal("two workers", address, pool_size=2)
    result = run_workflow(two, acquired)
    assert (result["zValues"], result["tile_count"]) == ([1000.0, 1001.0, 1002.0], 6)
    render = connect(two.common["render"])
    check_specs({z: stacks.read_section(render, "finished", z) for z in stacks.z_values(render, "finished")}, acquired)
    check_drawing(render, acquired)
    metadata = stacks.stack_metadata(render, "finished")
    assert metadata["state"] == "COMPLETE"
    assert metadata["currentVersion"]["stackResolutionZ"] == 70.0

    _, address = serve(tmp_path / "one.db", "--image-root", str(tmp_path))
    one = terminal("one worker", address)
    embedded = terminal("embedded", tmp_path / "embedded.db")
    expected = project(two)
    assert len(expected) == 10
    for other in (one, embedded):
        run_workflow(other, acquired)
        assert project(other) == expected
        assert files(other.folder) == files(two.folder)
    assert files(acquired) == before
