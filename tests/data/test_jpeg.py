import io

import pytest
from PIL import Image

from vitrine.data import images, jpeg
from vitrine.data.images import ImageError

NOISE = Image.effect_noise((96, 64), 64).convert("RGB")


def encode(image, form="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


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
        assert jpeg.passes(encode(picture)) == 0
        assert jpeg.passes(encode(picture, restart_marker_blocks=1)) == 0


def test_scans_are_counted_where_the_image_is_held_whole():
    assert jpeg.passes(encode(NOISE, progressive=True)) == 10
    assert jpeg.passes(scanned_again(7)) == 17
    assert jpeg.passes(one_component_a_scan(96, 64)) == 3


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
    assert jpeg.passes(scanned_again(7, between)) == 17


def test_what_lies_in_a_preview_or_after_the_end_is_no_scan():
    exif = b"Exif\0\0" + encode(NOISE, progressive=True)

    assert jpeg.passes(encode(NOISE, exif=exif) + b"\xff\xda\0\0" * 5000) == 0
    assert jpeg.passes(encode(NOISE, progressive=True) + b"\xff\xda\0\0" * 5000) == 10


def test_a_file_of_nothing_but_segments_is_not_read_to_its_end():
    endless = scanned_again(0)[:-2] + segment(0xFE, b"") * 5000

    assert jpeg.passes(endless) == 1000


@pytest.mark.parametrize("length", [0, 2, 3, 20, 200, 700])
def test_a_file_cut_short_is_counted_as_far_as_it_goes(length):
    assert jpeg.passes(encode(NOISE, progressive=True)[:length]) <= 10


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

    assert jpeg.passes(whole.replace(b"\xff\xc2", bytes([0xFF, frame]), 1)) == 10
