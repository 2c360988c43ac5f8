"""What a request goes through is drawn as the service does it, and waits as they were measured."""

import pytest

from vitrine.report.figures import service
from vitrine.serving.problems import PROBLEMS

ROWS = [
    {"server": server, "clients": clients, "p50": clients * k, "p99": clients * k * 3}
    for server, k in (("ours", 10.0), ("naive", 40.0))
    for clients in (8, 1)
]


def test_each_refusal_is_one_that_the_service_makes():
    known = {str(kind.status) for kind in PROBLEMS.values()}

    drawn = {code for codes in service.REFUSALS.values() for code in codes}

    assert drawn and drawn <= known


def test_a_refusal_leads_off_the_step_that_makes_it():
    texts = service.path().data[1]
    refused = {y: text for y, text in zip(texts.y, texts.text, strict=True) if "Refus" in text}
    passages = service.path().data[0]
    level = [
        a[1]
        for a, b in zip(
            zip(passages.x, passages.y, strict=True),
            list(zip(passages.x, passages.y, strict=True))[1:],
            strict=False,
        )
        if None not in (*a, *b) and a[1] == b[1]
    ]

    assert refused.keys() == service.REFUSALS.keys() == set(level)
    assert refused[3] == "<b>Refus</b><br>503"


def test_the_text_of_a_box_fits_a_telephone():
    texts = service.path().data[1]

    lengths = [
        (x, max(map(len, text.replace("<b>", "").replace("</b>", "").split("<br>"))))
        for x, text in zip(texts.x, texts.text, strict=True)
    ]

    # about 6 px a letter, in boxes of 158 px and 84 px on a screen of 390 px
    assert max(size for x, size in lengths if x < 0.5) <= 27
    assert max(size for x, size in lengths if x > 0.5) <= 14


def test_every_place_is_named_once_beside_its_steps():
    axis = service.path().layout.yaxis

    assert list(axis.ticktext) == [
        "visiteur", "page", "service,<br>boucle", "service,<br>ouvriers", "service,<br>boucle",
    ]  # fmt: skip
    assert list(axis.tickvals) == [0, 1, 2.5, 4.5, 6]


def test_waits_are_drawn_in_the_order_of_the_clients():
    figure = service.waits(ROWS)

    assert [trace.name.split(",")[0] for trace in figure.data] == ["le nôtre"] * 2 + ["le naïf"] * 2
    assert list(figure.data[0].x) == ["1", "8"]
    assert list(figure.data[0].y) == pytest.approx([10, 80])
    assert list(figure.data[3].y) == pytest.approx([120, 960])
    assert figure.layout.yaxis.type == "log"
