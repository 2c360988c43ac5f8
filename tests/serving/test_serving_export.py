"""A run becomes a file that answers as the run did, or nothing is written."""

import json
import re
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.stats import chi2

from vitrine.data import dataset, images
from vitrine.data.shards import Shards
from vitrine.explain import NAMES
from vitrine.metrics.decision import TARGET
from vitrine.metrics.temperature import apply_temperature, fit_temperature
from vitrine.models.graph import GraphError, float_graph
from vitrine.serving import card as cards
from vitrine.serving import evaluation, model_folder
from vitrine.serving import export as exporting
from vitrine.serving.card import Card, ModelError
from vitrine.serving.export import FITTED_AGAIN, ExportError, export
from vitrine.serving.licence import licence
from vitrine.serving.predictor import (
    MAMBAVISION,
    SMALL,
    Predictor,
    contrast,
    distance,
    drawn,
    packaged,
)
from vitrine.serving.predictor import shipped as packages
from vitrine.training import probe, recipes, runs
from vitrine.training.recipes import Recipe
from vitrine.training.runs import RunError, RunFolder
from vitrine.training.trained import load as load_trained

TINY = Recipe(
    name="tiny",
    trainer="torch",
    architecture="test_efficientnet",
    image_size=64,
    epochs=1,
    learning_rate=1e-3,
    source="a test",
)


def train(recipe, seed=0):
    """Return a network that tells photos apart, without the time of training."""
    import torch

    from vitrine.training.torch.network import build

    torch.manual_seed(seed)
    built = build(recipe)
    with torch.no_grad():
        built[1].get_classifier().weight.mul_(30)
    rng = torch.Generator().manual_seed(0)
    photos = torch.randint(0, 256, (16, 3, 64, 64), generator=rng, dtype=torch.uint8)
    built.train()(photos)  # batch statistics leave their fresh values
    return built.eval()


@pytest.fixture(scope="module")
def trained():
    return train(TINY)


@pytest.fixture(scope="module")
def run(trained, demo_split, demo_catalog, tmp_path_factory):
    """Return a finished run of a tiny network of timm."""
    import torch

    from vitrine.training.torch.network import predict

    made = RunFolder(TINY, 0, tmp_path_factory.mktemp("runs"))
    made.prepare(resume=False)
    torch.save(trained.state_dict(), made.weights / "model.pt")
    timing = {"started": "2026-02-03T04:05:06+00:00"}
    facts = {"hardware": {}, "timing": timing, "parameters": 123_456}
    return made.seal(demo_split, demo_catalog, partial(predict, trained), facts)


@pytest.fixture(scope="module")
def exported(run, demo_split, demo_catalog, tmp_path_factory):
    """Return the folder of the exported run, and its card."""
    return export(run, demo_split, demo_catalog, tmp_path_factory.mktemp("out") / "model")


def test_the_predictor_answers_as_the_run_did_on_every_test_photo(exported, run, demo_catalog):
    predictor = Predictor(exported[0])
    test = run.part("test")

    answers = [
        predictor.answer(images.preprocess(demo_catalog.path(name), 64)) for name in test.image
    ]

    cooled = apply_temperature(test.probabilities, exported[1].temperature)
    given = np.array([answer.probabilities for answer in answers])
    np.testing.assert_allclose(given, cooled, rtol=0, atol=1e-4)
    assert len({tuple(row.round(3)) for row in given}) > 5  # the photos are told apart


def test_the_card_keeps_answers_that_the_file_gives_again(exported):
    folder, card = exported
    predictor = Predictor(folder)

    for number, sample in enumerate(card.samples):
        found = predictor.answer(drawn(card.input_size, number)).probabilities
        assert sample.number == number
        assert found == pytest.approx(sample.probabilities, abs=1e-4)
    assert len(card.samples) == 3


def test_the_mean_of_the_evidence_and_the_bias_make_the_logits(
    exported, trained, run, demo_catalog
):
    predictor = Predictor(exported[0])
    pixels = np.stack(
        [images.preprocess(demo_catalog.path(name), 64) for name in run.part("test").image[:3]]
    )

    logits, evidence = predictor.logits(pixels)

    bias = trained[1].get_classifier().bias.detach().numpy()
    np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + bias, logits, rtol=0, atol=1e-4)


def test_the_card_says_what_was_measured_and_from_what(exported, run, demo_split):
    target, card = exported

    test = run.part("test")
    right = (test.predicted == test.truth).mean()
    assert json.loads((target / "model.json").read_text())["version"] == card.version
    assert card.version.startswith("2026.02.03-")
    assert card.metrics["accuracy"].value == pytest.approx(right)
    assert card.metrics["accuracy"].low < right < card.metrics["accuracy"].high
    assert card.parity.images == card.test_images == len(test.truth)
    assert card.parity.largest_gap < 1e-4
    assert card.data["split_sha256"] == demo_split.sha256
    assert card.commits["training"] == run.meta["code"]["commit"]
    assert "dessiné par programme" in card.licence
    assert len(card.guard.center) == 14 and card.guard.wanted == 0.05


def test_a_card_offers_photos_of_each_class_that_its_model_has_not_learned(exported, run):
    _, made = exported
    shipped = [cards.read(folder)[0] for folder in packages().values()]

    for card in (made, *shipped):
        test = (run if card is made else runs.load(card.name)).part("test")
        classes = [row.label for row in card.classes]
        truth = {image: classes[k] for image, k in zip(test.image, test.truth, strict=True)}
        offered = {each.image: each.label for each in card.offered}
        assert offered.items() <= truth.items() and set(offered.values()) == set(classes)
        assert len(offered) == len(card.offered) <= 2 * len(classes)
        assert card.offered[0].image in test.surest or not test.surest
        assert card.words.outside == "hors du catalogue"
        assert Card.model_validate_json(card.to_json()) == card


def altered(card, where, value):
    """Return a card one of whose numbers is another."""
    content = card.model_dump()
    *path, last = where.split(".")
    reduce(dict.__getitem__, path, content)[last] = value
    return Card.model_validate(content)


@pytest.fixture(scope="module")
def packaged_card():
    card, _ = cards.read(packaged(MAMBAVISION))  # in float32: every number is the run's
    return card, runs.load(card.name)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("metrics.accuracy.value", 0.958), ("metrics.brier.high", 0.5), ("temperature", 1.0),
        ("test_images", 1580), ("doubt.uncertain_below", 0.5), ("doubt.accuracy.value", 0.9),
    ],
)  # fmt: skip
def test_a_card_says_what_its_run_gives_and_a_number_that_was_altered_is_named(
    packaged_card, where, value
):
    card, run = packaged_card

    (line,) = evaluation.differences(altered(card, where, value), run)

    assert evaluation.differences(card, run) == []
    assert line.startswith(f"{where}: expected ") and line.endswith(f"found {value}")


def test_the_accuracy_of_eight_bits_differs_by_the_photos_whose_class_changed_at_most(
    packaged_card,
):
    card, run = packaged_card
    accuracy, photo = card.metrics["accuracy"].value, 1 / card.test_images
    small = altered(altered(card, "precision", "int8"), "parity.same_top1", card.test_images - 1)

    one, two = (altered(small, "metrics.accuracy.value", accuracy - n * photo) for n in (1, 2))

    assert evaluation.differences(one, run) == []
    assert len(evaluation.differences(two, run)) == 1


def test_the_card_of_the_default_model_agrees_with_its_run():
    card, _ = cards.read(packaged())

    assert card.precision == "int8-static"
    assert evaluation.differences(card, runs.load(card.name)) == []


def test_the_guard_lets_through_what_it_was_fitted_on_and_stops_what_lies_elsewhere():
    rng = np.random.default_rng(0)
    logits = rng.normal(3, 2, (1400, 4))
    pixels = rng.integers(0, 256, (1400, 4, 4, 3), dtype=np.uint8)
    pixels[:, 0, 0, :2] = np.stack([np.arange(1400) // 256, np.arange(1400) % 256], axis=1)

    def answer(photos):
        asked = photos[:, 0, 0, :2].astype(int) @ (256, 1)
        return logits[asked], np.zeros((len(photos), 4, 2, 2))

    fitted = evaluation.guard(answer, pixels[:400], pixels[400:])

    unlike = np.concatenate([logits + 30, np.full((1400, 4), np.log(SMALL))], axis=1)
    far = distance(unlike, np.array(fitted.center), np.array(fitted.precision))
    assert fitted.limit == pytest.approx(chi2.ppf(0.95, 4) ** 0.5, rel=0.1)
    assert fitted.false_alarms.low < 0.05 < fitted.false_alarms.high
    assert (far > fitted.limit).all()
    assert fitted.plain_below == pytest.approx(contrast(pixels[:400]).min() / 10)


def test_too_few_photos_of_validation_have_no_guard():
    pixels = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)

    def answer(piece):
        return piece.reshape(len(piece), -1)[:, :7] / 255.0, np.zeros((len(piece), 7, 2, 2))

    assert evaluation.guard(answer, pixels[:2], pixels) is None
    assert evaluation.guard(answer, pixels[:3], pixels) is not None


def test_the_guard_of_photos_in_several_files_is_that_of_the_same_photos_in_one():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (90, 4, 4, 3), dtype=np.uint8)

    def answer(photos):
        shown = photos.reshape(len(photos), -1)[:, :4] / 255.0
        return shown, np.zeros((len(photos), 4, 2, 2))

    apart = Shards([pixels[:60], pixels[60:]])

    assert evaluation.guard(answer, apart, apart) == evaluation.guard(answer, pixels, pixels)


def test_plain_photos_of_the_test_are_false_alarms_of_the_guard():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (200, 4, 4, 3), dtype=np.uint8)
    plain = pixels.copy()
    plain[:50] = 90

    def answer(photos):
        logits = np.random.default_rng(1).normal(size=(len(photos), 4))
        return logits, np.zeros((len(photos), 4, 2, 2))

    before, after = (evaluation.guard(answer, pixels, test) for test in (pixels, plain))

    assert before.false_alarms.value < 0.1
    assert 0.25 <= after.false_alarms.value <= 0.25 + before.false_alarms.value


def test_the_threshold_keeps_as_many_right_answers_on_validation_as_the_report_asks():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    scores = rng.uniform(0.34, 1, 300)
    right = rng.random(300) < scores
    answered = np.where(right, truth, (truth + 1) % 3)
    given = np.repeat(((1 - scores) / 2)[:, None], 3, axis=1)
    given[np.arange(300), answered] = scores

    threshold = evaluation.threshold(truth, given)
    doubt = evaluation.doubt(threshold, truth, given)

    sure = scores >= doubt.uncertain_below
    lower = scores >= np.sort(scores)[np.searchsorted(np.sort(scores), doubt.uncertain_below) - 1]
    assert right[sure].mean() >= TARGET
    assert right[lower].mean() < TARGET
    assert doubt.answered == pytest.approx(sure.mean())
    assert doubt.accuracy.value == pytest.approx(right[sure].mean())


@pytest.mark.parametrize(
    ("photos", "wrong", "fitted"), [(29, 3, False), (30, 0, False), (30, 1, True), (300, 0, False)]
)
def test_a_temperature_is_fitted_on_photos_enough_of_which_one_is_wrong(photos, wrong, fitted):
    rng = np.random.default_rng(0)
    truth = np.arange(photos) % 2
    sure = rng.uniform(0.7, 0.9, photos)
    answered = np.where(np.arange(photos) < wrong, 1 - truth, truth)
    given = np.where(np.arange(2) == answered[:, None], sure[:, None], 1 - sure[:, None])

    numbers = evaluation.card_numbers((truth, given), (truth, given))

    assert (numbers["temperature"] != 1.0) == fitted
    if fitted:
        assert numbers["temperature"] == fit_temperature(truth, given)
    else:
        assert numbers["doubt"].uncertain_below == evaluation.threshold(truth, given)


def test_a_card_says_that_no_temperature_could_be_fitted(exported):
    _, card = exported

    plain = model_folder.describe(card.model_copy(update={"temperature": 1.0}), 1)
    cooled = model_folder.describe(card.model_copy(update={"temperature": 1.5}), 1)

    assert "1,000, faute de pouvoir la régler\nsur les images de validation" in plain
    assert "1,500, réglée\nsur les images de validation.\n" in cooled


def test_without_any_sure_answer_every_answer_is_uncertain():
    truth = np.array([0, 1, 0, 1])
    wrong = np.array([[0.2, 0.8], [0.9, 0.1], [0.3, 0.7], [0.6, 0.4]])

    doubt = evaluation.doubt(evaluation.threshold(truth, wrong), truth, wrong)

    assert (doubt.uncertain_below, doubt.answered, doubt.accuracy) == (1.0, 0.0, None)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (
            {"corpus": "ImageNet-1k", "files": [{"licence": "Apache-2.0"}]},
            "Apache-2.0. Ils ont été appris sur ImageNet-1k",
        ),
        ({"learned": {"run": "pretrain/x/seed-0"}}, "recherche non commerciale"),
        ({"licence": "mit", "learned": None}, "mit, d’après le config.json qui les accompagnait"),
        (None, "inconnue de l’exécution"),
    ],
)
def test_a_card_carries_the_licence_of_the_weights_that_its_run_started_from(start, told):
    recipe = replace(TINY, weights="imagenet")
    meta = {"data": {"edition": "reduced-320"}} | ({"start": start} if start else {})

    written = licence(recipe, meta, dataset.current())

    assert f"Celle des poids de départ (imagenet)\u00a0: {told}" in written
    assert "PromptCloud, CC BY-SA 4.0" in written


def test_a_card_names_the_teacher_that_the_weights_learned_to_answer_as():
    recipe = replace(TINY, teacher="efficientnet-lite0-torch", teacher_size=224)

    written = licence(recipe, {"data": {"edition": "reduced-320"}}, dataset.current())

    assert written.startswith("MIT. Les poids partent du hasard et n’ont appris que")
    assert written.endswith("d’après les réponses du modèle efficientnet-lite0-torch.")


def test_the_licence_of_an_english_data_set_is_english():
    data = replace(dataset.current(), language="en", credit="", name="fruits")
    meta = {"data": {"edition": "own"}, "start": {"learned": {"run": "pretrain/x/seed-0"}}}

    started = licence(replace(TINY, weights="imagenet"), meta, data)

    assert licence(TINY, meta, data) == (
        "MIT. The weights start from chance and have learned only the photos of fruits."
    )
    assert started.startswith("That of the weights it starts from (imagenet): non-commercial")
    assert started.endswith("They then learned the photos of fruits.")


def test_the_file_takes_bytes_at_any_batch_and_tells_nothing_of_the_machine(exported):
    content = (exported[0] / "model.onnx").read_bytes()
    model = onnx.load_from_string(content)

    shape = model.graph.input[0].type.tensor_type
    dims = [dim.dim_param or dim.dim_value for dim in shape.shape.dim]
    assert (shape.elem_type, dims) == (onnx.TensorProto.UINT8, ["batch", 64, 64, 3])
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert not re.search(rb"site-packages|\.py\b.*line|/src/", content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    photos = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    together = session.run(None, {"image": photos})[0]
    alone = [session.run(None, {"image": photos[i : i + 1]})[0][0] for i in range(5)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_the_readable_card_is_french_and_has_the_numbers_of_the_other(exported):
    target, card = exported

    text = (target / "README.md").read_text()

    accuracy = f"{100 * card.metrics['accuracy'].value:.1f}".replace(".", ",")
    assert f"| Exactitude | {accuracy}\u202f% [" in text
    assert card.version in text
    assert "Beauté et soins («\u00a0Beauty and Personal Care\u00a0»)" in text
    assert not re.search(r" [;!?%»:]|\{|\}", text.replace("|", ""))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_readable_card_of_own_photos_is_in_their_language_and_cites_no_report(
    exported, language
):
    own = {"edition": "own", "split": "published"}
    classes = tuple(
        each.model_copy(update={"label_fr": each.label}) for each in exported[1].classes
    )
    card = exported[1].model_copy(update={"language": language, "data": own, "classes": classes})

    text = model_folder.describe(card, 1_234_567)

    accuracy = f"{100 * card.metrics['accuracy'].value:.1f}"
    if language == "en":
        assert f"| Accuracy | {accuracy}% [" in text and "1.2 MB" in text
        assert "The photos of the project. Background" in text
        assert not re.search(
            "[àâçéèêëîïôûùœ’\u00a0\u202f]|\\{|\\}", text.partition("## Licence")[0]
        )
    else:
        assert "Les photos du projet. Le fond" in text
    assert "\n2. Beauty and Personal Care\n" in text
    assert not re.search(r"rapport|report\b|\bown\b|published", text)


def test_weights_that_are_not_the_runs_leave_nothing(
    run, demo_split, demo_catalog, tmp_path, monkeypatch
):
    loaded = load_trained(run, demo_split, demo_catalog)
    other = replace(loaded, network=train(TINY, seed=1))
    monkeypatch.setattr("vitrine.training.trained.load", lambda *_: other)

    with pytest.raises(ExportError, match="nothing was written") as refused:
        export(run, demo_split, demo_catalog, tmp_path / "model")

    assert refused.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("gap", "swap", "accepted"), [(0.9e-4, False, True), (1.1e-4, False, False), (0, True, False)]
)
def test_parity_bounds_the_gap_and_the_first_class(gap, swap, accepted):
    told = np.array([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1]])
    part = exporting._Part(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]), told)
    found = told + np.array([gap, -gap, 0])
    if swap:
        found[0] = found[0][[1, 0, 2]]

    if accepted:
        assert exporting._compare("tiny", part, found).same_top1 == 2
    else:
        with pytest.raises(ExportError):
            exporting._compare("tiny", part, found)


def test_a_near_tie_may_fall_either_way():
    told = np.array([[0.45004, 0.44998, 0.09998]])
    part = exporting._Part(np.zeros((1, 8, 8, 3), np.uint8), np.array([0]), told)

    parity = exporting._compare("tiny", part, told[:, [1, 0, 2]])

    assert (parity.images, parity.same_top1) == (1, 0)


def test_the_last_layer_of_a_probe_may_be_fitted_again_less_exactly():
    told = np.array([[0.5, 0.4, 0.1]])
    part = exporting._Part(np.zeros((1, 8, 8, 3), np.uint8), np.array([0]), told)
    near, far = (told + np.array([gap, -gap, 0]) for gap in (0.9e-2, 1.1e-2))

    assert (
        exporting._compare("tiny", part, near, FITTED_AGAIN).largest_gap > 100 * exporting.GAP / 2
    )
    with pytest.raises(ExportError, match=r"within 0\.01"):
        exporting._compare("tiny", part, far, FITTED_AGAIN)


def test_other_photos_than_the_runs_are_refused(run, demo_split, demo_catalog, tmp_path):
    with pytest.raises(ExportError, match="manifest_sha256"):
        export(run, demo_split, replace(demo_catalog, manifest_sha256="0" * 64), tmp_path / "model")
    with pytest.raises(ExportError, match="split_sha256"):
        export(run, replace(demo_split, sha256="0" * 64), demo_catalog, tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "fault"),
    [("majority", "found the constant answer"), ("histogram-hog", "the run of one network")],
)
def test_what_has_no_network_has_no_file(demo_split, demo_catalog, tmp_path, name, fault):
    recipe = recipes.find(name).smoke()
    made = probe.fit(recipe, demo_split, demo_catalog, base=tmp_path)

    with pytest.raises(RunError, match=fault):
        export(made, demo_split, demo_catalog, tmp_path / "model")


def test_a_folder_that_holds_something_else_is_left_alone(run, demo_split, demo_catalog, tmp_path):
    (tmp_path / "letters.txt").write_text("mine")

    with pytest.raises(ModelError, match=r"found letters\.txt"):
        export(run, demo_split, demo_catalog, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


@pytest.mark.parametrize("fault", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("which", "moves", "left"),
    [("served", True, b"former"), ("made", False, b"former"), ("made", True, b"other")],
    ids=["once the former is away", "before the other comes", "once the other is there"],
)
def test_a_model_is_never_lost_by_what_stops_another_from_taking_its_place(
    exported, tmp_path, monkeypatch, fault, which, moves, left
):
    target, card = tmp_path / "served", exported[1]
    model_folder.write(target, card, b"former")
    move = Path.rename

    def interrupted(path, place):
        if path.name != which:
            return move(path, place)
        if moves:
            move(path, place)
        raise fault("no")

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(fault, match="no"):
        model_folder.write(target, card, b"other")

    assert (target / "model.onnx").read_bytes() == left
    assert [path.name for path in tmp_path.iterdir()] == ["served"]


def test_a_model_takes_the_place_of_a_former_one_whole(exported, tmp_path):
    target, card = exported
    model, place = (target / "model.onnx").read_bytes(), tmp_path / "served"

    model_folder.write(place, card, model)
    (place / "model.onnx").write_bytes(b"damaged")
    (place / "NOTICE").write_text("by hand")
    model_folder.write(place, card, model)

    assert cards.read(place)[0] == card and (place / "NOTICE").read_text() == "by hand"
    assert [path.name for path in tmp_path.iterdir()] == ["served"]


def test_eight_bits_are_kept_only_where_they_lose_little(
    run, exported, demo_split, demo_catalog, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "LOSS", 1.0)
    target, card = export(run, demo_split, demo_catalog, tmp_path / "model", int8=True)

    small, whole = ((folder / "model.onnx").stat().st_size for folder in (target, exported[0]))
    assert small < 0.5 * whole
    assert card.precision == "int8"
    assert -1 <= card.parity.lost_macro_f1 < 1
    assert "8 bits" in (target / "README.md").read_text()
    monkeypatch.setattr(exporting, "LOSS", 0.01)
    sizes = {name: len(run.part(name).truth) for name in ("validation", "test")}
    assert sizes["validation"] != sizes["test"]
    for loses in sizes:
        monkeypatch.setattr(
            exporting, "_lost", lambda *_, many=sizes[loses]: 1.0 * (len(_[1].truth) == many)
        )
        if loses == "test":
            export(run, demo_split, demo_catalog, tmp_path / loses, int8=True)
            continue
        with pytest.raises(ExportError, match="8-bit form or the runtime to lose under") as refused:
            export(run, demo_split, demo_catalog, tmp_path / "other", int8=True)
    assert refused.value.exit_code == 3
    assert not (tmp_path / "other").exists()


def test_a_file_is_written_for_a_runtime_only_where_it_loses_little(
    run, exported, demo_split, demo_catalog, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "LOSS", 1.0)
    ordinary = (exported[0] / "model.onnx").read_bytes()
    asked = (run, demo_split, demo_catalog)

    target, card = export(*asked, tmp_path / "integers", runtime="onnx-int8")

    assert card.precision == "int8-static" and -1 <= card.parity.lost_macro_f1 < 1
    told = " ".join((target / "README.md").read_text(encoding="utf-8").split())
    assert "les calculs faits sur 8 bits aussi" in told
    assert b"QuantizeLinear" in (target / "model.onnx").read_bytes()

    def answers(model, runtime):
        asked_for.append(runtime)
        return opened(model, "onnx")

    asked_for, opened = [], exporting.opened
    monkeypatch.setattr(exporting, "opened", answers)
    looked_for = []
    monkeypatch.setattr(
        exporting, "lost_over_folds", lambda recipe, form: looked_for.append((recipe, form)) or 0.0
    )
    signed, card = export(*asked, tmp_path / "signed", runtime="openvino-int8")

    made = (signed / "model.onnx").read_bytes()
    assert b"QuantizeLinear" in made and made != (target / "model.onnx").read_bytes()
    assert card.precision == "int8-static"
    assert asked_for == ["openvino-int8", "onnx"]
    assert looked_for == [("tiny", "openvino-int8")]

    asked_for.clear()
    monkeypatch.setattr(exporting, "LOSS", 0.01)
    monkeypatch.setattr(exporting, "_lost", lambda *_: 0.0)
    target, card = export(*asked, tmp_path / "openvino", runtime="openvino-bf16")

    assert (target / "model.onnx").read_bytes() == ordinary
    assert card.precision == "float32" and card.parity.lost_macro_f1 is None
    assert asked_for == ["openvino-bf16", "onnx"]  # the guard's own is the file that is served

    monkeypatch.setattr(exporting, "_lost", lambda *_: 0.02)
    with pytest.raises(ExportError, match="or the runtime to lose under"):
        export(*asked, tmp_path / "loses", runtime="openvino-bf16")
    assert not (tmp_path / "loses").exists()


def test_a_form_that_was_judged_over_folds_is_held_to_them_and_not_to_a_few_photos(
    run, demo_split, demo_catalog, tmp_path, monkeypatch
):
    row = {"recipe": "tiny", "form": "int8-static", "points_lost": 0.4}
    sheet = {"totals": [row, row | {"recipe": "other", "points_lost": 0.9}]}
    monkeypatch.setattr(evaluation.paths, "root", lambda: tmp_path)
    told = [evaluation.lost_over_folds("tiny", "int8-static")]
    file = tmp_path / evaluation.FORMS
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(sheet))
    told += [evaluation.lost_over_folds(*each) for each in (("tiny", "int8"), ("b", "int8-static"))]
    asked = partial(export, run, demo_split, demo_catalog, runtime="onnx-int8")
    monkeypatch.setattr(exporting, "_lost", lambda *_: 0.02)

    _, card = asked(tmp_path / "model")

    assert told == [None, None, None]
    assert card.parity.lost_macro_f1 == 0.02
    sheet["totals"][0]["points_lost"] = 0.6
    file.write_text(json.dumps(sheet))
    with pytest.raises(ExportError, match=r"under 0\.5 points, found 0\.60 over folds"):
        asked(tmp_path / "other")


def test_integers_are_made_from_a_model_of_the_run_where_its_weights_are_gone(
    run, exported, demo_split, demo_catalog, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "LOSS", 1.0)
    gone = replace(run, folder=tmp_path / "gone")
    vars(gone)["table"] = run.table
    asked = partial(export, gone, demo_split, demo_catalog)

    target, card = asked(tmp_path / "model", kept=exported[0])

    assert card.precision == "int8-static" and card.name == run.name
    assert card.parity.images == len(run.part("test").truth)
    with pytest.raises(RunError, match="expected the weights"):
        asked(tmp_path / "other")
    (other := tmp_path / "strange").mkdir()
    for name in ("model.onnx", "model.json"):
        (other / name).write_bytes((exported[0] / name).read_bytes())
    (other / "model.json").write_text(altered(exported[1], "name", "b/seed-0").to_json())
    for folder in (target, other):  # of activations rounded already; of another run
        with pytest.raises(ModelError, match="expected in .* a model of tiny/seed-0 with"):
            asked(tmp_path / "other", kept=folder)
    (other / "model.json").write_text(altered(exported[1], "parity.largest_gap", -1.0).to_json())
    with pytest.raises(ModelError, match="whose answers are within"):
        asked(tmp_path / "other", kept=other)
    assert not (tmp_path / "other").exists()


def test_ranges_of_integers_are_found_on_photos_that_were_learned(
    demo_split, demo_catalog, monkeypatch
):
    monkeypatch.setattr(exporting, "CALIBRATED", 35)
    learned = demo_split.present(demo_catalog).part("train").image.tolist()

    batches = list(exporting.calibrating(demo_split, demo_catalog, 64))

    assert [len(batch) for batch in batches] == [32, 3] and len(learned) > 35
    expected = [images.preprocess(demo_catalog.path(name), 64) for name in learned[:35]]
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_a_network_that_does_more_than_a_mean_has_no_evidence():
    import timm
    from torch import nn

    from vitrine.training.torch.network import Normalise

    backbone = timm.create_model("test_convnext", num_classes=7)
    norm = Normalise((0.5,) * 3, (0.5,) * 3)

    with pytest.raises(GraphError, match="expected"):
        float_graph(nn.Sequential(norm, backbone), 64, names=NAMES)


def test_a_network_that_answers_no_number_has_no_evidence():
    import timm
    import torch
    from torch import nn

    import vitrine.models  # noqa: F401  (registers mambavision_nano)
    from vitrine.training.torch.network import Normalise

    backbone = timm.create_model("mambavision_nano", num_classes=7)
    with torch.no_grad():
        backbone.get_classifier().bias.fill_(torch.nan)

    with pytest.raises(GraphError, match="expected the mean of the evidence to be the logits"):
        float_graph(nn.Sequential(Normalise((0.5,) * 3, (0.5,) * 3), backbone), 64, names=NAMES)


@pytest.mark.parametrize("epochs", [0, 2])
def test_a_probe_is_exported_with_the_layer_fitted_on_its_features(
    demo_catalog, demo_split, tmp_path, epochs
):
    recipe = replace(
        TINY, trainer="probe", architecture="timm:test_efficientnet", backbone="frozen",
        epochs=epochs,
    )  # fmt: skip
    made = probe.fit(recipe, demo_split, demo_catalog, seed=3, base=tmp_path)

    folder, card = export(made, demo_split, demo_catalog, tmp_path / "model")

    told, predictor = made.part("test"), Predictor(folder)
    answers = [
        predictor.answer(images.preprocess(demo_catalog.path(name), 64)) for name in told.image
    ]
    assert card.parity.largest_gap < FITTED_AGAIN
    assert (card.architecture, card.parameters) == ("test_efficientnet", 100_995)
    assert [one.probabilities.argmax() for one in answers] == told.predicted.tolist()


def test_the_shape_checks_are_back_after_an_export(exported):
    import jaxtyping

    assert jaxtyping.config.jaxtyping_disable is False


def test_temperature_and_threshold_are_chosen_on_validation_photos_alone(
    run, demo_split, demo_catalog, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(cards, "FEWEST", 9)  # as many as the drawn catalogue has
    # Labels that a network half knows: what validation chooses, the test would not.
    rng = np.random.default_rng(0)
    table = run.table.copy()
    said = table.filter(like="p_").to_numpy().argmax(axis=1)
    kept_share = np.where(table.split == "validation", 0.8, 0.5)
    table["label"] = np.where(rng.random(len(table)) < kept_share, said, (said + 1) % 7)
    relabelled = replace(run, meta=run.meta)
    vars(relabelled)["table"] = table

    _, card = export(relabelled, demo_split, demo_catalog, tmp_path / "model")

    part = relabelled.part("validation")
    temperature = fit_temperature(part.truth, part.probabilities)
    cooled = apply_temperature(part.probabilities, temperature)
    assert card.temperature == pytest.approx(temperature, rel=1e-3)
    assert card.doubt.uncertain_below == pytest.approx(
        evaluation.threshold(part.truth, cooled), rel=1e-3
    )
