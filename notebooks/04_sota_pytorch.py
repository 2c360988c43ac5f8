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
# **Quand un réseau récent l’emporte, est-ce son architecture qui parle, ou la bibliothèque qui l’entraîne ?** À recette
# égale, PyTorch moins TensorFlow vaut
# {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy` d’exactitude, et MambaVision
# moins EfficientNet-B0, dans la même bibliothèque,
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`. En cinq minutes, vous saurez
# séparer ces deux effets, et choisir un réseau préentraîné par son nom.
#
# Ce chapitre ne dit que ce qui change après {doc}`la référence <03_baseline_tensorflow>`.

# %% tags=["parameters"]
profile = "published"
recipe = "efficientnet-b0-torch-scratch"
reference = "efficientnet-b0-keras-scratch"
retrain = False
seed = 0

# %% [markdown]
# ## Une recette, deux bibliothèques
#
# Restent différents des noms, et un réglage qu’il faut imposer à PyTorch.

# %% tags=["nbval-check-output"]
from vitrine.report import tables
from vitrine.training import recipes, runs
from vitrine.report.names import gap_names, in_lines, model_name
from vitrine.training.session import begin

session = begin(profile)
chosen, other = session.recipe(recipe), session.recipe(reference)
ours, theirs = chosen.to_dict(), other.to_dict()
said = {
    "name": "nom",
    "trainer": "bibliothèque",
    "architecture": "réseau",
    "weights": "poids de départ",
    "head": "départ de la tête",
    "image_size": "côté des photos",
    "windows": "fenêtres",
    "epochs": "époques",
    "warmup_epochs": "époques de montée",
    "learning_rate": "taux d’apprentissage",
    "drop_path_rate": "profondeur stochastique",
    "norm_momentum": "inertie de la normalisation",
    "frozen_norm": "normalisation gelée",
    "crop_scale": "recadrage",
    "jitter": "variation des couleurs",
    "precision": "précision",
    "source": "origine de la recette",
}
differs = [said.get(field, field) for field in ours if ours[field] != theirs[field]]
print("Ce qui diffère :", ", ".join(differs))

# %% [markdown]
# ## Le registre de timm
#
# `timm.create_model(nom)` construit un réseau {cite:p}`wightman2019timm` : en essayer un autre, c’est changer un nom dans
# une recette. Importer `vitrine.models` y inscrit MambaVision {cite:p}`hatamizadeh2024mambavision`.

# %% tags=["nbval-check-output"]
import timm

import vitrine.models

print(recipe, ":", chosen.architecture)
print("MambaVision :", *timm.list_models("mambavision*"), sep="\n  ")

# %% [markdown]
# Le préfixe `tf_` compte : cette EfficientNet-B0 reproduit l’original en TensorFlow, remplissage des bords compris.

# %% [markdown]
# ## Le même réseau, vraiment ?
#
# Nous comptons ses paramètres, étage par étage, comme dans {doc}`la référence <03_baseline_tensorflow>`.

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
# Le total est celui de TensorFlow ; un contrôle le vérifie à chaque exécution.

# %% tags=["nbval-check-output", "remove-cell"]
total = sum(p.numel() for p in network.parameters())
noted = runs.load(reference).meta["parameters"]
print("PyTorch :", total, "TensorFlow :", noted)
print("égaux :", "oui" if total == noted else "non")

# %% [markdown]
# Deux réglages ne se voient pas dans ce compte : le poids du dernier lot dans les moyennes de la normalisation, dix fois
# plus grand dans PyTorch, et l’intervalle où timm tire la tête, qui ne dépend que du nombre de classes. Nous alignons les
# deux sur Keras.

# %% tags=["nbval-check-output"]
import math

from vitrine.data.catalog import CLASSES

default = timm.create_model(chosen.architecture, num_classes=len(CLASSES))
glorot = math.sqrt(6 / (default.classifier.in_features + len(CLASSES)))
for name, net in {"timm": default, "notre recette": network}.items():
    largest = net.classifier.weight.abs().max().item()
    line = f"{name:13} dernier lot {net.bn1.momentum}, plus grand poids de la tête {largest:.2f}"
    print(line.replace(".", ","))
print(f"{'Keras':13} dernier lot 0,01, plus grand poids de la tête {glorot:.2f}".replace(".", ","))

# %% [markdown]
# Ce n’est pas un détail : avec les valeurs de timm, l’écart passait pour celui des bibliothèques.

# %% [markdown]
# ## La boucle, en clair
#
# Le même cœur d’entraînement qu’en TensorFlow, écrit en PyTorch. D’abord un lot de photos dessinées, augmentées comme la
# recette le dit.

# %% tags=["keep-input"]
import numpy as np
import torch
from torch import nn

from vitrine.explain import drawn
from vitrine.training.torch.photos import Photos

labels = np.arange(chosen.batch_size) % len(CLASSES)
drawings = np.stack([drawn.drawing(CLASSES[k]).resize((256, 256)) for k in labels])
photos = Photos(drawings, labels, chosen, seed)
batch, truth = torch.stack([photos[0, i][0] for i in range(len(photos))]), torch.from_numpy(labels)

# %% [markdown]
# Puis le réseau, avec les poids que l’entraînement du paquet (`house`) vient de tirer ; la perte ; et l’optimiseur, où les
# vecteurs ne décroissent pas.

# %% tags=["keep-input"]
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

# %% tags=["keep-input"]
loss_of = nn.CrossEntropyLoss(label_smoothing=chosen.label_smoothing)
matrices = [p for p in model.parameters() if p.ndim > 1]
vectors = [p for p in model.parameters() if p.ndim <= 1]
decays = ((matrices, chosen.weight_decay), (vectors, 0.0))
optimizer = torch.optim.AdamW([{"params": p, "weight_decay": decay} for p, decay in decays])

# %% [markdown]
# Un pas : fixer le taux, calculer la perte, la dériver, corriger les poids. Nous en faisons deux sur ce lot.

# %% tags=["keep-input"]
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
# L’entraînement du paquet, sur le même lot, donne les mêmes pertes au dernier bit ; un test le vérifie à chaque exécution.

# %% tags=["nbval-check-output", "remove-cell"]
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
# ## L’entraînement
#
# Le profil publié prend *toutes* les recettes PyTorch suivies par git, sauf celles d’{doc}`un départ commun
# <07_a_armes_egales>` ; le profil miniature, ou `retrain`, entraîne la recette demandée.

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
# Les réponses de TensorFlow sont lues, jamais refaites ici.

# %%
tracked = [run for run in runs.names() if run.startswith(f"{reference}/")]
if session.smoke:
    tracked = tracked[:1]
seeds = [int(run.partition("/seed-")[2]) for run in tracked]
baseline = [session.answers(reference, number) for number in seeds]

# %% [markdown]
# ## Comment ils apprennent
#
# La première graine de chaque recette : en gris l’entraînement, en couleur la validation.

# %% mystnb={"figure": {"name": "fig-pytorch-courbes", "caption": "Perte et exactitude au fil des époques pour les recettes PyTorch publiées, sur les images d’entraînement augmentées et sur la validation."}, "image": {"alt": "Une ligne de deux graphiques par recette, en fonction de l’époque : la perte à gauche, l’exactitude à droite ; une courbe grise pour l’entraînement et une courbe en couleur pour la validation."}}
from vitrine.report.figures import training

several = len(groups) > 1
shown = [run for group in groups.values() for run in (group[:1] if several else group)]
training.curves({run.name: run.history for run in shown})

# %% [markdown]
# Dans la {numref}`fig-pytorch-courbes`, les réseaux qui partent d’ImageNet commencent là où les autres finissent, ou plus
# haut.

# %% [markdown]
# ## Comment faire le fine-tuning
#
# EfficientNet-Lite0 part des poids ImageNet. Deux façons de commencer, à plusieurs taux, ont été jugées sur la validation
# d’un pli : tirer la tête au hasard en laissant apprendre la normalisation, ou partir de la tête d’une sonde en gardant la
# normalisation d’ImageNet {cite:p}`kumar2022finetuning`.

# %%
ways = ("efficientnet-lite0-torch-lr", "efficientnet-lite0-torch-gentle")
swept = [name for name in recipes.CONTROLS if name.startswith(ways)]
fold = session.base / runs.place(0, 0)


def tried(names):
    """Return the run of each recipe on the fold; in miniature, that of the first on the split."""
    if session.smoke:
        return [session.answers(name) for name in names[:1]]
    return [runs.load(f"{name}/seed-0", fold) for name in names]


tables.show(tables.rates(tried(swept)))

# %% [markdown]
# La recette part de la sonde, au meilleur taux de la seconde façon, le plus petit des deux, en six époques ; la première
# en a eu huit. {doc}`Le chapitre suivant <05_toutes_les_photos>` dit si elle y gagne.
#
# Une seule chose changée dans cette recette, sur la même validation :

# %%
changes = {
    "": "rien",
    "-with-plain-photos": "photos non augmentées",
    "-with-learned-norm": "normalisation apprise",
    "-with-layer-decay": "taux plus bas vers l’entrée",
    "-with-average": "moyenne mobile des poids",
    "-with-288-pixels": "photos de 288 pixels",
    "-with-letterbox": "photos aux proportions gardées, sur fond blanc",
}
changed = tried([f"efficientnet-lite0-torch{ending}" for ending in changes])
tables.show(tables.changes(dict(zip(changes.values(), changed, strict=not session.smoke))))

# %% [markdown]
# Laisser apprendre la normalisation coûte le plus ; le reste tient à quelques photos. Essais faits après coup : la
# recette n’a pas changé. L’essai à 288 pixels a appris des photos de 256, agrandies. Les proportions, écrasées partout
# ailleurs, ont aussi été gardées pour une sonde, que tous les plis jugent : {verdict}`letterbox_helps`
# ({valeur:ecart-ic}`gap.efficientnet-lite0-probe-letterbox.efficientnet-lite0-probe.cv_accuracy`).

# %% [markdown]
# ## Ce qu’ils reconnaissent
#
# Les intervalles à 95 % couvrent le tirage des images et, s’il y a plusieurs graines, le leur.

# %%
from vitrine.metrics.table import recipe_gap, recipe_panel

truth = baseline[0].part("test").truth
answers, panels = {}, {}
for name, group in {reference: baseline, **groups}.items():
    aligned = [runs.align(baseline[0], run)[1] for run in group]
    answers[name] = [part.probabilities for part in aligned]
    panels[name] = recipe_panel(truth, answers[name])
many = {model_name(name): len(given) for name, given in answers.items()}
named = {model_name(name): panel for name, panel in panels.items()}
columns = dict.fromkeys(("accuracy", "macro_f1", "log_loss"))
tables.show(tables.comparison(named, seeds=many, leaders=columns))

# %% [markdown]
# ## Bibliothèque ou architecture ?
#
# L’écart se mesure sur les mêmes images : ce qui les rend difficiles pour tous s’annule. Le premier est celui de la
# bibliothèque ; les suivants comparent un réseau à EfficientNet-B0 *dans la même bibliothèque*.

# %%
from vitrine.metrics.metrics import accuracy

others = [name for name in groups if name != recipe]
for name in others:
    fields = session.recipe(name).to_dict()
    told = [field for field in fields if field not in ("name", "source")]
    changed = [said.get(field, field) for field in told if fields[field] != ours[field]]
    print(model_name(name), "diffère par :", ", ".join(changed))
gaps = {
    (a, b): recipe_gap(truth, answers[a], answers[b], accuracy)
    for a, b in [(reference, recipe), *((recipe, name) for name in others)]
}

# %% [markdown]
# À gauche de zéro, le premier nommé fait moins bien.

# %% mystnb={"figure": {"name": "fig-pytorch-ecarts", "caption": "Écarts d’exactitude sur les mêmes images de test, intervalles à 95 %. Trait vertical : aucun écart."}, "image": {"alt": "Une ligne par comparaison : un losange et sa barre d’erreur horizontale, de part et d’autre d’un trait vertical à zéro. La première ligne compare PyTorch à TensorFlow."}}
lines = [in_lines(name) for name in gap_names(gaps).values()]
training.gaps(dict(zip(lines, gaps.values(), strict=True)), metric="Écart (points)")

# %% [markdown]
# **La bibliothèque.** L’écart d’exactitude est de
# {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`, celui de F1 macro de
# {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.macro_f1` : {verdict}`frameworks_differ`.
#
# **L’architecture.** L’écart d’exactitude est de
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`, celui de F1 macro de
# {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.macro_f1` : {verdict}`architectures_differ`.
# `mambavision_micro` a {valeur}`mambavision-micro-scratch.parameters` de paramètres, EfficientNet-B0
# {valeur}`efficientnet-b0-torch-scratch.parameters`, pour le même ordre de calcul par photo.
#
# **Et en plus grand ?** MambaVision-T, {valeur}`mambavision-tiny-scratch.parameters` de paramètres, partie de zéro en
# demi-précision ({valeur}`mambavision-tiny-scratch.seeds` graine), obtient {valeur:ic}`mambavision-tiny-scratch.accuracy`
# en {valeur}`mambavision-tiny-scratch.training_minutes` d’un cœur, contre
# {valeur}`mambavision-micro-scratch.training_minutes` pour la petite : score donné sans test.

# %% [markdown]
# ## Exercices
#
# **1. Un autre réseau, d’un nom.** Choisissez un nom dans `timm.list_models()`, construisez-le avec une tête à nos
# catégories, et comptez ses paramètres. Combien de fois plus grand que `mambavision_micro` ?

# %% tags=["hide-cell"]
for name in ("mambavision_micro", "mobilenetv3_small_100", "resnet18"):
    other_net = timm.create_model(name, num_classes=len(CLASSES))
    millions = sum(p.numel() for p in other_net.parameters()) / 1e6
    print(f"{name} : {tables.number(millions, 2)} M de paramètres")

# %% [markdown]
# **2. Les deux bibliothèques ensemble.** Moyennez les probabilités de la première graine de chacune. Leurs erreurs
# sont-elles les mêmes ?

# %% tags=["hide-cell"]
pair = answers[reference][0], answers[recipe][0]
for name, given in {"TensorFlow": pair[0], "PyTorch": pair[1], "ensemble": sum(pair) / 2}.items():
    print(f"{name} : {tables.number(100 * accuracy(truth, given), 1)} %")
both = (pair[0].argmax(axis=1) != truth) & (pair[1].argmax(axis=1) != truth)
print(f"images manquées par les deux : {tables.number(both.sum())} sur {len(truth)}")

# %% [markdown]
# ## Ce que nous retenons
#
# * Bibliothèque, à recette égale :
#   {valeur:ecart-ic}`gap.efficientnet-b0-torch-scratch.efficientnet-b0-keras-scratch.accuracy`.
# * Architecture, à recette égale et taille voisine :
#   {valeur:ecart-ic}`gap.mambavision-micro-scratch.efficientnet-b0-torch-scratch.accuracy`.
# * EfficientNet-B0 en PyTorch : {valeur:ic}`efficientnet-b0-torch-scratch.accuracy` d’exactitude ; MambaVision micro :
#   {valeur:ic}`mambavision-micro-scratch.accuracy`.
#
# ## Ce qui pourrait être faux
#
# * **« La même recette ».** Le détail des transformations diffère encore, et la correction de la tête est venue après un
#   premier regard.
# * **Le budget.** À recette égale ne veut pas dire à son meilleur, et peu de graines cachent quelques points.
#
# ```{provenance}
# ```
