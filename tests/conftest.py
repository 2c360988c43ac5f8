"""What several tests need, and the rule on skips: in CI nothing skips but what needs a GPU."""

import os
from pathlib import Path

import pytest

from vitrine import paths


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of development inputs, or skip where it is absent."""
    folder = paths.shared()
    if not folder.is_dir():
        pytest.skip("the shared folder is absent: set VITRINE_SHARED to it")
    return folder


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if os.environ.get("CI") != "true" or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = [
        report for report in reporter.stats.get("skipped", []) if "gpu" not in report.keywords
    ]
    if skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(
            f"CI refuses {len(skipped)} skipped tests: {', '.join(r.nodeid for r in skipped)}"
        )


@pytest.fixture(scope="session")
def demo_catalog(tmp_path_factory):
    """Return the catalogue of a small synthetic data set."""
    from vitrine import catalog, demo

    return catalog.load(demo.write(tmp_path_factory.mktemp("demo"), per_class=10))


@pytest.fixture(scope="session")
def demo_split(demo_catalog):
    """Return its split."""
    from vitrine import splits

    return splits.draw(demo_catalog)
