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
# **Que change MambaVision, et à quel prix ?** Dans ses deux derniers étages, la moitié des blocs remplace l’attention
# par un balayage sélectif {cite:p}`hatamizadeh2024mambavision`, que les bibliothèques ne fournissent pas et que nous
# écrivons ici en clair. Vous saurez en trente-cinq minutes suivre une photo à travers un bloc, dire ce que le
# balayage coûte, et lire le plan du réseau.
#
# {doc}`Le chapitre précédent <00_espaces_d_etat>` dit d’où vient cette récurrence.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# Rien n’est appris dans ce chapitre, et les deux profils y font les mêmes calculs, sur un seul fil.

# %%
import numpy as np
import pandas as pd
import timm
import torch

import vitrine.models
from vitrine import paths
from vitrine.report import tables
from vitrine.report.figures import watch
from vitrine.models.scan.reference import selective_scan
from vitrine.training.session import begin

session = begin(profile)

# %%
torch.set_num_threads(1)
_ = torch.set_grad_enabled(False)

# %% [markdown]
# ## Une mémoire qui s’efface
#
# À chaque jeton, un modèle d’espace d’état oublie une part de son résumé $h_t$, ajoute la nouveauté $u_t$, puis lit sa
# réponse $y_t$ dans le résumé :
#
# $$h_t = e^{\Delta_t A}\,h_{t-1} + \Delta_t B_t\,u_t, \qquad y_t = C_t \cdot h_t .$$
#
# Le pas $\Delta_t$ règle tout. Que reste-t-il d’une impulsion donnée au premier jeton, pour trois pas constants ?

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

# %% mystnb={"figure": {"name": "fig-memoire", "caption": "Ce qui reste d’une impulsion, rapportée à son pas. Un petit pas retient longtemps, un grand pas oublie vite."}, "image": {"alt": "Trois courbes qui décroissent depuis 1 : lentement pour le plus petit pas, très vite pour le plus grand."}}
watch.memory(responses)

# %% [markdown]
# Chaque courbe de la {numref}`fig-memoire` est une exponentielle : après $t$ jetons il reste $e^{-t\Delta}$ de
# l’impulsion.

# %% tags=["nbval-check-output", "remove-cell"]
positions = np.arange(length)
expected = {name: np.exp(-positions * step) for name, step in steps.items()}
agree = {name: bool(np.allclose(responses[name], expected[name], atol=1e-12)) for name in steps}
print(agree)

# %% [markdown]
# **Exercice.** Changez $\Delta$ : après combien de jetons la moitié de l’impulsion est-elle oubliée ? Une solution :

# %% tags=["hide-cell"]
for step in (0.02, 0.05, 0.2):
    left = selective_scan(impulse, step * ones, A, ones, ones)[0, :, 0] / step
    print(f"Δ = {step} :".replace(".", ","), int((left > 0.5).sum()), "jetons")

# %% [markdown]
# ## La sélection
#
# Mamba calcule $\Delta$, $B$ et $C$ à partir du jeton lui-même {cite:p}`gu2023mamba`. Reprenons l’impulsion, et
# annulons le pas après le dixième jeton : la mémoire se fige.

# %%
frozen = 0.1 * ones.clone()
frozen[0, 10:] = 0.0
selective = {
    "pas constant": selective_scan(impulse, 0.1 * ones, A, ones, ones)[0, :, 0].numpy(),
    "pas annulé après dix jetons": selective_scan(impulse, frozen, A, ones, ones)[0, :, 0].numpy(),
}

# %% mystnb={"figure": {"name": "fig-selection", "caption": "Le même modèle, avec un pas constant ou choisi par jeton : un pas nul garde la mémoire intacte."}, "image": {"alt": "Deux courbes confondues sur dix jetons ; ensuite l’une continue de décroître, l’autre reste à plat."}}
watch.memory(selective)

# %% [markdown]
# Le contenu décide donc de ce qui est lu, gardé ou oublié ({numref}`fig-selection`). Et le balayage ne regarde jamais
# en avant : changer un jeton ne change que les réponses qui suivent.

# %% tags=["nbval-check-output", "remove-cell"]
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
# ## Le bloc, pas à pas, sur une photo
#
# Nous suivons une photo de synthèse à travers `mambavision_nano`, notre plus petit réseau. Ses poids sont reconstruits
# d’après leurs noms : ce que le réseau *reconnaît* n’a pas de sens ici, ce qu’il *fait* en a un.

# %%
import torch.nn.functional as F

from vitrine.explain.drawn import drawing
from vitrine.models import rebuilt

network = rebuilt.fill(timm.create_model("mambavision_nano")).eval()
pixels = np.asarray(drawing("Home Decor & Festive Needs").resize((336, 224)))
photo = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255
mean, std = (torch.tensor(network.default_cfg[key])[:, None, None] for key in ("mean", "std"))
photo = (photo - mean) / std

# %% [markdown]
# ### Des pixels aux jetons
#
# La réduction initiale divise chaque côté par quatre. Chaque étage transmet au suivant une carte deux fois plus petite
# et deux fois plus profonde. Les deux premiers ne sont faits que de convolutions.

# %% tags=["nbval-check-output"]
x = network.patch_embed(photo)
print("réduction initiale :", *x.shape[1:], "(canaux, hauteur, largeur)")
for number, level in enumerate(network.levels[:2], start=1):
    x = level(x)
    print(f"sortie de l’étage {number} :", *x.shape[1:])

# %% [markdown]
# Au troisième étage, chaque position de la carte résume un carré de 16 pixels de côté : c’est un jeton. Les jetons sont
# groupés en fenêtres, traitées séparément. Quand la carte ne tombe pas juste, elle est complétée de zéros à droite et
# en bas.

# %% tags=["nbval-check-output"]
side = network.levels[2].window_size
height, width = x.shape[2:]
padded = F.pad(x, (0, -width % side, 0, -height % side))
grid = padded.unflatten(3, (-1, side)).unflatten(2, (-1, side))
tokens = grid.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)
print("fenêtre de", side, "jetons de côté ; carte complétée :", *padded.shape[2:])
print("fenêtres, jetons, canaux :", *tokens.shape)

# %% mystnb={"figure": {"name": "fig-fenetres", "caption": "Une photo de synthèse, ses deux fenêtres et l’ordre de lecture de leurs jetons, ligne par ligne. La seconde fenêtre déborde de la photo : ses jetons de remplissage sont lus comme les autres."}, "image": {"alt": "La photo dessinée d’un tableau encadré, couverte de deux carrés de couleurs différentes dont le second dépasse à droite ; dans chacun, des rangées de points reliés de gauche à droite marquent l’ordre de lecture des jetons."}}
watch.windows(pixels)

# %% [markdown]
# Remises en place et rognées, les fenêtres de la {numref}`fig-fenetres` redonnent la carte de départ, bit pour bit.

# %% tags=["nbval-check-output", "remove-cell"]
rows, columns = grid.shape[2], grid.shape[4]
windows = tokens.unflatten(1, (side, side)).unflatten(0, (-1, rows, columns))
merged = windows.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)
print("fenêtres remises en place :", torch.equal(merged, padded))
print("remplissage rogné :", torch.equal(merged[..., :height, :width], x))

# %% [markdown]
# ### Deux branches
#
# Le bloc normalise les jetons, les projette, et coupe leurs canaux en deux moitiés. Chacune passe par une petite
# convolution, qui mêle un jeton à ses deux voisins, et par une activation SiLU. La première moitié, $X$, est balayée ;
# la seconde, $Z$, ne l’est pas.

# %% tags=["nbval-check-output"]
block = network.levels[2].blocks[0]
mixer = block.mixer
normed = block.norm1(tokens)
x_half, z_half = mixer.in_proj(normed).transpose(1, 2).chunk(2, dim=1)
X = F.silu(mixer.conv1d_x(x_half)).transpose(1, 2)
Z = F.silu(mixer.conv1d_z(z_half)).transpose(1, 2)
print("jetons normalisés :", *normed.shape)
print("X :", *X.shape, "; Z :", *Z.shape)

# %% [markdown]
# ### Chaque jeton choisit son pas
#
# Une projection de $X$ donne à chaque jeton son pas $\Delta$, ce qu’il écrit dans la mémoire, $B$, et ce qu’il y lit,
# $C$. Le pas est calculé sur quelques canaux, puis étendu à tous. Son biais est compté deux fois, une bizarrerie du
# réseau publié que {doc}`Du papier au code <01_du_papier_au_code>` mesure.

# %% tags=["nbval-check-output"]
step, B, C = mixer.x_proj(X).split(mixer.splits, dim=-1)
delta = F.softplus(mixer.dt_proj(step) + mixer.dt_proj.bias)
A = -torch.exp(mixer.A_log)
print("pas avant extension :", *step.shape, "; après :", *delta.shape)
print("B :", *B.shape, "; C :", *C.shape, "; A :", *A.shape)

# %% [markdown]
# ### Le balayage
#
# Le voici en clair, un jeton après l’autre : une mémoire par canal et par état, effacée en partie, complétée, puis lue.
# Le terme $D$ est un raccourci, qui ajoute une part de l’entrée.

# %% tags=["keep-input"]
h, answers = torch.zeros(len(X), *A.shape), []
for t in range(X.shape[1]):
    forget = torch.exp(delta[:, t, :, None] * A)
    written = delta[:, t, :, None] * B[:, t, None] * X[:, t, :, None]
    h = forget * h + written
    answers.append((h * C[:, t, None]).sum(dim=-1) + mixer.D * X[:, t])
Y = torch.stack(answers, dim=1)

# %% [markdown]
# Cette boucle donne la même chose, à l’arrondi près, que la forme rapide que le réseau emploie.

# %% tags=["nbval-check-output", "remove-cell"]
from vitrine.models.scan import chunked

fast = chunked.selective_scan(X, delta, A, B, C, mixer.D)
print(
    "boucle, référence et forme rapide s’accordent :",
    torch.allclose(Y, fast, atol=1e-4),
    torch.allclose(Y, selective_scan(X, delta, A, B, C, mixer.D), atol=1e-4),
)

# %% [markdown]
# ### Réunir, puis recommencer
#
# Les deux moitiés sont mises côte à côte et projetées. Comme dans un transformeur, le résultat s’ajoute aux jetons, et
# un perceptron travaille ensuite chaque jeton seul. Le carnet vérifie que ce bloc refait répond comme le réseau.

# %% tags=["nbval-check-output", "remove-cell"]
mixed = mixer.out_proj(torch.cat([Y, Z], dim=-1))
print("mélangeur retrouvé :", torch.allclose(mixed, mixer(normed), atol=1e-4))
after = tokens + mixed
after = after + block.mlp(block.norm2(after))
print("bloc retrouvé :", torch.allclose(after, block(tokens), atol=1e-4))
print("taille inchangée :", after.shape == tokens.shape)

# %% [markdown]
# ### Balayage et attention, dans une fenêtre
#
# Les derniers blocs de l’étage remplacent ce mélangeur par de l’attention.
#
# :::{dessin} balayage
# :name: fig-balayage
# :alt: Deux grilles de seize jetons. À gauche, le balayage : le jeton lu est plein, ceux qui le précèdent pâlissent à mesure qu’ils s’éloignent, et un trait va du jeton lu à une case, l’état, de taille fixe. À droite, l’attention : un trait relie le jeton lu à chacun des seize.
# Une fenêtre de seize jetons. Le balayage lit ligne par ligne et n’emporte que son état, où les jetons anciens
# s’effacent ; l’attention compare chaque jeton à tous.
# :::
#
# L’attention de MambaVision n’a aucun code de position : elle ignore l’ordre des jetons. Le balayage en dépend, et
# c’est par lui, avec les convolutions, que les blocs suivants le connaissent.

# %% tags=["nbval-check-output"]
attention = network.levels[2].blocks[-1].mixer
shuffled = torch.randperm(tokens.shape[1], generator=torch.Generator().manual_seed(0))
for name, mix in (("attention", attention), ("balayage", mixer)):
    before, then = mix(normed[:, shuffled]), mix(normed)[:, shuffled]
    blind = torch.allclose(before, then, atol=1e-4)
    print(name, ": l’ordre des jetons", "ne compte pas" if blind else "compte")

# %% [markdown]
# Le balayage de la {numref}`fig-balayage` ne regarde pas en avant ; le mélangeur, un peu, car sa convolution voit le
# jeton d’après. Changer le dernier jeton change les deux derniers, quand l’attention le fait savoir à tous.

# %% tags=["nbval-check-output"]
altered = normed.clone()
altered[:, -1] += 1.0
for name, mix in (("attention", attention), ("balayage", mixer)):
    touched = (mix(altered) - mix(normed)).abs().amax(dim=(0, 2)) > 1e-5
    print(name, ": jetons touchés par le dernier,", int(touched.sum()), "sur", len(touched))

# %% [markdown]
# **Exercice.** Et si l’on change le *premier* jeton ? Une solution :

# %% tags=["hide-cell"]
altered = normed.clone()
altered[:, 0] += 1.0
touched = (mixer(altered) - mixer(normed)).abs().amax(dim=(0, 2)) > 1e-5
print("jetons touchés par le premier :", int(touched.sum()), "sur", len(touched))

# %% [markdown]
# ## Ce que le balayage coûte ici
#
# Pour une largeur $d$, une suite de $n$ jetons et un état de taille $s$, l’attention calcule deux produits de $n^2 d$
# multiplications et additions, le balayage environ $6\,n\,s\,d$, une convolution de noyau 3, $3\,n\,d$. Comptons pour
# la largeur et l’état du troisième étage de MambaVision-T, sans les projections, communes à tous.

# %%
lengths = np.array(watch.LENGTHS, dtype=float)
width, state = 320, 8
costs = {
    "attention": 2 * lengths**2 * width / 1e6,
    "balayage sélectif": 6 * lengths * state * width / 2 / 1e6,
    "convolution": 3 * lengths * width / 1e6,
}

# %% mystnb={"figure": {"name": "fig-cout", "caption": "Coût du seul mélange des jetons, compté par formule, selon la longueur de la suite (échelles logarithmiques). Le balayage porte sur la moitié des canaux, comme dans MambaVision."}, "image": {"alt": "Trois droites en échelles logarithmiques : celle de l’attention monte deux fois plus vite que celles du balayage et de la convolution."}}
watch.cost_against_length(costs)

# %% [markdown]
# Une boucle courte sur de petits tableaux peut coûter plus qu’un grand produit. Voici les durées relevées par
# `vitrine bench scan` sur un fil d’un processeur, pour des mélangeurs entiers, projections comprises.

# %%
import json

sheet = json.loads((paths.runs() / "bench" / "scan.json").read_text(encoding="utf-8"))
print("processeur :", sheet["hardware"]["cpu"], "; relevé du", sheet["date"])

# %% mystnb={"figure": {"name": "fig-cout-mesure", "caption": "Durée d’un mélangeur entier pour une image, selon la longueur de la suite : médianes, un fil, même largeur pour les trois (échelles logarithmiques)."}, "image": {"alt": "Trois courbes croissantes en échelles logarithmiques : celle de l’attention, proche de celle du balayage pour les suites courtes, s’en écarte vers le haut pour les longues ; celle de la convolution reste la plus basse."}}
watch.cost_against_length(sheet["lengths"])

# %% [markdown]
# De la {numref}`fig-cout-mesure`, trois longueurs : celle d’une fenêtre du dernier étage, celle d’une fenêtre du
# troisième, et une suite seize fois plus longue.

# %%
durations = pd.DataFrame(sheet["lengths"]).pivot(
    index="length", columns="mixer", values="milliseconds"
)
for length in (49, 196, 3136):
    ratio = durations.scan[length] / durations.attention[length]
    print(
        f"{length} jetons : le balayage prend {ratio:.1f} fois".replace(".", ","),
        "le temps de l’attention",
    )

# %% tags=["nbval-check-output", "remove-cell"]
growth = durations.loc[3136] / durations.loc[196]
print("balayage, au plus proportionnel à la longueur :", bool(growth["scan"] <= 16))
print("attention, plus que proportionnelle :", bool(growth["attention"] > 16))

# %% [markdown]
# Dans les fenêtres de MambaVision, le balayage n’est donc pas moins cher : il est plus lent que l’attention dans les
# petites, à égalité dans les grandes, et ne gagne que dans des suites que ce réseau ne lit jamais. Une image plus
# grande n’y change rien : elle ajoute des fenêtres sans les allonger, et le coût de l’attention, comme celui du
# balayage, y croît comme l’image.
#
# ## Le réseau
#
# MambaVision enchaîne quatre étages. Dans les deux derniers, la première moitié des blocs mélange par balayage, la
# seconde par attention. Notre réalisation suit les deux articles et les valeurs observées du réseau publié, sans son
# code ; {doc}`là où ils divergent <01_du_papier_au_code>`, elle suit le réseau. Le plan qui suit est lu dans le module,
# construit sans poids et traversé une fois.

# %%
from vitrine.report.tables import sizes
from vitrine.report.figures import architecture
from vitrine.models import anatomy

shown = {
    "nano": "mambavision_nano",
    "micro": "mambavision_micro",
    "T": "mambavision_tiny",
    "S": "mambavision_small",
    "B": "mambavision_base",
    "L": "mambavision_large",
}
plans = {label: anatomy.stages(name) for label, name in shown.items()}

# %% mystnb={"figure": {"name": "fig-etages", "caption": "Une MambaVision de l’image à la tête : un cadre par étage, avec la carte qu’il affine, et un signe par bloc, pour une image de 224 pixels. Le curseur choisit le réseau."}, "image": {"alt": "Sept cadres de haut en bas, reliés par des flèches : l’image, la réduction initiale, quatre étages, la moyenne et la tête. Les deux premiers étages ne portent que des losanges, les convolutions. Dans les deux derniers, des carrés, les balayages, viennent d’abord, et des ronds, les attentions, ensuite."}}
architecture.stages(plans, first="T")

# %% [markdown]
# D’un étage au suivant, la carte perd la moitié de son côté et double ses canaux ({numref}`fig-etages`). Voici, dans
# MambaVision-T, le premier bloc du troisième étage, celui que nous avons suivi plus haut dans un réseau plus petit.

# %% mystnb={"figure": {"name": "fig-bloc", "caption": "Un bloc à balayage de MambaVision-T : ce que rend chaque étape, en jetons et en canaux. Les deux détours de droite sont les additions."}, "image": {"alt": "Des cases reliées de haut en bas par des flèches. Après une normalisation et une projection, le trajet se sépare en deux : à gauche une convolution, le calcul du pas, puis le balayage ; à droite une seule convolution. Les deux se rejoignent dans une projection, suivie d’un perceptron en deux cases. Deux lignes contournent par la droite, l’une le mélangeur, l’autre le perceptron."}}
architecture.block(anatomy.parts("mambavision_tiny", stage=3, block=1))

# %% [markdown]
# Le même bloc, module par module. Le balayage n’y figure pas, car il n’a d’autres poids que $A$ et $D$ ; l’essentiel
# est dans le perceptron.

# %%
tables.show(sizes.block(anatomy.parts("mambavision_tiny", stage=3, block=1)))

# %% [markdown]
# ### Ce qu’il pèse et ce qu’il calcule
#
# Nous comptons les paramètres et les multiplications-additions de chaque variante, à côté des nombres publiés.

# %%
from vitrine.bench.backbones import multiply_adds

published = pd.read_csv(paths.root() / "ressources" / "mambavision_published.csv")
counted, sides = {}, {}
for name in ("mambavision_nano", "mambavision_micro", *published.architecture):
    with torch.device("meta"):
        built = timm.create_model(name).eval()
    sides[name] = built.default_cfg["input_size"][-1]
    weights = sum(p.numel() for p in built.parameters())
    counted[name] = (weights, multiply_adds(built, sides[name], "meta"))

# %%
tables.show(sizes.networks(published, counted, sides), decimals=2)

# %% [markdown]
# Les paramètres coïncident : c’est la première vérification de notre réalisation. Les opérations sont proches : nous
# comptons les deux produits de l’attention, que l’outil des auteurs laisse peut-être de côté ; aucun ne compte le
# balayage. Les deux premières lignes sont à nous, et servent à comparer à taille égale.

# %% tags=["nbval-check-output", "remove-cell"]
known = published.set_index("architecture")
weights = pd.Series({name: counted[name][0] / 1e6 for name in known.index})
adds = pd.Series({name: counted[name][1] / 1e9 for name in known.index})
print(
    "mêmes nombres de paramètres, à 0,1 M près :",
    bool(((known.parameters_m - weights).abs() <= 0.11).all()),
)
print("mêmes opérations, à 6 % près :", bool((adds / known.gflops - 1).abs().max() < 0.06))
print("nos comptes ne sont jamais en dessous :", bool((adds > known.gflops - 0.06).all()))

# %% [markdown]
# Avec une tête à nos catégories, il reste :

# %% tags=["nbval-check-output"]
from vitrine.data.catalog import CLASSES

for name in ("mambavision_nano", "mambavision_micro", "mambavision_tiny"):
    with torch.device("meta"):
        ours = timm.create_model(name, num_classes=len(CLASSES))
    print(name, "à", len(CLASSES), "catégories :", sum(p.numel() for p in ours.parameters()))

# %% [markdown]
# ### Ce que chaque choix apporte, d’après ses auteurs
#
# Les auteurs ont mesuré leurs choix un par un, sur MambaVision-T {cite:p}`hatamizadeh2024mambavision` ; chaque ligne
# est un seul entraînement, que nous n’avons pas refait. D’abord le mélangeur.

# %%
cited = pd.read_csv(paths.root() / "ressources" / "mambavision_ablations.csv")
tables.show(sizes.ablations(cited, "mixer"))

# %% [markdown]
# Sur ImageNet et COCO, le plus grand gain est le dernier : mettre les deux branches côte à côte plutôt que de multiplier l’une par l’autre.
# Puis la place de l’attention, A, parmi les balayages, B : elle sert davantage à la fin.

# %%
tables.show(sizes.ablations(cited, "pattern"))

# %% [markdown]
# Enfin, la taille des fenêtres, qui ne change presque rien.

# %%
tables.show(sizes.ablations(cited, "window"))

# %% [markdown]
# ### Le remplissage
#
# Les fenêtres sont faites pour des images de 224 pixels. À une autre taille, la carte est complétée de zéros, que le
# réseau traite comme de vrais jetons. Quelle part du calcul y passe ?

# %%
image_sides = range(160, 481, 16)
shares = {"étage 3": {}, "étage 4": {}}
for side in image_sides:
    *_, third, fourth = anatomy.stages("mambavision_tiny", side)
    shares["étage 3"][side], shares["étage 4"][side] = third.padding, fourth.padding

# %% mystnb={"figure": {"name": "fig-remplissage", "caption": "Part des jetons qui ne sont que du remplissage, dans les deux derniers étages de MambaVision-T, selon le côté de l’image."}, "image": {"alt": "Une courbe en dents de scie, presque la même pour les deux étages : nulle à 224 et à 448 pixels, elle bondit à plus des deux tiers juste après 224, puis redescend."}}
architecture.padding(shares)

# %% [markdown]
# La {numref}`fig-remplissage` est un avertissement : passer de 224 à 240 pixels, c’est quadrupler les jetons des deux
# derniers étages, dont plus des deux tiers ne représentent rien. Mieux vaut changer les fenêtres avec l’image : aucun
# poids n’en dépend.

# %% tags=["nbval-check-output"]
for side in (224, 240, 256, 320, 448):
    print(f"{side} pixels : {100 * shares['étage 3'][side]:.0f} % de remplissage à l’étage 3")

# %% [markdown]
# **Exercice.** Quelles fenêtres, à l’étage 3, pour une image de 256 pixels ? Une solution :

# %% tags=["hide-cell"]
tokens_a_side = 256 // 16
for window in (7, 8, 14, 16):
    padded_side = -(-tokens_a_side // window) * window
    share = 1 - (tokens_a_side / padded_side) ** 2
    print(f"fenêtres de {window} : {100 * share:.0f} % de remplissage")

# %% [markdown]
# ## La vitesse, mesurée
#
# Notre réalisation est en PyTorch pur, quand le paquet d’origine demande une carte graphique et une extension à
# compiler. `vitrine bench scan` et `vitrine bench model` la mesurent à côté d’un témoin, la boucle simple, dans le même
# réseau : à tour de rôle, dans un seul processus, sur un fil. Nous gardons la médiane du temps de processeur ; un
# rapport est la médiane des rapports tour par tour.

# %%
speed = json.loads((paths.runs() / "bench" / "model.json").read_text(encoding="utf-8"))
for measured in (sheet, speed):
    machine = measured["hardware"]
    print(measured["writer"], ":", machine["cpu"], "; relevé du", measured["date"])

# %% [markdown]
# « Canaux en dernier » est la disposition en mémoire que prend notre entraînement.

# %%
from vitrine.report.tables import speeds

tables.show(speeds.networks(speed), decimals=2)

# %% [markdown]
# À l’inférence, le balayage n’est qu’une petite part du réseau : la demi-précision rapporte plus que lui. À
# l’entraînement, il pèse davantage, car la passe arrière de la boucle simple parcourt toute la suite à chaque pas.
# Exporté en ONNX, le réseau se passe de PyTorch et donne les mêmes réponses.

# %%
tables.show(speeds.runtimes(speed), decimals=2)

# %% [markdown]
# Chaque mesure avait un seuil, fixé avant ; {doc}`une annexe <../book/seuils>` les donne, manqués compris.
#
# Sur une carte graphique, notre balayage est un noyau Triton, vérifié dans l’interpréteur de Triton.
# `vitrine bench scan --device cuda` et `vitrine bench model --device cuda` le mesurent là où il y a une carte :

# %% tags=["hide-cell"]
from vitrine.bench.results import read

cards = [found for name in ("scan", "model") if (found := read(f"{name}-cuda"))]
for card in cards:
    print(card["writer"], ":", card["hardware"]["gpu"], "; relevé du", card["date"])
if not cards:
    print("carte graphique : non mesuré")
tables.show(speeds.benchmarks(*cards)) if cards else None

# %% [markdown]
# ## Ce que nous retenons
#
# * Un balayage sélectif est une mémoire dont chaque jeton règle l’oubli. Quand la suite s’allonge seize fois, sa durée
#   est multipliée par {valeur}`mixing.scan_growth`, et celle de l’attention par {valeur}`mixing.attention_growth` ; dans
#   les fenêtres de MambaVision, au mieux, il l’égale.
# * Dans le bloc, la moitié des canaux est balayée, l’autre seulement convoluée ; le balayage tient compte de l’ordre des
#   jetons, l’attention l’ignore.
# * MambaVision réserve l’attention à la fin de ses deux derniers étages. D’après ses auteurs, l’y placer donne
#   {valeur}`ablation.pattern.last_half` sur ImageNet, contre {valeur}`ablation.pattern.first_half` au début.
#
# ## Ce qui pourrait être faux
#
# * Les débits et les scores publiés sont ceux des auteurs, sur leur matériel. Chaque ablation est un seul
#   entraînement : des écarts d’un ou deux dixièmes de point peuvent tenir à la graine.
# * La {numref}`fig-cout-mesure` vient d’un fil d’un processeur, partagé, pour une image à la fois. Une carte graphique
#   aurait d’autres courbes.
# * L’égalité des paramètres est nécessaire, non suffisante. Les tests du dépôt comparent aussi les sorties à des
#   valeurs de référence, et {doc}`Du papier au code <01_du_papier_au_code>` montre de combien un détail les déplace.
#
# ```{provenance}
# ```
