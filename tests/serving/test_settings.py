import pytest

from vitrine.serving.settings import Settings, SettingsError


def test_every_field_is_read_from_the_variable_of_its_name():
    given = Settings.from_environment(
        {
            "MODEL_DIR": "models/x", "HOST": "0.0.0.0", "PORT": "80", "WORKERS": "3",
            "INTRA_OP_THREADS": "2", "QUEUE_MAX": "5", "MAX_UPLOAD_BYTES": "1000",
            "MAX_BATCH_BYTES": "2000", "MAX_BODIES_BYTES": "3000", "MAX_PIXELS": "9000",
            "BODY_TIMEOUT_S": "1.5", "PREDICT_TIMEOUT_S": "2", "METRICS": "0", "API_KEY": " k ",
            "CORS_ORIGINS": "https://a.example, https://b.example", "LOG_LEVEL": "ERROR",
        }
    )  # fmt: skip

    assert given == Settings(
        model_dir="models/x", host="0.0.0.0", port=80, workers=3, intra_op_threads=2, queue_max=5,
        max_upload_bytes=1000, max_batch_bytes=2000, max_bodies_bytes=3000, max_pixels=9000,
        body_timeout_s=1.5, predict_timeout_s=2.0, metrics=False, api_key="k",
        cors_origins=("https://a.example", "https://b.example"), log_level="ERROR",
    )  # fmt: skip


def test_an_empty_variable_leaves_the_default():
    assert Settings.from_environment({"PORT": " ", "API_KEY": ""}) == Settings()


def test_the_queue_has_eight_places_a_worker_unless_told():
    assert Settings(workers=3).places == 24
    assert Settings(workers=3, queue_max=5).places == 5


def test_images_that_are_not_drafted_have_a_third_of_the_pixels():
    assert Settings(max_pixels=120_000_000).limits.pixels_undrafted == 40_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"), ("PORT", "70000"), ("PORT", "-1"), ("WORKERS", "0"), ("WORKERS", "2.5"),
        ("MAX_UPLOAD_BYTES", "12MB"), ("BODY_TIMEOUT_S", "soon"), ("BODY_TIMEOUT_S", "0"),
        ("BODY_TIMEOUT_S", "inf"), ("PREDICT_TIMEOUT_S", "nan"), ("METRICS", "maybe"),
        ("LOG_LEVEL", "LOUD"), ("MAX_BODIES_BYTES", "10"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named_with_what_was_expected(name, value):
    with pytest.raises(SettingsError, match=f"expected {name} to be .*, found"):
        Settings.from_environment({name: value})


def test_a_key_that_a_header_cannot_carry_is_refused_and_not_repeated():
    with pytest.raises(SettingsError, match="printable ASCII") as refused:
        Settings.from_environment({"API_KEY": "clé"})

    assert "clé" not in str(refused.value)
