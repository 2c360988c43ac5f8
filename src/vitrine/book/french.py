"""Make the book French: words of the theme, spaces of the prose, search.

Authors type plain spaces; no line may start with « ? », and no guillemet stands alone. A
search for « entrainement » finds « entraînement ».
"""

import gettext
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import sphinx.search
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import translators
from sphinx.search.fr import SearchFrench
from sphinx.transforms import SphinxTransform

from vitrine.report.fr import space

__all__ = ["LEFTOVERS", "FoldingFrench", "fold", "setup"]

_CATALOGS = ("sphinx", "booktheme")
_TOLD = tomllib.loads(Path(__file__).with_name("french.toml").read_text(encoding="utf-8"))
_WORDS: dict[str, str] = _TOLD["words"]

LEFTOVERS: tuple[str, ...] = tuple(_TOLD["leftovers"])
"""Texts of the theme that no page may show."""


class _French(gettext.NullTranslations):
    """Our words first, then those of the catalog they stand in front of."""

    def __init__(self, catalog: gettext.NullTranslations | None) -> None:
        super().__init__()
        if catalog is not None:
            self.add_fallback(catalog)

    def gettext(self, message: str) -> str:
        """Return our translation of a message, else the catalog's."""
        return _WORDS.get(message) or super().gettext(message)


class _Spaces(SphinxTransform):
    """Applies ``space`` to prose, and leaves code and formulas alone."""

    default_priority = 760  # after the curly quotes

    def apply(self, **options: object) -> None:
        verbatim = (nodes.literal, nodes.raw, nodes.math, nodes.math_block, nodes.FixedTextElement)
        for node in list(self.document.findall(nodes.Text)):
            if not isinstance(node.parent, verbatim) and (text := space(str(node))) != str(node):
                node.parent.replace(node, nodes.Text(text))


def setup(app: Sphinx) -> None:
    """Translate the theme, space the prose, fold accents in the search."""
    app.connect("builder-inited", _install)
    app.add_transform(_Spaces)
    app.add_search_language(FoldingFrench)


def _install(app: Sphinx) -> None:
    for catalog in _CATALOGS:
        known = translators.get(("general", catalog))
        if not isinstance(known, _French):
            translators["general", catalog] = _French(known)
    if app.builder.format == "html":  # its templates were given the former catalog
        environment: Any = app.builder.templates.environment
        environment.install_gettext_translations(translators["general", "sphinx"])


# The browser folds a query as Python folds the index, before stemming it.
_FOLDING_STEMMER = """
Stemmer = function () {
  const french = new FrenchStemmer();
  this.stemWord = (word) => {
    const plain = word.normalize("NFD").replace(/[\\u0300-\\u036f]/g, "");
    return french.stemWord(plain.replace(/œ/g, "oe").replace(/æ/g, "ae"));
  };
};
"""


class FoldingFrench(SearchFrench):
    """Sphinx's French, without accents."""

    js_stemmer_rawcode = ""

    def init(self, options: dict[str, str]) -> None:
        """Prepare both stemmers: Python's for the index, JavaScript's for the queries."""
        super().init(options)
        scripts = Path(sphinx.search.__file__).parent / "minified-js"
        names = ("base-stemmer.js", SearchFrench.js_stemmer_rawcode)
        code = [(scripts / name).read_text(encoding="utf-8") for name in names]
        self.js_stemmer_code = "\n".join([*code, _FOLDING_STEMMER])

    def stem(self, word: str) -> str:
        """Return the stem of a word, without accents."""
        return super().stem(fold(word))


def fold(word: str) -> str:
    """Return a word in lower case, without accents or ligatures."""
    plain = unicodedata.normalize("NFD", word.lower())
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return kept.replace("œ", "oe").replace("æ", "ae")
