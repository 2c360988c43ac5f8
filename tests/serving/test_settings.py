import os
from pathlib import Path

import pytest
from fastapi import FastAPI

from vitrine.serving import settings
from vitrine.serving.server import server_of
from vitrine.serving.settings import Settings, SettingsError


def told(given):
    """Return the headers that a server adds to every answer."""
    return server_of(FastAPI(), given.revision).config.headers


def test_every_field_is_read_from_the_variable_of_its_name(monkeypatch):
    given = {
        "MODEL_DIR": "models/x", "HOST": "0.0.0.0", "PORT": "80", "WORKERS": "3",
        "INTRA_OP_THREADS": "2", "QUEUE_MAX": "5", "MAX_UPLOAD_BYTES": "1000",
        "MAX_BATCH_BYTES": "2000", "MAX_BODIES_BYTES": "3000", "MAX_PIXELS": "9000",
        "BODY_TIMEOUT_S": "1.5", "PREDICT_TIMEOUT_S": "2", "METRICS": "0", "API_KEY": " k ",
        "CORS_ORIGINS": "https://a.example, https://b.example", "LOG_LEVEL": "ERROR",
        "REVISION": "57b960b",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert set(given) == {name.upper() for name in Settings.model_fields}
    assert Settings().model_dump() == {
        "model_dir": Path("models/x"), "host": "0.0.0.0", "port": 80, "workers": 3,
        "intra_op_threads": 2, "queue_max": 5, "max_upload_bytes": 1000, "max_batch_bytes": 2000,
        "max_bodies_bytes": 3000, "max_pixels": 9000, "body_timeout_s": 1.5,
        "predict_timeout_s": 2.0, "metrics": False, "api_key": "k",
        "cors_origins": ("https://a.example", "https://b.example"), "log_level": "ERROR",
        "revision": "57b960b",
    }  # fmt: skip
    assert Settings(port=81).port == 81


def test_a_blank_variable_leaves_the_default(monkeypatch):
    default = Settings()
    for name in ("PORT", "API_KEY", "MODEL_DIR", "CORS_ORIGINS"):
        monkeypatch.setenv(name, " " if name == "PORT" else "")

    assert Settings() == default
    assert default.cors_origins == () and default.model_dir is None


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("told", "workers"),
    [("200000 100000", 2), ("150000 100000", 2), ("5000 100000", 1), ("9000000 100000", 6),
     ("max 100000", 6), ("-1 100000", 6), (None, 6)],
)  # fmt: skip
def test_there_is_a_worker_for_each_core_that_the_container_may_use(
    version, told, workers, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(settings, "CGROUP", tmp_path)
    if told and version == 1:
        (tmp_path / "cpu").mkdir()
        for name, value in zip(("quota", "period"), told.split(), strict=True):
            (tmp_path / "cpu" / f"cpu.cfs_{name}_us").write_text(f"{value}\n")
    elif told:
        (tmp_path / "cpu.max").write_text(f"{told}\n")

    assert Settings().workers == workers


def test_the_queue_has_a_thousand_places_a_worker_unless_told():
    assert Settings(workers=3).places == 3000
    assert Settings(workers=3, queue_max=5).places == 5


def test_images_that_are_not_drafted_have_a_third_of_the_pixels():
    assert Settings(max_pixels=120_000_000).limits.pixels_undrafted == 40_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"), ("PORT", "70000"), ("PORT", "-1"), ("WORKERS", "0"), ("WORKERS", "2.5"),
        ("MAX_UPLOAD_BYTES", "12MB"), ("BODY_TIMEOUT_S", "soon"), ("BODY_TIMEOUT_S", "0"),
        ("BODY_TIMEOUT_S", "inf"), ("PREDICT_TIMEOUT_S", "nan"), ("METRICS", "maybe"),
        ("LOG_LEVEL", "LOUD"), ("MAX_BODIES_BYTES", "10"), ("REVISION", "a\r\nSet-Cookie: b"),
        ("REVISION", "é"), ("REVISION", "a b"), ("REVISION", "a" * 101),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(name, value, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^expected {name} to .*, found .*{value[-1]}.*$"):
        Settings()


def test_a_key_that_a_header_cannot_carry_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("API_KEY", "clé")

    with pytest.raises(SettingsError, match="API_KEY") as refused:
        Settings()

    assert "clé" not in str(refused.value)


def test_a_server_tells_the_revision_of_its_image_and_none_outside_an_image(monkeypatch):
    monkeypatch.setenv("REVISION", "57b960b")

    assert told(Settings()) == [("X-Vitrine-Revision", "57b960b")]
    monkeypatch.setenv("REVISION", "  ")
    assert told(Settings()) == []
