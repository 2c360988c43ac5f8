"""The scan beside attention: what each step shows, and when it moves."""

import re

import pytest

from vitrine.book.animation import SIDE, scan_beside_attention

TOKENS = SIDE * SIDE


@pytest.fixture(scope="module")
def drawn():
    return scan_beside_attention("Deux grilles, « côte à côte » & d’un pas.")


def steps(panel: str) -> list[str]:
    _, *drawn = re.split(r'<g class="pas(?: entier)?" style="--k:\d+">', panel)
    return [*drawn[:-1], drawn[-1].partition("<text")[0]]


@pytest.fixture
def scan(drawn):
    return steps(drawn.split("<svg")[1])


@pytest.fixture
def attention(drawn):
    return steps(drawn.split("<svg")[2])


def test_each_token_has_its_step_in_both_panels(scan, attention):
    assert len(scan) == len(attention) == TOKENS
    assert all(step.count('class="lit"') == 1 for step in (*scan, *attention))


def test_a_scan_forgets_what_is_long_past_and_sees_nothing_ahead(scan):
    kept = [[float(o) for o in re.findall(r'opacity="([\d.e-]+)"', step)] for step in scan]

    assert [len(marks) for marks in kept[:3]] == [1, 2, 3]
    assert all(marks == sorted(marks) and marks[-1] == 1 for marks in kept)
    assert max(map(len, kept)) < TOKENS


def test_attention_compares_each_token_to_all(attention):
    assert {step.count("L") for step in attention} == {TOKENS}


def test_the_last_step_alone_stands_when_nothing_moves(drawn):
    still, moving = drawn.split("@media screen and (prefers-reduced-motion: no-preference)")

    assert "animation" not in still and "input:checked" in moving
    assert re.findall(r'entier" style="--k:(\d+)"', drawn) == [str(TOKENS - 1)] * 2
    assert ".pas { opacity: 0; }" in still and ".pas.entier { opacity: 1; }" in still


def test_it_says_what_it_shows_and_is_the_same_twice(drawn):
    assert 'aria-label="Deux grilles, « côte à côte » &amp; d’un pas."' in drawn
    assert drawn == scan_beside_attention("Deux grilles, « côte à côte » & d’un pas.")
