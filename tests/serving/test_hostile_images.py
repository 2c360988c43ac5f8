"""Images that are damaged, huge, odd or no images at all: the table of what must not hurt."""

import os
import random
import zlib

import numpy as np
import pytest
from pictures import encode, plain
from PIL import Image

NOISE = np.random.default_rng(0).normal(128, 64, (300, 400)).clip(0, 255).astype(np.uint8)
PHOTO = Image.fromarray(NOISE).convert("RGB").point(lambda v: (v + 64) % 256)
J, P = encode(PHOTO), encode(PHOTO, "PNG")
CLEAR = Image.new("RGBA", (80, 60), (200, 0, 0, 0))


def post(client, data, name="photo.jpg", kind="image/jpeg"):
    return client.post("/api/v1/predict", files={"file": (name, data, kind)})


def png_of(width, height):
    """Return a PNG that announces a size and holds no pixel."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    start = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + header + zlib.crc32(header).to_bytes(4, "big")
    return start + b"\x00\x00\x00\x00IDAT"


def jpeg_announcing(width, height):
    """Return a JPEG whose frame header was forged."""
    at = J.index(b"\xff\xc0")
    return J[: at + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + J[at + 9 :]


def exif(orientation):
    made = Image.Exif()
    made[0x112] = orientation
    return made


def with_exif_garbage():
    app1 = b"Exif\0\0MM\0*\xff\xff\xff\xf0garbage"
    return J[:2] + b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1 + J[2:]


def multi_picture():
    """Return a JPEG with a second picture, as phones write them."""
    return encode(PHOTO, "MPO", save_all=True, append_images=[PHOTO.resize((40, 30))])


def jpeg_of_separate_components(width, height):
    """Return a JPEG without a progressive mark, that is nonetheless decoded as a whole."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    frame = b"\xff\xc0\x00\x11\x08" + size + b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00"
    scans = [b"\xff\xda\x00\x08\x01" + bytes([k, 0, 0, 63, 0]) + b"\x28" * 4 for k in (1, 2, 3)]
    tables = J[J.index(b"\xff\xc4") : J.index(b"\xff\xda")]
    return J[: J.index(b"\xff\xc0")] + frame + tables + b"".join(scans) + b"\xff\xd9"


def jpeg_scanned_again(times):
    """Return a progressive JPEG whose last scan comes again without a byte of its own."""
    whole = encode(PHOTO, progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last : last + 10] * times + b"\xff\xd9"


REFUSED = {
    "empty": (b"", 400, "fichier_vide"),
    "one byte": (b"\xff", 415, "format_non_pris_en_charge"),
    "the mark of a JPEG alone": (b"\xff\xd8\xff", 415, "format_non_pris_en_charge"),
    "plain text": (b"an ordinary sentence\n" * 20, 415, "format_non_pris_en_charge"),
    "a page with a script": (b"<html><script>alert(1)</script>", 415, "format_non_pris_en_charge"),
    "random bytes": (os.urandom(5000), 415, "format_non_pris_en_charge"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", 415, "format_non_pris_en_charge"),
    "PostScript": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "format_non_pris_en_charge"
    ),
    "SVG with an entity": (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b"<svg>&x;</svg>", 415, "format_non_pris_en_charge",
    ),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 415, "format_non_pris_en_charge"),
    "AVIF": (encode(PHOTO, "AVIF"), 415, "format_non_pris_en_charge"),
    "GIF": (encode(PHOTO, "GIF", save_all=True, append_images=[PHOTO]), 415,
            "format_non_pris_en_charge"),
    "BMP": (encode(PHOTO, "BMP"), 415, "format_non_pris_en_charge"),
    "TIFF": (encode(PHOTO, "TIFF"), 415, "format_non_pris_en_charge"),
    "ICO": (encode(PHOTO.resize((64, 64)), "ICO"), 415, "format_non_pris_en_charge"),
    "half a JPEG": (J[: len(J) // 2], 422, "image_corrompue"),
    # Many viewers show this one; Pillow does not.
    "a JPEG without its end mark": (J[:-2], 422, "image_corrompue"),
    "half a PNG": (P[: len(P) // 2], 422, "image_corrompue"),
    "half a WebP": (encode(PHOTO, "WEBP")[:2000], 422, "image_corrompue"),
    "1 x 1": (plain("red", (1, 1), "PNG"), 422, "image_trop_petite"),
    "7 x 7": (plain("red", (7, 7), "PNG"), 422, "image_trop_petite"),
    "100000 x 1": (encode(Image.new("L", (100_000, 1)), "PNG"), 413, "image_trop_grande"),
    "65500 x 8": (encode(Image.new("L", (65_500, 8))), 413, "image_trop_grande"),
    "2000 x 10": (plain("red", (2000, 10)), 422, "proportions"),
    "a PNG header of 65535 x 65535": (png_of(65_535, 65_535), 413, "image_trop_grande"),
    "a PNG header of 2**31 - 1": (png_of(2**31 - 1, 2**31 - 1), 413, "image_trop_grande"),
    "a bomb of 400 Mpx in 48 kB": (
        encode(Image.new("1", (20_000, 20_000)), "PNG"), 413, "image_trop_grande"
    ),
    "a WebP of 65 Mpx": (
        encode(Image.new("RGB", (16_383, 4000)), "WEBP", method=0, lossless=False), 413,
        "image_trop_grande",
    ),
    "a progressive JPEG of 45 Mpx": (
        encode(Image.new("L", (9000, 5000)), progressive=True, quality=30), 413,
        "image_trop_grande",
    ),
    "a JPEG of 700 bytes, held whole in 720 MB": (
        jpeg_of_separate_components(12_000, 10_000), 413, "image_trop_grande"
    ),
    "a JPEG gone over a hundred thousand times": (
        jpeg_scanned_again(100_000), 422, "image_corrompue"
    ),
    "a JPEG header of 65535 x 65535": (jpeg_announcing(65_535, 65_535), 413, "image_trop_grande"),
    "more bytes than allowed": (J + b"\0" * 13_000_000, 413, "fichier_trop_volumineux"),
}  # fmt: skip

ACCEPTED = {
    "JPEG": J,
    "PNG": P,
    "WebP": encode(PHOTO, "WEBP"),
    "animated WebP: its first frame": encode(
        PHOTO, "WEBP", save_all=True, append_images=[PHOTO.rotate(90)], duration=100
    ),
    "animated PNG: its first frame": encode(
        PHOTO, "PNG", save_all=True, append_images=[PHOTO.rotate(90)], duration=100
    ),
    "CMYK": encode(PHOTO.convert("CMYK")),
    "grey": encode(PHOTO.convert("L")),
    "black or white": encode(PHOTO.convert("1"), "PNG"),
    "grey with transparency": encode(PHOTO.convert("LA"), "PNG"),
    "RGB with transparency": encode(PHOTO.convert("RGBA"), "PNG"),
    "a palette": encode(PHOTO.convert("P"), "PNG"),
    "a palette with one clear colour": encode(PHOTO.convert("P"), "PNG", transparency=3),
    "a palette with clear colours": encode(
        PHOTO.convert("P"), "PNG", transparency=bytes(range(256))
    ),
    "16 bits": encode(Image.fromarray(np.full((30, 40), 40_000, np.uint16)), "PNG"),
    "two pictures in one JPEG": multi_picture(),
    "components one after the other": jpeg_of_separate_components(400, 300),
    "EXIF orientation 99": encode(PHOTO, exif=exif(99)),
    "EXIF garbage": with_exif_garbage(),
    "ICC garbage": encode(PHOTO, icc_profile=b"not a profile" * 10),
    "JPEG and ZIP in one": J + b"PK\x05\x06" + b"\0" * 18,
    "JPEG with a page in a comment": encode(PHOTO, comment=b"<script>alert(1)</script>"),
    "10 MB of zeros after the image": J + b"\0" * 10_000_000,
    "94 Mpx, as the largest of the data set": encode(Image.new("L", (8484, 11_042), 128)),
    "all black": plain("black", (224, 224)),
    "all white": plain("white", (224, 224)),
}


@pytest.mark.parametrize(("data", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_by_its_content(client, data, status, code):
    answer = post(client, data)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "alert" not in answer.text


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_an_odd_image_gets_probabilities(client, data):
    answer = post(client, data)

    told = answer.json()
    scores = np.array([row["score"] for row in told["predictions"]])
    assert answer.status_code == 200
    assert np.isfinite(scores).all()
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert told["image"]["bytes"] == len(data)
    assert answer.headers["x-content-type-options"] == "nosniff"


def scores_of(client, data):
    rows = post(client, data).json()["predictions"]
    return [row["score"] for row in sorted(rows, key=lambda row: row["label"])]


def test_transparency_is_put_on_white(client):
    white = scores_of(client, plain("white", (80, 60), "PNG"))

    assert scores_of(client, encode(CLEAR, "PNG")) == white
    assert scores_of(client, plain("black", (80, 60), "PNG")) != white


def test_a_photo_turned_by_exif_scores_as_the_upright_one(client):
    half = Image.new("RGB", (400, 300), "red")
    half.paste("blue", (0, 0, 400, 110))
    turned = encode(half.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif(6))

    upright = client.post("/api/v1/explain", files={"file": ("x", encode(half, "PNG"))}).json()
    rotated = client.post("/api/v1/explain", files={"file": ("x", turned)}).json()

    assert rotated["map"] == upright["map"]
    assert rotated["predictions"] == upright["predictions"]


def test_only_the_first_frame_of_an_animation_is_looked_at(client):
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))

    for form in ("WEBP", "PNG"):
        data = encode(red, form, save_all=True, append_images=[blue], duration=100)
        assert post(client, data).json()["label"] == "Baby Care"


def test_a_jpeg_with_a_preview_is_a_jpeg(client):
    told = post(client, multi_picture()).json()

    assert told["image"] == {"width": 400, "height": 300, "format": "JPEG",
                             "bytes": len(multi_picture())}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damage_anywhere_is_a_refusal_or_an_answer_never_a_failure(client, form):
    rng, whole = random.Random(0), encode(PHOTO.resize((120, 90)), form)
    seen = set()

    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        answer = post(client, bytes(data[: rng.choice([len(data), rng.randrange(1, len(data))])]))
        seen.add(answer.status_code)

    assert seen <= {200, 413, 415, 422}
    assert 422 in seen


def test_a_bit_flipped_now_and_then_is_a_refusal_or_an_answer(client):
    data = bytearray(J)
    for at in range(700, len(data), 97):
        data[at] ^= 1

    assert post(client, bytes(data)).status_code in (200, 422)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_that_gives_no_number_is_an_error_and_never_reaches_json(
    settings, monkeypatch, wrong
):
    from fastapi.testclient import TestClient

    from vitrine.serving.api import create_app
    from vitrine.serving.predictor import Predictor

    def broken(self, pixels):
        return np.full((1, 7), wrong, np.float32), np.zeros((1, 7, 4, 4), np.float32)

    with TestClient(create_app(settings)) as client:
        monkeypatch.setattr(Predictor, "logits", broken)
        answer = post(client, J)
        counted = client.get("/metrics").text

    assert (answer.status_code, answer.json()["code"]) == (500, "prediction_invalide")
    assert 'vitrine_rejected_total{code="prediction_invalide"} 1.0' in counted


def test_a_large_photo_is_decoded_at_a_reduced_scale(client):
    data = ACCEPTED["94 Mpx, as the largest of the data set"]
    Image.core.reset_stats()

    answer = post(client, data)

    stats = Image.core.get_stats()
    assert answer.status_code == 200
    # A picture has a block for each 16 MB, and one at least: decoded whole, this one takes 37.
    assert 0 < stats["allocated_blocks"] + stats["reused_blocks"] <= 8


def test_an_iphone_s_photo_is_told_how_to_be_sent_alone_or_in_a_batch(client):
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500

    alone = post(client, heic)
    batch = client.post("/api/v1/predict/batch", files=[("files", ("x", heic))]).json()

    problem = alone.json()
    assert (alone.status_code, problem["code"]) == (415, "format_non_pris_en_charge")
    assert "iPhone" in problem["detail"] and "JPEG" in problem["detail"]
    assert batch["items"][0]["problem"]["detail"] == problem["detail"]
