"""The service around a model that tests can foresee."""

import pytest
import tiny_model
from fastapi.testclient import TestClient

from vitrine.serving.api import create_app
from vitrine.serving.settings import Settings


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    """Return the folder of the tiny model."""
    return tiny_model.write(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def settings(model_dir):
    """Return the settings of a service of the tiny model."""
    return Settings(model_dir=str(model_dir), workers=2)


@pytest.fixture(scope="session")
def client(settings):
    """Return a client of the started service."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as started:
        yield started
