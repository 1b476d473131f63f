"""With `AIRLEDGER_REQUIRE=all` a skip fails, save for a `../shared` that is really missing."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import pytest

    def test_runs():
        pass

    def test_lacks_a_server():
        pytest.skip("redis-server is not installed")

    @pytest.mark.skip(reason="not today")
    def test_is_marked():
        pass

    @pytest.fixture
    def server():
        pytest.skip("no apt-get")

    def test_fixture_lacks_a_server(server):
        pass

    @pytest.mark.xfail(reason="known", strict=True)
    def test_is_expected_to_fail():
        assert False
"""


@pytest.fixture
def required(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("AIRLEDGER_REQUIRE", "all")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # 2 s quicker, each
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest('pytest_plugins = ["skips"]')
    return pytester


def test_skips_are_failures_where_everything_is_required(required: pytest.Pytester) -> None:
    required.makepyfile(SUITE)
    result = required.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1, errors=2, xfailed=1)
    result.stdout.fnmatch_lines(["*AIRLEDGER_REQUIRE=all forbids to skip*redis-server is not installed*"])


def test_skips_are_skips_where_nothing_is_required(required: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRLEDGER_REQUIRE")
    required.makepyfile(SUITE)
    required.runpytest_subprocess().assert_outcomes(passed=1, skipped=3, xfailed=1)


def test_a_file_that_skips_itself_fails_as_well(required: pytest.Pytester) -> None:
    required.makepyfile('import pytest\npytest.skip("no browser", allow_module_level=True)')
    required.runpytest_subprocess().assert_outcomes(errors=1)


@pytest.mark.parametrize(("is_there", "outcome"), [(False, "skipped"), (True, "errors")])
def test_only_a_missing_shared_folder_excuses(required: pytest.Pytester, is_there: bool, outcome: str) -> None:
    folder = required.mkdir("shared")
    shared = folder if is_there else folder / "absent"
    required.makeconftest(
        f'import pathlib, skips\npytest_plugins = ["skips"]\nskips.SHARED = pathlib.Path({str(shared)!r})'
    )
    required.makepyfile("""
        import pytest

        @pytest.fixture
        def lists():
            pytest.skip("../shared is missing")

        def test_needs_the_real_lists(lists):
            pass
    """)
    required.runpytest_subprocess().assert_outcomes(**{outcome: 1})


def test_long_proofs_run_only_when_they_are_named(required: pytest.Pytester) -> None:
    required.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text())
    required.makeini("[pytest]\nmarkers = acceptance: long")
    required.makepyfile("""
        import pytest

        def test_short():
            pass

        @pytest.mark.acceptance
        def test_long():
            pass
    """)
    required.runpytest_subprocess().assert_outcomes(passed=1, deselected=1)
    required.runpytest_subprocess("-m", "acceptance").assert_outcomes(passed=1, deselected=1)
