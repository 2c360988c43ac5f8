"""Fetching the data set: what arrives is whole and verified, or nothing changes."""

import csv
import errno
import hashlib
import io
import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import tenacity

from vitrine import paths
from vitrine.data import archive
from vitrine.data.archive import ArchiveError, Edition, download, unzip

TABLE = "Flipkart/flipkart_com-ecommerce_sample_1050.csv"
ACCENTED, DECOMPOSED = "th\u00e9i\u00e8re.jpg", "the\u0301ie\u0300re.jpg"
noise = random.Random(0)
CONTENT = {
    TABLE: b"uniq_id,image\n1,a.jpg\n" * 90,
    "Flipkart/Images/a.jpg": noise.randbytes(40_000),
    "Flipkart/Images/b.jpg": noise.randbytes(9_000),
    f"Flipkart/Images/{DECOMPOSED}": noise.randbytes(3_000),
}
SMALL = {TABLE: CONTENT[TABLE], "Flipkart/Images/a.jpg": b"reduced"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            file.writestr(name, data)
    return target.getvalue()


def zipped_with(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    return zipped(*CONTENT.items(), *entries)


def listing(folder: Path) -> dict[str, bytes]:
    """Every file under a folder but the lock, so that a leftover shows."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def editions(tmp_path):
    def written(name, content):
        manifest = tmp_path / f"{name}.csv"
        with manifest.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["image", "sha256", "bytes", "width", "height"])
            for path, data in content.items():
                if path != TABLE:
                    image = Path(path).name.replace(DECOMPOSED, ACCENTED)
                    rows.writerow([image, sha256(data), len(data), "", ""])
        return Edition(manifest=manifest, table_sha256=sha256(content[TABLE]))

    return {"full": written("full", CONTENT), "small": written("small", SMALL)}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.zip"
    path.write_bytes(zipped(*CONTENT.items()))
    return path


@pytest.fixture
def installed(folder, editions, good):
    archive.fetch(good, folder, editions=editions)
    return folder


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(httpx, "Client", refuse)


# --- a local archive -------------------------------------------------------------------------


def test_a_local_archive_becomes_a_verified_tree_with_its_receipt(folder, editions, good, offline):
    receipt = archive.fetch(good, folder, editions=editions)

    files = listing(folder)
    written = json.loads(files.pop("receipt.json"))
    assert files == {
        "dataset.csv": CONTENT[TABLE],
        "images/a.jpg": CONTENT["Flipkart/Images/a.jpg"],
        "images/b.jpg": CONTENT["Flipkart/Images/b.jpg"],
        f"images/{ACCENTED}": CONTENT[f"Flipkart/Images/{DECOMPOSED}"],
    }
    assert receipt.edition == written["edition"] == "full"
    assert written["source"] == "good.zip"
    assert written["archive_sha256"] == sha256(good.read_bytes())
    assert written["manifest_sha256"] == sha256(editions["full"].manifest.read_bytes())
    dates = {name: (folder / name).stat() for name in files}
    assert written["files"] == {n: [s.st_size, s.st_mtime_ns] for n, s in dates.items()}


def test_an_edition_is_recognised_by_its_hashes_whatever_the_archive_is_called(
    tmp_path, folder, editions
):
    misnamed = tmp_path / "full.zip"
    misnamed.write_bytes(zipped(*SMALL.items()))

    assert archive.fetch(misnamed, folder, editions=editions).edition == "small"


def test_only_the_three_names_of_the_data_set_are_replaced(folder, editions, good):
    (folder / "splits").mkdir(parents=True)
    (folder / "splits/published.csv").write_text("kept")
    (folder / "images").mkdir()
    (folder / "images/stale.jpg").write_text("replaced")

    archive.fetch(good, folder, editions=editions)

    assert (folder / "splits/published.csv").read_text() == "kept"
    assert not (folder / "images/stale.jpg").exists()
    assert {path.name for path in folder.iterdir()} <= {
        *("splits", "images", "dataset.csv", "receipt.json", ".lock")
    }


@pytest.mark.parametrize("again", [None, "good.zip"])
def test_a_second_run_neither_hashes_the_tree_nor_writes_nor_uses_the_network(
    again, tmp_path, installed, editions, offline, monkeypatch
):
    def refuse(*args, **kwargs):
        raise AssertionError("work was done twice")

    monkeypatch.setattr(archive.receipts, "hashes", refuse)
    monkeypatch.setattr(archive, "locked", refuse)
    before = {path: path.stat() for path in installed.rglob("*")}

    receipt = archive.fetch(again and tmp_path / again, installed, editions=editions)

    assert receipt == archive.status(installed)
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*")} == {
        path: found.st_mtime_ns for path, found in before.items()
    }


def test_another_archive_replaces_the_present_edition(tmp_path, installed, editions):
    reduced = tmp_path / "reduced.zip"
    reduced.write_bytes(zipped(*SMALL.items()))

    receipt = archive.fetch(reduced, installed, editions=editions)

    assert receipt.edition == archive.status(installed).edition == "small"
    assert [path.name for path in (installed / "images").iterdir()] == ["a.jpg"]


def test_a_file_whose_date_alone_changed_is_hashed_and_kept(installed, editions, offline):
    os.utime(installed / "images/a.jpg", ns=(1, 1))
    inode = (installed / "images/a.jpg").stat().st_ino

    receipt = archive.fetch(None, installed, editions=editions)

    assert receipt.files["images/a.jpg"] == (40_000, 1)
    assert (installed / "images/a.jpg").stat().st_ino == inode
    assert archive.status(installed) == receipt


def test_a_damaged_tree_is_reported_by_status_and_mended_by_fetch(installed, editions, good):
    (installed / "images/a.jpg").write_bytes(b"short")
    (installed / "images/b.jpg").unlink()

    with pytest.raises(ArchiveError, match=r"a\.jpg \(5 bytes instead of 40000\)") as caught:
        archive.status(installed)
    archive.fetch(good, installed, editions=editions)

    assert caught.value.exit_code == 3
    assert caught.value.files == ("images/a.jpg", "images/b.jpg")
    assert archive.verify(installed, editions=editions) == archive.status(installed)


def test_verify_finds_the_alteration_that_size_and_date_hide(installed, editions):
    victim = installed / "images/a.jpg"
    before, true = victim.stat(), sha256(victim.read_bytes())
    altered = victim.read_bytes()[:-1] + b"!"
    victim.write_bytes(altered)
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert archive.status(installed) is not None
    with pytest.raises(ArchiveError, match=f"{sha256(altered)} instead of {true}") as caught:
        archive.verify(installed, editions=editions)

    assert (caught.value.exit_code, caught.value.files) == (3, ("images/a.jpg",))
    with pytest.raises(ArchiveError, match=r"images/a\.jpg \(another date\)"):
        archive.status(installed)  # nobody trains on it, and the next fetch repairs it


def test_a_fetch_repairs_what_a_verification_found(installed, editions, good):
    victim = installed / "images/a.jpg"
    before, whole = victim.stat(), victim.read_bytes()
    victim.write_bytes(whole[:-1] + b"!")
    os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArchiveError):
        archive.verify(installed, editions=editions)

    archive.fetch(good, installed, editions=editions)

    assert victim.read_bytes() == whole
    assert archive.verify(installed, editions=editions) == archive.status(installed)


def test_verify_writes_nothing_where_nothing_changed(installed, editions, monkeypatch):
    def refuse(*args):
        raise AssertionError("the receipt was written again")

    monkeypatch.setattr(archive.Receipt, "write", refuse)

    assert archive.verify(installed, editions=editions) == archive.status(installed)


def test_verify_lists_every_file_and_shows_the_first_ones(installed, editions):
    shutil.rmtree(installed / "images")
    (installed / "dataset.csv").unlink()

    with pytest.raises(ArchiveError, match=r"4 not as recorded: .*, 1 more; fetch") as caught:
        archive.verify(installed, editions=editions)

    assert len(caught.value.files) == 4


def test_a_manifest_that_changed_is_compared_again_with_the_tree(installed, editions, good):
    manifest = editions["full"].manifest
    manifest.write_text(manifest.read_text() + "\n")

    receipt = archive.fetch(None, installed, editions=editions)

    assert receipt.manifest_sha256 == sha256(manifest.read_bytes())


def test_an_empty_folder_has_no_status_and_cannot_be_verified(tmp_path, editions):
    assert archive.status(tmp_path) is None
    with pytest.raises(ArchiveError, match=r"found no receipt\.json; fetch it first"):
        archive.verify(tmp_path, editions=editions)


def test_verify_refuses_an_edition_without_manifest(installed, editions):
    with pytest.raises(ArchiveError, match=r"\['small'\].*found 'full'") as caught:
        archive.verify(installed, editions={"small": editions["small"]})

    assert caught.value.exit_code == 2


def test_an_unreadable_receipt_is_said_and_replaced(installed, editions, good):
    (installed / "receipt.json").write_text("[]")

    with pytest.raises(ArchiveError, match="expected a receipt") as caught:
        archive.status(installed)
    archive.fetch(good, installed, editions=editions)

    assert caught.value.exit_code == 3
    assert archive.status(installed).edition == "full"


def test_a_receipt_written_by_another_module_may_hold_more_and_know_no_archive(installed):
    path = installed / "receipt.json"
    fields = {**json.loads(path.read_text()), "seed": 0}
    del fields["archive_sha256"]
    path.write_text(json.dumps(fields))

    assert archive.status(installed).edition == "full"


@pytest.mark.parametrize("manifest", [None, "image,bytes\na.jpg,1\n", "image,sha256\na.jpg\n"])
def test_a_lost_or_broken_manifest_is_said_before_any_download(manifest, folder, editions, offline):
    editions["small"].manifest.unlink()
    if manifest is not None:
        editions["small"].manifest.write_text(manifest)
        editions = {"small": Edition(manifest=editions["small"].manifest)}

    with pytest.raises(ArchiveError, match=r"expected a manifest.*small\.csv") as caught:
        archive.fetch(None, folder, editions=editions)

    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ftp://127.0.0.1/a.zip", "expected an http or https address"),
        ("http://[half/a.zip", "expected an http or https address"),
        ("http:///a.zip", "expected an http or https address"),
        ("http://127.0.0.1:port/a.zip", "expected an http or https address"),
        ("http://127.0.0.1\n/a.zip", "expected an http or https address"),
        ("nowhere/a.zip", "found no such file"),
        (Path(), "found a folder"),
    ],
)
def test_a_source_that_cannot_be_one_is_bad_input(source, message, folder, editions):
    with pytest.raises(ArchiveError, match=message) as caught:
        archive.fetch(source, folder, editions=editions)

    assert caught.value.exit_code == 2


def test_a_second_process_is_turned_away_while_the_first_is_at_work(folder, editions, good):
    folder.mkdir()
    hold = (
        "import sys, filelock\n"
        f"with filelock.FileLock({str(folder / '.lock')!r}):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", hold], **pipes) as other:
        assert other.stdout.readline() == "held\n"

        with pytest.raises(ArchiveError, match="another process") as caught:
            archive.fetch(good, folder, editions=editions)
        other.communicate("")

    assert caught.value.exit_code == 1
    assert archive.fetch(good, folder, editions=editions).edition == "full"


# --- interrupted, or out of disk ---------------------------------------------------------------


def test_an_interrupted_unpacking_leaves_the_last_good_tree(
    tmp_path, installed, editions, monkeypatch
):
    def interrupt(*args):
        raise KeyboardInterrupt

    before = listing(installed)
    (tmp_path / "new.zip").write_bytes(zipped(*SMALL.items()))
    monkeypatch.setattr(archive.receipts, "recognise", interrupt)

    with pytest.raises(KeyboardInterrupt):
        archive.fetch(tmp_path / "new.zip", installed, editions=editions)

    assert listing(installed) == before
    assert archive.status(installed).edition == "full"


@pytest.mark.parametrize("steps", range(4))
def test_a_run_killed_between_two_renames_is_finished_by_the_next_one_offline(
    steps, tmp_path, installed, editions, offline, monkeypatch
):
    class Killed(BaseException):
        pass

    def killed_after(method):
        def renamed(path, target):
            nonlocal steps
            if steps == 0:
                raise Killed
            steps -= 1
            return method(path, target)

        return renamed

    new = tmp_path / "new.zip"
    new.write_bytes(zipped(*SMALL.items()))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed_after(Path.rename))
        patch.setattr(Path, "replace", killed_after(Path.replace))
        with pytest.raises(Killed):
            archive.fetch(new, installed, editions=editions)
    receipt = archive.Receipt.read(installed)
    assert receipt is None or not receipt.changed(installed)

    receipt = archive.fetch(new, installed, editions=editions)

    assert receipt.edition == "small"
    assert sorted(listing(installed)) == ["dataset.csv", "images/a.jpg", "receipt.json"]
    assert archive.verify(installed, editions=editions) == receipt


def test_leftovers_of_a_killed_unpacking_are_swept(folder, editions, good):
    (folder / ".incoming/images").mkdir(parents=True)
    (folder / ".incoming/images/half.jpg").write_text("half")

    archive.fetch(good, folder, editions=editions)

    assert not (folder / ".incoming").exists()
    assert not (folder / "images/half.jpg").exists()


class FullDisk(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk(monkeypatch, name):
    """Make every write to a file whose path holds ``name`` fail as on a full disk."""
    open_ = Path.open

    def opened(path, mode="r", *args, **kwargs):
        file = open_(path, mode, *args, **kwargs)
        if name not in str(path) or mode not in ("wb", "xb", "ab"):
            return file
        file.close()
        return FullDisk()

    monkeypatch.setattr(Path, "open", opened)


def test_a_disk_that_fills_while_unpacking_leaves_the_tree_and_says_the_sizes(
    tmp_path, installed, editions, monkeypatch
):
    before = listing(installed)
    (tmp_path / "new.zip").write_bytes(zipped(*SMALL.items()))
    full_disk(monkeypatch, ".incoming")

    with pytest.raises(
        ArchiveError, match=r"expected 1,987 free bytes .*, found .* free"
    ) as caught:
        archive.fetch(tmp_path / "new.zip", installed, editions=editions)

    monkeypatch.undo()
    assert caught.value.exit_code == 1
    assert listing(installed) == before


def test_what_the_disk_cannot_hold_is_not_begun(folder, editions, good, monkeypatch):
    usage = shutil.disk_usage(folder.parent)
    needed = sum(map(len, CONTENT.values()))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=needed - 1))

    with pytest.raises(ArchiveError, match=f"expected {needed:,} free .* found {needed - 1:,} "):
        archive.fetch(good, folder, editions=editions)

    assert listing(folder) == {}


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(folder, editions, good, monkeypatch):
    def forbidden(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(ArchiveError, match="found it read-only") as caught:
        archive.fetch(good, folder, editions=editions)

    assert caught.value.exit_code == 1


# --- hostile archives --------------------------------------------------------------------------


def entry(name="Flipkart/Images/x.jpg", *, mode=None, **fields):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    if mode is not None:
        info.external_attr = mode << 16
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def announcing(index, **fields):
    """The good archive whose table of contents lies about one entry."""
    target = io.BytesIO(zipped(*CONTENT.items()))
    with zipfile.ZipFile(target, "a") as file:
        for field, value in fields.items():
            setattr(file.filelist[index], field, value)
        file._didModify = True
    return target.getvalue()


def with_flag(bit):
    """The good archive with a general purpose flag raised for its first entry, in both places."""
    data = bytearray(zipped(*CONTENT.items()))
    data[6] |= bit
    data[data.index(b"PK\x01\x02") + 8] |= bit
    return bytes(data)


def patched(offset, byte):
    """The good archive with one byte of the first entry of its table of contents replaced."""
    data = bytearray(zipped(*CONTENT.items()))
    data[data.index(b"PK\x01\x02") + offset] = byte
    return bytes(data)


def damaged():
    data = bytearray(zipped(*CONTENT.items()))
    data[data.index(CONTENT["Flipkart/Images/b.jpg"][:50]) + 20] ^= 1
    return bytes(data)


def twice(*names):
    data = zipped_with(*((f"Flipkart/Images/twi{i}.jpg", b"x") for i in range(len(names))))
    for i, name in enumerate(names):
        data = data.replace(f"Flipkart/Images/twi{i}.jpg".encode(), name.encode())
    return data


PAGE = b"\n<!DOCTYPE html><html><title>403 Forbidden</title></html>"
WHOLE = zipped(*CONTENT.items())
HOSTILE = {
    "parent": (zipped_with(("../../evil.jpg", b"x")), "stay inside"),
    "parent in the middle": (zipped_with(("Flipkart/Images/../../../e.jpg", b"x")), "stay inside"),
    "root": (zipped_with(("/etc/x", b"x")), "stay inside"),
    "drive": (zipped_with(("C:/x", b"x")), "stay inside"),
    "backslash": (zipped_with((entry("..\\..\\x"), b"x")), "stay inside"),
    "danger among the skipped": (zipped_with(("__MACOSX/../../x", b"x")), "stay inside"),
    "nul": (
        zipped_with(("Flipkart/Images/x.jpg~.exe", b"x")).replace(b"jpg~", b"jpg\0"),
        "without a NUL",
    ),
    "link": (zipped_with((entry(mode=stat.S_IFLNK | 0o777), b"/etc/passwd")), "special file"),
    "fifo": (zipped_with((entry(mode=stat.S_IFIFO | 0o644), b"")), "special file"),
    "device": (zipped_with((entry(mode=stat.S_IFCHR | 0o644), b"")), "special file"),
    "encrypted": (with_flag(1), "no password"),
    "unknown method": (announcing(1, compress_type=99), "method 99"),
    "bomb": (zipped_with(("Flipkart/zeros.bin", bytes(3_000_000))), "at most 200 times"),
    "600 MB": (
        announcing(1, file_size=600_000_000, compress_size=500_000_000),
        "600,0.* announced",
    ),
    "20 000 entries": (
        zipped_with(*((f"Flipkart/{i}", b"") for i in range(20_000))),
        "at most 5000 entries",
    ),
    "nested": (zipped_with(("Flipkart/more.ZIP", b"PK")), "no archive inside"),
    "twice": (twice("Flipkart/Images/twin.jpg", "Flipkart/Images/twin.jpg"), "each name once"),
    "twice but for case": (
        zipped_with(("Flipkart/Images/A.jpg", b"x")),
        "each name once",
    ),
    "twice but for the accent": (
        zipped_with((f"Flipkart/Images/{ACCENTED}", b"x")),
        "each name once",
    ),
    "twice through folders": (zipped_with(("top/Flipkart/Images/a.jpg", b"x")), "each file once"),
    "announced too small": (announcing(1, file_size=39_999), "damaged archive"),
    "announced too large": (announcing(0, file_size=2_100), "another size"),
    "crc": (damaged(), "damaged archive"),
    "truncated": (WHOLE[: len(WHOLE) // 2], "damaged archive"),
    "cut in a stored entry": (
        announcing(3, compress_type=0, compress_size=10**6, file_size=10**6),
        "damaged archive",
    ),
    "outside the file": (announcing(1, header_offset=2**62), "damaged archive"),
    "of a future version": (patched(6, 0xFF), "damaged archive"),
    "named in no encoding": (
        WHOLE.replace(DECOMPOSED.encode(), b"\xff" * len(DECOMPOSED.encode())),
        "damaged archive",
    ),
    "html": (PAGE, "HTML page"),
    "text": (b"hello", "unreadable archive"),
    "0 byte": (b"", "an empty file"),
    "empty zip": (zipped(), "0 image"),
    "no image": (zipped((TABLE, CONTENT[TABLE]), ("Flipkart/Images/a.png", b"x")), "0 image"),
    "no table": (zipped(("Flipkart/Images/a.jpg", b"x")), "expected the table"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_broken_archive_is_refused_in_one_sentence_and_nothing_changes(
    case, tmp_path, installed, editions
):
    data, message = HOSTILE[case]
    (tmp_path / "hostile.zip").write_bytes(data)
    before = listing(tmp_path)

    with pytest.raises(ArchiveError, match=message) as caught:
        archive.fetch(tmp_path / "hostile.zip", installed, editions=editions)

    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert listing(tmp_path) == before
    assert not (tmp_path.parent / "evil.jpg").exists()


def test_an_entry_that_yields_more_than_it_announced_is_cut(
    tmp_path, folder, editions, good, monkeypatch
):
    taken = []

    def endless(*args):
        while True:
            taken.append(1)
            yield bytes(10_000)

    monkeypatch.setattr(unzip, "_chunks", endless)

    with pytest.raises(ArchiveError, match="another size"):
        archive.fetch(good, folder, editions=editions)

    assert len(taken) == 1


def test_what_is_neither_image_nor_table_is_skipped(tmp_path, folder, editions):
    extra = [
        "__MACOSX/Flipkart/Images/._a.jpg",
        "__MACOSX/Flipkart/Images/fork.jpg",
        "Flipkart/Images/folder.jpg/",
        "Flipkart/Images/._b.jpg",
        "Flipkart/Images/.DS_Store",
        "Flipkart/Images/Thumbs.db",
        "Flipkart/pre\u0301traitement.ipynb",
        "cover.jpg",
        "Icon\r",
        "Flipkart/Images/",
    ]
    (tmp_path / "extra.zip").write_bytes(zipped_with(*((name, b"") for name in extra)))

    assert archive.fetch(tmp_path / "extra.zip", folder, editions=editions).edition == "full"

    assert len(listing(folder)) == len(CONTENT) + 1


def test_a_manifest_with_decomposed_names_describes_the_same_files(folder, editions, good):
    manifest = editions["full"].manifest
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(ACCENTED, DECOMPOSED), encoding="utf-8")

    assert archive.fetch(good, folder, editions=editions).edition == "full"


def test_a_name_in_utf8_without_the_flag_is_understood(tmp_path, folder, editions):
    data = bytearray(zipped(*CONTENT.items()))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset + 1] &= ~0x08
    (tmp_path / "mac.zip").write_bytes(data)

    archive.fetch(tmp_path / "mac.zip", folder, editions=editions)

    assert (folder / "images" / ACCENTED).is_file()


def test_no_flipped_byte_can_do_worse_than_a_clear_error(tmp_path, folder, editions):
    draw = random.Random(0)
    whole = zipped(*SMALL.items())
    refused = 0

    for _ in range(120):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        (tmp_path / "flipped.zip").write_bytes(data)
        try:
            archive.fetch(tmp_path / "flipped.zip", folder, editions=editions)
        except ArchiveError as error:
            assert error.exit_code in (2, 3)
            refused += 1

    assert refused > 80
    assert {name.partition("/")[0] for name in listing(folder)} <= {
        *("images", "dataset.csv", "receipt.json")
    }


def test_an_archive_that_differs_from_its_manifest_is_refused_with_both_digests(
    tmp_path, installed, editions
):
    other = {**CONTENT, "Flipkart/Images/b.jpg": b"other", "Flipkart/Images/c.jpg": b"more"}
    (tmp_path / "other.zip").write_bytes(zipped(*other.items()))
    before = listing(installed)
    digests = f"{sha256(b'other')} instead of {sha256(CONTENT['Flipkart/Images/b.jpg'])}"

    with pytest.raises(ArchiveError, match=rf"{digests}.*c\.jpg \(not in the man") as caught:
        archive.fetch(tmp_path / "other.zip", installed, editions=editions)

    assert caught.value.exit_code == 3
    assert caught.value.files == ("images/b.jpg", "images/c.jpg")
    assert listing(installed) == before


def test_another_table_is_refused_too(tmp_path, folder, editions):
    (tmp_path / "other.zip").write_bytes(zipped(*{**CONTENT, TABLE: b"other"}.items()))

    with pytest.raises(ArchiveError, match=r"dataset\.csv \(SHA-256") as caught:
        archive.fetch(tmp_path / "other.zip", folder, editions=editions)

    assert caught.value.exit_code == 3


# --- over HTTP -----------------------------------------------------------------------------------


class Site:
    """One file on a local server whose manners a test chooses.

    Attributes:
        cuts: For each of the next answers, after how many bytes the connection is closed.
        statuses: For each of the next answers, a status to give instead of the file.
    """

    def __init__(self, data):
        self.data = data
        self.etag, self.last_modified = '"one"', "Mon, 01 Jan 2024 00:00:00 GMT"
        self.ranges = self.checks_if_range = True
        self.announces_length = True
        self.shift = 0
        self.content_type = "application/zip"
        self.cuts, self.statuses, self.requests = [], [], []

    def answer(self, request):
        asked = request.headers.get("Range", "")
        self.requests.append((asked, request.headers.get("If-Range")))
        if self.statuses:
            return self.send(request, self.statuses.pop(0), PAGE, {"Content-Type": "text/html"})
        current = request.headers.get("If-Range") in (None, self.etag or self.last_modified)
        if not (asked and self.ranges and (current or not self.checks_if_range)):
            return self.send(request, 200, self.data, {})
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) + self.shift
        if start >= len(self.data):
            return self.send(request, 416, b"", {"Content-Range": f"bytes */{len(self.data)}"})
        span = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        return self.send(request, 206, self.data[start:], {"Content-Range": span})

    def send(self, request, status, body, headers):
        request.send_response(status)
        given = {"Content-Type": self.content_type, "ETag": self.etag}
        given |= {"Last-Modified": self.last_modified, **headers}
        if self.announces_length:
            given["Content-Length"] = str(len(body))
        for name, value in given.items():
            if value:
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)
        request.close_connection = True


@pytest.fixture
def site(monkeypatch):
    site = Site(WHOLE)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            site.answer(self)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "WAIT", tenacity.wait_none())
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.address = f"http://127.0.0.1:{server.server_port}/pre%CC%81.zip"
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def begun(site, folder, editions, monkeypatch):
    """A download that was cut after 40 % and gave up."""
    have = len(WHOLE) * 2 // 5
    site.cuts = [have]
    with monkeypatch.context() as patch:
        patch.setattr(download, "ATTEMPTS", 1)
        with pytest.raises(ArchiveError, match=f"the {have:,} bytes already here are kept"):
            archive.fetch(site.address, folder, editions=editions)
    assert (folder / "archive.part").read_bytes() == WHOLE[:have]
    site.requests.clear()
    return have


def assert_complete(folder, editions):
    assert archive.verify(folder, editions=editions).edition == "full"
    assert not list(folder.glob("archive.part*"))
    assert not list(folder.glob(".i*"))


def test_the_official_address_is_the_default_and_its_receipt_holds_no_secret(
    site, folder, editions, monkeypatch
):
    monkeypatch.setattr(
        archive, "ADDRESS", site.address.replace("//", "//me:secret@") + "?signature=secret"
    )

    receipt = archive.fetch(folder=folder, editions=editions)

    assert receipt.source == site.address
    assert receipt.archive_sha256 == sha256(WHOLE)
    assert_complete(folder, editions)


def test_a_second_run_with_the_same_address_asks_nothing(site, folder, editions):
    archive.fetch(site.address, folder, editions=editions)
    site.requests.clear()

    archive.fetch(site.address, folder, editions=editions)

    assert site.requests == []


def test_a_later_run_asks_only_for_the_rest(begun, site, folder, editions):
    archive.fetch(site.address, folder, editions=editions)

    assert site.requests == [(f"bytes={begun}-", '"one"')]
    assert_complete(folder, editions)


def test_a_download_cut_twice_goes_on_within_the_same_run(site, folder, editions):
    site.cuts = [10_000, 10_000]

    archive.fetch(site.address, folder, editions=editions)

    assert [asked for asked, _ in site.requests] == ["", "bytes=10000-", "bytes=20000-"]
    assert_complete(folder, editions)


def test_a_date_serves_where_the_entity_tag_is_weak(site, folder, editions):
    site.etag, site.cuts, site.checks_if_range = 'W/"one"', [10_000], False

    archive.fetch(site.address, folder, editions=editions)

    assert site.requests[1] == ("bytes=10000-", site.last_modified)
    assert_complete(folder, editions)


def test_without_tag_nor_date_nothing_is_resumed(site, folder, editions):
    site.etag = site.last_modified = ""
    site.cuts = [10_000]

    archive.fetch(site.address, folder, editions=editions)

    assert site.requests == [("", None), ("", None)]
    assert_complete(folder, editions)


@pytest.mark.parametrize("change", ["etag", "last_modified"])
@pytest.mark.parametrize("checks", [True, False])
def test_an_archive_that_changed_meanwhile_is_taken_from_zero(
    change, checks, begun, site, folder, editions
):
    site.data = zipped(*reversed(CONTENT.items()))
    site.checks_if_range = checks
    if change == "last_modified":
        version = folder / "archive.part.json"
        version.write_text(json.dumps({**json.loads(version.read_text()), "etag": ""}))
        site.etag = ""
    setattr(site, change, '"two"' if change == "etag" else "Tue, 02 Jan 2024 00:00:00 GMT")

    receipt = archive.fetch(site.address, folder, editions=editions)

    assert receipt.archive_sha256 == sha256(site.data)
    assert_complete(folder, editions)


@pytest.mark.parametrize(
    "manner", [{"ranges": False}, {"shift": 1}, {"shift": 10**9}, {"data": WHOLE + b"longer"}]
)
def test_an_answer_that_is_not_the_rest_is_never_appended(manner, begun, site, folder, editions):
    for name, value in manner.items():
        setattr(site, name, value)

    receipt = archive.fetch(site.address, folder, editions=editions)

    assert receipt.archive_sha256 == sha256(site.data)
    assert_complete(folder, editions)


@pytest.mark.parametrize("loss", ["version", "address"])
def test_a_part_of_unknown_origin_is_thrown_away(loss, begun, site, folder, editions):
    (folder / "archive.part").write_bytes(bytes(begun))
    if loss == "version":
        (folder / "archive.part.json").unlink()
    else:
        site.address += "?other"

    archive.fetch(site.address, folder, editions=editions)

    assert site.requests == [("", None)]
    assert_complete(folder, editions)


@pytest.mark.parametrize("announced", [True, False])
def test_a_whole_download_is_not_asked_again_after_an_interrupted_unpacking(
    announced, site, folder, editions, monkeypatch
):
    def interrupt(*args):
        raise KeyboardInterrupt

    site.announces_length = announced
    with monkeypatch.context() as patch:
        patch.setattr(archive, "unpack", interrupt)
        with pytest.raises(KeyboardInterrupt):
            archive.fetch(site.address, folder, editions=editions)

    archive.fetch(site.address, folder, editions=editions)

    assert len(site.requests) == 1
    assert_complete(folder, editions)


def test_short_answers_are_retried_three_times_and_keep_what_came(site, folder, editions):
    site.cuts = [1_000, 1_000, 1_000, 1_000]

    with pytest.raises(ArchiveError, match="4 attempts failed") as caught:
        archive.fetch(site.address, folder, editions=editions)

    assert caught.value.exit_code == 1
    assert len(site.requests) == 4
    assert (folder / "archive.part").read_bytes() == WHOLE[:4_000]


def test_the_pauses_between_attempts_grow():
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    pauses = []
    for state.attempt_number in (1, 2, 3):
        pauses.append(download.WAIT(state))

    assert all(least <= pause <= least + 1 for least, pause in zip([1, 2, 4], pauses, strict=True))


def test_a_server_in_trouble_is_asked_again(site, folder, editions):
    site.statuses = [503, 429, 500]

    archive.fetch(site.address, folder, editions=editions)

    assert len(site.requests) == 4
    assert_complete(folder, editions)


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_told_at_once_and_keeps_the_part(status, begun, site, folder, editions):
    site.statuses = [status]

    with pytest.raises(ArchiveError, match=f"HTTP status {status} and an HTML page") as caught:
        archive.fetch(site.address, folder, editions=editions)

    assert caught.value.exit_code == 1
    assert len(site.requests) == 1
    assert (folder / "archive.part").read_bytes() == WHOLE[:begun]


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/zip"])
def test_a_page_in_place_of_the_archive_is_recognised(content_type, site, folder, editions):
    site.data, site.content_type = PAGE, content_type

    with pytest.raises(ArchiveError, match="unreadable.* an HTML page"):
        archive.fetch(site.address, folder, editions=editions)

    assert listing(folder) == {}


@pytest.mark.parametrize("announced", [True, False])
def test_an_archive_larger_than_any_edition_is_refused(
    announced, site, folder, editions, monkeypatch
):
    monkeypatch.setattr(download, "MAX_BYTES", len(WHOLE) - 1)
    site.announces_length = announced

    with pytest.raises(ArchiveError, match=f"at most {len(WHOLE) - 1:,} bytes") as caught:
        archive.fetch(site.address, folder, editions=editions)

    assert caught.value.exit_code == 2
    assert listing(folder) == {}


def test_a_download_with_a_wrong_digest_is_deleted(site, folder, editions):
    site.data = zipped(*{**CONTENT, "Flipkart/Images/b.jpg": b"other"}.items())

    with pytest.raises(ArchiveError, match="instead of") as caught:
        archive.fetch(site.address, folder, editions=editions)

    assert caught.value.exit_code == 3
    assert listing(folder) == {}


def test_a_hostile_download_is_deleted(site, folder, editions):
    site.data = HOSTILE["parent"][0]

    with pytest.raises(ArchiveError, match="stay inside"):
        archive.fetch(site.address, folder, editions=editions)

    assert listing(folder) == {}


def test_a_disk_that_fills_while_downloading_is_given_back_its_room(
    begun, site, folder, editions, monkeypatch
):
    full_disk(monkeypatch, "archive.part")

    with pytest.raises(ArchiveError, match=r"expected [\d,]+ free bytes .* found") as caught:
        archive.fetch(site.address, folder, editions=editions)

    assert caught.value.exit_code == 1
    assert listing(folder) == {}


def test_a_disk_that_fills_while_unpacking_keeps_the_download(site, folder, editions, monkeypatch):
    with monkeypatch.context() as patch:
        full_disk(patch, ".incoming")
        with pytest.raises(ArchiveError, match="make room"):
            archive.fetch(site.address, folder, editions=editions)

    archive.fetch(site.address, folder, editions=editions)

    assert len(site.requests) == 1
    assert_complete(folder, editions)


def test_a_download_the_disk_cannot_hold_is_not_begun(site, folder, editions, monkeypatch):
    usage = shutil.disk_usage(folder.parent)
    needed = 2 * len(WHOLE)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=needed - 1))

    with pytest.raises(ArchiveError, match=f"expected {needed:,} free bytes"):
        archive.fetch(site.address, folder, editions=editions)

    assert listing(folder) == {}


def test_a_redirection_to_a_file_of_this_machine_fails_at_once(folder, editions):
    asked = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ArchiveError, match="expected the archive from an http or https"):
            archive.fetch(f"http://127.0.0.1:{server.server_port}/a.zip", folder, editions=editions)
        server.shutdown()

    assert asked == ["/a.zip"]


def test_an_unreachable_server_is_said_in_a_sentence(site, folder, editions):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port

    with pytest.raises(ArchiveError, match=r"from 127\.0\.0\.1, 4 attempts failed") as caught:
        archive.fetch(f"http://127.0.0.1:{port}/a.zip", folder, editions=editions)

    assert caught.value.exit_code == 1


# --- the real data set ---------------------------------------------------------------------------


def test_the_reduced_archive_is_recognised_and_every_hash_holds(shared, tmp_path, offline):
    source = shared / "flipkart/flipkart-320.zip"

    receipt = archive.fetch(source, tmp_path)

    assert receipt.edition == "reduced-320"
    assert receipt.source == "flipkart-320.zip"
    assert receipt.archive_sha256.startswith("0b9d51c14bf8")
    assert receipt.manifest_sha256 == sha256((paths.data() / "manifest-320.csv").read_bytes())
    assert len(list((tmp_path / "images").glob("*.jpg"))) == 1047
    assert archive.fetch(None, tmp_path) == archive.verify(tmp_path) == receipt
    shutil.rmtree(tmp_path / "images")  # 36 MB that no one needs after the test


def test_the_tracked_manifests_describe_the_two_editions():
    from vitrine.data.archive.receipt import tracked

    sizes = {name: len(edition.expected()) for name, edition in tracked().items()}

    assert sizes == {"originals": 1050 + 1, "reduced-320": 1047 + 1}


def test_a_receipt_that_a_full_disk_cuts_short_leaves_the_former_one(
    installed, editions, monkeypatch
):
    former = (installed / "receipt.json").read_bytes()
    os.utime(installed / "images/a.jpg", ns=(0, 0))  # the same content: the receipt is renewed
    write = Path.write_text

    def cut(path, text, **options):
        write(path, text[: len(text) // 2], **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", cut)
    with pytest.raises(ArchiveError, match="make room"):
        archive.verify(installed, editions=editions)

    assert (installed / "receipt.json").read_bytes() == former


def test_a_small_file_that_shrinks_well_is_no_bomb(tmp_path, folder, editions):
    (tmp_path / "flat.zip").write_bytes(zipped_with(("Flipkart/flat.bin", bytes(100_000))))

    assert archive.fetch(tmp_path / "flat.zip", folder, editions=editions).edition == "full"
