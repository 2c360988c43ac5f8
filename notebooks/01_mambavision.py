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
# # MambaVision, des modèles d’espace d’état au bloc hybride
#
# **Que change MambaVision, et à quel prix ?** Le réseau remplace une partie de l’attention par un
# balayage sélectif, une récurrence dont le coût croît comme la longueur de la suite et non comme son
# carré {cite:p}`hatamizadeh2024mambavision`. Le prix est une opération que les bibliothèques ne
# fournissent pas : nous l’écrivons ici en clair, puis nous la vérifions.
#
# Ce chapitre tient en quatre pas : la récurrence, la sélection, le coût, le réseau complet.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# Nous ouvrons la session : rien n’est entraîné dans ce chapitre, et les deux profils y font les mêmes
# calculs.

# %%
import numpy as np
import pandas as pd
import timm
import torch
from IPython.display import display

import vitrine.models
from vitrine import paths
from vitrine.figures import watch
from vitrine.models.scan.reference import selective_scan
from vitrine.session import begin

session = begin(profile)

# %% [markdown]
# ## Une mémoire qui s’efface
#
# Un modèle d’espace d’état garde un résumé $h_t$ de ce qu’il a lu. À chaque jeton, il en oublie une
# part, ajoute la nouveauté $u_t$, puis lit sa réponse $y_t$ dans le résumé :
#
# $$h_t = e^{\Delta_t A}\,h_{t-1} + \Delta_t B_t\,u_t, \qquad y_t = C_t \cdot h_t .$$
#
# Le pas $\Delta_t$ règle tout. Nous donnons au modèle une seule impulsion, au premier jeton, et nous
# regardons ce qu’il en reste pour trois pas constants.

# %%
length = 60
impulse = torch.zeros(1, length, 1, dtype=torch.float64)
impulse[0, 0, 0] = 1.0
A = -torch.ones(1, 1, dtype=torch.float64)
ones = torch.ones(1, length, 1, dtype=torch.float64)

steps = {"Δ = 0,02": 0.02, "Δ = 0,1": 0.1, "Δ = 0,5": 0.5}
responses = {
    name: selective_scan(impulse, step * ones, A, ones, ones)[0, :, 0].numpy() / step
    for name, step in steps.items()
}

# %% mystnb={"figure": {"name": "fig-memoire", "caption": "Ce qui reste d’une impulsion, rapportée à son pas. Un petit pas retient longtemps, un grand pas oublie vite."}, "image": {"alt": "Trois courbes qui décroissent depuis 1 : lentement pour le plus petit pas, très vite pour le plus grand."}}
watch.memory(responses)

# %% [markdown]
# Chaque courbe de la {numref}`fig-memoire` est une exponentielle : après $t$ jetons il reste
# $e^{-t\Delta}$ de l’impulsion. La vérification ci-dessous compare le balayage à cette formule.

# %% tags=["nbval-check-output"]
positions = np.arange(length)
expected = {name: np.exp(-positions * step) for name, step in steps.items()}
agree = {name: bool(np.allclose(responses[name], expected[name], atol=1e-12)) for name in steps}
print(agree)

# %% [markdown]
# ## La sélection
#
# Dans un modèle classique, $\Delta$, $B$ et $C$ sont fixes : le modèle ne peut pas décider qu’un jeton
# mérite d’être retenu. Mamba les calcule à partir du jeton lui-même {cite:p}`gu2023mamba`. Nous
# reprenons l’impulsion, et nous annulons le pas après le dixième jeton : la mémoire se fige.

# %%
frozen = 0.1 * ones.clone()
frozen[0, 10:] = 0.0
selective = {
    "pas constant": selective_scan(impulse, 0.1 * ones, A, ones, ones)[0, :, 0].numpy(),
    "pas annulé après dix jetons": selective_scan(impulse, frozen, A, ones, ones)[0, :, 0].numpy(),
}

# %% mystnb={"figure": {"name": "fig-selection", "caption": "Le même modèle, avec un pas constant ou choisi par jeton : un pas nul garde la mémoire intacte."}, "image": {"alt": "Deux courbes confondues sur dix jetons ; ensuite l’une continue de décroître, l’autre reste à plat."}}
watch.memory(selective)

# %% [markdown]
# C’est cela, la sélection de la {numref}`fig-selection` : le contenu décide de ce qui est lu, gardé ou
# oublié. Deux propriétés s’ensuivent, que nous vérifions sur des entrées tirées au hasard : le balayage
# ne regarde jamais en avant, et un pas nul laisse la mémoire telle quelle.

# %% tags=["nbval-check-output"]
draw = torch.Generator().manual_seed(0)
u, delta = torch.rand(2, 1, 12, 4, dtype=torch.float64, generator=draw)
B, C = torch.randn(2, 1, 12, 3, dtype=torch.float64, generator=draw)
decay = -torch.rand(4, 3, dtype=torch.float64, generator=draw)
changed = u.clone()
changed[:, 8:] += 1.0
before, after = (selective_scan(x, delta, decay, B, C) for x in (u, changed))
print("le passé ne dépend pas de l’avenir :", torch.equal(before[:, :8], after[:, :8]))
print("l’avenir dépend du présent :", not torch.allclose(before[:, 8:], after[:, 8:]))

# %% [markdown]
# ## Le coût, jeton par jeton
#
# Pour une largeur $d$, une suite de $n$ jetons et un état de taille $s$, l’attention calcule deux
# produits de $n^2 d$ multiplications et additions ; le balayage en fait environ $6\,n\,s\,d$, et une
# convolution de noyau 3 en fait $3\,n\,d$. Nous comptons pour la largeur et l’état du troisième étage
# de MambaVision-T ; les projections, communes à tous, ne sont pas comptées.

# %%
lengths = np.array(watch.LENGTHS, dtype=float)
width, state = 320, 8
costs = {
    "attention": 2 * lengths**2 * width / 1e6,
    "balayage sélectif": 6 * lengths * state * width / 2 / 1e6,
    "convolution": 3 * lengths * width / 1e6,
}

# %% mystnb={"figure": {"name": "fig-cout", "caption": "Coût du seul mélange des jetons, compté par formule, selon la longueur de la suite (échelles logarithmiques). Le balayage porte sur la moitié des canaux, comme dans MambaVision."}, "image": {"alt": "Trois droites en échelles logarithmiques : celle de l’attention monte deux fois plus vite que celles du balayage et de la convolution."}}
watch.cost_against_length(costs)

# %% [markdown]
# À l’échelle d’une fenêtre de 14 jetons de côté, l’attention reste abordable : c’est pourquoi
# MambaVision peut la garder dans ses derniers blocs. L’avantage du balayage grandit avec la résolution.
#
# ## Le réseau
#
# MambaVision enchaîne quatre étages. Les deux premiers sont des convolutions. Les deux derniers
# découpent l’image en fenêtres et alternent : la première moitié des blocs mélange par balayage, la
# seconde par attention. Dans un bloc à balayage, la moitié des canaux est balayée ; l’autre n’est que
# convoluée, puis les deux sont réunies. Notre réalisation suit les deux articles et les valeurs
# observées du réseau publié, sans son code.
#
# Nous construisons chaque variante, sans poids, et nous comptons ses paramètres à côté du nombre publié.

# %%
published = pd.read_csv(paths.root() / "ressources" / "mambavision_published.csv")
counted = {}
for name in published.architecture:
    with torch.device("meta"):
        network = timm.create_model(name)
    counted[name] = sum(p.numel() for p in network.parameters()) / 1e6
published["counted_m"] = published.architecture.map(counted).round(1)

# %% [markdown]
# Le tableau rassemble les chiffres publiés (ImageNet-1K, images de 224 pixels, débit sur A100, relevés
# dans la notice du projet d’origine) et notre compte.

# %%
table = published.rename(
    columns={
        "architecture": "Architecture", "top1": "Top-1 (%)", "top5": "Top-5 (%)",
        "images_per_second_a100": "Images/s (A100)", "parameters_m": "Paramètres publiés (M)",
        "gflops": "GFLOP", "counted_m": "Paramètres comptés ici (M)",
    }
)
display(table.style.set_uuid("variantes").hide(axis="index").format(precision=1, decimal=","))

# %% [markdown]
# Les deux dernières colonnes de paramètres doivent coïncider : c’est la première vérification de notre
# réalisation. Nous y ajoutons nos deux petites variantes, faites pour comparer à taille égale.

# %% tags=["nbval-check-output"]
gaps = (published.parameters_m - published.counted_m).abs()
print("mêmes nombres de paramètres, à 0,1 M près :", bool((gaps <= 0.11).all()))
for name in ("mambavision_nano", "mambavision_micro", "mambavision_tiny"):
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=7)
    print(name, sum(p.numel() for p in network.parameters()))

# %% [markdown]
# ## Ce que nous retenons
#
# * Un balayage sélectif est une mémoire dont chaque jeton règle l’oubli ; son coût est proportionnel à
#   la longueur de la suite.
# * MambaVision ne renonce pas à l’attention : il la réserve à la fin de ses deux derniers étages.
# * Le réseau complet se construit ici sans extension CUDA, et compte autant de paramètres que l’original.
#
# ## Ce qui pourrait être faux
#
# * Les débits du tableau sont ceux que publient les auteurs, sur leur matériel ; nous ne les avons pas
#   mesurés.
# * La {numref}`fig-cout` compte des opérations, pas des secondes : sur une machine réelle, la mémoire et
#   la longueur des boucles comptent autant.
# * Un réseau de même taille n’est pas forcément le même réseau : l’égalité des paramètres est nécessaire,
#   non suffisante. Les tests du dépôt comparent aussi les sorties à des valeurs de référence.
