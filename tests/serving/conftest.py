"""The service around a model that tests can foresee."""

import os

import pytest
import tiny_model
from fastapi.testclient import TestClient

from vitrine.serving.api import create_app
from vitrine.serving.settings import Settings
from vitrine.serving.ui.settings import Settings as PageSettings

for field in {**Settings.model_fields, **PageSettings.model_fields}:
    os.environ.pop(field.upper(), None)  # what this machine says of a server is not under test


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
