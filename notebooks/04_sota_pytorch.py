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
# # Les réseaux récents, en PyTorch
#
# **Quand un réseau récent l’emporte, est-ce son architecture qui parle, ou la bibliothèque qui
# l’entraîne ?** Pour le savoir, nous entraînons d’abord le *même* EfficientNet-B0, avec la même recette,
# dans les deux bibliothèques : PyTorch moins TensorFlow, l’écart d’exactitude est de
# {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`. Bilan :
# {verdict}`frameworks_differ`.
#
# Puis vient MambaVision, à recette, bibliothèque et taille égales : MambaVision moins EfficientNet-B0,
# l’écart d’exactitude est de
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`. Bilan :
# {verdict}`architectures_differ`.
#
# Presque tous les réseaux récents, MambaVision comprise, sont écrits en PyTorch. Comparer l’un d’eux à
# une référence en TensorFlow confondrait deux effets. Nous mesurons donc l’écart des bibliothèques à part, et ne
# comparons les architectures qu’à l’intérieur d’une même bibliothèque.

# %% tags=["parameters"]
profile = "published"
recipe = "efficientnet-b0-torch-scratch"
reference = "efficientnet-b0-keras-scratch"
retrain = False
seed = 0

# %% [markdown]
# ## Une recette, deux bibliothèques
#
# Les deux recettes sont écrites au même endroit. Nous demandons en quoi elles diffèrent : il ne doit
# rester que le nom, la bibliothèque, la façon dont elle nomme le réseau, et le réglage qu’il faut lui
# imposer pour qu’elle fasse comme l’autre.

# %% tags=["nbval-check-output"]
from vitrine.report import tables
from vitrine.training import recipes, runs
from vitrine.report.figures.style import model_name
from vitrine.training.session import begin

session = begin(profile)
chosen, other = session.recipe(recipe), session.recipe(reference)
ours, theirs = chosen.to_dict(), other.to_dict()
said = {
    "name": "nom", "trainer": "bibliothèque", "architecture": "réseau", "windows": "fenêtres",
    "norm_momentum": "inertie de la normalisation", "precision": "précision",
    "epochs": "époques", "source": "origine de la recette",
}
differs = [said.get(field, field) for field in ours if ours[field] != theirs[field]]
print("Ce qui diffère :", ", ".join(differs))

# %% [markdown]
# Même taille d’image, même budget d’époques, mêmes transformations, même optimiseur, même courbe du
# taux d’apprentissage : les deux bibliothèques appellent la même fonction. Le tableau de
# {doc}`la référence <03_baseline_tensorflow>` vaut donc ici, ligne pour ligne. Une réserve : les
# exécutions publiées de Keras tiraient encore leurs recadrages d’une autre loi, un peu plus serrée ; elles
# sont à refaire.
#
# ## Le registre de timm
#
# timm {cite:p}`wightman2019timm` est une bibliothèque de réseaux d’images pour PyTorch. Son cœur est un
# *registre* : chaque réseau y a un nom, et `timm.create_model(nom)` le construit, avec ou sans poids
# préentraînés, avec la tête qu’il nous faut. Essayer un autre réseau, c’est changer un nom dans une
# recette. Les nôtres s’y inscrivent aussi : importer `vitrine.models` suffit pour que MambaVision
# {cite:p}`hatamizadeh2024mambavision` s’appelle par son nom, comme les autres.

# %% tags=["nbval-check-output"]
import timm

import vitrine.models

print(recipe, ":", chosen.architecture)
print("dans le registre :", "oui" if timm.is_model(chosen.architecture) else "non")
print("MambaVision :", *timm.list_models("mambavision*"), sep="\n  ")

# %% [markdown]
# Le préfixe `tf_` compte. timm a deux EfficientNet-B0 : la sienne, et celle-ci, qui reproduit les choix
# de l’original en TensorFlow, dont le remplissage des bords. C’est la seconde qu’il faut pour comparer
# des bibliothèques et non des variantes.

# %% [markdown]
# ## Le même réseau, vraiment ?
#
# Nous le construisons et comptons ses paramètres avec les mêmes étages qu’au chapitre précédent.

# %% tags=["nbval-check-output"]
from vitrine.training.torch import build

network = build(session.recipe("efficientnet-b0-torch-scratch"))[1]
stages = {"stem": [network.conv_stem, network.bn1]}
stages |= {f"block{k}": [block] for k, block in enumerate(network.blocks, start=1)}
stages |= {"top": [network.conv_head, network.bn2], "head": [network.classifier]}
for name, modules in stages.items():
    count = sum(weight.numel() for module in modules for weight in module.parameters())
    print(f"{name:6} {count:8}")

# %% [markdown]
# Chaque étage a le compte imprimé par TensorFlow au chapitre précédent. L’exécution de référence a noté
# son total ; nous vérifions qu’il est le même, sans charger TensorFlow.

# %% tags=["nbval-check-output"]
total = sum(p.numel() for p in network.parameters())
noted = runs.load(reference).meta["parameters"]
print("PyTorch :", total, "TensorFlow :", noted)
print("égaux :", "oui" if total == noted else "non")

# %% [markdown]
# Le même nombre de paramètres ne suffit pas : deux réglages ne se voient ni dans le compte ni dans les
# couches. La normalisation par lots garde une moyenne mobile de ce qu’elle a vu, et PyTorch y donne au
# dernier lot un poids dix fois plus grand que Keras. La tête part de poids tirés au hasard, et timm les
# tire, pour un EfficientNet, dans un intervalle qui ne dépend que du nombre de classes. Nous alignons
# les deux sur Keras.

# %% tags=["nbval-check-output"]
import math

default = timm.create_model(chosen.architecture, num_classes=7)
glorot = math.sqrt(6 / (default.classifier.in_features + 7))
for name, net in {"timm": default, "notre recette": network}.items():
    largest = net.classifier.weight.abs().max().item()
    line = f"{name:13} dernier lot {net.bn1.momentum}, plus grand poids de la tête {largest:.2f}"
    print(line.replace(".", ","))
print(f"{'Keras':13} dernier lot 0,01, plus grand poids de la tête {glorot:.2f}".replace(".", ","))

# %% [markdown]
# Ce n’est pas un détail. Notre première exécution en PyTorch gardait les valeurs de timm : partie d’une
# perte bien plus haute, elle n’a jamais rattrapé l’autre, et l’écart passait pour celui des
# bibliothèques. {doc}`Le protocole <../book/protocole>` consigne la correction.

# %% [markdown]
# ## La boucle, en clair
#
# L’entraînement vit dans le paquet, où il sait reprendre, se partager et se mesurer. Son cœur tient en
# quelques lignes ; les voici, sans lui. D’abord un lot de photos dessinées, augmentées comme la recette le dit.

# %%
import numpy as np
import torch
from torch import nn

from vitrine.data.catalog import CLASSES
from vitrine.explain import drawn
from vitrine.training.torch.photos import Photos

labels = np.arange(chosen.batch_size) % len(CLASSES)
drawings = np.stack([drawn.drawing(CLASSES[k]).resize((256, 256)) for k in labels])
photos = Photos(drawings, labels, chosen, seed)
batch, truth = torch.stack([photos[0, i][0] for i in range(len(photos))]), torch.from_numpy(labels)

# %% [markdown]
# Puis le réseau, avec les poids que l’entraînement du paquet (`house`) vient de tirer ; la perte ; et
# l’optimiseur, où les matrices décroissent et les vecteurs (biais, normalisations) non.

# %%
from vitrine.training.torch.classifier import Classifier

house = Classifier(chosen, seed, steps=1)
model = timm.create_model(
    chosen.architecture, num_classes=len(CLASSES), drop_rate=chosen.drop_rate,
    drop_path_rate=chosen.drop_path_rate, bn_momentum=chosen.norm_momentum,
)  # fmt: skip
model.load_state_dict(house.model[1].state_dict())
model.train().to(memory_format=torch.channels_last)
mean, std = (255 * torch.tensor(model.default_cfg[k]).view(3, 1, 1) for k in ("mean", "std"))
x = ((batch.float() - mean) / std).contiguous(memory_format=torch.channels_last)

# %%
loss_of = nn.CrossEntropyLoss(label_smoothing=chosen.label_smoothing)
matrices = [p for p in model.parameters() if p.ndim > 1]
vectors = [p for p in model.parameters() if p.ndim <= 1]
decays = ((matrices, chosen.weight_decay), (vectors, 0.0))
optimizer = torch.optim.AdamW([{"params": p, "weight_decay": decay} for p, decay in decays])

# %% [markdown]
# Un pas : fixer le taux, calculer la perte, la dériver, corriger les poids. Nous en faisons deux sur ce lot.

# %%
from vitrine.training.recipes import epoch_seed

losses = []
for step in range(2):
    torch.manual_seed(epoch_seed(seed, step))  # dropout, profondeur stochastique
    for group in optimizer.param_groups:
        group["lr"] = chosen.learning_rate_at(step + 1 / 2)
    loss = loss_of(model(x), truth)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %% [markdown]
# L’entraînement du paquet, sur le même lot, doit donner les mêmes pertes, au dernier bit.

# %% tags=["nbval-check-output"]
from torch.utils.data import DataLoader
from vitrine.training.torch.trainer import trainer

again = DataLoader(
    photos, chosen.batch_size, sampler=[(0, i) for i in range(len(photos))],
    generator=torch.Generator(),
)  # fmt: skip
trainer(chosen, "cpu", max_epochs=2, enable_checkpointing=False).fit(house, again, again)
same = losses == [row["train_loss"] for row in house.history]
print("Mêmes pertes, avant et après un pas :", "oui" if same else "non")

# %% [markdown]
# ## L’entraînement, ou ce qu’il a laissé
#
# Dans le profil publié, nous prenons *toutes* les recettes PyTorch dont une exécution est suivie par git :
# un réseau de plus entre dans ce chapitre dès que son exécution existe. Celles qui partent d’un même
# préentraînement ont {doc}`leur chapitre <07_a_armes_egales>`. Dans le profil miniature, ou si `retrain` est
# vrai, nous entraînons la recette demandée.

# %%
asked = [f"{recipe}/seed-{seed}"]
apart = {*recipes.EQUAL_START, *recipes.CONTROLS}
kept = [run for run in runs.names(session.base) if run.split("/")[0] not in apart]
wanted = asked if session.smoke or retrain else kept
groups = {}
for run in wanted:
    name, _, number = run.partition("/seed-")
    if name in recipes.RECIPES and recipes.find(name).trainer == "torch":
        trained = session.run(name, int(number), retrain=retrain)
        groups.setdefault(name, []).append(trained)
for name, group in groups.items():
    print(f"{model_name(name)} : {len(group)} graine{'s'[: len(group) > 1]}")

# %% [markdown]
# Les réponses de la référence en TensorFlow sont lues, jamais refaites ici. Dans le profil miniature, des
# réponses tirées au sort en tiennent lieu.

# %%
tracked = [run for run in runs.names() if run.startswith(f"{reference}/")]
if session.smoke:
    tracked = tracked[:1]
seeds = [int(run.partition("/seed-")[2]) for run in tracked]
baseline = [session.answers(reference, number) for number in seeds]

# %% [markdown]
# ## Comment ils apprennent
#
# Une courbe par graine s’il n’y a qu’une recette, la première graine de chacune s’il y en a plusieurs ;
# gris pour l’entraînement, en couleur pour la validation.

# %% mystnb={"figure": {"name": "fig-pytorch-courbes", "caption": "Perte et exactitude au fil des époques pour les recettes PyTorch publiées, sur les images d’entraînement augmentées et sur la validation."}, "image": {"alt": "Deux graphiques l’un sous l’autre, en fonction de l’époque : la perte, puis l’exactitude ; pour chaque exécution, une courbe grise pour l’entraînement et une courbe en couleur pour la validation."}}
from vitrine.report.figures import training

several = len(groups) > 1
shown = [run for group in groups.values() for run in (group[:1] if several else group)]
training.curves({run.name: run.history for run in shown})

# %% [markdown]
# La {numref}`fig-pytorch-courbes` se lit comme la {numref}`fig-reference-courbes` du chapitre précédent :
# mêmes époques, mêmes pas, même taux.

# %% [markdown]
# ## Comment régler finement
#
# EfficientNet-Lite0 part des poids ImageNet. Deux façons de commencer, à plusieurs taux, ont été essayées sur un
# pli et jugées sur sa validation. La première tire la tête au hasard et laisse apprendre la normalisation ; la
# seconde part de la tête d’une sonde et garde la normalisation d’ImageNet {cite:p}`kumar2022finetuning`.

# %%
ways = ("efficientnet-lite0-torch-lr", "efficientnet-lite0-torch-gentle")
swept = [name for name in recipes.CONTROLS if name.startswith(ways)]
fold = session.base / runs.place(0, 0)
if session.smoke:
    tried = [session.answers(name) for name in swept]
else:
    tried = [runs.load(f"{name}/seed-0", fold) for name in swept]
tables.show(tables.rates(tried))

# %% [markdown]
# Tirée au hasard, la tête demande un grand taux, qui abîme ce que le réseau savait : la sonde, qui n’y touche pas, fait
# mieux sur la même validation. La recette part donc de la sonde, avec le meilleur taux de la seconde façon.

# %% [markdown]
# ## Ce qu’ils reconnaissent
#
# Tous répondent pour les mêmes images de test, dans le même ordre : `align` refuserait le contraire.
# Les intervalles à 95 % couvrent le tirage des images et, s’il y en a plusieurs, celui des graines.

# %%
from vitrine.metrics.table import recipe_gap, recipe_panel

truth = baseline[0].part("test").truth
answers, panels = {}, {}
for name, group in {reference: baseline, **groups}.items():
    aligned = [runs.align(baseline[0], run)[1] for run in group]
    answers[name] = [part.probabilities for part in aligned]
    panels[name] = recipe_panel(truth, answers[name])
tables.show(tables.scores({model_name(name): panels[name] for name in panels}))

# %% [markdown]
# Une graine n’est qu’un tirage. Nous les montrons une à une, sous la moyenne de leur recette : si les
# graines d’une même recette s’écartent autant que deux recettes, la différence entre recettes ne tient
# pas.

# %% mystnb={"figure": {"name": "fig-pytorch-graines", "caption": "Exactitude de chaque graine sur le test (cercles) et moyenne de la recette avec son intervalle à 95 % (losange)."}, "image": {"alt": "Une ligne par recette : un losange avec une barre d’erreur horizontale pour la moyenne, et au-dessous un cercle par graine."}}
from vitrine.metrics.metrics import accuracy

rows = {}
for name, given in answers.items():
    by_seed = [accuracy(truth, probabilities) for probabilities in given]
    rows[name] = (by_seed, panels[name]["accuracy"])
training.seeds(rows, metric="Exactitude")

# %% [markdown]
# ## Bibliothèque ou architecture ?
#
# L’écart se mesure sur les mêmes images : ce qui les rend difficiles pour tous s’annule. Le premier
# écart, PyTorch moins TensorFlow, est celui de la bibliothèque. Chacun des suivants compare un réseau à
# EfficientNet-B0 *dans la même bibliothèque* : c’est l’effet de l’architecture, à condition que la
# recette soit la même, ce que nous imprimons.

# %%
pairs = {"Bibliothèque : PyTorch<br>− TensorFlow": (reference, recipe)}
for name in groups:
    if name != recipe:
        pairs[f"{model_name(name)}<br>− {model_name(recipe)}"] = (recipe, name)
        fields = session.recipe(name).to_dict()
        changed = [said.get(field, field) for field in fields if fields[field] != ours[field]]
        print(model_name(name), "diffère par :", ", ".join(changed))
gaps = {
    label: recipe_gap(truth, answers[a], answers[b], accuracy)
    for label, (a, b) in pairs.items()
}

# %% [markdown]
# Un intervalle qui contient zéro ne dit pas que les deux se valent : il dit que ces images ne les
# départagent pas.

# %% mystnb={"figure": {"name": "fig-pytorch-ecarts", "caption": "Écarts d’exactitude sur les mêmes images de test, intervalles à 95 %. Trait vertical : aucun écart."}, "image": {"alt": "Une ligne par comparaison : un losange et sa barre d’erreur horizontale, de part et d’autre d’un trait vertical à zéro. La première ligne compare PyTorch à TensorFlow."}}
training.gaps(gaps, metric="Écart (points)")

# %% [markdown]
# Pour la bibliothèque, l’écart d’exactitude est de
# {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`, celui de
# F1 macro de {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.macro_f1` :
# {verdict}`frameworks_differ`. Rappelons que ces {valeur}`data.test` images
# ne montrent guère un écart plus petit que {valeur}`power.smallest_gap`. Le test apparié correspondant
# est dans {doc}`la comparaison <05_comparaison>`, avec les autres.
#
# Pour l’architecture, l’écart d’exactitude est de
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`, celui de F1
# macro de {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.macro_f1` :
# {verdict}`architectures_differ`. `mambavision_micro` est à notre mesure :
# {valeur}`mambavision-micro-scratch.parameters` de paramètres, contre
# {valeur}`efficientnet-b0-torch-scratch.parameters` pour EfficientNet-B0, et le même ordre de calcul par
# photo. Elle est entraînée avec {valeur}`mambavision-micro-scratch.seeds` graines, lui avec
# {valeur}`efficientnet-b0-torch-scratch.seeds` : l’intervalle tient compte du hasard de l’entraînement
# comme de celui des images.
#
# Et en plus grand ? MambaVision-T, la plus petite des publiées, a
# {valeur}`mambavision-tiny-scratch.parameters` de paramètres. Partie de zéro avec la même recette, mais en
# demi-précision ({valeur}`mambavision-tiny-scratch.seeds` graine), elle obtient
# {valeur:ic}`mambavision-tiny-scratch.accuracy` en {valeur}`mambavision-tiny-scratch.training_minutes` d’un
# cœur, quand la petite en demande {valeur}`mambavision-micro-scratch.training_minutes`. {doc}`Le protocole
# <../book/protocole>` l’avait dit : ce score est donné sans test, parce que sa taille la distingue autant que
# son architecture.

# %% [markdown]
# ## Catégorie par catégorie, et les probabilités
#
# Les deux mêmes lectures qu’au chapitre précédent, pour la première graine d’EfficientNet-B0 en
# PyTorch.

# %% mystnb={"figure": {"name": "fig-pytorch-categories", "caption": "Précision, rappel et F1 de chaque catégorie sur le test, EfficientNet-B0 en PyTorch, intervalles à 95 %. Entre parenthèses, le nombre d’images."}, "image": {"alt": "Pour chaque catégorie, trois points avec leurs barres d’erreur horizontales : précision, rappel et F1, entre zéro et cent pour cent."}}
from vitrine.data.catalog import CLASSES
from vitrine.metrics.classes import per_class

first = answers[recipe][0]
training.class_scores(per_class(truth, first, categories=len(CLASSES)))

# %% [markdown]
# Une catégorie difficile dans les deux bibliothèques l’est sans doute par ses photos ; difficile dans une seule,
# elle peut l’être par hasard : il n’y a ici qu’une graine et une vingtaine d’images par catégorie.

# %% mystnb={"figure": {"name": "fig-pytorch-fiabilite", "caption": "Fiabilité d’EfficientNet-B0 en PyTorch : exactitude observée selon la confiance annoncée, intervalles à 95 %, et nombre d’images de chaque tranche."}, "image": {"alt": "En haut, des points avec barres d’erreur autour de la diagonale des probabilités tenues ; en bas, l’histogramme des confiances."}}
from vitrine.metrics.calibration import reliability

training.reliability(reliability(truth, first), recipe)

# %% [markdown]
# L’erreur de calibration y est de
# {valeur}`efficientnet-b0-torch-scratch.calibration_error_one_run`, quand un modèle honnête montrerait
# {valeur:ic}`efficientnet-b0-torch-scratch.calibration_error_if_honest`. Sur toutes les graines, la confiance
# moyenne moins l’exactitude est de {valeur:ecart-ic}`efficientnet-b0-torch-scratch.overconfidence` :
# {verdict}`torch_miscalibrated`.

# %% [markdown]
# ## Ce que cela coûte
#
# Chaque exécution a noté sa machine, sa durée et sa mémoire, comme au chapitre précédent.

# %%
cost = tables.costs([run for group in groups.values() for run in group])
cost.insert(0, "Modèle", [model_name(name) for name, group in groups.items() for _ in group])
tables.show(cost)

# %% [markdown]
# En PyTorch, une graine demande {valeur}`efficientnet-b0-torch-scratch.training_minutes` ; en
# TensorFlow, {valeur}`efficientnet-b0-keras-scratch.training_minutes`. Les machines étaient partagées,
# et leur charge changeait d’une exécution à l’autre : n’y lisez pas un classement des bibliothèques.

# %% [markdown]
# ## Ce que l’on choisirait sinon
#
# Un ingénieur qui cherche un tronc pour ses photos ne compare pas MambaVision à un seul réseau. Voici les
# candidats que la veille retient, construits par timm sans leurs poids et passés dans la même mesure que les
# nôtres : mêmes tours, même fil, lots de même taille. Un rapport est la médiane des rapports tour par tour. L’exactitude sur ImageNet est citée des articles ; tout
# le reste est compté ou mesuré ici. Sans carte graphique, nous n’avons pas mesuré leur vitesse sur l’une
# d’elles : `vitrine bench backbones --device cuda` remplirait la colonne. {doc}`La veille <../book/veille>`
# dit ce que nous savons de chacun.

# %%
import pandas as pd

from vitrine import paths
from vitrine.report.tables import speeds
from vitrine.bench import results

candidates, on_card = results.read("backbones"), results.read("backbones-cuda")
cited = pd.read_csv(paths.root() / "ressources" / "backbones.csv")
ranked = speeds.backbones(candidates, cited, on_card)
print("processeur :", candidates["hardware"]["cpu"], "; relevé du", candidates["date"])
tables.show(ranked, decimals=2)

# %% [markdown]
# La figure range les mêmes réseaux du meilleur score cité au moins bon. Plus un point est à droite, plus le
# réseau est rapide.

# %% mystnb={"figure": {"name": "fig-troncs", "caption": "Vitesse mesurée de chaque réseau candidat, du meilleur score cité sur ImageNet au moins bon (échelle logarithmique, un fil d’un processeur). En vert, les MambaVision ; en bleu, la référence."}, "image": {"alt": "Un point par réseau, une ligne chacun, par score décroissant. Les réseaux aux meilleurs scores sont groupés à gauche, les plus lents, MambaVision-T parmi eux ; la référence et MobileNetV2 sont plus à droite ; les deux petites MambaVision, sans score publié, sont les plus à droite."}}
from vitrine.report.figures import candidates as choices

choices.speeds(ranked, baseline="EfficientNet-B0")

# %% [markdown]
# Le premier constat est que la {numref}`fig-troncs` ne désigne pas de vainqueur : à exactitude voisine, les
# réseaux récents ont des vitesses voisines sur un processeur, quelle que soit leur façon de mêler les jetons.
# MambaOut, qui n’a pas d’espace d’état, est du même groupe que MambaVision-T {cite:p}`yu2024mambaout`.
#
# Le second est que le compte d’opérations ne prédit pas la vitesse : MobileViT-S en fait environ deux fois
# moins que ResNet-50 sans aller plus vite. Nous vérifions les deux constats sur le tableau.

# %% tags=["nbval-check-output"]
speed_of = ranked.set_index("Réseau")["Images/s, un fil"]
work_of = ranked.set_index("Réseau")["Multiplications (G)"]
recent = speed_of[["ConvNeXt-T", "MambaOut tiny", "MambaVision-T", "Swin-T"]]
print("réseaux récents, moins de la moitié d’écart :", bool(recent.max() < 1.5 * recent.min()))
print("MobileViT-S, deux fois moins d’opérations que ResNet-50 :",
      bool(work_of["MobileViT-S"] < 0.55 * work_of["ResNet-50"]))
print("et pas plus rapide pour autant :",
      bool(speed_of["MobileViT-S"] < 1.2 * speed_of["ResNet-50"]))

# %% [markdown]
# ## Refaire sur une carte graphique
#
# Tout ce chapitre se refait d’une commande, sur une machine qui a les photos (`vitrine data fetch`) et,
# de préférence, une carte graphique : PyTorch la trouve, calcule en demi-précision et répartit le
# travail s’il y en a plusieurs.
#
# ```bash
# papermill notebooks/04_sota_pytorch.ipynb sortie.ipynb -p retrain True
# papermill notebooks/04_sota_pytorch.ipynb sortie.ipynb -p retrain True -p seed 1
# ```
#
# Le paramètre `recipe` choisit le réseau. `efficientnet-b0-torch`, par exemple, part des poids
# d’ImageNet, que timm télécharge. L’entraînement est écrit sous `build/retrain/`, les exécutions
# publiées restent en place, et les nombres du texte sont toujours ceux du registre. Pour publier une
# nouvelle exécution, on l’entraîne avec `vitrine train`, qui écrit dans `runs/`.

# %% [markdown]
# ## Ce que nous retenons
#
# * Même réseau, même recette, mêmes images : PyTorch moins TensorFlow,
#   {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy` ;
#   {verdict}`frameworks_differ`.
# * EfficientNet-B0 en PyTorch : exactitude {valeur:ic}`efficientnet-b0-torch-scratch.accuracy`, F1 macro
#   {valeur:ic}`efficientnet-b0-torch-scratch.macro_f1`, sur
#   {valeur}`efficientnet-b0-torch-scratch.seeds` graines ; {verdict}`torch_above_chance`.
# * MambaVision, à recette et taille égales : exactitude {valeur:ic}`mambavision-micro-scratch.accuracy` ;
#   {verdict}`architectures_differ`.
# * timm ramène le choix d’un réseau à un nom : le reste de la chaîne ne change pas.
#
# ## Ce qui pourrait être faux
#
# * **« La même recette ».** Le détail des transformations d’images diffère encore d’une bibliothèque à
#   l’autre, et la correction de la tête est venue après un premier regard sur les résultats : nous avons
#   cherché pourquoi PyTorch perdait, sans nous demander si TensorFlow gagnait pour une bonne raison.
# * **Le nombre de graines.** Avec si peu de tirages, un écart réel de quelques points peut rester
#   caché, et un écart apparent n’être qu’une graine heureuse.
# * **Le budget.** Une recette commune n’avantage peut-être pas également les architectures : un réseau
#   récent en demande souvent une plus longue. À recette égale ne veut pas dire à son meilleur.
#
# ```{provenance}
# ```
