"""The page in front of the real service, whose model the tests can foresee."""

import contextlib
import threading
import time

import pytest

from vitrine.data import showcase
from vitrine.serving.server import listen, server_of

ODD = "Robe <b>d’essai</b> & fils"
"""Name of the first sample, which a page that does not escape would show in bold."""


class Switch:
    """An application that can be made to answer nothing sensible."""

    def __init__(self, app):
        self.app, self.away = app, False

    async def __call__(self, scope, receive, send):
        if self.away and scope["type"] == "http":
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b"<html>Bad gateway</html>"})
        else:
            await self.app(scope, receive, send)


@contextlib.contextmanager
def served(app, port=0):
    """Serve an application from a thread, on a free port by default; yield its address."""
    with listen("127.0.0.1", port) as taken:
        server = server_of(app, log_level="error", timeout_graceful_shutdown=1)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.started
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def service(settings):
    """Return the service, which can be switched off."""
    from vitrine.serving.api import create_app

    return Switch(create_app(settings))


@pytest.fixture(scope="session")
def service_url(service):
    with served(service) as url:
        yield url


@pytest.fixture(scope="session")
def data_dir(demo_catalog, tmp_path_factory):
    """Return a data folder of drawn products, the first of which has an odd name."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "images").symlink_to(demo_catalog.folder / "images")
    showcase.dashboard(demo_catalog).to_csv(folder / showcase.DASHBOARD, index=False)
    chosen = showcase.samples(demo_catalog, demo_catalog.products.image.tolist())
    chosen.loc[chosen.index[0], "product_name"] = ODD
    chosen.to_csv(folder / showcase.SAMPLES, index=False)
    return folder


@pytest.fixture(scope="session")
def ui_settings(service_url, data_dir, tmp_path_factory):
    from vitrine.serving.ui.settings import Settings

    note = tmp_path_factory.mktemp("note") / "note.pdf"
    note.write_bytes(b"%PDF-1.7 une note")
    return Settings(api_url=service_url, data_dir=data_dir, note_pdf=note)


@pytest.fixture
def page_at(ui_settings):
    """Return a way to serve another page, on a free port or on that of one that has stopped.

    Other settings may be named.
    """
    from vitrine.serving.ui import create_app

    return lambda port=0, **other: served(create_app(ui_settings.model_copy(update=other)), port)


@pytest.fixture(scope="session")
def ui_app(ui_settings):
    """Return the page as an application."""
    from vitrine.serving.ui import create_app

    return create_app(ui_settings)


@pytest.fixture(scope="session")
def ui_url(ui_app):
    with served(ui_app) as url:
        yield url
