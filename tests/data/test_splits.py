from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vitrine.data import catalog, dataset, duplicates, facts, splits
from vitrine.data.splits import SplitError


def test_a_class_with_too_few_images_for_three_parts_is_named(demo_catalog):
    products = demo_catalog.products
    few = products[(products.label != 3) | (products.groupby("label").cumcount() == 0)]
    alone = replace(demo_catalog, products=few.reset_index(drop=True).assign(row=range(len(few))))

    with pytest.raises(SplitError, match="for three parts, found 1 of Home Decor & Festive Needs"):
        splits.draw(alone)


def test_published_split_is_the_one_of_the_protocol():
    split = splits.load()

    sizes = split.frame.part.value_counts().to_dict()
    assert sizes == {"train": 758, "validation": 134, "test": 158}
    assert {11, 548, 696, 238, 963} <= set(split.part("test").row)
    assert split.frame.label.value_counts().tolist() == [150] * 7
    assert split.sha256 == "2de1b963e196b2b824f49397a27d3ba0ed0569455db52fcb86cde4d36ae49560"


def test_tracked_split_is_what_the_data_set_gives(shared, tmp_path):
    from vitrine.data import archive

    archive.fetch(shared / "flipkart" / "flipkart-320.zip", tmp_path)
    photos = catalog.load(tmp_path)

    drawn = splits.draw(photos)
    folds = splits.draw_folds(photos, splits.fingerprints(photos))

    assert drawn.sha256 == splits.load().sha256
    assert folds.sha256 == splits.load_folds().sha256
    assert len(photos.absent) == 3
    kept = drawn.present(photos)
    assert [len(kept.part(p)) for p in ("train", "validation", "test")] == [756, 133, 158]
    assert kept.sha256 == drawn.sha256


def test_the_test_rows_come_in_the_published_order():
    from sklearn.model_selection import train_test_split

    frame = splits.load().frame
    _, test = train_test_split(
        frame.row.to_numpy(), test_size=0.15, stratify=frame.label, random_state=314
    )

    assert test[:5].tolist() == [11, 548, 696, 238, 963]
    assert set(test) == set(splits.load().part("test").row)


def test_an_absent_image_never_moves_another(demo_catalog, demo_split):

    products = demo_catalog.products.copy()
    products.loc[3, "present"] = False
    without = replace(demo_catalog, products=products)

    drawn = splits.draw(without)

    assert drawn.sha256 == demo_split.sha256
    assert len(drawn.present(without).frame) == len(demo_split.frame) - 1


def test_every_image_is_tested_once_in_each_repetition():
    frame = splits.load_folds().frame

    for repeat in range(splits.REPEATS):
        fold = frame[f"repeat_{repeat}"]
        assert set(fold) == set(range(splits.FOLDS))
        shares = pd.crosstab(fold, frame.label)
        assert shares.to_numpy().min() >= 25


def test_duplicates_stay_in_one_fold():
    frame = splits.load_folds().frame.set_index("image")
    pairs = pd.read_csv(splits.paths.data() / "facts" / "pairs.csv")

    for repeat in range(splits.REPEATS):
        fold = frame[f"repeat_{repeat}"]
        assert (fold[pairs.image_a].to_numpy() == fold[pairs.image_b].to_numpy()).all()


def test_near_duplicates_are_counted_in_bits():
    prints = pd.DataFrame(
        {
            "image": ["a", "b", "c", "d"],
            "sha256": ["x", "x", "y", "z"],
            "phash": [
                "00000000000000ff",
                "00000000000000ff",
                "00000000000000f8",
                "ff00000000000000",
            ],
        }
    )

    pairs = splits.near_duplicates(prints, most=6)

    found = {(p.image_a, p.image_b): (p.distance, p.exact) for p in pairs.itertuples()}
    assert found == {("a", "b"): (0, True), ("a", "c"): (3, False), ("b", "c"): (3, False)}


def test_the_hashes_of_two_photos_differ_by_an_even_number_of_bits():
    distances = facts.load("distances").distance

    assert len(distances) > 5
    assert (distances % 2 == 0).all()


def test_a_recompressed_photo_is_a_near_duplicate_and_another_photo_is_not(tmp_path):
    import imagehash
    from PIL import Image

    rng = np.random.default_rng(0)
    rough = Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).resize((200, 200))
    other = Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).resize((200, 200))
    rough.save(tmp_path / "again.jpg", quality=40)

    again = imagehash.phash(Image.open(tmp_path / "again.jpg"))

    assert imagehash.phash(rough) - again <= splits.NEAR < imagehash.phash(other) - again


def test_an_unknown_part_is_refused(demo_split):
    with pytest.raises(ValueError, match="expected one of train, validation, test, found 'dev'"):
        demo_split.part("dev")


def test_two_photos_that_are_each_near_a_third_stay_in_its_fold(demo_catalog):
    names = demo_catalog.products.image[:3].tolist()
    prints = pd.DataFrame(
        {"image": names, "sha256": list("xyz"), "phash": [f"{k:016x}" for k in (0, 0xFFF, 0x3F)]}
    )
    near = splits.near_duplicates(prints)
    assert list(zip(near.image_a, near.image_b, strict=True)) == [
        (names[0], names[2]), (names[1], names[2]),
    ]  # fmt: skip

    frame = splits.draw_folds(demo_catalog, prints).frame.set_index("image")

    for repeat in range(splits.REPEATS):
        assert frame.loc[names, f"repeat_{repeat}"].nunique() == 1


def test_a_class_whose_photos_form_one_group_has_no_folds(demo_catalog):
    products = demo_catalog.products
    group = products.image.where(products.label != 3, "together")
    tied = replace(demo_catalog, products=products.assign(group=group))

    with pytest.raises(SplitError, match="found 1 of Home Decor & Festive Needs;"):
        splits.draw_folds(tied, splits.fingerprints(demo_catalog))


@pytest.mark.parametrize("drawing", [splits.draw, splits.draw_folds])
@pytest.mark.parametrize(
    ("count", "found"),
    [(2, ", 2 of Kitchen & Dining, 2 of Watches; add"), (4, "found 4 in all;")],
)
def test_groups_too_few_for_parts_and_folds_are_counted(demo_catalog, drawing, count, found):
    products = demo_catalog.products
    group = [str(k % count) for k in products.groupby("label").cumcount()]  # of every class
    data = replace(demo_catalog.dataset, policy="grouped")
    tied = replace(demo_catalog, dataset=data, products=products.assign(group=group))

    with pytest.raises(
        SplitError, match="at least 3 groups of photos of each class and 5 in all"
    ) as told:
        drawing(tied, splits.fingerprints(demo_catalog))

    assert found in str(told.value)


def test_one_fold_tests_the_next_one_validates_and_the_others_train():
    folds = splits.load_folds()

    for fold in range(splits.FOLDS):
        part, number = folds.fold(2, fold).frame.part, folds.frame.repeat_2
        assert set(number[part == "test"]) == {fold}
        assert set(number[part == "validation"]) == {(fold + 1) % splits.FOLDS}
        assert number[part == "train"].nunique() == splits.FOLDS - 2


@pytest.mark.parametrize(
    ("own", "remedy"), [(False, "run `vitrine data fetch`"), (True, "restore its rows")]
)
def test_a_table_that_was_cut_is_no_table_of_the_split(demo_catalog, own, remedy):
    split = splits.draw(demo_catalog)
    data = replace(demo_catalog.dataset, own=own)
    cut = replace(demo_catalog, dataset=data, products=demo_catalog.products.head(30))

    with pytest.raises(SplitError, match=rf"found \d+ of them in no row; {remedy}"):
        split.present(cut)


@pytest.mark.parametrize(
    "content",
    [None, "", "row,image,label\n0,a.jpg,1\n", "row,image,label,part\n0,a.jpg,1,train\n1,b.jpg"],
)
def test_a_tracked_split_that_is_not_whole_is_to_be_restored(content, tmp_path, monkeypatch):
    monkeypatch.setattr("vitrine.paths.data", lambda: tmp_path)
    if content is not None:
        (tmp_path / "splits").mkdir()
        (tmp_path / "splits" / "published.csv").write_text(content)

    with pytest.raises(SplitError, match=r"published\.csv whole in data/splits.*restore it with"):
        splits.load()


def test_the_split_of_ones_own_photos_is_restored_without_git(tmp_path, monkeypatch):
    own = replace(dataset.current(), own=True)
    monkeypatch.setattr(dataset, "current", lambda: own)
    monkeypatch.setattr("vitrine.paths.data", lambda: tmp_path)

    with pytest.raises(SplitError, match="restore it$"):
        splits.load()


def test_many_photos_are_dealt_evenly_and_their_groups_stay_whole(monkeypatch):
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(12), 70)
    group = np.array([f"{label}-{k}" for label in range(12) for k in rng.integers(0, 40, 70)])
    monkeypatch.setattr(splits, "LARGE", 100)

    dealt = splits._dealt(labels, group, 5, seed=1)

    assert pd.Series(dealt).groupby(group).nunique().max() == 1
    shares = pd.crosstab(labels, dealt)
    assert (shares.max(axis=1) - shares.min(axis=1)).max() <= 2
    assert np.ptp(np.bincount(dealt)) <= 3
    assert (dealt == splits._dealt(labels, group, 5, seed=1)).all()
    assert (dealt != splits._dealt(labels, group, 5, seed=2)).any()


def test_a_chain_of_duplicates_is_one_group():
    """Its name decides how scikit-learn deals it: the published folds rest on that order."""
    joined = duplicates._joined(6, [(1, 5), (2, 5), (0, 3), (3, 4)])

    assert joined.tolist() == [0, 2, 2, 0, 0, 2]
