import pytest

from vitrine.serving import revision
from vitrine.serving.settings import SettingsError


def test_server_tells_the_revision_of_its_image():
    told = revision.headers({"REVISION": "57b960b"})

    assert told == [("X-Vitrine-Revision", "57b960b")]


@pytest.mark.parametrize("environment", [{}, {"REVISION": ""}, {"REVISION": "  "}])
def test_server_outside_an_image_tells_none(environment):
    assert revision.headers(environment) == []


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "é", "a b", "a" * 101])
def test_revision_that_would_break_a_header_is_refused(value):
    with pytest.raises(SettingsError, match="expected REVISION to be a commit or a tag"):
        revision.headers({"REVISION": value})
