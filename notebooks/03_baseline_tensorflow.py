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
# # La référence, en TensorFlow
#
# **Que vaut le réseau de référence quand il n’apprend que de nos photos ?** EfficientNet-B0, parti de poids tirés au
# hasard, reconnaît {valeur:ic}`efficientnet-b0-keras-scratch.accuracy` des images de test, en moyenne sur
# {valeur}`efficientnet-b0-keras-scratch.seeds` graines. En cinq minutes, vous saurez ce que fait chaque étape d’un
# entraînement, comment lire une matrice de confusion et quand se fier à une probabilité.

# %% tags=["parameters"]
profile = "published"
recipe = "efficientnet-b0-keras-scratch"
retrain = False
seed = 0

# %% [markdown]
# ## La recette
#
# {doc}`Le protocole en détail <../book/protocole_detail>` l’a fixée avant les résultats. Le tableau dit à quoi sert
# chaque choix.

# %%
import pandas as pd

from vitrine.report import tables
from vitrine.training import runs
from vitrine.training.session import begin

session = begin(profile)
chosen = session.recipe(recipe)
tables.show(tables.recipe(chosen))

# %% [markdown]
# Aucun de ces choix n’a été retouché au vu du test, ni même de la validation.
#
# ## L’entraînement
#
# Le profil publié charge les graines suivies par git ; le profil miniature, ou `retrain`, entraîne pour de bon la graine
# demandée. Cette cellule vient tôt parce que TensorFlow fixe ses fils d’exécution au premier calcul.

# %%
names = [name for name in runs.names(session.base) if name.startswith(f"{recipe}/")]
found = [int(name.rpartition("-")[2]) for name in names]
seeds = [seed] if session.smoke or retrain else found
trained = [session.run(recipe, number, retrain=retrain) for number in seeds]
tests = [run.part("test") for run in trained]
print("graines :", *seeds)

# %% [markdown]
# ## Le réseau, bloc par bloc
#
# EfficientNet {cite:p}`tan2019efficientnet` empile un seul motif, le *bloc à goulot inversé* de MobileNetV2
# {cite:p}`sandler2018mobilenetv2` : une convolution 1 × 1 **élargit** l’image en canaux (sauf au premier étage), une
# convolution **en profondeur** regarde le voisinage canal par canal, une étape de **compression-excitation** règle
# l’importance de chaque canal, une convolution 1 × 1 **resserre** l’image, et une connexion directe ajoute l’entrée.
#
# Nous construisons B0 avec une tête à {valeur}`data.classes` sorties, et comptons ses paramètres étage par étage.

# %%
import re

from vitrine.training.keras import build

network = build(chosen)
weights = network.trainable_variables
stages = [re.search(r"stem|block\d|top|head", weight.path)[0] for weight in weights]
sizes = pd.Series([weight.shape.num_elements() for weight in weights])
by_stage = sizes.groupby(stages, sort=False).sum()

# %% [markdown]
# {doc}`Le chapitre suivant <04_sota_pytorch>` doit retrouver ce compte, étage par étage, en PyTorch.

# %% tags=["nbval-check-output"]
for name, count in [*by_stage.items(), ("total", by_stage.sum())]:
    print(f"{name:6} {count:8}")

# %% [markdown]
# La tête est minuscule : presque tout ce que le réseau doit apprendre est dans le tronc, et nos photos sont rares.

# %% [markdown]
# ## L’augmentation, sur un dessin
#
# À chaque époque, le réseau voit chaque image autrement.

# %% mystnb={"figure": {"name": "fig-reference-augmentation", "caption": "Un dessin de synthèse (en haut à gauche) et sept versions que l’entraînement en tire : recadrage, miroir, variation des couleurs."}, "image": {"alt": "Huit vignettes d’une même montre dessinée : entière, puis recadrée à divers endroits, retournée, plus claire, plus sombre ou moins saturée."}}
import numpy as np
import tensorflow as tf

from vitrine.data.catalog import CLASSES
from vitrine.explain import drawn
from vitrine.report.figures.data import sheet
from vitrine.training.keras.photos import batches

drawing = np.array(drawn.drawing("Watches").resize((256, 256)))
copies = np.stack([drawing] * chosen.batch_size)
labels = np.zeros(chosen.batch_size, dtype=int)
pixels, _ = next(iter(batches(copies, labels, chosen, seed=seed, epoch=0, classes=len(CLASSES))))
sheet([drawing, *np.uint8(pixels[:7])], columns=4)

# %% [markdown]
# L’objet reste reconnaissable : sinon, le réseau apprendrait une erreur.

# %% [markdown]
# ## La boucle, en clair
#
# L’entraînement vit dans le paquet ; son cœur tient en quelques lignes, que voici. D’abord deux lots de
# photos dessinées, augmentées comme la recette le dit. Le dropout et la profondeur stochastique sont coupés :
# chaque réseau a ses propres tirages.

# %% tags=["keep-input"]
from dataclasses import replace

import keras

calm = replace(chosen, drop_rate=0.0, drop_path_rate=0.0)
kinds = np.arange(2 * calm.batch_size) % len(CLASSES)
drawings = np.stack([drawn.drawing(CLASSES[k]).resize((256, 256)) for k in kinds])
steps = list(batches(drawings, kinds, calm, seed=seed, epoch=0, classes=len(CLASSES)))

# %% [markdown]
# Puis le réseau, et les poids que celui du paquet (`house`) vient de tirer.

# %% tags=["keep-input"]
side, mean, std = calm.image_size, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
trunk = keras.applications.EfficientNetB0(
    include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg"
)
for layer in trunk.layers:
    if isinstance(layer, keras.layers.Dropout):
        layer.rate = 0.0

# %% [markdown]
# Devant lui, les pixels sont centrés et réduits ; derrière, une couche linéaire donne une valeur par catégorie.

# %% tags=["keep-input"]
image = keras.Input((side, side, 3))
scale = keras.layers.Rescaling(
    [1 / s for s in std], [-255 * m / s for m, s in zip(mean, std, strict=True)]
)
model = keras.Model(image, keras.layers.Dense(len(CLASSES))(trunk(scale(image))))
house = build(calm)
model.set_weights(house.get_weights())

# %% [markdown]
# La perte, et l’optimiseur : les vecteurs (biais, normalisations) ne décroissent pas.

# %% tags=["keep-input"]
loss_of = keras.losses.CategoricalCrossentropy(
    from_logits=True, label_smoothing=calm.label_smoothing
)
optimizer = keras.optimizers.AdamW(weight_decay=calm.weight_decay, epsilon=1e-8)
vectors = [v for v in model.trainable_variables if len(v.shape) <= 1]
optimizer.exclude_from_weight_decay(var_list=vectors)
optimizer.build(model.trainable_variables)

# %% [markdown]
# Un pas : fixer le taux, calculer la perte, la dériver, corriger les poids. Nous en faisons deux.

# %% tags=["keep-input"]
losses = []
for step, (pixels, targets) in enumerate(steps):
    optimizer.learning_rate = calm.learning_rate_at((step + 1 / 2) / len(steps))
    with tf.GradientTape() as tape:
        loss = loss_of(targets, model(pixels, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    losses.append(float(loss))

# %% [markdown]
# L’entraînement du paquet, sur les mêmes lots, doit donner les mêmes pertes : au cent-millième d’abord, au millième après
# un pas, qui amplifie les arrondis du graphe que TensorFlow prépare. Un test le vérifie à chaque exécution.

# %% tags=["keep-input", "nbval-ignore-output"]
from vitrine.training.keras.fit import Steps, compile_for

tf.get_logger().setLevel("ERROR")  # it warns of a graph prepared anew, as here for each step
compile_for(house, calm, epoch=0)
kept = []
for step, lot in enumerate(steps):
    rate = Steps(calm, step / len(steps), len(steps))
    alone = tf.data.Dataset.from_tensors(lot)
    kept += house.fit(alone, verbose=0, callbacks=[rate]).history["loss"]

# %% tags=["nbval-check-output", "remove-cell"]
near = [abs(a - b) < most for a, b, most in zip(losses, kept, (1e-5, 1e-3), strict=True)]
print("Mêmes pertes, avant et après un pas :", "oui" if all(near) else "non")

# %% [markdown]
# ## Comment il apprend
#
# Une courbe par graine : en gris l’entraînement, en couleur la validation.

# %% mystnb={"figure": {"name": "fig-reference-courbes", "caption": "Perte et exactitude au fil des époques, une courbe par graine, sur les images d’entraînement augmentées et sur la validation."}, "image": {"alt": "Deux graphiques côte à côte, en fonction de l’époque : la perte, puis l’exactitude. Pour chaque graine, une courbe grise pour l’entraînement et une courbe orange pour la validation."}}
from vitrine.report.figures import training

training.curves({run.name: run.history for run in trained})

# %% [markdown]
# Les deux pertes de la {numref}`fig-reference-courbes` ne se comparent pas point à point : l’entraînement voit des images
# augmentées. Une validation qui remonte pendant qu’il descend signale le surapprentissage ; elle oscille, sur si peu
# d’images.

# %% [markdown]
# ## Ce qu’il reconnaît
#
# Les scores sur le test sont des moyennes sur les graines ; l’intervalle à 95 % couvre le tirage des images et celui des
# graines.

# %%
from vitrine.metrics.table import recipe_panel

panel = recipe_panel(tests[0].truth, [part.probabilities for part in tests])
shown = f"EfficientNet-B0, {len(seeds)} graine{'s'[: len(seeds) > 1]}"
tables.show(tables.scores({shown: panel}))

# %% [markdown]
# Ici, {verdict}`keras_above_chance`. Sans les images qui ont un double dans une autre partie,
# l’exactitude est de {valeur:ic}`efficientnet-b0-keras-scratch.accuracy_clean`.
#
# Une moyenne cache les catégories. Voici, pour la première graine, la *précision* (quand le réseau dit « montre », a-t-il
# raison ?), le *rappel* (trouve-t-il toutes les montres ?) et leur moyenne harmonique, le F1.

# %% mystnb={"figure": {"name": "fig-reference-categories", "caption": "Précision, rappel et F1 de chaque catégorie sur le test, intervalles à 95 %. Entre parenthèses, le nombre d’images."}, "image": {"alt": "Pour chaque catégorie, trois points avec leurs barres d’erreur horizontales : précision, rappel et F1, entre zéro et cent pour cent. Les barres sont longues et se recouvrent largement."}}
from vitrine.metrics.classes import confusion, per_class

truth, first = tests[0].truth, tests[0].probabilities
training.class_scores(per_class(truth, first, categories=len(CLASSES)))

# %% [markdown]
# Avec une vingtaine d’images par catégorie, deux barres qui se touchent ne prouvent aucune différence.

# %% mystnb={"figure": {"name": "fig-reference-confusions", "caption": "Matrice de confusion sur le test : catégorie vraie en ligne, prédite en colonne, en nombre d’images. La teinte est la part de la ligne."}, "image": {"alt": "Grille de sept lignes et sept colonnes. La diagonale compte les images bien classées ; les autres cases comptent les confusions entre deux catégories."}}
training.confusion(confusion(truth, first, categories=len(CLASSES)))

# %% [markdown]
# Une ligne dit où partent les images d’une catégorie ; une colonne, d’où viennent celles qu’on y range.

# %% [markdown]
# ## Peut-on croire ses probabilités ?
#
# Un modèle bien calibré, quand il se dit sûr à 80 %, a raison quatre fois sur cinq {cite:p}`guo2017calibration`.

# %% mystnb={"figure": {"name": "fig-reference-fiabilite", "caption": "Fiabilité : exactitude observée selon la confiance annoncée, intervalles à 95 %, et nombre d’images de chaque tranche."}, "image": {"alt": "En haut, des points avec barres d’erreur autour de la diagonale de la calibration parfaite ; en bas, l’histogramme des confiances."}}
from vitrine.metrics.calibration import reliability

training.reliability(reliability(truth, first), recipe)

# %% [markdown]
# Sous la diagonale de la {numref}`fig-reference-fiabilite`, le réseau se croit trop. L’erreur de calibration de cette
# graine est de {valeur}`efficientnet-b0-keras-scratch.calibration_error_one_run` ; un modèle parfaitement calibré, sur
# aussi peu d’images, en montrerait {valeur:ic}`efficientnet-b0-keras-scratch.calibration_error_if_honest`. Le sens de
# l’erreur vient de la confiance moyenne moins l’exactitude, sur toutes les graines :
# {valeur:ecart-ic}`efficientnet-b0-keras-scratch.overconfidence`, donc {verdict}`keras_miscalibrated`.

# %% [markdown]
# ## Exercices
#
# **1. Une autre graine.** La catégorie la moins bien reconnue est-elle la même pour toutes les graines ? Comparez leurs
# rappels.

# %% tags=["hide-cell"]
from vitrine.data.catalog import CLASSES_FR

for number, part in zip(seeds, tests, strict=True):
    by_class = per_class(part.truth, part.probabilities, categories=len(CLASSES))
    worst = min(by_class, key=lambda score: score.recall.value)
    print(
        f"graine {number} : {CLASSES_FR[CLASSES[worst.label]]}, {tables.number(100 * worst.recall.value)} %"
    )

# %% [markdown]
# **2. Un ensemble.** Moyennez les probabilités de toutes les graines avant de répondre. L’exactitude dépasse-t-elle la
# moyenne du tableau ? De combien, au regard de l’intervalle ?

# %% tags=["hide-cell"]
from vitrine.metrics.metrics import accuracy

together = np.mean([part.probabilities for part in tests], axis=0)
print(f"ensemble : {tables.number(100 * accuracy(truth, together), 1)} %")
print(f"moyenne des graines : {tables.number(100 * panel['accuracy'].value, 1)} %")

# %% [markdown]
# ## Ce que nous retenons
#
# * Exactitude : {valeur:ic}`efficientnet-b0-keras-scratch.accuracy` ; F1 macro :
#   {valeur:ic}`efficientnet-b0-keras-scratch.macro_f1`.
# * Confiance moyenne moins exactitude : {valeur:ecart-ic}`efficientnet-b0-keras-scratch.overconfidence`.
# * {valeur}`efficientnet-b0-keras-scratch.parameters` de paramètres s’apprennent ici de quelques centaines de photos :
#   {doc}`la comparaison <05_comparaison>` dit ce que des descripteurs classiques font d’aussi peu, {doc}`Refaire ce
#   travail <../book/reproduire>` comment réentraîner.
#
# ## Ce qui pourrait être faux
#
# * **La recette.** Exprès, elle n’a pas été optimisée : nos scores décrivent cette recette, non les limites
#   d’EfficientNet-B0.
# * **Les graines.** Peu nombreuses ; catégories, confusions et fiabilité sont celles de la première.
# * **Les probabilités.** Comparer la confiance à l’exactitude n’était pas annoncé.
#
# ```{provenance}
# ```
