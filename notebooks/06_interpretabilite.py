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
# # Ce que regardent les modèles
#
# **Sur quoi s’appuient nos modèles pour ranger une photo, et que valent les cartes qui le montrent ?** Priver
# EfficientNet-B0 des basses fréquences plutôt que des hautes lui coûte
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.loss_gap_low_high` d’exactitude de plus ; pour le modèle retenu, l’écart est
# de {valeur:ecart-ic}`efficientnet-lite0-torch.loss_gap_low_high`. En cinq minutes, vous saurez lire une carte d’occlusion,
# et reconnaître celle qui ne montre que la photo.
#
# Une explication n’est pas une preuve : chaque méthode passe un contrôle.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## Les modèles interrogés
#
# `vitrine explain` les a interrogés une fois, une graine par recette.

# %%
from vitrine.explain import facts
from vitrine.report.figures.style import model_name
from vitrine.training.session import begin

session = begin(profile)
borrowed, labels = facts.read(session, "importance"), facts.labels(session)
for recipe, run in facts.explained(session, "importance").items():
    print(f"{model_name(recipe)}, graine {run.meta['seed']}")

# %% [markdown]
# Chaque modèle a répondu à toutes les images de test, et à elles seules.

# %% tags=["nbval-check-output", "remove-cell"]
from vitrine.explain.importance import PARTS
from vitrine.report.figures.explanation import PARTS_FR

test = set(session.split.part("test").row)
draws = [rows for t in borrowed.values() for _, rows in t.groupby(["part", "repeat"])]
print("Parties empruntées :", *[PARTS_FR[part] for part in PARTS], sep="\n  ")
whole = all(set(rows.row) == test and len(rows) == len(test) for rows in draws)
print("Toutes les images de test à chaque tirage :", "oui" if whole else "non")

# %% [markdown]
# ## Les parties dont le modèle dépend
#
# Pour savoir si une partie de l’image compte, nous la remplaçons par celle d’une autre photo tirée au sort
# {cite:p}`breiman2001random,fisher2019all`, et comptons ce que le modèle perd : un canal de couleur ; les basses fréquences,
# celles d’une vignette de 16 pixels, ou les hautes, donc les détails ; le carré central, ou le bord.

# %% mystnb={"figure": {"name": "fig-interpretabilite-parties", "caption": "Exactitude perdue quand une partie de chaque photo est empruntée à une autre photo, moyenne de trois tirages, intervalles à 95 %. À droite de zéro, le modèle dépendait de cette partie."}, "image": {"alt": "Une ligne par partie de l’image : canaux rouge, vert et bleu, basses et hautes fréquences, centre et bord. Sur chaque ligne, un point et sa barre d’erreur par modèle : l’exactitude perdue."}}
from vitrine.explain import importance
from vitrine.report.figures import explanation

lost = {
    recipe: {part: importance.loss(table, part, labels) for part in PARTS}
    for recipe, table in borrowed.items()
}
explanation.losses(lost)

# %% [markdown]
# Photo par photo, ce que coûtent les basses fréquences moins ce que coûtent les hautes est de
# {valeur:ecart-ic}`efficientnet-b0-torch-scratch.loss_gap_low_high` pour EfficientNet-B0 en PyTorch, de
# {valeur:ecart-ic}`mambavision-micro-scratch.loss_gap_low_high` pour MambaVision micro et de
# {valeur:ecart-ic}`mobilenetv2-int8-probe.loss_gap_low_high` pour la sonde : {verdict}`networks_coarse_probe_fine`. Cela
# s’accorde avec {doc}`la comparaison en détail <05_comparaison_detail>`, où le flou et les petites photos coûtent à la sonde.
# Le modèle retenu, EfficientNet-Lite0, lit les détails comme elle
# ({valeur:ecart-ic}`efficientnet-lite0-torch.loss_gap_low_high`), et vient comme elle d’ImageNet.
#
# Le centre, où se tient le produit, coûte {valeur:ic}`efficientnet-b0-torch-scratch.loss_centre` au réseau PyTorch, le bord
# {valeur:ic}`efficientnet-b0-torch-scratch.loss_border` ; à MambaVision,
# {valeur:ic}`mambavision-micro-scratch.loss_centre` et {valeur:ic}`mambavision-micro-scratch.loss_border`.

# %% [markdown]
# ## Où regarde le modèle : cacher, puis voir ce qui change
#
# Nous cachons un carré de la photo, à chaque emplacement, et notons de combien baisse la probabilité de la vraie catégorie
# {cite:p}`zeiler2014visualizing`. Voici la moyenne sur dix photos de test par catégorie.

# %% mystnb={"figure": {"name": "fig-interpretabilite-occlusion-modeles", "caption": "Baisse moyenne de la probabilité de la vraie catégorie quand un carré blanc cache chaque emplacement, toutes catégories ensemble, sur l’image moyenne des photos en gris. Bleu : cacher cet endroit fait baisser la réponse ; ocre : cela la renforce."}, "image": {"alt": "Une carte de chaleur de sept cases sur sept par modèle, posée sur une image moyenne grise, toutes sur la même échelle ; les cases bleues sont les emplacements dont la réponse dépend le plus."}}
import numpy as np
from vitrine.data.facts import mean_images
from vitrine.explain import grids
from vitrine.report.figures.style import model_lines

means = mean_images()
average = np.mean(list(means.values()), axis=0).astype(np.uint8)
hidden = facts.read(session, "occlusion")
overall = {
    model_lines(recipe): grids.read(rows.groupby(["y", "x"], as_index=False)["value"].mean())
    for recipe, rows in hidden.items()
}
explanation.maps(overall, title="Baisse", signed=True, under=dict.fromkeys(overall, average))

# %% [markdown]
# Une tache bleue au centre dit que la réponse tient au produit ; une carte pâle, que le modèle n’est sûr de rien ou lit la
# photo entière. Catégorie par catégorie, pour le modèle retenu et les deux architectures comparées :

# %% mystnb={"figure": {"name": "fig-interpretabilite-occlusion", "caption": "EfficientNet-Lite0 à gauche, EfficientNet-B0 au milieu, MambaVision à droite : baisse moyenne de la probabilité de la vraie catégorie quand un carré blanc cache chaque emplacement, sur l’image moyenne de la catégorie en gris."}, "image": {"alt": "Une ligne par catégorie, une colonne par réseau : cartes de chaleur de sept cases sur sept, posées sur l’image moyenne de la catégorie, toutes sur la même échelle ; les cases bleues sont les emplacements dont la réponse dépend le plus."}}
from vitrine.report.recommended import RECOMMENDED

NETWORKS = (RECOMMENDED, "efficientnet-b0-torch-scratch", "mambavision-micro-scratch")
beside = {recipe: hidden[recipe] for recipe in NETWORKS if recipe in hidden}
explanation.class_maps(beside, title="Baisse", signed=True, under=means)

# %% [markdown]
# ## Les cartes disent-elles quelque chose du modèle ?
#
# Une carte peut être belle et ne rien devoir à l’apprentissage. Le contrôle d’Adebayo {cite:p}`adebayo2018sanity` détruit
# les poids et refait la carte. Voici la corrélation de rang entre les deux, en valeur absolue : proche de 0, la carte
# dépend des poids ; proche de 1, elle n’en dépend guère.

# %%
import pandas as pd
from vitrine.report import tables
from vitrine.report.figures.explanation import MAPS_FR

table = pd.DataFrame({"Méthode": MAPS_FR.values()}, index=list(MAPS_FR))
for recipe, checks in facts.read(session, "checks").items():
    alike = checks[checks.check.str.startswith("likeness-")]
    names = alike.check.str.removeprefix("likeness-")
    table[model_name(recipe)] = alike["value"].abs().groupby(names).median()
tables.show(table, decimals=2)

# %% [markdown]
# Au contrôle, {verdict}`occlusion_follows_the_weights` ({valeur}`efficientnet-b0-torch-scratch.likeness_occlusion` sur EfficientNet-B0,
# {valeur}`mambavision-micro-scratch.likeness_occlusion` sur MambaVision) ; mais {verdict}`gradients_follow_the_photo`
# ({valeur}`efficientnet-b0-torch-scratch.likeness_gradients` et
# {valeur}`mambavision-micro-scratch.likeness_gradients`) : multipliés par l’écart à une photo blanche, ils ne donnent
# aucun poids à un fond blanc, même pour un réseau détruit. Nous n’en concluons donc rien. {doc}`Les cartes en détail <06_interpretabilite_detail>`
# montre l’activité et l’attention.

# %% [markdown]
# ## Exercices
#
# **1. La couleur compte-t-elle ?** De la {numref}`fig-interpretabilite-parties`, tirez la perte moyenne des trois canaux pour
# chaque modèle. Qui perd le plus quand une couleur vient d’ailleurs ?

# %% tags=["hide-cell"]
for recipe, by_part in lost.items():
    colours = np.mean([by_part[part].value for part in ("red", "green", "blue")])
    print(f"{model_name(recipe)} : {tables.number(100 * colours, 1)} points")

# %% [markdown]
# **2. Votre contrôle.** Mélangez les cases de la carte d’occlusion d’un modèle, puis recalculez sa corrélation de rang avec
# l’originale. De quelle valeur du tableau s’approche-t-on, et qu’en conclure ?

# %% tags=["hide-cell"]
for name, grid in overall.items():
    shuffled = np.random.default_rng(0).permutation(grid.ravel())
    alike = pd.Series(grid.ravel()).corr(pd.Series(shuffled), method="spearman")
    print(f"{name.replace('<br>', ' ')} : {tables.number(abs(alike), 2)}")

# %% [markdown]
# ## Ce que nous retenons
#
# * EfficientNet-B0 en PyTorch, de zéro, et les deux modèles venus d’ImageNet ne lisent pas les mêmes fréquences :
#   {valeur:ecart-ic}`efficientnet-b0-torch-scratch.loss_gap_low_high` pour EfficientNet-B0,
#   {valeur:ecart-ic}`efficientnet-lite0-torch.loss_gap_low_high` pour EfficientNet-Lite0.
# * Une carte se contrôle avant d’être lue : poids mélangés, les gradients intégrés se ressemblent encore à
#   {valeur}`efficientnet-b0-torch-scratch.likeness_gradients`, l’occlusion à
#   {valeur}`efficientnet-b0-torch-scratch.likeness_occlusion`.
#
# ## Ce qui pourrait être faux
#
# * **Une seule graine.** La graine 0 en PyTorch, la graine 1 en TensorFlow et pour MambaVision, dont les poids étaient
#   gardés. Les intervalles portent sur les images, non sur la graine.
# * **Des photos impossibles.** Emprunter une partie fabrique des images que personne ne photographierait.
# * **Le carré blanc.** Il se confond avec le fond des photos de catalogue, mais marque une photo d’ambiance.
# * **Des moyennes.** Les cartes reposent sur peu de photos, et rien de cela n’était annoncé.
#
# ```{provenance}
# ```
