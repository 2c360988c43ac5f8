"""The comparison with other servers: what it measures and concludes; not how fast anything is."""

import sys
from pathlib import Path

import pytest

from vitrine.bench import serving_peers as peers
from vitrine.bench.clock import Bench
from vitrine.data.images import LARGE
from vitrine.serving.supervisor import SupervisorError


def rows(rate=(100.0, 100.0), p99=(50.0, 100.0), refused=0, cpu=5.0, memory=150.0):
    return [
        {"model": "efficientnet-lite0", "server": server, "clients": clients,
         "per_second": rate[place], "p99": p99[place], "refused": refused,
         "cpu_milliseconds": cpu, "memory_mb": memory}
        for clients in peers.CLIENTS
        for place, server in enumerate(("ours", "litserve"))
    ]  # fmt: skip


def hostile(p99=300.0, memory=600.0):
    return [{"model": "efficientnet-lite0", "p99": p99, "p99_quiet": 100.0, "memory_mb": memory}]


@pytest.mark.parametrize(
    ("bars", "missed"),
    [
        (peers.peer_bars(rows(), hostile()), set()),
        (
            peers.peer_bars(rows(rate=(99.0, 100.0)), hostile()),
            {"answers a second beside LitServe"},
        ),
        (peers.peer_bars(rows(p99=(51.0, 100.0)), hostile()), {"p99 beside LitServe"}),
        (peers.peer_bars(rows(refused=1), hostile()), {"refused"}),
        (peers.peer_bars(rows(cpu=5.1), hostile()), {"processor time an answer"}),
        (peers.peer_bars(rows(memory=151.0), hostile()), {"memory"}),
        (peers.peer_bars(rows(), hostile(p99=301.0)), {"p99 under hostile batches"}),
        (peers.peer_bars(rows(), hostile(memory=601.0)), {"memory under hostile batches"}),
    ],
    ids=["all", "rate", "p99", "refused", "processor", "memory", "hostile p99", "hostile memory"],
)
def test_each_bar_beside_litserve_is_missed_by_its_own_measure(bars, missed):
    assert {bar["about"] for bar in bars if not bar["reached"]} == missed
    assert len(bars) == 5 * len(peers.CLIENTS) + 2


def test_the_comparison_runs_in_small_names_its_model_and_counts_hostile_batches(tmp_path):
    told = []

    found = peers.measure(Bench(turns=1, quick=True, tell=told.append), folder=tmp_path)

    (model,) = found["models"]
    assert (model["model"], model["precision"]) == ("efficientnet-lite0", "int8-static")
    assert found["peers"] == {name: version for name, (version, _) in peers.PEERS.items()}
    assert [(row["server"], row["clients"]) for row in found["rows"]] == [("ours", 8), ("ours", 32)]
    assert all(row["answered"] == row["requests"] == 8 for row in found["rows"])
    assert all(row["per_second"] > 0 and row["cpu_milliseconds"] > 0 for row in found["rows"])
    (row,) = found["hostile"]
    assert row["answered"] == row["requests"] == 8
    assert 1e6 * row["megapixels"] > LARGE  # decoded alone: what costs the most
    assert sum(row["batch_statuses"].values()) >= peers.BATCHES
    assert found["bars"] == [] and len(told) == 3


def test_numbers_are_the_medians_of_the_rounds():
    rounds = [{"p50": value, "refused": 0} for value in (9.0, 1.0, 2.0)]

    assert peers._median(rounds) == {"p50": 2.0, "refused": 0}


def test_an_environment_of_other_versions_is_refused(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)

    with pytest.raises(RuntimeError, match=r"expected litserve==[\d.]+, bentoml==[\d.]+, .* found"):
        peers.environment(tmp_path)


def test_a_peer_that_does_not_start_is_told(tmp_path):
    peer = peers._peer("litserve", Path(sys.executable), tmp_path, 32)  # it is not installed there

    with pytest.raises(SupervisorError, match="litserve"), peer:
        pass


def test_peers_have_no_other_device(tmp_path):
    with pytest.raises(ValueError, match="expected the device cpu"):
        peers.measure(Bench(turns=1, device="cuda"), folder=tmp_path)
