import errno
import hashlib
import io
import os
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitrine.data import decoding, images, shards
from vitrine.data.images import ImageError


@pytest.fixture
def photo():
    ramp = np.linspace(0, 255, 400 * 300 * 3).reshape(300, 400, 3).astype(np.uint8)
    return Image.fromarray(ramp)


def encode(image, form="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_decode_to_rgb(photo, form):
    pixels = images.decode(encode(photo, form))

    assert pixels.shape == (300, 400, 3)
    assert pixels.dtype == np.uint8


def test_bytes_and_file_give_the_same_pixels(photo, tmp_path):
    path = tmp_path / "misnamed.txt"
    path.write_bytes(encode(photo))

    assert np.array_equal(images.preprocess(path, 64), images.preprocess(path.read_bytes(), 64))


@pytest.mark.parametrize(
    ("mode", "form"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("1", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("I;16", "PNG")],
)
def test_every_mode_becomes_rgb(photo, mode, form):
    source = photo.convert("L").convert("I").point(lambda v: v * 256) if mode == "I;16" else photo

    pixels = images.preprocess(encode(source.convert(mode), form), 32)

    assert pixels.shape == (32, 32, 3)
    assert 20 < pixels.mean() < 235


def test_transparency_is_put_on_white():
    clear = Image.new("RGBA", (40, 40), (200, 0, 0, 0))

    assert (images.decode(encode(clear, "PNG")) == 255).all()


def test_a_rotated_photo_gives_the_pixels_of_the_upright_one(photo):
    exif = Image.Exif()
    exif[0x112] = 6
    turned = encode(photo.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)

    assert np.array_equal(images.decode(turned), images.decode(encode(photo, "PNG")))


def test_garbage_in_exif_or_profile_is_ignored(photo):
    exif = Image.Exif()
    exif[0x112] = 99

    for source in (encode(photo, exif=exif), encode(photo, icc_profile=b"not a profile" * 10)):
        assert np.array_equal(images.decode(source), images.decode(encode(photo)))


def test_draft_keeps_at_least_twice_the_target(monkeypatch):
    large = Image.effect_noise((2000, 1600), 64).convert("RGB")
    source, seen = encode(large), []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image, "resize", lambda self, *a, **k: seen.append(self.size) or resize(self, *a, **k)
    )

    small = images.preprocess(source, 128)

    assert seen == [(500, 400), (128, 400)]  # along the rows, then the columns
    full = resize(large, (128, 128), Image.Resampling.BICUBIC)
    assert np.abs(small.astype(int) - np.asarray(full)).mean() < 4


J = encode(Image.new("RGB", (400, 300), "teal"))
P = encode(Image.effect_noise((400, 300), 64), "PNG")


def forged_png(width, height):
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    checked = header + zlib.crc32(header).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + checked + b"\x00\x00\x00\x00IDAT"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"", "fichier_vide"),
        (b"\xff", "format_non_pris_en_charge"),
        (b"\xff\xd8\xff", "format_non_pris_en_charge"),
        (b"<html><script>", "format_non_pris_en_charge"),
        (b"%PDF-1.7\n", "format_non_pris_en_charge"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "format_non_pris_en_charge"),
        (encode(Image.new("RGB", (20, 20)), "GIF"), "format_non_pris_en_charge"),
        (encode(Image.new("RGB", (20, 20)), "AVIF"), "format_non_pris_en_charge"),
        (encode(Image.new("RGB", (20, 20)), "TIFF"), "format_non_pris_en_charge"),
        (J[: len(J) // 2], "image_corrompue"),
        (J[:-2], "image_corrompue"),
        (P[: len(P) // 2], "image_corrompue"),
        (encode(Image.new("RGB", (7, 7)), "PNG"), "image_trop_petite"),
        (encode(Image.new("RGB", (2000, 10)), "PNG"), "proportions"),
        (encode(Image.new("L", (30000, 20)), "PNG"), "image_trop_grande"),
        (encode(Image.new("1", (8000, 8000)), "PNG"), "image_trop_grande"),
        (forged_png(65535, 65535), "image_trop_grande"),
    ],
)
def test_an_unusable_image_is_refused_under_a_stable_code(source, code):
    with pytest.raises(ImageError) as refused:
        images.decode(source)

    assert refused.value.code == code
    assert "expected" in str(refused.value)


@pytest.mark.parametrize(("width", "height"), [(160, 80), (80, 160), (81, 80)])
def test_a_letterboxed_photo_keeps_its_proportions_between_bands_of_white(width, height):
    photo = Image.new("RGB", (width, height), (200, 0, 0))

    pixels = images.preprocess(encode(photo, "PNG"), 40, letterbox=True)

    assert pixels.shape == (40, 40, 3)
    red = pixels[..., 1] < 128
    assert red.any(axis=1).sum() == round(40 * height / max(width, height))
    assert red.any(axis=0).sum() == round(40 * width / max(width, height))
    assert red[20, 20] and (width == 81 or (pixels[0, 0] == 255).all())


def test_what_follows_the_image_is_ignored():
    assert np.array_equal(images.decode(J + b"PK\x05\x06" + b"\0" * 1000), images.decode(J))


def test_cached_images_are_the_decoded_ones_and_are_decoded_once(demo_catalog, monkeypatch):
    names = demo_catalog.products.image.tolist()[:5]

    first = images.cached(demo_catalog, names, 48)
    monkeypatch.setattr(images, "preprocess", None)
    again = images.cached(demo_catalog, names, 48)
    monkeypatch.undo()

    expected = np.stack([images.preprocess(demo_catalog.path(name), 48) for name in names])
    assert np.array_equal(first, expected)
    assert np.array_equal(again, expected)


@pytest.mark.parametrize(
    "other", ["PREP_ID", "_REVISION", "size", "manifest", "names", "letterbox"]
)
def test_images_kept_otherwise_never_answer(demo_catalog, monkeypatch, other):
    names = demo_catalog.products.image.tolist()[:2]
    kept = images.cached(demo_catalog, names, 24)

    if other in ("PREP_ID", "_REVISION"):
        monkeypatch.setattr(images, other, "another")
    album = replace(demo_catalog, manifest_sha256="0" * 64) if other == "manifest" else demo_catalog
    again = images.cached(
        album, names[::-1] if other == "names" else names, 25 if other == "size" else 24,
        letterbox=other == "letterbox",
    )  # fmt: skip

    assert again.filename != kept.filename


def test_without_a_manifest_a_photo_that_changed_is_decoded_again(demo_catalog, tmp_path):
    photo = tmp_path / "images" / "a.png"
    photo.parent.mkdir()
    album = replace(demo_catalog, folder=tmp_path, photos=photo.parent, manifest_sha256="")
    kept = []
    for colour in ("red", "blue"):
        Image.new("RGB", (40, 30), colour).save(photo)
        kept.append(images.cached(album, ["a.png"], 24)[0, 0, 0].tolist())

    assert kept == [[255, 0, 0], [0, 0, 255]]


def test_a_damaged_photo_is_named_and_leaves_no_half_cache(demo_catalog, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bad.jpg").write_bytes(J[: len(J) - 200])
    broken = replace(demo_catalog, folder=tmp_path, photos=tmp_path / "images")

    with pytest.raises(ImageError, match=r"bad\.jpg: expected a complete image"):
        images.cached(broken, ["bad.jpg"], 32)

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_an_error_and_leaves_no_half_cache(demo_catalog, tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    album = replace(demo_catalog, folder=tmp_path)
    (tmp_path / "images").symlink_to(demo_catalog.folder / "images")
    names = demo_catalog.products.image.tolist()[:2]
    target = Path(images.cached(album, names, 32).filename)
    target.unlink()
    target.with_suffix(f".{os.getpid()}.part").symlink_to("/dev/full")
    # Through a mapping, a full disk is no error: the process is killed.
    monkeypatch.setattr(np.lib.format, "open_memmap", None)

    with pytest.raises(OSError) as caught:
        images.cached(album, names, 32)

    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "cache").iterdir()) == []


def test_prep_v2_has_not_changed_on_a_picture_drawn_by_arithmetic():
    y, x = np.mgrid[0:120, 0:160]
    drawn = np.stack([x, y, (x + y) // 2], axis=-1).astype(np.uint8)

    pixels = images.preprocess(encode(Image.fromarray(drawn), "PNG"), 32)

    digest = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    assert (images.PREP_ID, digest) == ("prep-v2", "0ab863ca80e7de76")


@pytest.mark.parametrize(("height", "width"), [(160, 120), (120, 160)], ids=["tall", "wide"])
def test_a_photo_is_squashed_along_its_rows_first_whatever_its_shape(height, width):
    y, x = np.mgrid[0:height, 0:width]
    drawn = Image.fromarray(np.stack([x * y % 251, x, y], axis=-1).astype(np.uint8))
    bicubic = Image.Resampling.BICUBIC

    pixels = images.preprocess(encode(drawn, "PNG"), 32)

    rows_first = drawn.resize((32, height), bicubic).resize((32, 32), bicubic)
    columns_first = drawn.resize((width, 32), bicubic).resize((32, 32), bicubic)
    assert np.array_equal(pixels, np.asarray(rows_first))
    assert not np.array_equal(pixels, np.asarray(columns_first))


def test_the_transparent_value_of_a_16_bit_picture_goes_on_white(tmp_path):
    deep = np.full((24, 30), 301, dtype=np.uint16)
    deep[:, :10] = 300
    Image.fromarray(deep).save(tmp_path / "a.png", transparency=300)

    found = images.decode(tmp_path / "a.png")

    assert (found[:, :10] == 255).all() and (found[:, 10:] == 301 >> 8).all()


def chunk(name, content):
    summed = zlib.crc32(name + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + name + content + summed


def keyed_png(depth, colour, pixels, key):
    """Return a square PNG whose rows are all ``pixels``; the colour ``key`` is transparent."""
    side = 16
    header = side.to_bytes(4, "big") * 2 + bytes([depth, colour, 0, 0, 0])
    rows = zlib.compress((b"\0" + pixels) * side)
    chunks = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


DEEP = bytes.fromhex("ea01c3029c03")


@pytest.mark.parametrize(
    ("picture", "rest"),
    [
        (keyed_png(1, 0, b"\x00\xff", b"\0\0"), (255, 255, 255)),
        (keyed_png(2, 0, b"\xaa" * 2 + b"\x55" * 2, b"\0\2"), (85, 85, 85)),
        (keyed_png(4, 0, b"\x22" * 4 + b"\x33" * 4, b"\0\2"), (51, 51, 51)),
        (keyed_png(8, 0, b"\2" * 8 + b"\x22" * 8, b"\0\2"), (34, 34, 34)),
        (keyed_png(8, 2, b"\1\2\3" * 8 + b"\4\5\6" * 8, b"\0\1\0\2\0\3"), (4, 5, 6)),
        (keyed_png(16, 2, DEEP * 8 + bytes.fromhex("0e0b0c0d0a0f") * 8, DEEP), (14, 12, 10)),
        (keyed_png(16, 2, b"\0\x22" * 24 + b"\x22\0" * 24, b"\0\x22" * 3), (34, 34, 34)),
    ],
    ids=["1 bit", "2 bits", "4 bits", "8 bits", "8-bit colour", "16-bit colour", "16-bit dark"],
)
def test_the_transparent_colour_goes_on_white_however_deep_the_picture(picture, rest):
    pixels = images.decode(picture)

    assert (pixels[:, :8] == 255).all()
    assert (pixels[:, 8:] == rest).all()


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "I;16", "1", "CMYK"])
def test_a_picture_brought_to_rgb_some_rows_at_a_time_has_the_pixels_of_the_whole(
    photo, mode, monkeypatch
):
    source = photo.convert("L").convert("I").point(lambda v: v * 256) if mode == "I;16" else photo
    data = encode(source.convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    whole, small = images.decode(data), images.preprocess(data, 32)

    monkeypatch.setattr(decoding, "BAND", 7 * 400)

    assert np.array_equal(images.decode(data), whole)
    assert np.array_equal(images.preprocess(data, 32), small)


def test_a_large_picture_is_reduced_to_no_less_than_twice_the_target(photo, monkeypatch):
    data = encode(photo, "PNG")
    assert images.decode(data, 40).shape == (300, 400, 3)

    monkeypatch.setattr(images, "LARGE", 1000)
    monkeypatch.setattr(decoding, "BAND", 8 * 400)  # which 3 does not divide

    assert np.array_equal(images.decode(data, 40), np.asarray(photo.reduce(3)))
    assert images.decode(data, 200).shape == (300, 400, 3)


def test_a_large_picture_with_transparency_is_held_once():
    picture = encode(Image.new("RGBA", (4000, 4000), (1, 2, 3, 4)), "PNG", compress_level=1)
    code = (
        "import resource, sys; from vitrine.data import images; data = sys.stdin.buffer.read()\n"
        "held = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = held(); images.preprocess(data, 64); print(held() - before)"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], input=picture, capture_output=True, check=True
    )

    assert int(said.stdout) < 2 * 64  # decoded, it takes 64 MB


@pytest.mark.parametrize(("limit", "together"), [(100, 1), (1_000_000, 2)])
def test_large_pictures_are_decoded_one_at_a_time(photo, monkeypatch, limit, together):
    data, inside, most = encode(photo, "PNG"), [], []

    def slow(image):
        inside.append(image)
        most.append(len(inside))
        time.sleep(0.2)
        inside.pop()
        return image

    monkeypatch.setattr(images, "LARGE", limit)
    monkeypatch.setattr(decoding, "upright", slow)
    threads = [threading.Thread(target=images.preprocess, args=(data, 32)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == together


UPRIGHT = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90",
    7: "TRANSVERSE", 8: "ROTATE_270",
}  # fmt: skip


@pytest.mark.parametrize(("orientation", "turn"), UPRIGHT.items())
def test_every_orientation_of_a_camera_is_set_upright(photo, orientation, turn):
    exif = Image.Exif()
    exif[0x112] = orientation
    turned = encode(photo.transpose(Image.Transpose[turn]), "PNG", exif=exif)

    assert np.array_equal(images.decode(turned), images.decode(encode(photo, "PNG")))


# The scans of a JPEG

NOISE = Image.effect_noise((96, 64), 64).convert("RGB")


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def one_component_a_scan(width, height):
    """Return a grey JPEG whose three components come one after the other, and hardly a byte each.

    No progressive mark announces that its decoder will hold the whole of it.
    """
    whole = encode(NOISE)
    tables = whole[2 : whole.index(b"\xff\xc0")] + whole[whole.index(b"\xff\xc4") :]
    tables = tables[: tables.index(b"\xff\xda")]
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    frame = segment(0xC0, b"\x08" + size + b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00")
    scans = [segment(0xDA, bytes([1, k, 0, 0, 63, 0])) + b"\x28" * 4 for k in (1, 2, 3)]
    return b"\xff\xd8" + tables + frame + b"".join(scans) + b"\xff\xd9"


def scanned_again(times, between=b""):
    """Return a progressive JPEG whose last scan is asked for again, ten bytes at a time."""
    whole = encode(NOISE, progressive=True)
    last = whole.rindex(b"\xff\xda")
    header = whole[last : last + 2 + int.from_bytes(whole[last + 2 : last + 4], "big")]
    return whole[:-2] + (between + header) * times + b"\xff\xd9"


def test_rows_of_a_baseline_jpeg_come_one_by_one():
    for picture in (NOISE, NOISE.convert("L"), NOISE.convert("CMYK")):
        assert decoding.jpeg_scans(encode(picture)) == 0
        assert decoding.jpeg_scans(encode(picture, restart_marker_blocks=1)) == 0


def test_scans_are_counted_where_the_image_is_held_whole():
    assert decoding.jpeg_scans(encode(NOISE, progressive=True)) == 10
    assert decoding.jpeg_scans(scanned_again(7)) == 17
    assert decoding.jpeg_scans(one_component_a_scan(96, 64)) == 3


@pytest.mark.parametrize(
    "between",
    [
        segment(0xFE, b"\xff\xd9"),  # a comment that looks like the end
        b"\xff\x01\xff\xd0",  # marks without a content
        b"\xff\xff\xff",  # filling
    ],
    ids=["comment", "marks", "filling"],
)
def test_nothing_between_two_scans_hides_the_second(between):
    assert decoding.jpeg_scans(scanned_again(7, between)) == 17


def test_what_lies_in_a_preview_or_after_the_end_is_no_scan():
    exif = b"Exif\0\0" + encode(NOISE, progressive=True)

    assert decoding.jpeg_scans(encode(NOISE, exif=exif) + b"\xff\xda\0\0" * 5000) == 0
    assert decoding.jpeg_scans(encode(NOISE, progressive=True) + b"\xff\xda\0\0" * 5000) == 10


def test_a_file_of_nothing_but_segments_is_not_read_to_its_end():
    endless = scanned_again(0)[:-2] + segment(0xFE, b"") * 5000

    assert decoding.jpeg_scans(endless) == 1000


@pytest.mark.parametrize("length", [0, 2, 3, 20, 200, 700])
def test_a_file_cut_short_is_counted_as_far_as_it_goes(length):
    assert decoding.jpeg_scans(encode(NOISE, progressive=True)[:length]) <= 10


def test_a_jpeg_that_is_held_whole_has_the_limit_of_one():
    bomb = one_component_a_scan(12_000, 10_000)

    with pytest.raises(ImageError, match="at most 40 Mpx") as refused:
        images.preprocess(bomb, 64)

    assert len(bomb) < 1000
    assert refused.value.code == "image_trop_grande"
    assert images.preprocess(one_component_a_scan(400, 300), 64).shape == (64, 64, 3)


def test_a_jpeg_that_is_gone_over_without_end_is_refused():
    with pytest.raises(ImageError) as refused:
        images.preprocess(scanned_again(91), 64)

    assert refused.value.code == "image_corrompue"
    assert images.preprocess(scanned_again(90), 64).shape == (64, 64, 3)


@pytest.mark.parametrize("frame", [0xC2, 0xC6, 0xCA, 0xCE])
def test_a_progressive_jpeg_of_any_coding_is_held_whole(frame):
    whole = encode(NOISE, progressive=True)

    assert decoding.jpeg_scans(whole.replace(b"\xff\xc2", bytes([0xFF, frame]), 1)) == 10


def test_many_photos_lie_in_several_files_read_as_one_array(demo_catalog, monkeypatch):
    names = demo_catalog.products.image.tolist()[:7]
    whole = np.array(images.cached(demo_catalog, names, 20))
    monkeypatch.setattr(shards, "PHOTOS", 3)
    monkeypatch.setattr(shards, "PIECE", 2)

    cut = images.cached(demo_catalog, names, 20)

    assert isinstance(cut, shards.Shards) and [len(file) for file in cut.files] == [3, 3, 1]
    assert cut.shape == whole.shape and len(cut) == 7
    assert np.array_equal(np.asarray(cut), whole)
    assert np.array_equal(np.concatenate(list(cut.pieces())), whole)
    assert np.array_equal(np.stack(list(cut)), whole)
    for key in (
        0,
        -1,
        np.int64(4),
        slice(2, 5),
        slice(None, None, -2),
        [6, 0, 3],
        whole[:, 0, 0, 0] > 99,
    ):
        assert np.array_equal(cut[key], whole[key])
    with pytest.raises(IndexError):
        cut[7]


def test_an_interrupted_decoding_goes_on_from_its_last_whole_file(
    demo_catalog, tmp_path, monkeypatch
):
    album = replace(demo_catalog, folder=tmp_path)
    names = demo_catalog.products.image.tolist()[:6]
    monkeypatch.setattr(shards, "PHOTOS", 2)
    decoded = []

    def interrupted(path, size, **shape):
        decoded.append(path.name)
        if len(decoded) == 4:
            raise KeyboardInterrupt
        return preprocess(path, size, **shape)

    preprocess = images.preprocess
    monkeypatch.setattr(images, "preprocess", interrupted)
    with pytest.raises(KeyboardInterrupt):
        images.cached(album, names, 16)
    images.cached(album, names, 16)

    assert decoded == [*names[:4], *names[2:]]
