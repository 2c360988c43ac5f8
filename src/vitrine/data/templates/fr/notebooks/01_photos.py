# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,mystnb,-all
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Les photos et les modèles
#
# Chaque catégorie est répartie entre entraînement, validation et test. Les doublons, exacts ou presque, et les photos
# d’un même groupe restent du même côté.

# %% tags=["parameters", "remove-input"]
profile = "published"

# %% tags=["remove-input"]
from IPython.display import Markdown
from vitrine.report import own
from vitrine.training.session import begin

session = begin(profile)
report = own.load()

# %% tags=["remove-input"]
own.shown(report.data())

# %% [markdown]
# ## Ce que valent les modèles
#
# Chaque photo est classée par un modèle qui ne l’avait pas apprise (validation croisée, première répétition). Les
# intervalles sont à 95 %.

# %% tags=["remove-input"]
own.shown(report.scores())

# %% [markdown]
# ## Lequel choisir
#
# Les modèles sont comparés deux à deux sur les mêmes photos, comme `vitrine.toml` l’annonce. Un écart est établi quand son intervalle exclut zéro et
# que le test de McNemar, corrigé par la méthode de Holm, est en dessous de 5 %.

# %% tags=["remove-input"]
own.shown(report.gaps())

# %% tags=["remove-input"]
Markdown("\n".join(f"* {verdict}" for verdict in report.verdicts()))

# %% [markdown]
# ## Ce qui trompe le meilleur

# %% tags=["remove-input"]
own.shown(wrong) if len(wrong := report.confusions(report.best())) else None

# %% tags=["remove-input"]
report.errors(report.best()) if session.photos else None

# %% [markdown]
# ## Ce qu’il regarde
#
# Un carré blanc cache tour à tour chaque endroit de la photo. Plus un endroit est coloré, plus le cacher retire de
# probabilité à la catégorie donnée. Ce sont les erreurs les plus sûres sur le test du découpage, par le meilleur des
# modèles que l’on peut interroger de nouveau.

# %% tags=["remove-input"]
report.looks() if session.photos else None

# %% [markdown]
# ## Limites
#
# Ces mesures valent pour des photos tirées comme celles-ci. Une catégorie peu fournie a un intervalle large, et un
# écart non établi ne dit pas que les modèles se valent : il dit que ces photos ne suffisent pas à les départager.
