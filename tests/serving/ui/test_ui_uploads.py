"""The photos that visitors send: in memory, for a while, never more than there is room for."""

import asyncio
import errno
import os
import tempfile
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.formparsers import MultiPartParser

from vitrine.serving.ui import uploads as module
from vitrine.serving.ui.client import ServiceError
from vitrine.serving.ui.uploads import Uploads

MOST = 2_000_000


@pytest.fixture
def uploads():
    return Uploads(MOST)


@pytest.fixture
def send(uploads):
    """Return a way to send a photo, as Gradio's page does, and be told where it would lie."""
    app = FastAPI()
    app.add_route("/upload", uploads.take, methods=["POST"])

    def post(content, **options):
        answer = client.post("/upload", files={"files": ("photo.jpg", content)}, **options)
        return [Path(each) for each in answer.json()][0]

    with TestClient(app) as client:
        post.client = client
        yield post


def refusal(uploads, path):
    """Return what the visitor is told of a photo that cannot be read."""
    with pytest.raises(ServiceError) as caught:
        uploads.read(path)
    return caught.value


def test_a_photo_is_read_as_often_as_wanted_and_leaves_nothing_on_the_disk(
    uploads, send, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    photo = b"x" * 1_900_000  # more than a form holds in memory while it comes

    path = send(photo)

    assert uploads.read(path) == uploads.read(path) == photo
    assert not path.exists() and list(tmp_path.iterdir()) == []


def test_two_visitors_who_send_the_same_photo_have_each_their_own(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 1)

    first, second = send(b"same"), send(b"same")

    assert uploads.read(second) == b"same"
    assert refusal(uploads, first).code == "photo_perdue"


def test_a_photo_that_has_been_kept_long_enough_is_forgotten(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "KEPT_S", 0.05)

    path = send(b"a photo")

    deadline = time.monotonic() + 10
    while uploads._kept and time.monotonic() < deadline:
        time.sleep(0.02)
    told = refusal(uploads, path)
    assert told.title == "Photo introuvable" and "Envoyez-la de nouveau" in told.detail


def test_half_an_hour_is_under_the_hour_that_the_book_tells():
    assert module.KEPT_S < 3600


@pytest.mark.parametrize(("room", "most"), [(250, 1000), (10_000, 2)], ids=["bytes", "photos"])
def test_the_oldest_photos_leave_when_there_are_too_many(uploads, send, monkeypatch, room, most):
    monkeypatch.setattr(module, "_ROOM", room)
    monkeypatch.setattr(module, "_MOST_KEPT", most)

    first, *others = [send(bytes([i]) * 100) for i in range(3)]

    assert [uploads.read(path)[0] for path in others] == [1, 2]
    assert refusal(uploads, first).code == "photo_perdue"


def test_a_photo_larger_than_all_the_room_is_kept_alone(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "_ROOM", 50)

    first, second = send(b"a" * 10), send(b"b" * 100)

    assert uploads.read(second) == b"b" * 100
    assert refusal(uploads, first).code == "photo_perdue"


def test_a_photo_over_the_limit_is_told_it_in_french_and_one_at_the_limit_is_not(uploads, send):
    just, over = send(b"x" * MOST), send(b"x" * (MOST + 1))

    assert len(uploads.read(just)) == MOST
    told = refusal(uploads, over)
    assert told.title == "Fichier trop volumineux" and not told.away
    assert told.detail == "Une photo pèse au plus 2\u00a0Mo. Réduisez-la."


def test_what_is_far_beyond_any_photo_or_of_unknown_size_is_not_even_received(send):
    too_much = send.client.post("/upload", files={"files": ("a", b"x" * (MOST + 100_000))})
    unknown = send.client.post("/upload", content=iter([b"x"]))

    assert too_much.status_code == unknown.status_code == 413
    assert too_much.text == "Une photo pèse au plus 2\u00a0Mo. Réduisez-la."


@pytest.mark.parametrize("form", [{}, {"data": {"files": "text"}}, {"files": {"other": b"x"}}])
def test_a_form_without_a_photo_is_refused(send, form):
    assert send.client.post("/upload", **form).status_code == 400


def test_a_full_disk_is_told_in_french_and_the_next_photo_is_taken(
    uploads, send, caplog, monkeypatch
):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    photo = b"x" * 1_900_000  # more than a form holds in memory while it comes
    with monkeypatch.context() as patched:
        patched.setattr(tempfile.SpooledTemporaryFile, "rollover", full)

        refused = send(photo)
    taken = send(photo)

    told = refusal(uploads, refused)
    assert told.title == "Plus de place" and "Envoyez-la de nouveau" in told.detail
    assert "expected room on the disk" in caplog.text and "No space left" in caplog.text
    assert uploads.read(taken) == photo


def test_a_photo_that_comes_too_slowly_is_told_so_and_holds_no_room(uploads, send, monkeypatch):
    async def stalled(*_, **__):
        await asyncio.sleep(30)

    with monkeypatch.context() as patched:
        patched.setattr(module, "RECEIVED_S", 0.1)
        patched.setattr(MultiPartParser, "parse", stalled)
        slow = send.client.post("/upload", files={"files": ("a", b"x")})

    assert slow.status_code == 408 and "Envoyez-la de nouveau" in slow.text
    assert uploads._coming == 0
    assert uploads.read(send(b"next")) == b"next"


def test_photos_that_come_together_have_a_room_of_their_own(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "_COMING", 1000)
    uploads._coming = 990

    refused = send(b"x" * 100)

    assert refusal(uploads, refused).title == "Plus de place"
    assert uploads._coming == 990
