"""What the figures of the chapter on the data show is what they are given."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.figures import data


@pytest.fixture
def photos():
    """Two photos of the first class and one of the last, of which one has no known size."""
    return pd.DataFrame(
        {
            "label": [0, 0, 6],
            "width": [200.0, np.nan, 1000.0],
            "height": [400.0, np.nan, 250.0],
            "red": [255.0, 12.4, 0.0],
            "green": [0.0, 12.4, 0.0],
            "blue": [0.0, 12.4, 255.0],
            "saturation": [1.0, 0.0, 1.0],
            "brightness": [1.0, 0.05, 1.0],
            "white_share": [0.25, 0.5, 0.123456789],
        }
    )


def test_balance_stacks_exactly_the_counts_given():
    counts = pd.DataFrame({"train": range(7), "validation": range(7, 14), "test": range(14, 21)})

    figure = data.balance(counts)

    assert [trace.name for trace in figure.data] == ["Entraînement", "Validation", "Test"]
    assert [list(trace.x) for trace in figure.data] == [list(counts[part]) for part in counts]
    assert figure.layout.barmode == "stack"


def test_sizes_leaves_out_photos_without_a_size_and_never_needs_a_graphics_card(photos):
    figure = data.sizes(photos)

    assert [list(trace.x) for trace in figure.data] == [[200.0], [], [], [], [], [], [1000.0]]
    assert [trace.name for trace in figure.data] == list(CLASSES_FR.values())
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert figure.layout.xaxis.ticktext[3] == "1\N{NARROW NO-BREAK SPACE}000"


def test_oblique_lines_of_sizes_stay_on_their_ratio_inside_the_axes(photos):
    figure = data.sizes(photos)

    ratios = [(line.x0 / line.y0, line.x1 / line.y1) for line in figure.layout.shapes]
    ends = [end for line in figure.layout.shapes for end in (line.x0, line.x1, line.y0, line.y1)]
    assert ratios == [(1 / 4, 1 / 4), (1, 1), (4, 4)]
    assert min(ends) == data.SIDES[0] and max(ends) == data.SIDES[-1]


def test_colours_paints_each_photo_with_its_own_mean_colour(photos):
    medians = photos.groupby("label")[["saturation", "brightness"]].median()

    points, diamonds = data.colours(photos, medians).data

    assert points.marker.color[:2] == ("rgba(255,0,0,0.98)", "rgba(12,12,12,0.98)")
    assert list(diamonds.y) == [0.525, 1.0]


def test_white_shares_are_drawn_in_percent_with_six_digits(photos):
    figure = data.white_shares(photos)

    assert list(figure.data[0].x) == [25.0, 50.0] and list(figure.data[6].x) == [12.3457]


def test_threshold_is_drawn_between_what_is_kept_and_what_is_not():
    distances = pd.DataFrame({"distance": [0, 2, 4, 6], "pairs": [30, 1, 5, 1234]})

    kept, beyond = (figure := data.duplicates(distances, 2)).data

    assert (list(kept.y), list(beyond.y)) == ([30, 1], [5, 1234])
    assert kept.x[-1] < figure.layout.shapes[0].x0 < beyond.x[0]
    assert beyond.text[-1] == "1\N{NARROW NO-BREAK SPACE}234"


def test_mean_images_hold_the_very_pixels_given():
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (8, 8, 3), dtype=np.uint8) for name in CLASSES}

    figure = data.mean_images(pictures)

    for shown, pixels in zip(figure.layout.images, pictures.values(), strict=True):
        raw = base64.b64decode(shown.source.partition(",")[2])
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(raw))), pixels)


def test_sheet_keeps_proportions_and_leaves_the_ground_transparent():
    wide = np.zeros((10, 20, 3), dtype=np.uint8)

    paper = np.asarray(data.sheet([wide] * 3, columns=2, tile=32))

    assert paper.shape == (2 * 34 - 2, 2 * 34 - 2, 4)
    assert paper[16, 16, 3] == 255 and paper[2, 16, 3] == 0
    assert (paper[34:, 34:, 3] == 0).all()
