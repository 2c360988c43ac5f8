"""Colours that a file declares are brought to sRGB; what declares none keeps its pixels."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from vitrine.data import images
from vitrine.data.images import ImageError

RAMP = np.stack(np.meshgrid(np.arange(40, 240, 5), np.arange(40, 240, 5)), axis=-1)
DRAWN = np.concatenate([RAMP, RAMP.sum(axis=-1, keepdims=True) // 2], axis=-1).astype(np.uint8)


def encode(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def with_chunk(png, name, content):
    """Return a PNG with one more chunk, behind its header."""
    summed = zlib.crc32(name + content).to_bytes(4, "big")
    return png[:33] + len(content).to_bytes(4, "big") + name + content + summed + png[33:]


def profile(primaries, gamma, kind=b"mntr", space=b"RGB "):
    """Return an ICC profile of a matrix and one gamma, its white being D50."""

    def fixed(*values):
        return struct.pack(f">{len(values)}i", *[round(65536 * value) for value in values])

    curve = b"curv" + struct.pack(">IIH", 0, 1, round(256 * gamma))
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        columns = dict(zip((b"r", b"g", b"b"), primaries, strict=True))
        tags |= {name + b"XYZ": b"XYZ \0\0\0\0" + fixed(*xyz) for name, xyz in columns.items()}
        tags |= {name + b"TRC": curve for name in columns}
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02400000, kind, space,
                         b"XYZ ", b"\0" * 12, b"acsp").ljust(128, b"\0")  # fmt: skip
    header = header[:68] + fixed(0.9642, 1, 0.8249) + header[80:]
    return header + struct.pack(">I", len(tags)) + table + body


P3 = profile(
    [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)], 2.2
)


def p3_of(srgb):
    """Return the levels that a screen of Display P3, of gamma 2.2, needs for the same colours."""
    to_p3 = np.array([[0.8225, 0.1774, 0], [0.0332, 0.9669, 0], [0.0171, 0.0724, 0.9108]])
    level = srgb / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.round(255 * np.clip(light @ to_p3.T, 0, 1) ** (1 / 2.2)).astype(np.uint8)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
def test_a_photo_in_display_p3_gives_the_pixels_of_the_same_photo_in_srgb(form):
    exact = {"quality": 100} | ({"subsampling": 0} if form == "JPEG" else {})
    exact |= {"lossless": True} if form == "WEBP" else {}

    given = encode(Image.fromarray(p3_of(DRAWN)), form, icc_profile=P3, **exact)

    for found in (images.decode(given), images.preprocess(given, 40)):
        assert np.abs(found.astype(int) - DRAWN).max() <= 6
    assert np.abs(p3_of(DRAWN).astype(int) - DRAWN).max() > 15


@pytest.mark.parametrize(
    "given",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"not a profile" * 10,
        P3[:200],
        profile([], 1.8, space=b"GRAY"),
        P3.replace(b"RGB ", b"CMYK", 1),
        P3.replace(b"acsp", b"none", 1),
    ],
    ids=["sRGB", "garbage", "cut", "for grey", "for inks", "no profile"],
)
def test_a_profile_of_srgb_or_without_use_leaves_the_pixels(given):
    photo = Image.fromarray(DRAWN)

    assert np.array_equal(images.decode(encode(photo, icc_profile=given)), DRAWN)


def test_a_grey_photo_is_brought_to_srgb_by_its_own_profile():
    grey = Image.fromarray(DRAWN[..., 0])

    found = images.decode(encode(grey, icc_profile=profile([], 1.0, space=b"GRAY")))

    assert (found == found[..., :1]).all()
    assert abs(int(found[0, 20, 0]) - _encoded(DRAWN[0, 20, 0] / 255)) <= 1


def _encoded(light):
    return 255 * (1.055 * light ** (1 / 2.4) - 0.055)


def ink_profile():
    """Return an ICC profile of four inks, each of which takes a quarter of the light away."""
    quarters = [bin(corner).count("1") for corner in range(16)]
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0\x04\x03\x02\0" + struct.pack(">9i", *[65536, 0, 0, 0] * 2, 65536)
    table += ramp * 4 + b"".join(bytes([255 - 255 * n // 4, 128, 128]) for n in quarters) + ramp * 3
    tags = {b"wtpt": profile([], 1.0, space=b"GRAY")[156:176], b"A2B0": table}
    at, index, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        index += name + struct.pack(">II", at + len(body), len(content))
        body += content
    header = P3[4:12] + b"prtrCMYKLab " + P3[24:128]
    return struct.pack(">I", at + len(body)) + header + struct.pack(">I", 2) + index + body


def test_inks_are_mixed_by_their_profile():
    inks = Image.new("CMYK", (40, 40), (0, 255, 255, 0))

    plain = images.decode(encode(inks, "JPEG", quality=100))
    refused = images.decode(encode(inks, "JPEG", quality=100, icc_profile=P3))
    mixed = encode(inks, "JPEG", quality=100, icc_profile=ink_profile())

    assert plain[20, 20].tolist() == refused[20, 20].tolist() == [255, 0, 0]
    for found in (images.decode(mixed), images.preprocess(mixed, 16)):
        assert np.abs(found[8, 8].astype(int) - 119).max() <= 2  # sRGB of half the lightness


def written(levels):
    """Return an Adobe JPEG whose four components have the levels: Pillow writes them inverted."""
    inverted = tuple(255 - level for level in levels)
    return encode(Image.new("CMYK", (40, 40), inverted), "JPEG", quality=100, subsampling=0)


def without_mark(levels):
    marked = written(levels)
    at = marked.index(b"\xff\xee")
    return marked[:at] + marked[at + 2 + int.from_bytes(marked[at + 2 : at + 4], "big") :]


def ycck(levels):
    *inks, black = levels
    mixed = Image.new("RGB", (1, 1), tuple(inks)).convert("YCbCr").getpixel((0, 0))
    marked = bytearray(written((*mixed, 255 - black)))
    transform = marked.index(b"Adobe") + 11
    assert marked[transform] == 0
    marked[transform] = 2
    return bytes(marked)


def adobe(levels):
    return written(255 - level for level in levels)


@pytest.mark.parametrize("write", [adobe, without_mark, ycck])
@pytest.mark.parametrize(
    ("inks", "seen"),
    [
        ((0, 255, 255, 0), (255, 0, 0)), ((255, 0, 255, 0), (0, 255, 0)),
        ((255, 255, 0, 0), (0, 0, 255)), ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)), ((0, 60, 200, 100), (155, 119, 33)),
    ],
)  # fmt: skip
def test_inks_have_their_colour_however_a_jpeg_writes_them(write, inks, seen):
    data = write(inks)

    for found in (images.decode(data), images.preprocess(data, 16)):
        assert np.abs(found[8, 8].astype(int) - seen).max() <= 3
    assert (b"Adobe" in data) == (write is not without_mark)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes([12, 13, 0, 1]), "the same colours"),
        (bytes([12, 8, 0, 1]), "lighter"),
        (bytes([9, 16, 0, 1]), "clipped"),
        (bytes([1, 13, 0, 1]), "untouched"),
        (bytes([12, 13, 1, 1]), "untouched"),  # a matrix is of video, not of PNG
        (bytes([99, 13, 0, 1]), "untouched"),
        (bytes([12, 99, 0, 1]), "untouched"),
        (b"\x0c\x0d", "untouched"),
    ],
)
def test_the_code_points_of_a_png_come_before_its_profile(content, expected):
    plain = encode(Image.fromarray(DRAWN))

    found = images.decode(with_chunk(plain, b"cICP", content)).astype(int)

    moved = found - DRAWN
    if expected == "untouched":
        assert (moved == 0).all()
    elif expected == "lighter":
        assert moved.mean() > 40
    elif expected == "clipped":
        assert found[-1, -1].tolist() == [255, 255, 255]
    else:
        assert np.abs(moved).max() > 5 and abs(moved.mean()) < 5
        both = with_chunk(encode(Image.fromarray(DRAWN), icc_profile=P3), b"cICP", content)
        assert np.array_equal(images.decode(both), found)


def test_the_levels_of_display_p3_are_those_that_a_screen_would_show():
    # CSS Color 4: color(display-p3 0.5 0.5 0.5) is the grey of sRGB, color(display-p3 0 1 0) is
    # out of it, and #E8562F of Display P3 is nearly #FB4A16 of sRGB.
    photo = np.array([[[128, 128, 128], [0, 255, 0], [232, 86, 47]]], dtype=np.uint8)
    given = encode(Image.fromarray(photo.repeat(8, axis=0).repeat(8, axis=1)))

    found = images.decode(with_chunk(given, b"cICP", bytes([12, 13, 0, 1])))[4, 4::8]

    assert found[0].tolist() == [128, 128, 128]
    assert found[1].tolist() == [0, 255, 0]
    assert np.abs(found[2].astype(int) - [252, 73, 16]).max() <= 8


@pytest.mark.parametrize(
    ("gamma", "srgb", "moves"),
    [(100_000, False, True), (55_556, False, True), (45_455, False, False),
     (100_000, True, False), (0, False, False), (4_000_000_000, False, False)],
)  # fmt: skip
def test_a_gamma_other_than_srgb_s_is_undone_unless_the_picture_says_srgb(gamma, srgb, moves):
    given = with_chunk(encode(Image.fromarray(DRAWN)), b"gAMA", gamma.to_bytes(4, "big"))
    given = with_chunk(given, b"sRGB", b"\0") if srgb else given

    found = images.decode(given)

    assert np.array_equal(found, DRAWN) != moves
    if gamma == 100_000 and moves:
        assert abs(int(found[0, 0, 0]) - _encoded(DRAWN[0, 0, 0] / 255)) <= 1


def test_a_jpeg_with_a_gain_map_is_its_base_image():
    base, gains = Image.fromarray(DRAWN), Image.new("L", (20, 20), 200)

    given = encode(base, "MPO", save_all=True, append_images=[gains], quality=95)

    assert np.array_equal(images.decode(given), images.decode(encode(base, "JPEG", quality=95)))
    assert images.read(given, 16).format == "JPEG"


# Files that people have, and that are none of ours


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def grey_jpeg(frame, bits):
    """Return a JPEG of a kind, whose pixels are all one bit long."""
    size = segment(frame, bytes([bits]) + b"\0\x10\0\x10\x01\x01\x11\x00")
    table = segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    scan = segment(0xDA, b"\x01\x01\x00\x01\x00\x00")
    return b"\xff\xd8" + size + table + scan + b"\0" * 32 + b"\xff\xd9"


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (HEIC, "heic"),
        (HEIC.replace(b"ftypheic", b"ftypmif1"), "heic"),
        (HEIC.replace(b"heic", b"avif"), ""),
        (grey_jpeg(0xC1, 12), "jpeg_rare"),
        (grey_jpeg(0xC3, 16), "jpeg_rare"),
        (grey_jpeg(0xC5, 8), "jpeg_rare"),
        (encode(Image.new("RGB", (32, 32)), icc_profile=b"a" * 2_000_000), "profil_png"),
        (b"\xff\xd8\xff\xe0", ""),
        (b"\x89PNG\r\n\x1a\n", ""),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x09iCCPabc\0\0none", ""),
        (b"text", ""),
    ],
)
def test_a_file_that_people_have_is_told_by_its_name(given, reason):
    with pytest.raises(ImageError) as refused:
        images.decode(given)

    assert (refused.value.code, refused.value.reason) == ("format_non_pris_en_charge", reason)


def test_a_profile_of_a_megabyte_in_a_png_is_not_out_of_proportion():
    fit = encode(Image.fromarray(DRAWN), icc_profile=b"a" * 1_000_000)

    assert np.array_equal(images.decode(fit), DRAWN)


# The photos that models learned from


def prep_v1(data, size):
    """Prepare a photo as the former recipe did, written plainly."""
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG":
            image.draft(None, (2 * size, 2 * size))
        rgb = image.convert("RGB")
    bicubic = Image.Resampling.BICUBIC
    return np.asarray(rgb.resize((size, rgb.height), bicubic).resize((size, size), bicubic))


def same(data):
    return np.array_equal(images.preprocess(data, 128), prep_v1(data, 128))


def test_every_drawn_photo_has_the_pixels_of_prep_v1(demo_catalog):
    names = demo_catalog.products.image.tolist()

    kept = [same(demo_catalog.path(name).read_bytes()) for name in names]

    assert len(kept) > 20 and all(kept)


def test_every_photo_of_the_data_set_has_the_pixels_of_prep_v1(shared):
    with zipfile.ZipFile(shared / "flipkart" / "flipkart-320.zip") as archive:
        photos = [name for name in archive.namelist() if name.endswith(".jpg")]
        moved = [name for name in photos if not same(archive.read(name))]

    assert len(photos) > 1000 and moved == []
