"""Large photos and batches delay the others by no more than one photo, and end with their time."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi.testclient import TestClient
from pictures import plain
from running import in_a_thread, until

from vitrine.data import images
from vitrine.serving.api import create_app
from vitrine.serving.service import Service
from vitrine.serving.settings import Settings
from vitrine.serving.worker_pool import WorkerPool

LARGE = plain("red", (2100, 2000), "PNG")
ROUTE, BATCH = "/api/v1/predict", "/api/v1/predict/batch"


@pytest.fixture
def gate():
    """Return an event that large images wait for, opened at the end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def held(monkeypatch, gate):
    """Have large images wait, and return those that were begun."""
    quick, begun = images.read, []

    def read(data, size, limits, *, large):
        photo = quick(data, size, limits, large=large)  # refuses a large one that may not be here
        if len(data) == len(LARGE):
            begun.append(threading.current_thread().name)
            assert gate.wait(30)
        return photo

    monkeypatch.setattr(images, "read", read)
    return begun


def one(data, **options):
    return {"files": {"file": ("x", data)}, **options}


def many(*files):
    return {"files": [("files", ("x", data)) for data in files]}


def test_ordinary_photos_are_answered_while_large_ones_wait(model_dir, held, gate):
    settings = Settings(model_dir=str(model_dir), workers=1)
    with (
        in_a_thread(create_app(settings)) as port,
        ThreadPoolExecutor(4) as others,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        asked = [others.submit(client.post, ROUTE, **one(LARGE)) for _ in range(3)]
        batch = others.submit(client.post, BATCH, **many(LARGE, plain("blue")))
        until(lambda: held)

        quick = [client.post(ROUTE, **one(plain("red"))).status_code for _ in range(5)]
        waiting = [each.done() for each in (*asked, batch)]
        told = client.get("/metrics").text
        gate.set()
        answered = [each.result() for each in (*asked, batch)]

    assert quick == [200] * 5
    assert waiting == [False] * 4
    assert "vitrine_large_queue_megapixels 20.0" in told  # four of 4.2, each counted as 5
    assert [each.status_code for each in answered] == [200] * 4
    assert answered[0].json()["label"] == "Baby Care"
    assert [item["status"] for item in answered[-1].json()["items"]] == ["ok", "ok"]


def test_what_a_large_photo_waited_to_be_found_so_is_told_and_is_of_its_time(settings, monkeypatch):
    left, run = [], WorkerPool.run

    def found_large(may_decode):
        if not may_decode:
            time.sleep(0.1)
            raise images.LargeImageError(5.0)

    async def asked(service):
        await service.open()
        return await service.run(found_large)

    def told(pool, work, **options):
        left.append(options.get("within"))
        return run(pool, work, **options)

    monkeypatch.setattr(WorkerPool, "run", told)
    service = Service(settings)
    done = asyncio.run(asked(service))
    service.close()

    assert done.queued >= 0.1
    assert left[-1] <= settings.predict_timeout_s - 0.1


def test_large_photos_beyond_their_megapixels_are_refused_at_once(
    model_dir, held, gate, monkeypatch
):
    monkeypatch.setattr("vitrine.serving.service.LARGE_MEGAPIXELS", 8)
    with (
        TestClient(create_app(Settings(model_dir=str(model_dir)))) as client,
        ThreadPoolExecutor(2) as others,
    ):
        asked = [others.submit(client.post, ROUTE, **one(LARGE)) for _ in range(2)]
        until(lambda: "vitrine_large_queue_megapixels 10.0" in client.get("/metrics").text)
        refused = client.post(ROUTE, **one(LARGE))
        ordinary = client.post(ROUTE, **one(plain("red"))).status_code
        gate.set()
        answered = [each.result().status_code for each in asked]

    assert (refused.status_code, refused.json()["code"]) == (503, "surcharge")
    assert (ordinary, answered) == (200, [200, 200])


@pytest.mark.parametrize("route", ["/api/v1/preprocess", "/normalize/"])
def test_other_routes_have_their_large_photos_wait_elsewhere_too(model_dir, held, gate, route):
    import base64

    sent = {"json": {"image": base64.b64encode(LARGE).decode()}} if route == "/normalize/" else None
    with (
        TestClient(create_app(Settings(model_dir=str(model_dir), workers=1))) as client,
        ThreadPoolExecutor(1) as other,
    ):
        asked = other.submit(client.post, route, **(sent or one(LARGE)))
        until(lambda: held)
        ordinary = client.post(ROUTE, **one(plain("red"))).status_code
        gate.set()

    assert (ordinary, asked.result().status_code) == (200, 200)


def test_the_photos_of_a_batch_take_turns_with_those_of_others(model_dir, monkeypatch):
    quick, judged = Service.judge, []

    def judge(self, data, *asked):
        judged.append(data)
        time.sleep(0.05)
        return quick(self, data, *asked)

    monkeypatch.setattr(Service, "judge", judge)
    red, blue = plain("red"), plain("blue")
    with (
        TestClient(create_app(Settings(model_dir=str(model_dir), workers=1))) as client,
        ThreadPoolExecutor(1) as other,
    ):
        batch = other.submit(client.post, BATCH, **many(*[red] * 16))
        until(lambda: judged)
        client.post(ROUTE, **one(blue))
        before = judged.index(blue)

    assert batch.result().status_code == 200
    assert before < 8


def test_a_batch_whose_time_is_over_is_told_so_and_its_other_photos_are_left(
    model_dir, monkeypatch
):
    judged = []

    def judge(*_):
        judged.append(1)
        time.sleep(0.15)
        raise ZeroDivisionError if len(judged) > 12 else images.ImageError("proportions", "drawn")

    monkeypatch.setattr(Service, "judge", judge)
    settings = Settings(model_dir=str(model_dir), workers=1, predict_timeout_s=0.4)
    with TestClient(create_app(settings)) as client:
        answer = client.post(BATCH, **many(*[plain("red")] * 12))
        so_far = len(judged)
        time.sleep(0.5)

    assert (answer.status_code, answer.json()["code"]) == (504, "prediction_trop_longue")
    assert len(judged) <= so_far + 1 < 6


def test_a_photo_whose_client_was_told_to_come_back_is_not_classed(model_dir, monkeypatch):
    answered = []
    read = images.read
    monkeypatch.setattr(images, "read", lambda *a, **k: (time.sleep(0.3), read(*a, **k))[1])
    settings = Settings(model_dir=str(model_dir), workers=1, predict_timeout_s=0.1)
    app = create_app(settings)
    with TestClient(app) as client:
        monkeypatch.setattr(app.state.service.models.of(), "answer", answered.append)
        status = client.post(ROUTE, **one(plain("red"))).status_code
        until(lambda: "vitrine_queue_depth 0.0" in client.get("/metrics").text)

    assert (status, answered) == (504, [])
