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
# **Que vaut le réseau de référence quand il n’apprend que de nos photos ?** EfficientNet-B0, parti de
# poids tirés au hasard, reconnaît {valeur:ic}`efficientnet-b0-keras-scratch.accuracy` des images de
# test, en moyenne sur les graines publiées ({valeur}`efficientnet-b0-keras-scratch.seeds`). Bilan :
# {verdict}`keras_above_chance` ; {verdict}`keras_miscalibrated`.

# %% tags=["parameters"]
profile = "published"
recipe = "efficientnet-b0-keras-scratch"
retrain = False
seed = 0

# %% [markdown]
# ## La recette
#
# Une référence n’est honnête que si sa recette est fixée avant les résultats. La nôtre l’est dans
# {doc}`le protocole <../book/protocole>`, et vit dans le code sous un nom : tout ce qui décide de
# l’issue y est, et l’entraînement la recopie à côté de ses résultats. Le tableau dit à quoi sert chaque
# choix.

# %%
import pandas as pd

from vitrine.report import tables
from vitrine.training import runs
from vitrine.training.session import begin

session = begin(profile)
chosen = session.recipe(recipe)
tables.show(tables.recipe(chosen))

# %% [markdown]
# L’optimiseur est AdamW {cite:p}`loshchilov2017decoupled`. Pour ce réseau, aucun de ces choix n’a été retouché au vu
# du test, ni même de la validation : la dernière époque est gardée, quoi qu’il arrive. Dans le profil
# miniature, la même recette est réduite à quelques pas sur de très petites images.
#
# ## L’entraînement, ou ce qu’il a laissé
#
# Entraîner est long ; lire ce qu’un entraînement a laissé ne l’est pas. Dans le profil publié, nous
# chargeons toutes les graines suivies par git. Dans le profil miniature, ou si `retrain` est vrai, nous
# entraînons pour de bon la graine demandée. Cette cellule vient avant les autres parce que TensorFlow
# fixe ses fils d’exécution au premier calcul.

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
# EfficientNet {cite:p}`tan2019efficientnet` empile un seul motif, le *bloc à goulot inversé* de
# MobileNetV2 {cite:p}`sandler2018mobilenetv2`, et en règle ensemble la largeur, la profondeur et la
# résolution. Un bloc fait quatre choses :
#
# 1. une convolution 1 × 1 **élargit** l’image en canaux ;
# 2. une convolution **en profondeur**, 3 × 3 ou 5 × 5, regarde le voisinage, canal par canal, à très
#    peu de frais ;
# 3. une étape de **compression-excitation** résume chaque canal en un nombre, et règle l’importance
#    des canaux d’après ce résumé ;
# 4. une convolution 1 × 1 **resserre** l’image, et une connexion directe ajoute l’entrée à la sortie
#    quand leurs formes le permettent.
#
# B0 en est la plus petite taille. Nous le construisons réellement, avec une tête à
# {valeur}`data.classes` sorties, et comptons les paramètres que la descente de gradient déplace, étage
# par étage.

# %%
import re

from vitrine.training.keras import build

network = build(chosen)
weights = network.trainable_variables
stages = [re.search(r"stem|block\d|top|head", weight.path)[0] for weight in weights]
sizes = pd.Series([weight.shape.num_elements() for weight in weights])
by_stage = sizes.groupby(stages, sort=False).sum()

# %% [markdown]
# Ce compte ne dépend ni du profil ni de la taille des images. Le chapitre suivant doit retrouver le
# même, étage par étage, dans l’autre bibliothèque.

# %% tags=["nbval-check-output"]
for name, count in [*by_stage.items(), ("total", by_stage.sum())]:
    print(f"{name:6} {count:8}")

# %% [markdown]
# Les premiers étages, qui voient l’image de près, coûtent peu de paramètres ; les derniers, qui
# combinent des centaines de canaux, en portent la plus grande part. La tête, elle, est minuscule : presque
# tout ce que le réseau doit apprendre est dans le tronc, et nos photos sont rares. C’est la difficulté
# de ce chapitre.

# %% [markdown]
# ## L’augmentation, sur un dessin
#
# Faute de photos, on en fabrique : à chaque époque, le réseau voit chaque image autrement. Nous
# appliquons les transformations de la recette, celles-là mêmes de l’entraînement, à un dessin de
# synthèse.

# %% mystnb={"figure": {"name": "fig-reference-augmentation", "caption": "Un dessin de synthèse (en haut à gauche) et sept versions que l’entraînement en tire : recadrage, miroir, variation des couleurs."}, "image": {"alt": "Huit vignettes d’une même montre dessinée : entière, puis recadrée à divers endroits, retournée, plus claire, plus sombre ou moins saturée."}}
import numpy as np
import tensorflow as tf

from vitrine.explain import drawn
from vitrine.report.figures.data import sheet
from vitrine.training.keras.photos import batches

drawing = np.array(drawn.drawing("Watches").resize((256, 256)))
copies = tf.stack([drawing] * chosen.batch_size)
labels = tf.zeros(chosen.batch_size, tf.int32)
pixels, _ = next(iter(batches(copies, labels, chosen, seed=seed, epoch=0, classes=7)))
sheet([drawing, *np.uint8(pixels[:7])], columns=4)

# %% [markdown]
# L’objet reste reconnaissable : c’est la condition. Une transformation qui changerait la catégorie
# apprendrait au réseau une erreur.

# %% [markdown]
# ## La boucle, en clair
#
# L’entraînement vit dans le paquet ; son cœur tient en quelques lignes, que voici. D’abord deux lots de
# photos dessinées, augmentées comme la recette le dit. Le dropout et la profondeur stochastique sont coupés :
# chaque réseau a ses propres tirages.

# %% tags=["keep-input"]
from dataclasses import replace

import keras

from vitrine.data.catalog import CLASSES

calm = replace(chosen, drop_rate=0.0, drop_path_rate=0.0)
kinds = np.arange(2 * calm.batch_size) % len(CLASSES)
drawings = np.stack([drawn.drawing(CLASSES[k]).resize((256, 256)) for k in kinds])
seen = tf.constant(drawings), tf.constant(kinds)
steps = list(batches(*seen, calm, seed=seed, epoch=0, classes=len(CLASSES)))

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
# L’entraînement du paquet, sur les mêmes lots, doit donner les mêmes pertes. TensorFlow y prépare un graphe,
# dont les sommes ne sont pas rangées comme les nôtres : la première est égale au cent-millième, la seconde, après
# un pas qui amplifie ces arrondis, au millième.

# %% tags=["keep-input", "nbval-ignore-output"]
from vitrine.training.keras.fit import Steps, compile_for

tf.get_logger().setLevel("ERROR")  # it warns of a graph prepared anew, as here for each step
compile_for(house, calm, epoch=0)
kept = []
for step, lot in enumerate(steps):
    rate = Steps(calm, step / len(steps), len(steps))
    alone = tf.data.Dataset.from_tensors(lot)
    kept += house.fit(alone, verbose=0, callbacks=[rate]).history["loss"]

# %% tags=["nbval-check-output"]
near = [abs(a - b) < most for a, b, most in zip(losses, kept, (1e-5, 1e-3), strict=True)]
print("Mêmes pertes, avant et après un pas :", "oui" if all(near) else "non")

# %% [markdown]
# ## Comment il apprend
#
# Les courbes disent si l’entraînement a convergé, et quand il commence à apprendre par cœur. Un trait
# par graine ; gris pour l’entraînement, en couleur pour la validation.

# %% mystnb={"figure": {"name": "fig-reference-courbes", "caption": "Perte et exactitude au fil des époques, une courbe par graine, sur les images d’entraînement augmentées et sur la validation."}, "image": {"alt": "Deux graphiques l’un sous l’autre, en fonction de l’époque : la perte, puis l’exactitude. Pour chaque graine, une courbe grise pour l’entraînement et une courbe orange pour la validation."}}
from vitrine.report.figures import training

training.curves({run.name: run.history for run in trained})

# %% [markdown]
# Les deux pertes de la {numref}`fig-reference-courbes` ne se comparent pas point à point :
# l’entraînement est mesuré sur des images augmentées et des étiquettes lissées, plus difficiles. On lit
# chaque courbe le long d’elle-même. Une validation qui remonte pendant que l’entraînement descend
# signale le surapprentissage ; une validation qui oscille rappelle qu’elle ne tient que sur
# {valeur}`data.validation` images.

# %% [markdown]
# ## Ce qu’il reconnaît
#
# Voici les scores sur le test, chacun avec son intervalle à 95 %. Quand plusieurs graines sont là, le
# score est leur moyenne, et l’intervalle couvre le tirage des images comme celui des graines.

# %%
from vitrine.metrics.table import recipe_panel

panel = recipe_panel(tests[0].truth, [part.probabilities for part in tests])
shown = f"EfficientNet-B0, {len(seeds)} graine{'s'[: len(seeds) > 1]}"
tables.show(tables.scores({shown: panel}))

# %% [markdown]
# Sans les images qui ont un double dans une autre partie, l’exactitude est de
# {valeur:ic}`efficientnet-b0-keras-scratch.accuracy_clean`.
#
# Une moyenne cache les catégories. Nous regardons chacune, pour la première graine : la *précision*
# (quand le réseau dit « montre », a-t-il raison ?), le *rappel* (trouve-t-il toutes les montres ?) et
# leur moyenne harmonique, le F1.

# %% mystnb={"figure": {"name": "fig-reference-categories", "caption": "Précision, rappel et F1 de chaque catégorie sur le test, intervalles à 95 %. Entre parenthèses, le nombre d’images."}, "image": {"alt": "Pour chaque catégorie, trois points avec leurs barres d’erreur horizontales : précision, rappel et F1, entre zéro et cent pour cent. Les barres sont longues et se recouvrent largement."}}
from vitrine.data.catalog import CLASSES
from vitrine.metrics.classes import confusion, per_class

truth, first = tests[0].truth, tests[0].probabilities
training.class_scores(per_class(truth, first, categories=len(CLASSES)))

# %% [markdown]
# Avec une vingtaine d’images par catégorie, les intervalles de la {numref}`fig-reference-categories`
# sont larges : deux catégories dont les barres se touchent ne sont pas départagées. Reste à savoir avec
# quoi le réseau confond.

# %% mystnb={"figure": {"name": "fig-reference-confusions", "caption": "Matrice de confusion sur le test : catégorie vraie en ligne, prédite en colonne, en nombre d’images. La teinte est la part de la ligne."}, "image": {"alt": "Grille de sept lignes et sept colonnes. La diagonale compte les images bien classées ; les autres cases comptent les confusions entre deux catégories."}}
training.confusion(confusion(truth, first, categories=len(CLASSES)))

# %% [markdown]
# Une ligne de la {numref}`fig-reference-confusions` dit où partent les images d’une catégorie ; une
# colonne, d’où viennent celles qu’on y range. Les catégories qui s’échangent des images dans les deux
# sens se ressemblent vraiment pour le réseau.

# %% [markdown]
# ## Peut-on croire ses probabilités ?
#
# Pour décider quand demander l’avis d’une personne, il faut que « sûr à quatre contre un » veuille dire
# « juste quatre fois sur cinq » {cite:p}`guo2017calibration`. Nous groupons les réponses par confiance
# annoncée, et comptons celles qui sont justes.

# %% mystnb={"figure": {"name": "fig-reference-fiabilite", "caption": "Fiabilité : exactitude observée selon la confiance annoncée, intervalles à 95 %, et nombre d’images de chaque tranche."}, "image": {"alt": "En haut, des points avec barres d’erreur autour de la diagonale des probabilités tenues ; en bas, l’histogramme des confiances."}}
from vitrine.metrics.calibration import reliability

training.reliability(reliability(truth, first), recipe)

# %% [markdown]
# Sous la diagonale de la {numref}`fig-reference-fiabilite`, le réseau se croit trop ; au-dessus, pas
# assez. L’erreur de calibration de cette graine est de
# {valeur}`efficientnet-b0-keras-scratch.calibration_error_one_run`. Un modèle parfaitement calibré, qui
# annoncerait les mêmes confiances sur aussi peu d’images, en montrerait une de
# {valeur:ic}`efficientnet-b0-keras-scratch.calibration_error_if_honest` : c’est à ce nombre, et non à
# zéro, qu’il faut la comparer. Elle ne dit pas de quel côté le réseau se trompe, et ne lit qu’une graine.
# La différence entre la confiance moyenne et l’exactitude, sur toutes les graines, le dit : elle est de
# {valeur:ecart-ic}`efficientnet-b0-keras-scratch.overconfidence`. Conclusion :
# {verdict}`keras_miscalibrated`.

# %% [markdown]
# ## Ce que cela coûte
#
# Chaque exécution note la machine, le temps et la mémoire. Les machines étaient partagées : les durées
# donnent un ordre de grandeur.

# %%
tables.show(tables.costs(trained))

# %% [markdown]
# Une graine demande en moyenne {valeur}`efficientnet-b0-keras-scratch.training_minutes` de calcul, pour
# {valeur}`efficientnet-b0-keras-scratch.epochs` époques. C’est trop : à chaque époque, notre programme
# laissait TensorFlow préparer de nouveau le graphe du réseau. Corrigé depuis, ce défaut ne touchait que
# la durée : sur le catalogue synthétique, les réponses sont les mêmes, au bit près, avec et sans lui. Sur
# un fil d’une machine au repos, l’apprentissage avance de {valeur}`efficientnet-b0-keras-scratch.learning_speed` ;
# {doc}`la comparaison <05_comparaison>` donne les vitesses des autres réseaux, mesurées tour à tour.

# %% [markdown]
# ## Réentraîner
#
# `retrain` refait une graine à partir de rien, sur le processeur ou sur la carte graphique que
# TensorFlow trouve. Il faut les photos (`vitrine data fetch`). Le nouvel entraînement est écrit sous
# `build/retrain/`, à part : l’exécution publiée reste telle quelle, et les nombres de ce texte, qui
# viennent du registre, ne changent pas. Interrompu, il reprend à sa dernière époque.
#
# ```bash
# vitrine run 03_baseline_tensorflow -p retrain=true -p seed=1
# papermill notebooks/03_baseline_tensorflow.ipynb sortie.ipynb -p retrain True -p seed 1
# ```
#
# Sur la même machine, la même graine redonne les mêmes réponses, au bit près ; sur une carte graphique,
# à une tolérance près.

# %% [markdown]
# ## Ce que nous retenons
#
# * EfficientNet-B0 entraîné de zéro en TensorFlow : exactitude
#   {valeur:ic}`efficientnet-b0-keras-scratch.accuracy`, F1 macro
#   {valeur:ic}`efficientnet-b0-keras-scratch.macro_f1`.
# * Face au hasard : {verdict}`keras_above_chance`. Face aux descripteurs classiques :
#   {verdict}`scratch_against_classical`.
# * Sur ses probabilités : {verdict}`keras_miscalibrated`.
# * Le réseau a {valeur}`efficientnet-b0-keras-scratch.parameters` de paramètres à apprendre de
#   {valeur}`data.train` produits.
#
# ## Ce qui pourrait être faux
#
# * **La recette.** Elle n’a pas été optimisée, exprès. Une autre, plus longue ou à plus haute
#   résolution, ferait sans doute autrement : nos scores décrivent cette recette-là, et non les limites
#   d’EfficientNet-B0.
# * **Les graines.** Peu nombreuses, elles mesurent mal leur propre dispersion.
# * **La première graine.** Catégories, confusions et fiabilité sont celles d’un seul entraînement ; une
#   autre graine se tromperait sur d’autres images.
# * **Les probabilités.** Le protocole n’annonçait pas de comparer la confiance moyenne à l’exactitude : ce
#   constat décrit nos exécutions, et son intervalle n’est corrigé pour rien d’autre.
# * **Le test.** Un seul tirage de {valeur}`data.test` images : ce que les intervalles couvrent, et rien
#   de plus. Un autre catalogue donnerait d’autres scores.
#
# ```{provenance}
# ```
