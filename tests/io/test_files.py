import errno
import resource
import signal

import pytest

from rendermodules.io.files import file_digest, write_bytes_whole, written_whole


def test_what_was_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "new folder" / "a ö.json"
    write_bytes_whole(path, b"old")
    with pytest.raises(ValueError, match="half"), written_whole(path) as temporary:
        temporary.write_bytes(b"new")
        assert temporary.suffix == path.suffix
        raise ValueError("half")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_reported_with_the_file(tmp_path):
    path = tmp_path / "a.bin"
    write_bytes_whole(path, b"old")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"a\.bin") as caught:
            write_bytes_whole(path, bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_results_have_ordinary_rights(tmp_path):
    write_bytes_whole(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
    assert file_digest(tmp_path / "a").startswith("2d711642")
