"""What several tests need, how they share two cores, and the rule on skips.

``pytest -n 2 --dist loadfile --no-loadscope-reorder``, as ``make test`` has it, gives whole files
to two workers. Each computes with one thread, and the longest files come first, so that both end
together. In CI nothing skips but what needs a GPU.
"""

import logging
import os
import shutil
import signal
import sys
from pathlib import Path

import jaxtyping
import pytest

from vitrine import paths

LONGEST = (
    "book/test_published_book.py",
    "training/test_training.py",
    "training/test_lite.py",
    "models/test_export.py",
    "training/test_exchange.py",
    "book/test_book.py",
    "bench/test_bench.py",
    "report/test_ledger.py",
    "training/test_processes.py",
    "serving/ui/test_ui_browser.py",
    "deploy/test_rehearsal.py",
    "explain/test_exported.py",
    "explain/test_kept.py",
    "models/test_mambavision.py",
    "models/test_scan_triton.py",
    "models/test_readme_lines.py",
    "training/test_sweep.py",
    "training/pretrain/test_pretraining.py",
    "training/test_imagenet.py",
    "cli/test_new.py",
    "serving/test_supervisor.py",
    "serving/test_bench_serving.py",
    "serving/test_bench_peers.py",
)
"""Files that take more than about 20 s, longest first."""

# Under nohup, or in the background of a script, the tests would hand on a deaf ear to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:
    for threads in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(threads, "1")  # before PyTorch and TensorFlow start


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of development inputs, or skip where it is absent."""
    folder = paths.shared()
    if not folder.is_dir():
        pytest.skip("the shared folder is absent: set VITRINE_SHARED to it")
    return folder


@pytest.fixture(scope="module")
def browser():
    """Return headless Chromium, or skip where it is absent."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: no browser to open a page in")
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield found
        found.close()


@pytest.fixture
def untyped():
    """Shape checks off: compilers do not see through them, and an installed package has none."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(autouse=True)
def settings_as_found():
    """Give back what a command or a training sets in this process: the next file depends on it."""
    loggers = [logging.getLogger(name) for name in (None, "vitrine")]
    before = [log.level for log in loggers]
    yield
    for log, level in zip(loggers, before, strict=True):
        log.setLevel(level)
    if "torch" in sys.modules:
        sys.modules["torch"].use_deterministic_algorithms(False)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    rank = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if os.environ.get("CI") != "true" or exitstatus != pytest.ExitCode.OK:
        return
    if hasattr(session.config, "workerinput"):
        return  # the process that the workers report to judges for all
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
    from vitrine.data import catalog, demo

    return catalog.load(demo.write(tmp_path_factory.mktemp("demo"), per_class=10))


@pytest.fixture(scope="session")
def demo_split(demo_catalog):
    """Return its split."""
    from vitrine.data import splits

    return splits.draw(demo_catalog)
