"""The bench of the service: what it sends, counts and concludes; not how fast anything is."""

import io
import os
import time

import numpy as np
import psutil
import pytest
from fastapi.testclient import TestClient
from pictures import encode, plain
from PIL import Image
from running import in_a_thread

from vitrine.bench import load, naive, serving
from vitrine.bench.clock import Bench
from vitrine.bench.load import Seen
from vitrine.serving import card as cards
from vitrine.serving.api import create_app
from vitrine.serving.predictor import Predictor, packaged
from vitrine.serving.service import Service
from vitrine.serving.settings import Settings


def test_the_photos_have_the_sizes_of_the_data_set():
    sizes = [Image.open(io.BytesIO(data)).size for data in load.photos(3)]

    pixels = [width * height for width, height in sizes]
    assert pixels == sorted(pixels)
    assert 0.8e6 < pixels[1] < 1.2e6  # the median of the originals is 1.0 Mpx
    small = [Image.open(io.BytesIO(data)).size for data in load.photos(3, largest=100)]
    assert max(max(size) for size in small) == 100


def test_a_load_sends_what_was_asked_and_reads_what_the_server_spent(settings):
    with in_a_thread(create_app(settings)) as port:
        before = time.process_time()
        seen = load.ask(
            f"http://127.0.0.1:{port}", psutil.Process(os.getpid()), [plain("red")],
            clients=3, requests=20,
        )  # fmt: skip
        spent = time.process_time() - before

    assert seen.statuses == {200: 20}
    assert seen.answered == len(seen.seconds) == 20
    assert list(seen.seconds) == sorted(seen.seconds)
    assert seen.probes
    assert 0 < seen.cpu <= spent + 0.1
    assert seen.percentile(0.5) <= seen.percentile(0.99) <= 1e3 * seen.wall


def test_a_client_that_is_told_to_come_back_waits(model_dir, monkeypatch):
    quick = Service.judge
    monkeypatch.setattr(
        Service, "judge", lambda self, *asked: (time.sleep(0.5), quick(self, *asked))[1]
    )
    tight = Settings(model_dir=str(model_dir), workers=1, queue_max=1)
    with in_a_thread(create_app(tight)) as port:
        seen = load.ask(
            f"http://127.0.0.1:{port}", psutil.Process(os.getpid()), [plain("red")],
            clients=2, requests=3,
        )  # fmt: skip

    assert sum(seen.statuses.values()) == 3
    assert seen.statuses[503] >= 1
    assert seen.wall >= 1


def test_percentiles_are_those_of_the_answers():
    seen = Seen({200: 4}, (0.1, 0.2, 0.3, 0.4), (0.01,), 1.0, 1, 1.0)

    assert seen.percentile(0.5) == pytest.approx(250)
    assert np.isnan(Seen({503: 1}, (), (0.01,), 1.0, 1, 1.0).percentile(0.5))


def test_the_naive_server_answers_the_same_request():
    with TestClient(naive.create_app("test_efficientnet", 32)) as client:
        answer = client.post(load.ROUTE, files={"file": encode(Image.new("L", (60, 40)))})

        assert client.get("/readyz").status_code == client.get("/healthz").status_code == 200
    assert sum(answer.json()["probabilities"]) == pytest.approx(1, abs=1e-5)


def rows(cpu=(4.0, 10.0), probe=50.0, memory=150.0):
    return [
        {"model": model, "server": server, "clients": clients, "cpu_milliseconds": spent,
         "slowest_probe": probe if server == "ours" else 4000.0,
         "memory_mb": memory if server == "ours" else 900.0}
        for model in ("packaged", "efficientnet_b0")
        for clients in serving.CLIENTS
        for server, spent in zip(("ours", "naive"), cpu, strict=True)
    ]  # fmt: skip


def overloads(answered=100, refused=28):
    return [{"model": "packaged", "requests": 128, "answered": answered, "refused": refused}]


def missed(bars):
    return {bar["about"] for bar in bars if not bar["reached"]}


@pytest.mark.parametrize(
    ("bars", "about"),
    [
        (serving.serving_bars(rows(), overloads()), set()),
        (serving.serving_bars(rows(cpu=(5.1, 10.0)), overloads()), {"processor time a request"}),
        (serving.serving_bars(rows(probe=201.0), overloads()), {"slowest health probe"}),
        (serving.serving_bars(rows(memory=301.0), overloads()), {"memory"}),
        (serving.serving_bars(rows(), overloads(refused=27)), {"other than 200 and 503"}),
    ],
    ids=["all reached", "processor", "probe", "memory", "another status"],
)
def test_each_bar_is_missed_by_its_own_measure(bars, about):
    assert missed(bars) == about
    assert {bar["about"] for bar in bars} == {
        "processor time a request", "slowest health probe", "memory", "other than 200 and 503"
    }  # fmt: skip


def test_the_network_of_random_weights_is_a_model_that_the_service_takes(tmp_path):
    made = serving._efficientnet(tmp_path)

    served = Predictor(made.folder)

    assert (served.card.name, served.card.precision) == ("random weights", "float32")
    assert served.card.architecture == made.architecture == "efficientnet_b0"


def test_the_whole_bench_runs_in_small_and_compares_two_processes():
    told = []

    found = serving.measure(Bench(turns=1, quick=True, tell=told.append))

    (timed,) = found["models"]
    assert (timed["model"], timed["name"]) == ("packaged", cards.read(packaged())[0].name)
    assert [(row["server"], row["clients"]) for row in found["rows"]] == [
        ("ours", 1), ("naive", 1), ("ours", 8), ("naive", 8)
    ]  # fmt: skip
    assert all(row["answered"] == row["requests"] == 2 for row in found["rows"])
    assert all(row["cpu_milliseconds"] > 0 for row in found["rows"])
    ours, theirs = (found["rows"][i]["memory_mb"] for i in (0, 1))
    assert ours < theirs  # PyTorch alone weighs more than the whole of ours
    (over,) = found["overloads"]
    assert over["answered"] + over["refused"] == over["requests"] == 128
    assert over["refused"] > 0
    assert {(row["stage"], row["server"]) for row in found["stages"]} == {
        (stage, server) for stage in ("decode", "inference") for server in ("ours", "naive")
    }
    assert len(told) == 9


def test_there_is_no_other_device():
    with pytest.raises(ValueError, match="expected the device cpu"):
        serving.measure(Bench(turns=1, device="cuda"))


def test_the_slowest_probe_of_a_load_is_the_last_one_told(monkeypatch):
    waits = iter([0.3, *[0.0] * 10_000])  # the first probe is the slowest

    class Line:
        def __init__(self, _): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def get(self, _):
            time.sleep(next(waits))
            return 200, 1.0

        def post(self, *_):
            time.sleep(0.2)
            return 200, 1.0

    monkeypatch.setattr(load, "Line", Line)
    seen = load.ask("http://127.0.0.1", psutil.Process(os.getpid()), [b""], clients=1, requests=4)

    assert len(seen.probes) > 2
    assert seen.probes == tuple(sorted(seen.probes)) and seen.probes[-1] > 0.29
    assert seen.row()["slowest_probe"] > 290
