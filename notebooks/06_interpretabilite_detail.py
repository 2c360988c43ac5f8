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
# # Les cartes en détail
#
# **Que montrent les autres méthodes : gradients, activités, attention, voisinages ?** Des cartes plausibles, dont certaines
# ressemblent à celles d’un réseau {doc}`aux poids détruits <06_interpretabilite>` ; sur un plan t-SNE, chaque photo garde de
# {valeur}`efficientnet-lite0-torch.neighbours_kept` (EfficientNet-Lite0) à
# {valeur}`efficientnet-b0-torch-scratch.neighbours_kept` (EfficientNet-B0) de ses voisines. En cinq minutes, vous saurez ce
# que chaque méthode calcule, et ce qu’on ne peut pas y lire.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# Les mêmes modèles que dans le chapitre, les mêmes graines.

# %%
from vitrine.data.facts import mean_images
from vitrine.explain import facts
from vitrine.report.figures import explanation
from vitrine.report.figures.style import model_name
from vitrine.report.recommended import RECOMMENDED
from vitrine.training.session import begin

session = begin(profile)
borrowed, labels = facts.read(session, "importance"), facts.labels(session)
means = mean_images()
NETWORKS = ("efficientnet-b0-torch-scratch", "mambavision-micro-scratch")
LOOKED_AT = (RECOMMENDED, *NETWORKS)

# %% [markdown]
# ## Suivre le gradient
#
# Les gradients intégrés répartissent la réponse entre les pixels, sur le chemin qui mène d’une photo blanche à la vraie
# {cite:p}`sundararajan2017axiomatic,kokhlikyan2020captum`. La somme des parts doit redonner la réponse, et la redonne :
# écart d’au plus {valeur}`efficientnet-b0-torch-scratch.worst_incompleteness` pour EfficientNet-B0 et
# {valeur}`mambavision-micro-scratch.worst_incompleteness` pour MambaVision.

# %% mystnb={"figure": {"name": "fig-cartes-gradients", "caption": "EfficientNet-Lite0 à gauche, EfficientNet-B0 en PyTorch au milieu, MambaVision à droite : part moyenne de l’attribution (en valeur absolue) dans chaque case, quatre photos de test par catégorie, sur l’image moyenne de la catégorie. Chaque carte a sa propre échelle : plus une case est foncée, plus elle pèse."}, "image": {"alt": "Une ligne par catégorie, une colonne par réseau : cartes de chaleur de seize cases sur seize, posées sur l’image moyenne de la catégorie ; les cases foncées sont celles auxquelles la méthode attribue le plus la réponse."}}
every = facts.read(session, "gradients")
gradients = {recipe: every[recipe] for recipe in LOOKED_AT if recipe in every}
explanation.class_maps(gradients, title="Part", under=means)

# %% [markdown]
# ## Une photo, toutes les méthodes
#
# Sur un dessin fait par notre code, nous pouvons tout montrer : la carte de chaque méthode, l’activité des étages et, pour
# MambaVision, l’attention {cite:p}`vaswani2017attention` que reçoit chaque emplacement.

# %% mystnb={"figure": {"caption": "La montre dessinée que les réseaux examinent."}, "image": {"alt": "Dessin d’une montre noire à affichage numérique, penchée, sur fond gris sombre."}}
from vitrine.explain import drawn
from vitrine.report.figures.data import sheet

sheet([drawn.picture()], columns=1)

# %% [markdown]
# Nous expliquons la catégorie que chacun donne, juste ou non.

# %%
from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.training.runs import derived

examined = facts.explained(session, "drawing")
for recipe, run in examined.items():
    said = derived.about(run, "drawing")["settings"]
    sure = f"{said['probability']:.2f}".replace(".", ",")
    print(f"{model_name(recipe)} : {CLASSES_FR[CLASSES[said['label']]]} ({sure})")

# %% [markdown]
# D’abord EfficientNet-B0. À droite, les poids ont été mélangés : ce qui y reste ne doit rien à l’apprentissage.

# %% mystnb={"figure": {"name": "fig-cartes-dessin", "caption": "EfficientNet-B0 en PyTorch : cartes posées sur la montre dessinée, à gauche avec le réseau entraîné, à droite avec ses poids mélangés. Chaque carte a sa propre échelle."}, "image": {"alt": "Paires de cartes de chaleur posées sur le dessin, une ligne par méthode : occlusion, gradients intégrés, puis étages du réseau. La colonne de gauche vient du réseau entraîné, celle de droite du réseau aux poids mélangés."}}
sketches = facts.read(session, "drawing")
explanation.before_and_after(sketches[NETWORKS[0]], drawn.picture())

# %% tags=["nbval-check-output", "remove-cell"]
sizes = [t.groupby("map").network.value_counts().unstack() for t in sketches.values()]
paired = all((size.learned == size.shuffled).all() for size in sizes)
print("Chaque carte, avec les poids appris et mélangés :", "oui" if paired else "non")

# %% [markdown]
# Puis MambaVision. Une case d’attention au-dessus de 1 reçoit plus que sa part.

# %% mystnb={"figure": {"name": "fig-cartes-dessin-mambavision", "caption": "MambaVision : cartes posées sur la même montre, à gauche avec le réseau entraîné, à droite avec ses poids mélangés. Chaque carte a sa propre échelle."}, "image": {"alt": "Paires de cartes de chaleur posées sur le dessin, une ligne par méthode : occlusion, gradients intégrés, étages du réseau, attention reçue. La colonne de gauche vient du réseau entraîné, celle de droite du réseau aux poids mélangés."}}
explanation.before_and_after(sketches[NETWORKS[1]], drawn.picture())

# %% [markdown]
# L’attention dit où un bloc va chercher de quoi mettre à jour les autres emplacements, non ce qui fait la réponse
# {cite:p}`jain2019attention`.

# %% [markdown]
# ## Les photos que le modèle voit semblables
#
# Juste avant sa réponse, un réseau résume chaque photo en une liste de nombres. t-SNE
# {cite:p}`vandermaaten2008visualizing,kobak2019art` pose ces résumés sur un plan en gardant ensemble les voisins.

# %% mystnb={"figure": {"name": "fig-cartes-carte", "caption": "Cartes des images de test selon les caractéristiques que lit la dernière couche de chaque modèle : le plus exact en haut, puis les deux architectures comparées. Une croix signale une image manquée. Les axes n’ont pas d’unité."}, "image": {"alt": "Des nuages de points l’un sous l’autre, colorés par catégorie : les points d’une même couleur forment des groupes plus ou moins séparés, plus nets en haut ; des croix marquent les images que le modèle manque."}}
planes = facts.read(session, "embedding")
plain = {r: t[t.part == "none"].set_index("row").predicted for r, t in borrowed.items()}
scores = {r: (plain[r] == labels.loc[plain[r].index]).mean() for r in planes}
best = max(scores, key=scores.get)
shown = {r: planes[r].set_index("row") for r in (best, *NETWORKS) if r in planes}
rows = shown[best].index
answered = {r: plain[r].loc[rows].to_numpy() for r in shown}
placed = {r: places.loc[rows] for r, places in shown.items()}
explanation.embeddings(placed, labels.loc[rows].to_numpy(), answered)

# %% [markdown]
# La distance entre deux groupes, leur taille et leur forme n’ont pas de sens. Des dix plus proches voisins de chaque photo, la
# carte d’EfficientNet-Lite0 garde {valeur}`efficientnet-lite0-torch.neighbours_kept`, celle d’EfficientNet-B0
# {valeur}`efficientnet-b0-torch-scratch.neighbours_kept`, celle de MambaVision
# {valeur}`mambavision-micro-scratch.neighbours_kept`.

# %% [markdown]
# ## Exercices
#
# **1. Au centre ?** Quelle part de l’attribution tombe dans le carré central de chaque carte, une case sur quatre ? Une
# carte uniforme y mettrait un quart.

# %% tags=["hide-cell"]
for recipe, parts in gradients.items():
    side = parts.x.max() + 1
    inside = parts[["y", "x"]].ge(side // 4).all(axis=1) & parts[["y", "x"]].lt(3 * side // 4).all(
        axis=1
    )
    share = parts[inside]["value"].abs().sum() / parts["value"].abs().sum()
    print(f"{model_name(recipe)} : {100 * share:.0f} % pour {100 * inside.mean():.0f} % des cases")

# %% [markdown]
# **2. Le plus proche voisin.** Sur le plan, le voisin d’une photo est-il de sa catégorie ? Comptez, pour chaque modèle.

# %% tags=["hide-cell"]
import numpy as np

kinds = labels.loc[rows].to_numpy()
for recipe, points in placed.items():
    xy = points[["x", "y"]].to_numpy()
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2) + np.diag(np.full(len(xy), np.inf))
    print(f"{model_name(recipe)} : {100 * (kinds[apart.argmin(axis=1)] == kinds).mean():.0f} %")

# %% [markdown]
# ## Ce que nous retenons
#
# * Une carte se contrôle avant d’être lue : poids mélangés, les gradients intégrés se ressemblent encore à
#   {valeur}`efficientnet-b0-torch-scratch.likeness_gradients`.
# * Un plan t-SNE garde {valeur}`efficientnet-lite0-torch.neighbours_kept` des voisins d’EfficientNet-Lite0 : ses
#   distances ne se lisent pas.
#
# ## Ce qui pourrait être faux
#
# * **Une seule graine**, et peu de photos : quatre par catégorie pour les gradients.
# * **La photo de départ.** Les gradients intégrés dépendent de la photo blanche dont ils partent.
#
# ```{provenance}
# ```
