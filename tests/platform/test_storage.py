"""The contract of every object store; a folder for now."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airledger.platform.errors import ConfigurationError, InputError, NotFoundError
from airledger.platform.storage import Storage, open_storage


@pytest.fixture(params=["file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    assert request.param == "file"
    return open_storage(f"file://{tmp_path}/objects%20here")


def read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as content:
        return content.read()


@pytest.mark.parametrize("content", [b"", b"abc", bytes(3 << 20)])
def test_what_is_put_is_read_back_whole(storage: Storage, content: bytes) -> None:
    assert storage.put("a/b.bin", content) == len(content)
    assert read(storage, "a/b.bin") == content
    assert storage.put("a/b.bin", io.BytesIO(b"new")) == 3
    assert read(storage, "a/b.bin") == b"new"


def test_what_is_not_there_is_said_so_and_removing_it_is_no_error(storage: Storage) -> None:
    with pytest.raises(NotFoundError):
        storage.open("none")
    storage.delete("none")
    storage.put("one", b"1")
    storage.delete("one")
    with pytest.raises(NotFoundError):
        storage.open("one")


def test_objects_are_listed_in_order_below_a_prefix(storage: Storage) -> None:
    for key in ("b/2", "a/1", "b/1", "c"):
        storage.put(key, b"")
    assert list(storage.list()) == ["a/1", "b/1", "b/2", "c"]
    assert list(storage.list("b/")) == ["b/1", "b/2"]
    assert list(storage.list("none/")) == []


@pytest.mark.parametrize(
    "key",
    ["", "/", "../up", "a/../../up", "/etc/passwd", ".hidden", "a//b", "a/", "a\\b", "a b", "ä", "a\x00", "x" * 600],
)
def test_what_is_no_key_is_refused(storage: Storage, key: str) -> None:
    with pytest.raises(InputError):
        storage.put(key, b"")
    with pytest.raises(InputError):
        storage.open(key)
    with pytest.raises(InputError):
        storage.delete(key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=40))
def test_no_key_leaves_the_store(storage: Storage, tmp_path: Path, key: str) -> None:
    try:
        storage.put(key, b"x")
    except InputError:
        pass
    else:
        assert key in list(storage.list())
        storage.delete(key)
    assert [one.name for one in tmp_path.iterdir()] == ["objects here"]


def test_half_an_object_is_never_seen(storage: Storage) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            block = super().read(size)
            if not block:
                raise OSError("cut")
            return block

    storage.put("k", b"old")
    with pytest.raises(OSError, match="cut"):
        storage.put("k", Cut(b"new"))
    assert read(storage, "k") == b"old"
    assert list(storage.list()) == ["k"]


def test_many_writers_of_one_key_leave_one_whole_object(storage: Storage) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: storage.put("k", content), contents))
    assert read(storage, "k") in contents
    assert list(storage.list()) == ["k"]


def test_an_unknown_kind_of_store_is_named() -> None:
    with pytest.raises(ConfigurationError, match="file://"):
        open_storage("s3://bucket")
