import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import binary  # noqa: E402
import stack as stack_module  # noqa: E402
from embedded import EmbeddedStack  # noqa: E402
from migration import Migration  # noqa: E402

SEED = int(os.environ.get("CROSSFADE_SEED", random.SystemRandom().randrange(1 << 31)))


def pytest_configure(config):
    config.addinivalue_line("markers", "embedded: runs on the embedded node and log where there are no real servers")
    config.addinivalue_line("markers", "real: needs what only real servers do, whatever the rest of its file needs")


def pytest_report_header(config):
    return [f"seed: CROSSFADE_SEED={SEED}", f"stack: {stack_module.program() or 'none'}",
            f"binary: {binary.path() or 'none built'}"]


@pytest.fixture(scope="session")
def seed():
    return SEED


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Without real servers a test that needs them is skipped; one that is marked `embedded` runs on the binary's
    own."""
    if stack_module.program():
        return
    for item in items:
        runs = item.get_closest_marker("embedded") and not item.get_closest_marker("real")
        if "stack" in item.fixturenames and not runs:
            item.add_marker(pytest.mark.skip(reason="no real servers: no CROSSFADE_STACK and no ../shared/stack/stack"))


@pytest.fixture(scope="session")
def stack():
    servers = stack_module.Stack() if stack_module.program() else EmbeddedStack()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def log(stack):
    return stack.log()


@pytest.fixture(scope="session")
def chromium():
    browser = pytest.importorskip("browser", reason="no selenium: scripts/setup tests")
    if not browser.CHROMIUM or not browser.DRIVER:
        pytest.skip("no chromium or no chromedriver: scripts/setup tests")
    chromium = browser.Browser()
    yield chromium
    chromium.close()


@pytest.fixture
def folder(request):
    """The folder of the test's recipes and of the binary's output."""
    work = pathlib.Path(os.environ.get("CROSSFADE_E2E_DIR", stack_module.ROOT / ".e2e"))
    name = "".join(c if c.isalnum() or c in "-." else "_" for c in request.node.name)
    path = work / "runs" / name
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        if old.is_file():
            old.unlink()
    return path.resolve()


@pytest.fixture
def migrate(request, stack, log, folder):
    """migrate(source, target, workload, ...) -> a Migration between servers by their stack names."""
    made = []

    def make(source, target, workload=None, /, **options):
        made.append(Migration(folder, options.pop("log", log), stack.start(source), stack.start(target), workload,
                              **options))
        return made[-1]
    yield make
    for migration in made:
        migration.tidy()
