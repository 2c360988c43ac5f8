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
# # Sur toutes les photos : quel modèle mettre en service ?
#
# **Quel modèle range le mieux les {valeur}`data.present` photos, et qu’apporte le texte du vendeur ?** EfficientNet-Lite0,
# après fine-tuning depuis ImageNet, en range bien {valeur:ic}`oof.efficientnet-lite0-torch.accuracy`, et le titre suivi de
# la description, sans la photo, {valeur:ic}`oof.text-title-description.accuracy`. En six minutes, vous saurez lequel mettre
# en service, à quel seuil le laisser répondre seul, et ce que la photo ajoute au texte.
#
# Chaque photo est ici jugée par un modèle qui ne l’a pas apprise : coupées en cinq plis, toutes servent de test une fois.
# Quand un pli est le test, le suivant est la validation, que seuls les températures et les seuils regardent.

# %% tags=["parameters"]
profile = "published"

# %%
import numpy as np

from vitrine.data.catalog import CLASSES, CLASSES_FR
from vitrine.report.ledger import pairs
from vitrine.report.names import gap_names, model_name
from vitrine.report.recommended import RECOMMENDED, in_service
from vitrine.training.runs import align_folds
from vitrine.training.session import begin

session = begin(profile)
folds = {name: found for name, found in session.across_folds().items() if pairs.judged(name)}
truth = align_folds(*(one for found in folds.values() for one in found))[0].truth
answers = {name: [one.answers.probabilities for one in found] for name, found in folds.items()}

# %% tags=["nbval-check-output", "remove-cell"]
parts = folds[RECOMMENDED][0].by_fold()
apart = all(not set(validation.image) & set(test.image) for validation, test in parts)
print("Aucune photo de validation parmi celles du test :", "oui" if apart else "non")

# %% [markdown]
# ## Les scores
#
# Le fine-tuning vient d’abord, puis les autres lecteurs de la photo, puis ceux du texte. Une *sonde* est une régression
# logistique sur les caractéristiques d’un réseau figé {cite:p}`kornblith2018better`. L’intervalle dit ce que d’autres
# photos de test auraient donné ; il ignore ce qu’un autre entraînement aurait changé.

# %%
from vitrine.metrics.metrics import accuracy, macro_f1
from vitrine.metrics.table import announced, leader, recipe_score
from vitrine.report import tables

metrics = {"Exactitude": accuracy, "F1 macro": macro_f1}
scores = {
    name: {metric.name: recipe_score(truth, given, metric) for metric in metrics.values()}
    for name, given in answers.items()
}

# %% [markdown]
# Une étoile signale un premier, quand ses écarts avec tous les autres excluent zéro ensemble.

# %%
order = sorted(scores, key=lambda name: (pairs.rank(name), -scores[name]["accuracy"].value))
named = {model_name(name): answers[name] for name in order}
leaders = {metric.name: leader(truth, named, metric) for metric in metrics.values()}
tables.show(
    tables.comparison(
        {model_name(name): scores[name] for name in order},
        seeds={name: len(given) for name, given in named.items()},
        leaders=leaders,
    )
)

# %% mystnb={"figure": {"name": "fig-toutes-scores", "caption": "Exactitude sur toutes les photos, chacune jugée par un modèle qui ne l’a pas apprise ; intervalles à 95 %."}, "image": {"alt": "Pour chaque modèle, un point et sa barre d’erreur horizontale : l’exactitude sur toutes les photos, le fine-tuning en haut, les lecteurs du texte en bas."}}
from vitrine.report.figures import comparison, decisions, training

comparison.forest(
    {"Exactitude": {name: scores[name]["accuracy"] for name in order}}, x="Exactitude"
)

# %% [markdown]
# ## Les écarts
#
# Deux modèles se comparent sur les mêmes photos, par la règle du {doc}`protocole <../book/protocole>` : un écart est établi
# si son intervalle exclut zéro et si sa valeur p, corrigée (Holm), passe sous le seuil ; là où les deux recettes ont
# parcouru toutes les répétitions, leur écart doit y exclure zéro aussi.

# %%
from vitrine.report.ledger.folds import repeated

gaps = {}
for family in pairs.on_folds(order):
    gaps |= announced(truth, answers, family, (accuracy,), repeated(folds, family))
names = gap_names(gaps)
tables.show(tables.announced({names[pair]: gap for pair, gap in gaps.items()}))

# %% [markdown]
# Entre modèles en désaccord sur {valeur}`power.discordance` des photos, un vrai écart de moins de
# {valeur}`power.oof_smallest_gap`, de {valeur}`power.oof_smallest_gap_corrected` pour le plus sévère des tests corrigés,
# échapperait à cette règle plus d’une fois sur cinq. Le tableau permet de dire :
#
# * **Fine-tuning, ou réseau figé ?** {verdict}`fine_tuning_helps`
#   ({valeur:ecart-ic}`oof_gap.efficientnet-lite0-torch.efficientnet-lite0-probe.accuracy`). En TensorFlow, l’écart est de
#   {valeur:ecart-ic}`oof_gap.efficientnet-lite0-keras.efficientnet-lite0-probe.accuracy` ; sur EfficientNet-Lite2, de
#   {valeur:ecart-ic}`oof_gap.efficientnet-lite2-torch.efficientnet-lite2-probe.accuracy`.
#   {doc}`Le chapitre sur PyTorch <04_sota_pytorch>` dit ce qui a été essayé.
# * **PyTorch, ou TensorFlow ?** Mêmes poids de départ, même recette, mêmes plis : {verdict}`same_start_agrees`
#   ({valeur:ecart-ic}`oof_gap.efficientnet-lite0-torch.efficientnet-lite0-keras.accuracy`, pour une marge de
#   {valeur}`power.margin`).
# * **Un réseau plus grand ?** Après fine-tuning, {verdict}`larger_fine_tuned_helps`
#   ({valeur:ecart-ic}`oof_gap.efficientnet-lite2-torch.efficientnet-lite0-torch.accuracy`).
# * **La candidate ?** Distillée, puis après fine-tuning, MambaVision micro range bien
#   {valeur:ic}`oof.mambavision-micro-distilled-transfer.accuracy` des photos : {verdict}`candidate_against_baseline`
#   ({valeur:ecart-ic}`oof_gap.mambavision-micro-distilled-transfer.efficientnet-lite0-torch.accuracy` ;
#   {doc}`le détail <07_a_armes_egales>`).
# * **Plusieurs réseaux figés côte à côte ?** {verdict}`three_frozen_help`
#   ({valeur:ecart-ic}`oof_gap.efficientnet-lite012-probe.efficientnet-lite0-probe.accuracy`).

# %% [markdown]
# ## Le modèle recommandé, de près
#
# Nous recommandons EfficientNet-Lite0 après fine-tuning : un seul réseau, léger, sous une licence libre. Qui
# manque de temps prendra sa sonde. Le rappel du modèle recommandé va de
# {valeur:ic}`recommended.recall_least` dans la catégorie la moins bien reconnue à {valeur:ic}`recommended.recall_most`
# dans la mieux reconnue.

# %%
served = in_service(folds[RECOMMENDED][0])
truth, given = served.answers.truth, served.answers.probabilities

# %% mystnb={"figure": {"name": "fig-toutes-confusions", "caption": "Matrice de confusion d’EfficientNet-Lite0 après fine-tuning sur toutes les photos : catégorie vraie en ligne, prédite en colonne, en nombre de photos. La teinte est la part de la ligne."}, "image": {"alt": "Grille de sept lignes et sept colonnes. La diagonale compte les photos bien rangées ; les autres cases comptent les confusions entre deux catégories."}}
from vitrine.metrics.classes import confusion, per_class

training.confusion(confusion(truth, given, categories=len(CLASSES)))

# %% [markdown]
# Les catégories, de la moins bien à la mieux reconnue :

# %%
recalls = [score.recall.value for score in per_class(truth, given, categories=len(CLASSES))]
ranked = [list(CLASSES_FR.values())[k] for k in np.argsort(recalls)]
print(*ranked, sep=", ")

# %% [markdown]
# ## Ses probabilités, et quand la laisser répondre seule
#
# Le lissage des étiquettes rend le réseau prudent : sa confiance moyenne s’écarte de son exactitude de
# {valeur:ecart-ic}`recommended.overconfidence`. Une température, choisie sur la validation de chaque pli
# {cite:p}`guo2017calibration`, ramène cet écart à
# {valeur:ecart-ic}`recommended.overconfidence_calibrated` ; l’erreur de calibration passe de
# {valeur}`recommended.calibration_error` à {valeur}`recommended.calibration_error_calibrated`.

# %% mystnb={"figure": {"name": "fig-toutes-fiabilite", "caption": "Exactitude observée selon la confiance annoncée, après mise à l’échelle par la température de chaque pli ; intervalles à 95 %. En bas, le nombre de photos."}, "image": {"alt": "Des points proches d’une diagonale en tirets, avec leurs barres d’erreur ; au-dessous, des barres comptent les photos de chaque tranche de confiance, presque toutes à droite."}}
from vitrine.metrics.calibration import reliability

training.reliability(reliability(truth, given), RECOMMENDED)

# %% [markdown]
# Le seuil aussi vient de la validation : le plus bas où {valeur}`recommended.target` des réponses y sont justes, de
# {valeur}`recommended.threshold_least` à {valeur}`recommended.threshold_most` selon le pli. Sur les photos de test, que ce
# choix n’a pas vues, le modèle répond à {valeur:ic}`recommended.coverage` des photos, avec
# {valeur:ic}`recommended.answered_accuracy` de réponses justes ; une personne regarde les autres
# {cite:p}`geifman2017selective`.

# %% mystnb={"figure": {"name": "fig-toutes-couverture", "caption": "Exactitude sur les photos auxquelles le modèle répond, selon la part de photos qu’il accepte ; la couverture diminue vers la droite."}, "image": {"alt": "Trois courbes qui montent vers la droite : EfficientNet-Lite0 après fine-tuning, le même figé, MobileNetV2 figé."}}
from vitrine.metrics.decision import selective_curve

compared = (RECOMMENDED, "efficientnet-lite0-probe", "mobilenetv2-int8-probe")
decisions.selective({name: selective_curve(truth, answers[name][0]) for name in compared})

# %% [markdown]
# ## Quand la photo est abîmée
#
# Les dégradations de {doc}`la comparaison en détail <05_comparaison_detail>`, sur les images de test publiées.

# %% mystnb={"figure": {"name": "fig-toutes-degradations", "caption": "Exactitude sur les images de test publiées selon la force de cinq dégradations (0 : photo intacte) et selon le côté de la photo réduite, intervalles à 95 %. En tirets : une réponse tirée au hasard."}, "image": {"alt": "Six panneaux sur deux colonnes : flou, bruit, compression JPEG, éclaircissement, recadrage, photo réduite. Dans chacun, une courbe d’exactitude par modèle, de la photo intacte à la plus abîmée."}}
from vitrine.data.corruptions import CORRUPTIONS
from vitrine.explain import facts, robustness
from vitrine.report.figures import explanation

robust, labels = facts.read(session, "robustness"), facts.labels(session)
seen = [name for name in (RECOMMENDED, "mobilenetv2-int8-probe", "histogram-hog") if name in robust]
spoiled = {
    kind: {name: robustness.curve(robust[name], kind, labels) for name in seen}
    for kind in (*CORRUPTIONS, robustness.THUMBNAIL)
}
explanation.curves(spoiled, highlighted=seen, chance=1 / len(CLASSES))

# %% [markdown]
# À la force 5, le bruit change son exactitude de
# {valeur:ecart-ic}`efficientnet-lite0-torch.change_noise_5`, le flou de
# {valeur:ecart-ic}`efficientnet-lite0-torch.change_blur_5`, la compression JPEG de
# {valeur:ecart-ic}`efficientnet-lite0-torch.change_jpeg_5`.
#
# ## Ses erreurs
#
# Les erreurs dont le modèle était le plus sûr, avec ce que le texte en dit.

# %%
text = answers["text-title-description"][0].argmax(axis=1)
wrong = np.flatnonzero(served.answers.predicted != truth)
surest = wrong[np.argsort(-given[wrong].max(axis=1), kind="stable")[:12]]
told = {
    model_name(RECOMMENDED): served.answers.predicted[surest],
    model_name("text-title-description"): text[surest],
}
tables.show(tables.errors(served.answers.image[surest], truth[surest], told))

# %% [markdown]
# ## Ce que la photo ajoute au texte
#
# Chaque produit vient avec un titre et une description. Un modèle linéaire sur leurs mots pondérés (TF-IDF)
# les lit sur les mêmes plis ; aucun mot n’est publié, seulement ses réponses. La description nomme presque la catégorie.
#
# * Le titre, contre la photo : {verdict}`title_against_image`
#   ({valeur:ecart-ic}`oof_gap.text-title.efficientnet-lite0-probe.accuracy`).
# * Avec la description : {verdict}`text_against_image`
#   ({valeur:ecart-ic}`oof_gap.text-title-description.efficientnet-lite0-probe.accuracy`).
# * La photo en plus du titre : {verdict}`image_helps_title`
#   ({valeur:ecart-ic}`oof_gap.title-and-image.text-title.accuracy`, et sur toutes les répétitions
#   {valeur:ecart-ic}`oof_gap.title-and-image.text-title.cv_accuracy`).
# * La photo en plus des deux : {verdict}`image_helps_text`
#   ({valeur:ecart-ic}`oof_gap.text-and-image.text-title-description.accuracy`).
#
# Les deux ne se trompent pourtant pas sur les mêmes produits : le texte est seul à avoir raison sur
# {valeur}`beside.only_text` d’entre eux, la photo, lue par trois EfficientNet-Lite figés, sur
# {valeur}`beside.only_image`. Qui saurait à chaque fois laquelle des deux réponses croire atteindrait
# {valeur}`beside.oracle`.

# %%
from vitrine.report import beside

pair = [folds[name][0].runs[0] for name in ("text-title-description", "efficientnet-lite012-probe")]
counts = beside.shares(*pair) if all(run.folds for run in pair) else None
columns = {
    "products": "Produits", "both": "Les deux", "only_first": "Texte seul",
    "only_second": "Photo seule", "neither": "Aucun",
}  # fmt: skip
if counts is not None:
    counts.insert(0, "Catégorie", list(CLASSES_FR.values()))
tables.show(counts.rename(columns=columns)) if counts is not None else None

# %% [markdown]
# Ces comptes sont des moyennes sur les répétitions. {valeur}`beside.saved` produits ne sont sauvés que par la photo, dans
# plus de la moitié d’entre elles.

# %% [markdown]
# ## Exercices
#
# **1. Votre seuil.** Le modèle recommandé ne répond que si sa confiance atteint neuf chances sur dix. À quelle part des photos répond-il,
# et avec quelle exactitude ? Cherchez le seuil qui laisserait une photo sur deux à une personne.

# %% tags=["hide-cell"]
sure = given.max(axis=1)
for threshold in (0.9, float(np.median(sure))):
    answered = sure >= threshold
    right = (given.argmax(axis=1) == truth)[answered].mean()
    shares = [tables.number(100 * share, 1) for share in (answered.mean(), right)]
    print("couverture {} %, exactitude {} %".format(*shares))

# %% [markdown]
# **2. Croire le plus sûr.** Pour chaque produit, retenez la réponse du plus confiant, du texte ou de la photo. Cette fusion
# naïve vaut-elle mieux que le texte seul ?

# %% tags=["hide-cell"]
words, photo = answers["text-title-description"][0], answers["efficientnet-lite012-probe"][0]
surer = np.where(words.max(axis=1) >= photo.max(axis=1), words.argmax(1), photo.argmax(1))
print(f"texte seul : {tables.number(100 * accuracy(truth, words), 1)} %")
print(f"le plus sûr des deux : {tables.number(100 * accuracy(truth, surer), 1)} %")

# %% [markdown]
# ## Ce que nous retenons
#
# * {verdict}`fine_tuning_helps`
#   ({valeur:ecart-ic}`oof_gap.efficientnet-lite0-torch.efficientnet-lite0-probe.accuracy`).
# * Le texte devance la photo de {valeur:ecart-ic}`oof_gap.text-title-description.efficientnet-lite0-probe.accuracy` ;
#   {verdict}`image_helps_text`.
# * Au seuil qui vise {valeur}`recommended.target` de réponses justes sur la validation : {valeur:ic}`recommended.coverage`
#   des photos sans regard humain, {valeur:ic}`recommended.answered_accuracy` de réponses justes.
#
# ## Ce qui pourrait être faux
#
# * **Un entraînement par pli.** Un réseau n’est entraîné qu’une fois par pli : les intervalles ignorent ce
#   qu’une autre graine aurait donné.
# * **Des plis déjà vus.** La recette a été choisie sur la validation du premier, qui est le test du deuxième ; une autre,
#   abandonnée, a été jugée sur trois plis, et des scripts d’essai ont regardé ces photos avant nous
#   ({doc}`les écarts <../book/ecarts>`).
# * **Une seule place de marché.** Les textes d’un autre catalogue seront moins bavards, ses photos moins
#   propres.
#
# ```{provenance}
# ```
