import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pictures import encode, plain
from PIL import Image

from vitrine.data import dataset
from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.data.showcase import Showcase
from vitrine.serving.card import Words
from vitrine.serving.settings import SettingsError
from vitrine.serving.speech import Speech
from vitrine.serving.ui import dashboard, markup, pictures
from vitrine.serving.ui.client import Answer, Model, ServiceError
from vitrine.serving.ui.settings import Settings

FRENCH = Speech("fr")
WORDS = Words(classes="sortes d’objets", outside="hors du catalogue")
NAMES = {"Watches": "Montres", "Computers": "Informatique"}
FOUND = Answer(
    label="Watches", name="Montres", score=0.9997, uncertain=False,
    scores=(("Montres", 0.9997), ("Informatique", 0.0003)), evidence=((0.0, 1.0), (0.0, 0.0)),
    names=NAMES, version="v1", width=40, height=30, milliseconds=12.4,
)  # fmt: skip
THIN, WIDE = "\u202f", "\u00a0"


def opened(address):
    kind, content = address.removeprefix("data:image/").split(";base64,")
    return kind, Image.open(io.BytesIO(base64.b64decode(content)))


def test_settings_come_from_the_environment(monkeypatch, data_dir):
    given = {
        "API_URL": "https://api.example", "API_KEY": "clef", "API_TIMEOUT_S": "2.5",
        "MAX_UPLOAD_BYTES": "5000", "BODY_TIMEOUT_S": "7", "DATA_DIR": str(data_dir),
        "NOTE_PDF": "note.pdf", "PAGE_LANGUAGE": "en",
        "HOST": "::1", "PORT": "80", "REVISION": "57b960b",
    }  # fmt: skip
    assert (Settings().port, Settings().page_language) == (7860, "fr")
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = Settings()

    assert set(given) == {name.upper() for name in Settings.model_fields}
    assert settings.model_dump() == {
        "api_url": "https://api.example", "api_key": "clef", "api_timeout_s": 2.5,
        "max_upload_bytes": 5000, "body_timeout_s": 7.0, "data_dir": data_dir,
        "note_pdf": Path("note.pdf"), "page_language": "en",
        "host": "::1", "port": 80, "revision": "57b960b",
    }  # fmt: skip
    assert "clef" not in repr(settings)


@pytest.mark.parametrize(
    "environment",
    [
        {"API_URL": "127.0.0.1:8000"}, {"API_URL": "ftp://x"}, {"API_URL": "http://"},
        {"API_URL": "http://x:99999"}, {"API_URL": "http://["}, {"PORT": "0"}, {"PORT": "70000"},
        {"PORT": "page"}, {"API_TIMEOUT_S": "0"}, {"API_TIMEOUT_S": "inf"},
        {"API_TIMEOUT_S": "nan"}, {"API_KEY": "clé"}, {"API_KEY": "a\nb"},
        {"MAX_UPLOAD_BYTES": "0"}, {"MAX_UPLOAD_BYTES": "13 Mo"}, {"DATA_DIR": "/nope"},
        {"PAGE_LANGUAGE": "de"},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(environment, monkeypatch):
    ((name, value),) = environment.items()
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=rf"^expected {name} .*found .*$"):
        Settings()


def test_a_data_folder_that_was_asked_for_and_has_no_table_is_refused(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match=r"dataset_dashboard\.csv.*neither in.*data prepare"):
        Settings(data_dir=tmp_path)

    own = replace(dataset.current(), own=True)  # whose tables no command makes
    with monkeypatch.context() as patch, pytest.raises(SettingsError, match="[^,]; leave it out"):
        patch.setattr(dataset, "current", lambda: own)
        Settings(data_dir=tmp_path)

    monkeypatch.setenv("VITRINE_ROOT", str(tmp_path))
    assert Settings().data_dir == tmp_path / "data"  # the default may be empty: a demo is shown


@pytest.mark.parametrize(
    ("share", "french", "english"),
    [
        (0.5, f"50,0{THIN}%", "50.0%"), (1.0, f"100,0{THIN}%", "100.0%"),
        (0.0, f"0,0{THIN}%", "0.0%"), (0.9997, f">{WIDE}99,9{THIN}%", ">99.9%"),
        (0.0002, f"&lt;{WIDE}0,1{THIN}%", "&lt;0.1%"),
    ],
)  # fmt: skip
def test_a_share_is_never_told_surer_than_it_is(share, french, english):
    assert markup.percent(FRENCH, share) == french
    assert markup.percent(Speech("en"), share) == english


def test_an_answer_says_class_probabilities_model_and_time():
    text = markup.answer(FRENCH, FOUND, None, WORDS)

    assert "<h2 data-annonce>Montres</h2>" in text
    assert re.findall(r'<th scope="row">(.*?)</th>', text) == ["Montres", "Informatique"]
    assert 'style="width:99.97%"' in text
    assert (
        f"Réponse en 12{WIDE}ms, version v1" in markup.details(FRENCH, FOUND) and "v1" not in text
    )
    assert "hésite" not in text and "Catégorie attendue" not in text


@pytest.mark.parametrize(("truth", "said"), [("Watches", "juste"), ("Computers", "faux")])
def test_a_sample_is_told_apart_right_or_wrong_in_words_too(truth, said):
    text = markup.answer(FRENCH, FOUND, truth, WORDS)

    assert f'class="avis {said}"' in text
    assert ("le modèle se trompe" in text) == (said == "faux")


def test_doubt_is_told():
    doubtful = Answer(**{**vars(FOUND), "uncertain": True})
    outside = Answer(**{**vars(FOUND), "uncertain": True, "outside": True})

    assert "Le modèle hésite" in markup.answer(FRENCH, doubtful, None, WORDS)
    assert "n’est sans doute d’aucune de ces catégories." in markup.answer(
        FRENCH, outside, None, WORDS
    )
    assert "hésite" not in markup.answer(FRENCH, outside, None, WORDS)


@pytest.mark.parametrize(("outside", "said"), [(True, "juste"), (False, "faux")])
def test_a_sample_outside_the_catalogue_is_right_where_the_model_says_so(outside, said):
    found = Answer(**{**vars(FOUND), "outside": outside})

    text = markup.answer(FRENCH, found, "", WORDS)

    assert f'class="avis {said}"' in text and "Hors du catalogue" in text


def test_compared_answers_tell_doubt_and_truth_in_words():
    doubtful = Answer(**{**vars(FOUND), "uncertain": True})
    outside = Answer(**{**vars(FOUND), "outside": True})

    three = [("un", FOUND), ("deux", doubtful), ("trois", outside)]

    text = markup.compared(FRENCH, three, "Computers", WORDS)

    assert re.findall(r"<td>Montres<small>(.*?)</small>", text) == [
        f">{WIDE}99,9{THIN}%, {said}faux"
        for said in ("", "hésite, ", "sans doute hors du catalogue, ")
    ]
    assert "juste" in markup.compared(FRENCH, [("un", FOUND)], "Watches", WORDS)


def test_nothing_that_comes_from_outside_is_markup():
    evil = '<img src=x onerror="alert(1)">'
    words = Words(photo=evil, classes=evil, outside=evil)
    model = Model(
        name=evil, version=evil, framework=evil, input_size=1, test_images=1, accuracy=None,
        licence=evil, classes={evil: evil}, words=words,
    )  # fmt: skip
    hostile = Answer(**{**vars(FOUND), "name": evil, "version": evil, "scores": ((evil, 1.0),)})
    strange = Answer(**{**vars(hostile), "outside": True})

    said = [
        markup.answer(FRENCH, hostile, "", words),
        markup.compared(FRENCH, [(evil, hostile), (evil, strange)], None, words),
        markup.failure(FRENCH, ServiceError("x", evil, evil, evil)),
        pictures.figure(FRENCH, "data:,", alt=evil, caption=evil),
        pictures.figure(FRENCH, evil, alt=evil, heat="data:,", where=evil),
        pictures.gallery("a", evil, [(evil, evil, evil)], chosen=evil),
        markup.details(FRENCH, hostile),
        markup.samples(
            FRENCH,
            [(evil, evil, evil, evil), (evil, evil, "a", evil), (evil, evil, "", evil)],
            {evil: evil, "a": evil},
            words,
        ),
        markup.intro(FRENCH, model, {}, note=False),
        pictures.transformed(FRENCH, "data:,", "data:,", name=evil, side=1),
        markup.model_line(FRENCH, model),
        markup.waiting(evil),
        markup.notice(evil),
    ]

    assert [text for text in said if "<img src=x" in text or 'onerror="' in text] == []


def test_the_head_tells_accuracy_with_its_interval_and_offers_the_note_only_when_it_exists():
    model = Model(
        name="a", version="v", framework="torch", input_size=128, test_images=158,
        accuracy=(0.6, 0.52, 0.68), licence="MIT", classes=NAMES, words=WORDS,
    )  # fmt: skip

    told, bare = (
        markup.intro(FRENCH, model, NAMES, note=True),
        markup.intro(FRENCH, None, NAMES, note=False),
    )

    assert f"158 photos jamais vues, il classe bien 60,0{THIN}%" in told
    assert f"de 52,0{THIN}% à 68,0{THIN}%" in told and 'href="note.pdf"' in told
    assert "l’une des deux sortes d’objets." in told and "l’une des deux catégories." in bare
    assert "d’autres catégories" not in told + bare
    assert "jamais vues" not in bare and "note.pdf" not in bare
    assert bare.count("<h1>") == 1


def test_a_model_of_other_classes_than_the_photos_shown_tells_its_own():
    classes = {f"c{k}": f"Sorte {k}" for k in range(14)}
    model = Model(
        name="a", version="v", framework="torch", input_size=128, test_images=9, licence="MIT",
        classes=classes,
    )  # fmt: skip

    head = markup.intro(FRENCH, model, NAMES, note=False)
    text = markup.answer(FRENCH, FOUND, "Home Furnishing", WORDS)

    assert "l’une des 14 catégories" in head
    assert "d’autres catégories" in head and "Sorte 0, Sorte 1" in head
    assert "Sorte 11… Donnez" in head and "Sorte 12" not in head
    assert 'class="avis faux"' in text and "Hors du catalogue" in text
    assert "faux" not in markup.compared(FRENCH, [("un", FOUND)], "Home Furnishing", WORDS)


def test_a_photo_is_shown_small_and_upright(tmp_path):
    turned = Image.Exif()
    turned[0x112] = 6
    (tmp_path / "turned.jpg").write_bytes(plain("red", (900, 300), exif=turned))
    (tmp_path / "small.jpg").write_bytes(plain("red", (20, 10)))

    shown = [
        Image.open(io.BytesIO(pictures.jpeg(tmp_path / name, 90)))
        for name in ("turned.jpg", "small.jpg")
    ]

    assert [(each.format, each.size) for each in shown] == [("JPEG", (30, 90)), ("JPEG", (20, 10))]


def test_the_map_is_clear_where_nothing_weighs_and_dark_where_most_does():
    _, laid = opened(pictures.heat([[0.0, 1.0], [0.0, 0.0]]))

    pixels = np.asarray(laid)
    assert pixels.shape[2] == 4 and laid.size[0] == laid.size[1]
    assert pixels[-1, 0, 3] <= 5  # out of 255: the enlargement overshoots a little
    assert pixels[0, -1, 3] > 190 and pixels[0, -1, 1] < 20


@pytest.mark.parametrize(
    ("evidence", "place", "share"),
    [
        ([[0.0, 1.0], [0.0, 0.0]], "en haut, à droite", 25),
        ([[0.0, 0.0], [1.0, 0.0]], "en bas, à gauche", 25),
        ([[0.0, 0.2, 0.0], [0.2, 1.0, 0.2], [0.2, 0.0, 0.0]], "au centre", 11),
        ([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.9, 0.0]], "en haut, au milieu", 11),
        ([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], "à mi-hauteur, à gauche", 11),
        ([[0.0, 0.0, 0.0, 1.0, 1.0]], "à mi-hauteur, à droite", 20),
    ],
)
def test_where_the_model_looked_is_told_in_words(evidence, place, share):
    assert pictures.where(FRENCH, evidence) == (
        f"La zone qui a le plus compté est {place}. La moitié du poids tient dans "
        f"{share}{THIN}% de la photo."
    )


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_map_without_relief_says_so(level):
    assert "Aucune zone" in pictures.where(FRENCH, [[level, level]])


def test_the_side_of_a_png_is_read_from_its_header():
    assert pictures.side(encode(Image.new("RGB", (128, 128)), "PNG")[:24]) == 128


@pytest.fixture(scope="module")
def photos(data_dir):
    return dashboard.table(Showcase.read(data_dir), data_dir)


def test_the_figures_show_the_photos_of_the_classes_chosen_and_a_row_for_each_other(photos):
    chosen = dashboard.select(photos, ["Watches", "Computers"])

    assert dashboard.select(photos, []) is photos
    assert len(chosen) == 20
    (bars,) = dashboard.counts(
        FRENCH, chosen, CLASSES_FR
    ).data  # without a split there is nothing to stack
    assert list(bars.x) == [0, 0, 10, 0, 0, 0, 10] and len(bars.y) == 7
    assert sum(len(trace.x) for trace in dashboard.sizes(FRENCH, chosen, CLASSES_FR).data) == 20
    for figure in (
        dashboard.counts(FRENCH, chosen, CLASSES_FR),
        dashboard.ratios(FRENCH, chosen, CLASSES_FR),
        dashboard.weights(FRENCH, chosen, CLASSES_FR),
    ):
        assert len(figure.layout.yaxis.categoryarray) == 7
        assert figure.layout.yaxis.range == (6.5, -0.5)
    assert [len(trace.x) for trace in dashboard.ratios(FRENCH, chosen, CLASSES_FR).data] == [
        0,
        0,
        10,
        0,
        0,
        0,
        10,
    ]
    assert photos.kb.between(0.5, 200).all()


def test_each_point_of_the_figure_of_sizes_tells_its_photo(photos):
    figure = dashboard.sizes(FRENCH, dashboard.select(photos, ["Watches"]), CLASSES_FR)

    watches = photos[photos.label == CLASSES.index("Watches")]
    named = [name for trace in figure.data for name in trace.customdata]
    assert named == watches.image.tolist()


def test_sizes_are_those_of_the_originals_and_photos_stack_by_part_where_it_is_known(
    data_dir, tmp_path
):
    shown = Showcase.read(data_dir)
    first, second = shown.photos.fichier[:2]
    label = shown.photos["Catégorie"].map(CLASSES.index)
    manifest = f"image,sha256,bytes,width,height\n{first},0,5000000,4000,3000\n"
    (tmp_path / "manifest.csv").write_text(manifest)
    (tmp_path / "splits").mkdir()
    split = f"image,part\n{first},test\n{second},train\n"
    (tmp_path / "splits" / "published.csv").write_text(split)

    photos = dashboard.table(shown, tmp_path)

    original, other = photos.iloc[0], photos.iloc[1]
    assert (original.width, original.height, original.kb) == (4000, 3000, 5000)
    assert (other.width, other.height) == tuple(shown.photos[["largeur", "hauteur"]].iloc[1])
    bars = dashboard.counts(FRENCH, photos, CLASSES_FR).data
    assert [(bar.name, sum(bar.x)) for bar in bars] == [("Entraînement", 1), ("Test", 1)]
    assert (
        bars[1].x[label[0]] == 1
        and dashboard.counts(FRENCH, photos, CLASSES_FR).layout.barmode == "stack"
    )


def test_no_figure_needs_webgl_or_takes_the_finger_of_a_phone(photos):
    for draw in (dashboard.counts, dashboard.sizes, dashboard.ratios, dashboard.weights):
        figure = draw(FRENCH, photos, CLASSES_FR)

        assert "scattergl" not in {trace.type for trace in figure.data}
        assert figure.layout.dragmode is False and figure.layout.xaxis.fixedrange
        assert figure.layout.xaxis.title.text


def test_the_summary_says_the_same_in_a_table(photos):
    text = dashboard.summary(FRENCH, dashboard.select(photos, ["Watches"]), CLASSES_FR)
    watches = photos[photos.label == CLASSES.index("Watches")]

    assert "<strong>10</strong> photos" in text
    assert f'<td class="nombre">{watches.width.median():.0f}{WIDE}px</td>' in text
    assert text.count("<tr>") == 2
    assert "réduites" not in text and "inconnue" not in text


def test_the_summary_warns_of_a_reduced_edition_and_of_files_that_are_elsewhere():
    photos = pd.DataFrame(
        {"image": ["a", "b", "c"], "label": [0, 0, 1], "part": "", "width": [320, 320, 90],
         "height": [400, 330, 90],
         "ratio": [0.8, 0.97, 1.0], "kb": [12.0, None, None]}
    )  # fmt: skip

    text = dashboard.summary(FRENCH, photos, CLASSES_FR)

    assert "sans doute été réduites" in text and f"vaut 320{WIDE}pixels" in text
    assert "La taille de 2 fichiers est inconnue" in text and ">inconnu</td>" in text
    assert "Aucune photo" in dashboard.summary(FRENCH, photos.head(0), CLASSES_FR)
