"""French words for what the code names: passes, corruptions, licences, fields of a recipe."""

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["WORDS"]

WORDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
"""What is said for each name, by kind of name."""
