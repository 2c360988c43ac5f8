"""A tiny corpus drawn by code, in the two forms that a corpus comes in."""

import json
import zipfile

import pytest
from tiny_corpus import CLASSES, SIZES, drawn, encoded, write_packed


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """Return a folder of packed files, the training part in two of them."""
    folder = tmp_path_factory.mktemp("packed")
    names = [{"wnid": f"n{k}", "name": f"class {k}"} for k in range(CLASSES)]
    (folder / "classes.json").write_text(json.dumps(names))
    images, labels = drawn(0, SIZES["train"])
    write_packed(folder, "train-0.npz", images[:30], labels[:30])
    write_packed(folder, "train-1.npz", images[30:], labels[30:])
    write_packed(folder, "val.npz", *drawn(1, SIZES["validation"]))
    return folder


@pytest.fixture(scope="session")
def tiny_imagenet(tmp_path_factory):
    """Return an archive laid out as that of Tiny ImageNet, one grey image among its colours."""
    path = tmp_path_factory.mktemp("zip") / "tiny.zip"
    wnids = [f"n{k:03}" for k in range(CLASSES)]
    with zipfile.ZipFile(path, "w") as archive:

        def add(name, content):
            archive.writestr(f"tiny-imagenet-200/{name}", content)

        add("wnids.txt", "\n".join(reversed(wnids)) + "\n")
        add("words.txt", "".join(f"{wnid}\tclass {wnid}\n" for wnid in wnids) + "n999\telse\n")
        images, labels = drawn(0, SIZES["train"])
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            image = image[..., 0] if i == 0 else image
            wnid = wnids[label]
            add(f"train/{wnid}/images/{wnid}_{i}.JPEG", encoded(image, "JPEG", quality=95))
        images, labels = drawn(1, SIZES["validation"])
        lines = []
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            add(f"val/images/val_{i}.JPEG", encoded(image, "JPEG", quality=95))
            lines.append(f"val_{i}.JPEG\t{wnids[label]}\t0\t0\t9\t9")
        add("val/val_annotations.txt", "\n".join(lines) + "\n")
        add("test/images/test_0.JPEG", encoded(images[0], "JPEG"))
    return path


@pytest.fixture(scope="session")
def corpus(packed, tmp_path_factory):
    """Return the packed corpus, decoded."""
    from vitrine.training.pretrain import sources

    return sources.obtain(packed, tmp_path_factory.mktemp("decoded"))
