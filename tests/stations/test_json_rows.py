import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.errors import InputError
from airledger.stations.sources import json_rows as module
from airledger.stations.sources.json_rows import json_rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


class Dripping(io.BytesIO):
    """A body that comes a few bytes at a time."""

    def __init__(self, body: bytes, step: int) -> None:
        super().__init__(body)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        del size
        return super().read(self.step)


# A bare number may be cut in two by a chunk, so rows are containers here, as every directory's are.
@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=5), st.integers(1, 40))
def test_any_chunking_gives_the_same_rows(rows: list[Any], step: int) -> None:
    body = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    assert list(json_rows(Dripping(body, step))) == rows


def test_a_byte_order_mark_is_forgiven() -> None:
    assert list(json_rows(io.BytesIO(b'\xef\xbb\xbf [ {"a": 1} ] '))) == [{"a": 1}]


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[{}", b"[{},", b"[{} {}]", b'[{"a":}]', b"null"])
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        list(json_rows(io.BytesIO(body)))


def test_rows_are_given_before_the_end_is_read() -> None:
    body = io.BytesIO(b"[" + b'{"a":1},' * 100_000)
    assert next(json_rows(body)) == {"a": 1}
    assert body.tell() <= 2 * module.READ_BYTES
