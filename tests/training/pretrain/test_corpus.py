"""A corpus is decoded once, whole, from either of its sources, or not at all."""

import hashlib
import io
import shutil
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import CLASSES, SIDE, SIZES, drawn, write_packed

from vitrine.data.archive import ArchiveError
from vitrine.training.pretrain import CorpusError, load, sources


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_):
        """Say nothing."""


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def address(tiny_imagenet):
    """Return where the archive is served from."""
    handler = partial(Quiet, directory=tiny_imagenet.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{tiny_imagenet.name}"
        server.shutdown()


def test_packed_files_become_the_images_and_labels_that_were_packed(corpus):
    for seed, part in enumerate(SIZES):
        images, labels = drawn(seed, SIZES[part])

        np.testing.assert_array_equal(corpus.pixels(part), images)
        np.testing.assert_array_equal(corpus.labels(part), labels)
    assert isinstance(corpus.pixels("train"), np.memmap)
    assert corpus.classes == tuple(f"class {k}" for k in range(CLASSES))


def test_tiny_imagenet_is_read_from_its_archive_with_its_two_ways_of_labelling(
    tiny_imagenet, tmp_path
):
    corpus = sources.obtain(tiny_imagenet, tmp_path, md5=md5(tiny_imagenet))

    assert corpus.classes == tuple(f"class n{k:03}" for k in range(CLASSES))
    for seed, part in enumerate(SIZES):
        images, _ = drawn(seed, SIZES[part])
        assert corpus.pixels(part).shape == (SIZES[part], SIDE, SIDE, 3)
        for pixels, label in zip(corpus.pixels(part), corpus.labels(part), strict=True):
            if (pixels == pixels[..., :1]).all():
                continue  # the grey one has no hue to tell it by
            distance = np.abs(pixels.astype(int) - images).mean(axis=(1, 2, 3))
            assert distance.argmin() % CLASSES == label
    grey = [image for image in corpus.pixels("train") if (image == image[..., :1]).all()]
    assert len(grey) == 1


def test_an_archive_is_downloaded_checked_decoded_and_not_kept(tiny_imagenet, address, tmp_path):
    corpus = sources.obtain(address, tmp_path, md5=md5(tiny_imagenet))

    assert corpus.receipt.source == address
    assert corpus.receipt.archive_sha256 == hashlib.sha256(tiny_imagenet.read_bytes()).hexdigest()
    assert not list(tmp_path.glob("archive.part*"))


def test_another_archive_than_tiny_imagenet_is_refused(tiny_imagenet, tmp_path):
    with pytest.raises(CorpusError, match="of MD5 90528d7ca1.*, found") as refused:
        sources.obtain(tiny_imagenet, tmp_path)

    assert refused.value.exit_code == 3


def test_another_archive_at_an_address_is_not_kept(address, tmp_path):
    with pytest.raises(CorpusError, match="of MD5 90528d7ca1"):
        sources.obtain(address, tmp_path)

    assert not list(tmp_path.glob("archive.part*"))


def test_a_local_archive_leaves_the_beginning_of_a_download_as_it_is(tiny_imagenet, tmp_path):
    begun = tmp_path / "archive.part"
    begun.write_bytes(b"begun")

    with pytest.raises(CorpusError, match="of MD5 90528d7ca1"):
        sources.obtain(tiny_imagenet, tmp_path)
    sources.obtain(tiny_imagenet, tmp_path, md5=md5(tiny_imagenet))

    assert begun.read_bytes() == b"begun"


def test_a_corpus_is_decoded_once(packed, corpus, monkeypatch):
    monkeypatch.setattr(sources.images, "decode", lambda _: pytest.fail("decoded again"))

    again = sources.obtain(packed, corpus.folder)
    default = sources.obtain(None, corpus.folder)

    assert again.receipt == default.receipt == corpus.receipt
    assert again.facts()["sha256"] == corpus.receipt.manifest_sha256
    assert again.facts()["train"] == SIZES["train"]


def test_a_corpus_that_changed_since_is_refused(corpus, tmp_path):
    shutil.copytree(corpus.folder, tmp_path / "copy")
    labels = tmp_path / "copy" / "train-labels.npy"
    labels.write_bytes(labels.read_bytes() + b"\0")

    with pytest.raises(CorpusError, match="found .*train-labels.npy: .* instead of") as refused:
        load(tmp_path / "copy")

    assert refused.value.exit_code == 3


def test_a_folder_without_a_corpus_says_how_to_get_one(tmp_path):
    with pytest.raises(CorpusError, match="found none; run `vitrine data corpus`"):
        load(tmp_path)


def damaged(packed, folder, **changes):
    shutil.copytree(packed, folder)
    with np.load(packed / "val.npz") as arrays:
        np.savez(folder / "val.npz", **(dict(arrays) | changes))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": np.full(SIZES["validation"], CLASSES, np.uint8)},
            "offsets and labels that fit",
        ),
        ({"labels": np.full(SIZES["validation"], -1, np.int8)}, "offsets and labels that fit"),
        ({"labels": np.zeros(3, np.uint8)}, "offsets and labels that fit one another in val.npz"),
        ({"data": np.zeros(10, np.uint8)}, "offsets and labels that fit one another in val.npz"),
    ],
)
def test_packed_files_that_contradict_themselves_are_refused(packed, tmp_path, changes, message):
    source = damaged(packed, tmp_path / "source", **changes)

    with pytest.raises(CorpusError, match=message) as refused:
        sources.obtain(source, tmp_path / "data")

    assert refused.value.exit_code == 2


def unclosed(path):
    """Return arrays of which one has a header that opens a bracket too many."""
    target = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(target, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name).replace(b"(18,)", b"(18,("))
    return target.getvalue()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda path: b"", "EOFError: No data"),
        (lambda path: b"<html>", "ValueError: "),
        (lambda path: path.read_bytes()[:-100], "BadZipFile: File is not a zip file"),
        (unclosed, "TokenError: "),
    ],
)
def test_a_damaged_packed_file_is_named(packed, tmp_path, damage, found):
    source = tmp_path / "source"
    shutil.copytree(packed, source)
    (source / "val.npz").write_bytes(damage(packed / "val.npz"))

    with pytest.raises(CorpusError, match=f"labels in val.npz, found .*{found}") as refused:
        sources.obtain(source, tmp_path / "data")

    assert refused.value.exit_code == 2


@pytest.mark.parametrize("place", [0, 4])
def test_a_damaged_image_is_refused_and_leaves_the_former_corpus_whole(packed, tmp_path, place):
    before = sources.obtain(packed, tmp_path / "data")
    with np.load(packed / "val.npz") as arrays:
        data = arrays["data"].copy()
        data[arrays["offsets"][place] : arrays["offsets"][place + 1]] = 0
    source = damaged(packed, tmp_path / "source", data=data)

    with pytest.raises(CorpusError, match=f"a readable image {place} in the part validation"):
        sources.obtain(source, tmp_path / "data")

    assert load(tmp_path / "data").receipt == before.receipt
    assert not (tmp_path / "data" / ".decoding").exists()


def test_a_damaged_image_in_a_sound_archive_is_not_blamed_on_the_archive(tiny_imagenet, tmp_path):
    path = tmp_path / "tiny.zip"
    with zipfile.ZipFile(tiny_imagenet) as whole, zipfile.ZipFile(path, "w") as archive:
        for name in whole.namelist():
            first = name.endswith("/n000_0.JPEG")
            archive.writestr(name, b"no image" if first else whole.read(name))

    with pytest.raises(CorpusError, match="a readable image 0 in the part train, found one that"):
        sources.obtain(path, tmp_path / "data", md5=md5(path))


def test_a_disk_that_fills_while_decoding_is_told_and_leaves_the_former_corpus_whole(
    packed, tmp_path, monkeypatch
):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    before = sources.obtain(packed, tmp_path / "data")
    source, opened = damaged(packed, tmp_path / "source"), Path.open

    def full(path, mode="r", **options):
        decoding = mode == "wb" and path.name == "train.npy"
        return opened(Path("/dev/full") if decoding else path, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ArchiveError, match="expected 147,456 free bytes on the disk of"):
        sources.obtain(source, tmp_path / "data")

    assert load(tmp_path / "data").receipt == before.receipt
    assert not (tmp_path / "data" / ".decoding").exists()


def test_images_of_two_sizes_are_refused(packed, tmp_path):
    source = damaged(packed, tmp_path / "source")
    images, labels = drawn(2, 12)
    (source / "train-1.npz").unlink()
    write_packed(source, "train-2.npz", images[:, :24, :24], labels)

    with pytest.raises(CorpusError, match="images of 32 x 32 pixels in the part train, .* 24 x 24"):
        sources.obtain(source, tmp_path / "data")


def test_a_folder_of_something_else_and_a_web_page_are_refused_in_a_sentence(tmp_path):
    page = tmp_path / "page.zip"
    page.write_text("<html>")
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(CorpusError, match=r"expected train-\*.npz, val.npz and classes.json in em"):
        sources.obtain(empty, tmp_path / "data")
    with pytest.raises(ArchiveError, match="it is an HTML page"):
        sources.obtain(page, tmp_path / "data", md5=md5(page))


def test_a_bomb_is_refused_before_anything_is_read(tiny_imagenet, tmp_path):
    bomb = tmp_path / "bomb.zip"
    shutil.copy(tiny_imagenet, bomb)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny-imagenet-200/train/n000/images/x.JPEG", bytes(3_000_000))

    with pytest.raises(ArchiveError, match="found a bomb"):
        sources.obtain(bomb, tmp_path / "data", md5=md5(bomb))


def test_the_shared_corpus_holds_what_its_description_says(shared):
    source = shared / "pretrain"
    if not source.is_dir():
        pytest.skip("the shared folder holds no pretraining corpus")

    classes, parts, _ = sources._packed(source)

    counts = {part: np.bincount([label for _, label in images]) for part, images in parts.items()}
    assert len(classes) == 200
    assert (counts["train"] == 300).all()
    assert (counts["validation"] == 50).all()
    for images in parts.values():
        assert sources.images.decode(images[-1][0]()).shape == (64, 64, 3)
