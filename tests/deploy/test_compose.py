"""Both services of the compose file are closed as far as they can be."""

import re
from pathlib import Path

import pytest
import yaml
from rehearse import IMAGES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


@pytest.fixture(params=["api", "ui"])
def service(request):
    return COMPOSE["services"][request.param] | {"name": request.param}


def test_service_cannot_write_gain_rights_or_grow(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] == "1g"
    assert service["cpus"] > 0
    assert service["pids_limit"] > 0
    assert [place.split(":")[0] for place in service["tmpfs"]] == ["/tmp"]
    assert "size=" in service["tmpfs"][0]


def test_service_listens_on_this_machine_alone(service):
    described = (ROOT / "deploy" / f"Dockerfile.{service['name']}").read_text()

    (inside,) = re.findall(r"\bPORT=(\d+)", described)

    assert len(service["ports"]) == 1
    assert service["ports"][0].startswith("127.0.0.1:")
    assert service["ports"][0].endswith(f":{inside}")


def test_service_is_built_from_its_dockerfile_at_the_root(service):
    build = service["build"]

    assert (ROOT / "deploy" / build["context"]).resolve() == ROOT
    assert build["dockerfile"] == f"deploy/Dockerfile.{service['name']}"


def test_service_has_the_time_to_finish_what_it_accepted(service):
    grace = {image.name: image.grace for image in IMAGES}

    assert float(service["stop_grace_period"].rstrip("s")) >= grace[service["name"]]


def test_interface_waits_for_a_service_that_is_ready():
    interface, api = (COMPOSE["services"][name] for name in ("ui", "api"))

    assert interface["depends_on"] == {"api": {"condition": "service_healthy"}}
    assert interface["environment"]["API_URL"] == "http://api:8000"
    assert IMAGES[0].health == "/readyz"
    for shared in ("API_KEY", "MAX_UPLOAD_BYTES"):
        assert api["environment"][shared] == interface["environment"][shared]


def test_compose_file_holds_no_secret():
    values = [v for s in COMPOSE["services"].values() for v in s["environment"].items()]

    assert all(value.startswith("${") for name, value in values if "KEY" in name)


def test_real_data_is_shown_without_being_writable():
    shown = yaml.safe_load((ROOT / "deploy" / "compose.data.yaml").read_text())["services"]

    place, inside, mode = shown["ui"]["volumes"][0].split(":")

    assert (ROOT / "deploy" / place).resolve() == ROOT / "data"
    assert inside == shown["ui"]["environment"]["DATA_DIR"]
    assert mode == "ro"
