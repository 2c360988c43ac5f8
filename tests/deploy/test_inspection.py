"""An image that runs as root, weighs too much or can train is not pushed."""

import json

import inspect_images
import pytest

GOOD = {"Config": {"User": "10001", "Healthcheck": {"Test": ["CMD", "ask"]}}, "Size": 320_000_000}
DOCKER = """
if sys.argv[1:3] == ["image", "inspect"]:
    print({seen!r})
elif sys.argv[1] == "run":
    assert ["--network", "none"] == sys.argv[3:5]
    print({heavy!r})
"""


@pytest.fixture
def docker(command):
    def install(heavy="", **changes):
        seen = json.dumps([GOOD | changes])
        command("docker", DOCKER.format(seen=seen, heavy=heavy))

    return install


def test_image_of_ours_passes(docker, capsys):
    docker()

    code = inspect_images.main(["vitrine-api"])

    assert code == 0
    assert "vitrine-api: not root, not large" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Config": GOOD["Config"] | {"User": ""}}, "other than root, found root"),
        ({"Config": GOOD["Config"] | {"User": "0"}}, "other than root, found 0"),
        ({"Config": {"User": "10001"}}, "expected a health check"),
        ({"Size": 701_000_000}, "expected at most 700 MB, found 701"),
        ({"heavy": "torch"}, "found: torch"),
    ],
)
def test_image_that_is_not_as_it_should_be_is_told(docker, capsys, changes, told):
    docker(**changes)

    code = inspect_images.main(["vitrine-api"])

    assert code == 1
    assert told in capsys.readouterr().err


def test_image_that_docker_does_not_have_is_told(command, capsys):
    command("docker", "sys.exit('no such image')")

    code = inspect_images.main(["vitrine-api"])

    assert code == 1
    assert "docker image: no such image" in capsys.readouterr().err
    assert inspect_images.main([]) == 2
