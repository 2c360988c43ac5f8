"""Search that folds accents: « entrainement » finds « entraînement »."""

import unicodedata
from pathlib import Path

import sphinx.search
from sphinx.application import Sphinx
from sphinx.search.fr import SearchFrench

__all__ = ["FoldingFrench", "fold", "setup"]

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


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's French."""
    app.add_search_language(FoldingFrench)
