"""The measures of the service reach the prose as they were measured, and choose its sentences."""

import json
from dataclasses import replace

import pytest

from vitrine import paths
from vitrine.data import pictures
from vitrine.report.ledger import service, verdicts
from vitrine.report.ledger.verdicts import CLAIMS

SHEET = json.loads((paths.root() / service.SHEET).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def values():
    return dict(service.values())


def said(values, key):
    return verdicts.decide(values)[key]["text"]


def test_a_row_of_the_sheet_is_a_value_with_its_machine(values):
    row = next(
        row
        for row in SHEET["rows"]
        if (row["model"], row["server"], row["clients"]) == ("efficientnet_b0", "naive", 32)
    )

    found = values["service.efficientnet_b0.naive.p99_crowd"]

    assert (found.value, found.unit, found.n) == (row["p99"], "ms", row["requests"])
    assert found.hardware.startswith(SHEET["hardware"]["cpu"])
    assert found.commit[:7] == SHEET["code"]["commit"][:7]


def test_memory_and_share_are_the_worst_of_all_numbers_of_clients(values):
    ours, naive = (
        [
            row
            for row in SHEET["rows"]
            if (row["model"], row["server"]) == ("efficientnet_b0", server)
        ]
        for server in ("ours", "naive")
    )
    shares = [
        a["cpu_milliseconds"] / b["cpu_milliseconds"] for a, b in zip(ours, naive, strict=True)
    ]

    share = values["service.efficientnet_b0.cpu_share"].value
    memory = values["service.efficientnet_b0.ours.memory"].value

    assert share == pytest.approx(max(shares)) and len(shares) == 3
    assert memory == max(row["memory_mb"] for row in ours)


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("service_processor", {"service.efficientnet_b0.cpu_share": (0.4, 0.6)}),
        (
            "service_alone",
            {
                "service.efficientnet_b0.ours.p50_alone": (1.0, 1e4),
                "service.packaged.ours.p50_alone": (1.0, 1e4),
            },
        ),
        (
            "service_crowd",
            {
                "service.efficientnet_b0.ours.p50_crowd": (1.0, 1e5),
                "service.packaged.ours.p50_crowd": (1.0, 1e5),
            },
        ),
        (
            "service_probe",
            {
                "service.efficientnet_b0.ours.probe_crowd": (20.0, 20.0),
                "service.packaged.ours.probe_crowd": (20.0, 201.0),
            },
        ),
    ],
)
def test_other_measures_change_the_sentence(values, claim, changed):
    good, bad = (
        {key: replace(values[key], value=pair[i]) for key, pair in changed.items()} for i in (0, 1)
    )
    declared = next(each for each in CLAIMS if each.key == claim)

    assert said(values | good, claim) == declared.text
    assert said(values | bad, claim) == declared.reverse


def test_models_that_disagree_are_told_with_care(values):
    mixed = {
        "service.efficientnet_b0.ours.p50_alone": 1.0,
        "service.packaged.ours.p50_alone": 1e4,
    }
    changed = {key: replace(values[key], value=number) for key, number in mixed.items()}

    verdict = verdicts.decide(values | changed)["service_alone"]

    assert verdict["state"] == "undecided" and verdict["text"].startswith("selon le modèle")


@pytest.mark.parametrize("more", [-1, 1])
def test_an_answer_that_is_neither_given_nor_refused_stops_the_book(values, more):
    key = "service.packaged.overload_refused"
    lost = replace(values[key], value=values[key].value + more)

    assert verdicts.decide(values)["service_overload"]["state"] == "true"
    assert verdicts.decide(values | {key: lost})["service_overload"]["state"] == "false"


@pytest.mark.parametrize("model", [service.DEFAULT, service.MAMBAVISION])
def test_what_a_threshold_of_doubt_aims_at_stands_beside_what_it_keeps(values, model):
    card = paths.root() / service.SHIPPED / model / "model.json"
    doubt = json.loads(card.read_text(encoding="utf-8"))["doubt"]

    wanted, kept = (values[f"served.{model}.{each}"] for each in ("wanted", "answered_accuracy"))

    assert wanted.value == doubt["wanted"]
    assert kept.low == pytest.approx(doubt["accuracy"]["low"])
    assert kept.high == pytest.approx(doubt["accuracy"]["high"])


def test_the_free_pictures_that_the_default_model_puts_in_their_class_are_counted():
    sheet = json.loads((paths.root() / service.PICTURES).read_text(encoding="utf-8"))
    expected = {picture.path.stem: picture.label for picture in pictures.read()}
    for row in sheet["rows"]:
        row |= {"answer": expected[row["name"]] or "Watches", "outside": not expected[row["name"]]}

    perfect = {key: found.value for key, found in service.pictured(sheet)}
    product = next(row for row in sheet["rows"] if expected[row["name"]])
    product |= {"answer": "Watches", "outside": True}
    other = {key: found.value for key, found in service.pictured(sheet)}

    products, others = perfect["pictures.products"], perfect["pictures.others"]
    assert (products, others, perfect["pictures.rendered"]) == (5, 4, 7)
    assert perfect["pictures.rendered_right"] == 7 and perfect["pictures.rendered_doubted"] == 0
    assert perfect["pictures.right"] == products and perfect["pictures.doubted"] == 0
    assert perfect["pictures.others_doubted"] == others
    assert other["pictures.right"] == products - 1 and other["pictures.doubted"] == 1


@pytest.mark.parametrize("changed", ["model", "picture", "missing"])
def test_answers_of_another_model_or_for_other_pictures_are_refused(changed):
    sheet = json.loads((paths.root() / service.PICTURES).read_text(encoding="utf-8"))
    if changed == "model":
        sheet["model"]["sha256"] = "0" * 64
    elif changed == "picture":
        sheet["rows"][0]["sha256"] = "0" * 64
    else:
        del sheet["rows"][-1]

    with pytest.raises(ValueError, match="vitrine bench pictures"):
        dict(service.pictured(sheet))


@pytest.mark.parametrize(
    ("place", "model", "command"),
    [
        (service.SHEET, "packaged", "vitrine bench serving"),
        (service.PEERS, "efficientnet-lite0", "vitrine bench serving --peers"),
        (service.PEERS, "mambavision", "vitrine bench serving --peers"),
    ],
)
def test_times_of_another_file_of_a_served_model_are_refused(place, model, command, monkeypatch):
    read = service.tracked.read

    def altered(name, *fields):
        sheet = read(name, *fields)
        for row in sheet["models"] if name == place else ():
            row |= {"sha256": "0" * 64} if row["model"] == model else {}
        return sheet

    monkeypatch.setattr(service.tracked, "read", altered)

    with pytest.raises(ValueError, match=f"in {place} .* those of 0{{12}}; run `{command}`"):
        dict(service.values())


def test_the_photos_that_the_guard_refuses_wrongly_are_counted_over_folds():
    row = {"recipe": "b", "images": 1000, "same": 9, "milliseconds": 1, "false_alarms": 50}
    forms = ("float32", "int8-static", "int8-static-again", "openvino-bf16", "openvino-int8")
    totals = [row | {"form": form, "right": k} for k, form in enumerate(forms)]
    totals += [each | {"recipe": service.MICRO, "same": 6 + each["right"]} for each in totals]
    sheet = json.loads((paths.root() / service.FORMS).read_text(encoding="utf-8"))

    found = dict(service._formed(sheet | {"recipe": "b", "totals": totals}))

    alarms = found["forms.served.false_alarms"]
    assert (alarms.value, alarms.n) == (0.05, 1000)
    assert 0.03 < alarms.low < 0.05 < alarms.high < 0.07
    assert (found["forms.once.right"].value, found["forms.served.right"].value) == (1, 2)
    micro = {f"forms.micro.{key}": value for key, value in {
        "float32.right": 0, "int8.right": 1, "bfloat16.same": 9, "signed.right": 4,
    }.items()}  # fmt: skip
    assert {key: found[key].value for key in micro} == micro


@pytest.mark.parametrize("model", ["efficientnet-lite0", "mambavision"])
def test_the_accuracy_of_a_served_file_is_that_of_its_card(values, model):
    card = json.loads((paths.root() / service.SHIPPED / model / "model.json").read_text())

    found = values[f"served.{model}.accuracy"]

    told = card["metrics"]["accuracy"]
    assert (found.value, found.low, found.high, found.n) == (*told.values(), card["test_images"])


def test_peers_are_compared_on_the_default_model_and_named_by_their_crowd(values):
    sheet = json.loads((paths.root() / service.PEERS).read_text(encoding="utf-8"))
    default = sheet["models"][0]["model"]
    rows = {
        (row["server"], row["clients"]): row for row in sheet["rows"] if row["model"] == default
    }

    assert default == "efficientnet-lite0"
    for (server, clients), row in rows.items():
        when = {8: "few", 32: "crowd"}[clients]
        assert values[f"peers.{server}.rate_{when}"].value == row["per_second"]
        assert values[f"peers.{server}.p99_{when}"].value == row["p99"]
        assert values[f"peers.{server}.memory_{when}"].value == row["memory_mb"]
    assert {server for server, _ in rows} == {"ours", "litserve", "bentoml"}
    assert values["peers.hostile.p99"].value == sheet["hostile"][0]["p99"]
