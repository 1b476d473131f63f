"""What every test can ask for: real servers, `../shared`, and a plain run without the long proofs."""

import pytest

pytest_plugins = ["servers.fixtures", "skips"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long proofs out unless `-m` names them; deselected, not skipped: `make accept` is their place."""
    if "acceptance" in config.option.markexpr:
        return
    long_proofs = [item for item in items if item.get_closest_marker("acceptance")]
    if long_proofs:
        config.hook.pytest_deselected(items=long_proofs)
        items[:] = [item for item in items if item not in long_proofs]
