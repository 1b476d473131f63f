from pathlib import Path

import pytest

from airledger.platform.db import Database


def test_a_unit_inside_a_unit_is_refused_at_once_instead_of_waiting_for_itself(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with database.unit(), pytest.raises(RuntimeError, match="outer one"), database.unit():
        pytest.fail("it began")
    with database.unit():
        pass
    database.close()
