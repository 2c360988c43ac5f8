"""The photos that visitors send: in memory, for a while, never more than there is room for."""

import asyncio
import tempfile
import time

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request

from vitrine.serving.ui import uploads as module
from vitrine.serving.ui.client import ServiceError
from vitrine.serving.ui.uploads import Uploads

MOST = 2_000_000


@pytest.fixture
def uploads():
    return Uploads(MOST, 30.0)


@pytest.fixture
def send(uploads):
    """Return a way to send a photo, as the page does, and be told its key."""
    app = FastAPI()
    app.add_route("/envoi", uploads.take, methods=["POST"])

    def post(content, **options):
        return client.post("/envoi", content=content, **options).json()["key"]

    with TestClient(app) as client:
        post.client = client
        yield post


def refusal(uploads, key):
    """Return what the visitor is told of a photo that cannot be read."""
    with pytest.raises(ServiceError) as caught:
        uploads.read(key)
    return caught.value


def test_a_photo_is_read_as_often_as_wanted_and_leaves_nothing_on_the_disk(
    uploads, send, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    photo = b"x" * 1_900_000

    key = send(photo)

    assert uploads.read(key) == uploads.read(key) == photo
    assert list(tmp_path.iterdir()) == []


def test_two_visitors_who_send_the_same_photo_have_each_their_own(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 1)

    first, second = send(b"same"), send(b"same")

    assert uploads.read(second) == b"same"
    assert refusal(uploads, first).code == "photo_perdue"


def test_a_photo_that_has_been_kept_long_enough_is_forgotten(uploads, send, monkeypatch):
    monkeypatch.setattr(module, "KEPT_S", 0.05)

    key = send(b"a photo")

    deadline = time.monotonic() + 10
    while uploads._kept and time.monotonic() < deadline:
        time.sleep(0.02)
    told = refusal(uploads, key)
    assert told.title == "Photo introuvable" and "Envoyez-la de nouveau" in told.detail


def test_half_an_hour_is_under_the_hour_that_the_book_tells():
    assert module.KEPT_S < 3600


@pytest.mark.parametrize(("room", "most"), [(250, 1000), (10_000, 2)], ids=["bytes", "photos"])
def test_the_oldest_photos_leave_when_there_are_too_many(uploads, send, monkeypatch, room, most):
    monkeypatch.setattr(module, "_ROOM", room)
    monkeypatch.setattr(module, "_MOST_KEPT", most)

    first, *others = [send(bytes([i]) * 100) for i in range(3)]

    assert [uploads.read(key)[0] for key in others] == [1, 2]
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


def test_what_is_far_beyond_any_photo_is_not_even_received_and_nothing_follows_it(send):
    refused = send.client.post("/envoi", content=b"x" * (MOST + 1))
    longer = send.client.post("/envoi", content=iter([b"x" * MOST, b"x"]))
    packed = send.client.post("/envoi", content=b"x", headers={"Content-Encoding": "gzip"})

    assert [answer.status_code for answer in (refused, longer, packed)] == [413, 413, 415]
    assert {answer.headers["connection"] for answer in (refused, longer, packed)} == {"close"}


def test_a_photo_that_comes_too_slowly_is_told_so_and_holds_no_room():
    uploads, scope = Uploads(MOST, 0.05), {"type": "http", "method": "POST", "headers": []}

    async def receive():
        coming = not uploads.bodies._held
        await asyncio.sleep(0 if coming else 2)
        return {"type": "http.request", "body": b"x", "more_body": coming}

    answer = asyncio.run(uploads.take(Request(scope, receive)))

    assert answer.status_code == 408 and b"refus:delai_depasse" in answer.body
    assert uploads.bodies._held == 0
    assert refusal(uploads, "refus:delai_depasse").title == "Envoi trop lent"


def test_photos_that_come_together_have_a_room_of_their_own(send, uploads):
    uploads.bodies.budget = 1000

    refused, taken = send(b"x" * 1001), send(b"x" * 1000)

    told = refusal(uploads, refused)
    assert told.title == "Plus de place" and "Envoyez-la de nouveau" in told.detail
    assert len(uploads.read(taken)) == 1000


@pytest.mark.parametrize("key", ["refus:coupe", "refus:", "refus:<b>"])
def test_a_photo_that_never_came_is_asked_for_again(uploads, key):
    told = refusal(uploads, key)

    assert told.title == "Envoi interrompu" and not told.passing
