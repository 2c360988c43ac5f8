"""Words and numbers of the page and of a model's licence, in French or in English.

French sentences are in the code, where they are said; ``english.toml`` has each in English.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from vitrine.report import fr
from vitrine.serving.problems import Language

__all__ = ["Speech"]

_IN_SCRIPT = re.compile(r'\bsay\("([^"]*)"\)')


class Speech:
    """What says a French sentence in a language.

    Args:
        language: The one to speak.
    """

    def __init__(self, language: Language = "fr") -> None:
        self.language: Language = language
        self.french = language == "fr"

    def __call__(self, text: str, **told: object) -> str:
        """Return a French text in the language, its spaces and its braces as they should be.

        A text of elsewhere, such as the words of a card, is said as it is where no English is
        known.

        Args:
            text: With spaces that may all break.
            told: What stands for each brace, said already.
        """
        said = fr.space(text) if self.french else _english().get(text, text)
        return said.format(**told) if told else said

    def script(self, source: str) -> str:
        """Return a script with what it says, ``say("…")``, in the language."""
        return _IN_SCRIPT.sub(lambda said: f'"{self(said[1])}"', source)

    def number(self, value: float | int, decimals: int = 0) -> str:
        """Write a number."""
        return fr.number(value, decimals) if self.french else f"{value:,.{decimals}f}"

    def significant(self, value: float | int) -> str:
        """Write a number with three significant digits at most."""
        return fr.significant(value) if self.french else f"{value:.3g}"

    def count(self, value: int) -> str:
        """Write how many there are: in letters, in French, up to twelve."""
        return fr.spelled(value) if self.french else f"{value:,}"

    def percent(self, share: float | int, decimals: int = 1) -> str:
        """Write a share between 0 and 1 as a percentage."""
        return fr.percent(share, decimals) if self.french else f"{share:.{decimals}%}"


@cache
def _english() -> Mapping[str, str]:
    """Return every sentence in English, by its French."""
    file = resources.files("vitrine.serving").joinpath("english.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
