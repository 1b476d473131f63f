"""A skip is a hole in the proof: with `AIRLEDGER_REQUIRE=all` it fails, save where `../shared` is really missing."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder `../shared` (real lists, the mission's words), or skip."""
    if not SHARED.is_dir():
        pytest.skip("../shared is missing")
    return SHARED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 - pytest's names
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a forbidden skip of a test into a failure."""
    report = yield
    # An expected failure is reported as skipped as well; that one was run.
    if report.skipped and not hasattr(report, "wasxfail"):
        _forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,  # noqa: ARG001
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a forbidden skip of a whole file into a failure."""
    report = yield
    if report.skipped:
        _forbid(report)
    return report


def _forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    excused = "../shared" in reason and not SHARED.is_dir()
    if os.environ.get("AIRLEDGER_REQUIRE") == "all" and not excused:
        report.outcome = "failed"
        report.longrepr = f"AIRLEDGER_REQUIRE=all forbids to skip: {reason}"
