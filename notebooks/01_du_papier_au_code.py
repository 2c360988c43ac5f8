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
# # Du papier au code
#
# **Peut-on récrire MambaVision d’après les deux articles dont il vient ?** Pas jusqu’au bout : une vingtaine de choix du
# réseau publié n’y sont pas écrits, ou échappent à une lecture rapide. Vous saurez en trente minutes lesquels, de
# combien chacun déplace les réponses, et comment vérifier un portage.
#
# Les articles sont celui de Mamba {cite:p}`gu2023mamba` et celui de MambaVision {cite:p}`hatamizadeh2024mambavision`,
# chacun dans sa deuxième version. Notre réseau suit le réseau publié, observé de l’extérieur, et non leur lettre. Le
# bloc est expliqué dans {doc}`le chapitre sur MambaVision <01_mambavision>`.

# %% tags=["parameters"]
profile = "published"

# %% [markdown]
# ## L’instrument
#
# Rien n’est entraîné : les deux profils font les mêmes calculs, en double précision et sur un seul fil, dans
# `mambavision_nano`, le plus petit de nos réseaux ; MambaVision-T confirmera à la fin.

# %%
import copy
import math

import timm
import torch
import torch.nn.functional as F
from timm.layers import DropPath
from torch import nn

torch.set_num_threads(1)

# %%
import vitrine.models
from vitrine.report import tables
from vitrine.report.figures import watch
from vitrine.models import rebuilt
from vitrine.models.mambavision import Level, ScanMixer
from vitrine.models.scan import reference, selective_scan
from vitrine.training.session import begin

session = begin(profile)

# %% [markdown]
# Des poids neufs cacheraient une erreur sur un biais, puisqu’ils sont nuls. Nous employons des *poids reconstruits* :
# chaque nombre se déduit du nom de son tenseur, et aucun n’est nul sans raison. C’est avec eux que les tests du dépôt
# retrouvent les réponses enregistrées du réseau publié.


# %%
def rebuild(name):
    return rebuilt.fill(timm.create_model(name)).double().eval().requires_grad_(False)


network = rebuild("mambavision_nano")
images = {
    "224 × 224": rebuilt.image(1, 224, 224).double(),
    "200 × 264": rebuilt.image(1, 200, 264).double(),
}
answers = {size: network(image) for size, image in images.items()}

# %% [markdown]
# Deux images de bruit : à 224 pixels, les fenêtres tombent juste ; à 200 × 264, il faut compléter.
#
# Une mesure copie le réseau, y change une seule chose, et compare les logits : norme de leur différence, rapportée à
# leur norme. À 100 %, la réponse est déplacée de sa propre taille.


# %%
def moved(model, change, image, answer):
    altered = copy.deepcopy(model)
    change(altered)
    return ((altered(image) - answer).norm() / answer.norm()).item()


# %% [markdown]
# Chaque mesure est notée, avec ce qui suggère l’autre lecture.

# %%
effects, origins, changes = {size: {} for size in images}, {}, {}


def measure(choice, origin, change):
    origins[choice], changes[choice] = origin, change
    for size, image in images.items():
        effects[size][choice] = moved(network, change, image, answers[size])


def measured_since(count):
    return tables.show(tables.departures(effects, dict(list(origins.items())[count:])))


# %% [markdown]
# Sans changement, l’instrument doit lire zéro ; et le passage en simple précision, un arrondi, doit rester loin sous ce
# que nous allons mesurer.

# %% tags=["nbval-check-output"]
single = copy.deepcopy(network).float()
for size, image in images.items():
    nothing = moved(network, lambda altered: None, image, answers[size])
    rounding = (single(image.float()) - answers[size]).norm() / answers[size].norm()
    under = "moins de deux millionièmes" if rounding < 2e-6 else "trop"
    print(size, ": sans changement,", f"{nothing:g}", "; arrondi,", under)

# %% [markdown]
# ## Le mélangeur, opération par opération
#
# Nous récrivons le mélangeur en trois opérations que l’on peut remplacer : convoluer, balayer, réunir.


# %%
class Operations(ScanMixer):
    def convolve(self, conv, x):
        return conv(x)

    def scan(self, x, delta, A, B, C):
        bias = self.dt_proj.bias
        return selective_scan(x, delta, A, B, C, self.D, bias, delta_softplus=True)

    def join(self, y, z):
        return torch.cat([y, z], dim=-1)


# %% [markdown]
# L’enchaînement est celui de l’article {cite:p}`hatamizadeh2024mambavision`.


# %%
class Mixer(Operations):
    def forward(self, tokens):
        x, z = self.in_proj(tokens).transpose(1, 2).chunk(2, dim=1)
        x = F.silu(self.convolve(self.conv1d_x, x)).transpose(1, 2)
        z = F.silu(self.convolve(self.conv1d_z, z)).transpose(1, 2)
        dt, B, C = self.x_proj(x).split(self.splits, dim=-1)
        y = self.scan(x, self.dt_proj(dt), -torch.exp(self.A_log), B, C)
        return self.out_proj(self.join(y, z))


# %% [markdown]
# Une fonction donne à tous les mélangeurs une autre façon d’opérer, sans toucher à leurs poids. Avec nos trois
# opérations telles quelles, le carnet vérifie que les réponses ne bougent pas d’un bit.


# %%
def mixers(model):
    return [module for module in model.modules() if isinstance(module, ScanMixer)]


def mixing_as(kind):
    def change(altered):
        for mixer in mixers(altered):
            mixer.__class__ = kind

    return change


# %% tags=["nbval-check-output", "remove-cell"]
same = copy.deepcopy(network)
mixing_as(Mixer)(same)
print("mêmes réponses :", all(torch.equal(same(images[size]), answers[size]) for size in images))

# %% [markdown]
# ### Le pas reçoit son biais deux fois
#
# Mamba calcule $\Delta = \mathrm{softplus}(W\,dt + b)$ {cite:p}`gu2023mamba`, et l’algorithme 1 de MambaVision n’écrit
# lui aussi qu’un biais {cite:p}`hatamizadeh2024mambavision`. Dans le réseau publié, la projection ajoute $b$, puis le
# balayage l’ajoute encore : $\Delta = \mathrm{softplus}(W\,dt + 2b)$. Les poids ont été entraînés ainsi : corriger, c’est
# changer de réseau.


# %%
class BiasOnce(Mixer):
    def scan(self, x, delta, A, B, C):
        return selective_scan(x, delta, A, B, C, self.D, None, delta_softplus=True)


measure("le biais du pas<br>compté une fois", "Mamba", mixing_as(BiasOnce))

# %% [markdown]
# ### Les convolutions : symétriques et sans biais
#
# La convolution de Mamba est causale ; MambaVision la rend symétrique, et le dit. Du biais, les deux articles ne disent
# rien, quand le code de Mamba et PyTorch en donnent un par défaut ; le réseau publié n’en a aucun. Faute de poids, nous
# en inventons un.


# %%
class Causal(Mixer):
    def convolve(self, conv, x):
        return F.conv1d(F.pad(x, (2, 0)), conv.weight, groups=conv.groups)


measure("convolution causale", "Mamba", mixing_as(Causal))


# %%
class Biased(Mixer):
    def convolve(self, conv, x):
        bias = torch.from_numpy(0.1 * rebuilt.stream("conv1d.bias", x.shape[1]))
        return conv(x) + bias[:, None]


measure("biais dans<br>les convolutions", "le code de Mamba", mixing_as(Biased))

# %% [markdown]
# ### Réunir sans porte
#
# Dans Mamba, la seconde branche est une porte : elle multiplie la première. Ici, elle est mise à côté d’elle, la branche
# balayée d’abord, comme dans l’équation 7 de l’article {cite:p}`hatamizadeh2024mambavision`. Nous essayons la porte, puis
# l’ordre inverse.


# %%
class Gated(Mixer):
    def join(self, y, z):
        return torch.cat([y * z, z], dim=-1)


class Reversed(Mixer):
    def join(self, y, z):
        return torch.cat([z, y], dim=-1)


measure("y multiplié par z", "Mamba", mixing_as(Gated))
measure("z avant y", "l’ordre inverse", mixing_as(Reversed))

# %% [markdown]
# ### La récurrence : exacte pour A, approchée pour B
#
# L’article de Mamba discrétise par *bloqueur d’ordre zéro* : $\bar B = A^{-1}(e^{\Delta A} - 1)\,B$. Le réseau publié
# garde $e^{\Delta A}$ pour l’oubli, mais approche $\bar B$ par $\Delta B$, la règle d’Euler.


# %%
class ZeroOrderHold(Mixer):
    def scan(self, x, delta, A, B, C):
        delta = F.softplus(delta + self.dt_proj.bias)[..., None]
        decay = torch.exp(delta * A)
        drive = (decay - 1) / A * B[:, :, None] * x[..., None]
        h, y = 0, []
        for t in range(x.shape[1]):
            h = decay[:, t] * h + drive[:, t]
            y.append((h * C[:, t, None]).sum(dim=-1) + self.D * x[:, t])
        return torch.stack(y, dim=1)


# %%
measure("B discrétisé<br>exactement", "Mamba, l’article", mixing_as(ZeroOrderHold))

# %% [markdown]
# Les équations des deux articles omettent le raccourci $D\,u_t$ {cite:p}`gu2023mamba,hatamizadeh2024mambavision` ;
# l’algorithme 1 de MambaVision passe un $D$ au balayage, et le réseau l’applique. Le calcul rapide remplace $e^x$ par
# $2^{x \log_2 e}$ : cela, au moins, ne devrait rien changer.


# %%
class NaturalExponential(Mixer):
    def scan(self, x, delta, A, B, C):
        bias = self.dt_proj.bias
        return reference.selective_scan(x, delta, A, B, C, self.D, bias, delta_softplus=True)


measure("exponentielle<br>de base e", "Mamba, l’article", mixing_as(NaturalExponential))


# %%
def without_skip(altered):
    for mixer in mixers(altered):
        mixer.D.zero_()


measure("pas de raccourci D", "les équations", without_skip)

# %% [markdown]
# ### Un seul sens de lecture
#
# D’autres réseaux lisent l’image dans plusieurs sens {cite:p}`zhu2024vision,liu2024vmamba,huang2024localmamba`. Celui-ci
# lit chaque fenêtre ligne par ligne, une seule fois. Trois autres parcours :


# %%
class Backwards(Mixer):
    def scan(self, *given):
        x, delta, A, B, C = given
        return super().scan(x.flip(1), delta.flip(1), A, B.flip(1), C.flip(1)).flip(1)


class BothWays(Backwards):
    def scan(self, *given):
        return (super().scan(*given) + Mixer.scan(self, *given)) / 2


# %%
measure("balayage à rebours", "le sens n’est pas écrit", mixing_as(Backwards))
measure("balayage dans<br>les deux sens", "d’autres réseaux", mixing_as(BothWays))

# %% [markdown]
# Pour lire par colonnes, on transpose la fenêtre avant et après le mélangeur.


# %%
class ByColumns(Mixer):
    def forward(self, tokens):
        side = math.isqrt(tokens.shape[1])
        columns = tokens.unflatten(1, (side, side)).transpose(1, 2).flatten(1, 2)
        mixed = super().forward(columns)
        return mixed.unflatten(1, (side, side)).transpose(1, 2).flatten(1, 2)


measure("lecture par colonnes", "d’autres réseaux", mixing_as(ByColumns))

# %% [markdown]
# Tous comptent, sauf la base de l’exponentielle.

# %%
measured_since(0)

# %% [markdown]
# ## Autour du mélangeur
#
# ### Les balayages d’abord, l’attention ensuite
#
# L’article place l’attention dans la seconde moitié des blocs {cite:p}`hatamizadeh2024mambavision`. Si leur nombre est
# impair, le réseau publié donne le bloc du milieu au balayage.

# %% tags=["nbval-check-output"]
for name in ("mambavision_nano", "mambavision_tiny"):
    model = timm.create_model(name)
    for i in (2, 3):
        kinds = [type(block.mixer).__name__ for block in model.levels[i].blocks]
        scans = kinds.count("ScanMixer")
        ordered = kinds == ["ScanMixer"] * scans + ["AttentionMixer"] * (len(kinds) - scans)
        print(
            name,
            "étage",
            i + 1,
            ":",
            scans,
            "balayages sur",
            len(kinds),
            "blocs,",
            "balayages d’abord" if ordered else "mêlés",
        )

# %% [markdown]
# Une erreur sur leur nombre se voit : les poids ne se chargent pas. L’ordre, lui, ne se voit pas. Nous plaçons l’attention
# d’abord, puis en alternance.


# %%
def attention_first(altered):
    for level in altered.levels[2:]:
        half = math.ceil(len(level.blocks) / 2)
        level.blocks = level.blocks[half:] + level.blocks[:half]


measure("attention d’abord", "l’ordre inverse", attention_first)


# %%
def alternating(altered):
    for level in altered.levels[2:]:
        half = math.ceil(len(level.blocks) / 2)
        turns = [*range(0, 2 * half, 2), *range(1, len(level.blocks), 2)]
        ordered = sorted(zip(turns, level.blocks, strict=True), key=lambda pair: pair[0])
        level.blocks = nn.ModuleList(block for _, block in ordered)


measure("balayage et attention<br>en alternance", "d’autres hybrides", alternating)

# %% [markdown]
# ### Aucune position n’est ajoutée
#
# Un transformeur d’images ajoute à chaque jeton un code de sa position. Ici, l’ordre ne vient que du balayage et des
# convolutions. Pour mesurer cette absence, nous ajoutons un code sinusoïdal, d’amplitude usuelle, à l’entrée des deux
# étages.


# %%
def with_positions(altered):
    def add(block, given):
        tokens = given[0]
        length, width = tokens.shape[1:]
        powers = torch.arange(0, width, 2).double() / width
        angles = torch.arange(length).double()[:, None] / 10000**powers
        return tokens + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)

    for level in altered.levels[2:]:
        level.blocks[0].register_forward_pre_hook(add)


# %%
measure("un code de position", "les transformeurs", with_positions)

# %% [markdown]
# ### Le remplissage vit comme un jeton
#
# La carte est complétée de zéros, à droite et en bas, une fois par étage. On s’attendrait à ce que ces faux jetons soient
# masqués, ou remis à zéro à chaque bloc comme dans Swin {cite:p}`liu2021swin`. Ils ne le sont pas : dès le premier bloc,
# ils portent des valeurs, que l’attention lit et que le balayage traverse.


# %%
class PaddedAtEachBlock(Level):
    def encode(self, x):
        for block in self.blocks:
            x = Level([block], x.shape[1], self.window_size, halves=False).encode(x)
        return x


# %%
def padding_as(kind):
    def change(altered):
        for level in altered.levels[2:]:
            level.__class__ = kind

    return change


measure("remplissage refait<br>à chaque bloc", "Swin", padding_as(PaddedAtEachBlock))

# %% [markdown]
# Pour les masquer, il faut savoir lesquels sont vrais : nous découpons de même une carte de uns.

# %%
from functools import partial
from unittest import mock

attend = F.scaled_dot_product_attention


# %%
class PaddingMasked(Level):
    def encode(self, x):
        side = self.window_size
        real = F.pad(torch.ones_like(x[:, 0]), (0, -x.shape[3] % side, 0, -x.shape[2] % side))
        real = real.unflatten(2, (-1, side)).unflatten(1, (-1, side)).transpose(2, 3)
        real = real.flatten(3).flatten(0, 2)[:, None, None] > 0
        masked = partial(attend, attn_mask=real)
        with mock.patch.object(F, "scaled_dot_product_attention", masked):
            return super().encode(x)


# %%
measure("remplissage masqué<br>dans l’attention", "Swin, les détecteurs", padding_as(PaddingMasked))

# %% [markdown]
# Deux autres façons de compléter : répéter le bord, ou centrer la carte dans ses fenêtres.


# %%
class EdgesRepeated(Level):
    def encode(self, x):
        (height, width), side = x.shape[-2:], self.window_size
        pads = (0, -width % side, 0, -height % side)
        return super().encode(F.pad(x, pads, mode="replicate"))[..., :height, :width]


measure("bord répété<br>au lieu de zéros", "l’usage", padding_as(EdgesRepeated))


# %%
class Centred(Level):
    def encode(self, x):
        (height, width), side = x.shape[-2:], self.window_size
        top, left = (-height % side) // 2, (-width % side) // 2
        pads = (left, -width % side - left, top, -height % side - top)
        return super().encode(F.pad(x, pads))[..., top : top + height, left : left + width]


measure("carte centrée<br>dans ses fenêtres", "l’usage", padding_as(Centred))

# %% [markdown]
# À 224 pixels, le remplissage ne change rien, puisqu’il n’y en a pas : un portage vérifié à cette seule taille aurait pu
# s’y tromper.

# %%
measured_since(len(origins) - 7)

# %% [markdown]
# ## Les détails de calcul
#
# ### Deux GELU, une ReLU
#
# L’article écrit « GELU » pour les blocs à convolutions, sans dire si elle est exacte ou approchée par tangente
# hyperbolique, et se tait sur les perceptrons {cite:p}`hatamizadeh2024mambavision`. Le réseau publié approche dans les
# premiers, non dans les seconds. La réduction initiale emploie une ReLU, comme l’écrit le tableau S.2.


# %%
def exact_everywhere(altered):
    for block in (block for level in altered.levels[:2] for block in level.blocks):
        block.act = nn.GELU()


measure("GELU exacte dans<br>les convolutions", "PyTorch, par défaut", exact_everywhere)


# %%
def tanh_everywhere(altered):
    for block in (block for level in altered.levels[2:] for block in level.blocks):
        block.mlp.act = nn.GELU(approximate="tanh")


def gelu_at_entry(altered):
    altered.patch_embed.conv_down[2] = altered.patch_embed.conv_down[5] = nn.GELU()


measure("GELU approchée dans<br>les perceptrons", "l’uniformité", tanh_everywhere)
measure("GELU à l’entrée", "l’uniformité", gelu_at_entry)

# %% [markdown]
# ### Des constantes que l’on ne voit pas
#
# Une normalisation divise par $\sqrt{\sigma^2 + \varepsilon}$. Les deux premières ont $\varepsilon = 10^{-4}$, dix fois la
# valeur par défaut de PyTorch ; celles par jeton gardent cette valeur, dix fois celle des transformeurs d’images.


# %%
def with_epsilon(kind, epsilon, within=lambda altered: altered):
    def change(altered):
        for module in within(altered).modules():
            if isinstance(module, kind):
                module.eps = epsilon

    return change


entry = with_epsilon(nn.BatchNorm2d, 1e-5, lambda altered: altered.patch_embed)
measure("ε ordinaire à l’entrée", "PyTorch", entry)
measure("ε des transformeurs", "les transformeurs", with_epsilon(nn.LayerNorm, 1e-6))

# %% [markdown]
# ### Ce qui manque après une convolution
#
# Entre deux étages, une convolution réduit la carte, seule : ni la normalisation par lots usuelle {cite:p}`he2015deep`,
# dont nous inventons les poids, ni d’activation après l’addition d’un bloc. L’article le dit, dans son équation 1 et son
# tableau S.2 {cite:p}`hatamizadeh2024mambavision`.


# %%
def normalised_halving(altered):
    for level in altered.levels[:3]:
        norm = nn.BatchNorm2d(level.downsample.reduction[0].out_channels)
        level.downsample.append(rebuilt.fill(norm).double().eval())


measure("normalisation après<br>chaque réduction", "les réseaux résiduels", normalised_halving)


# %%
def activated_sum(altered):
    for block in (block for level in altered.levels[:2] for block in level.blocks):
        block.register_forward_hook(lambda block, given, x: F.relu(x))


measure("ReLU après l’addition", "les réseaux résiduels", activated_sum)

# %% [markdown]
# Les constantes et les variantes de GELU déplacent peu les réponses, assez pourtant pour un test en simple précision.

# %%
measured_since(len(origins) - 7)

# %% [markdown]
# ### Les tailles du tableau S.2
#
# Pris à la lettre, le tableau S.2 de l’article {cite:p}`hatamizadeh2024mambavision` ne décrit pas le réseau dont le
# tableau 1 donne le nombre de poids : il inscrit à chaque étage la largeur du suivant, et double les blocs du dernier
# étage de MambaVision-T. L’algorithme 1 donne à l’état une taille de 16 par défaut ; les poids publiés en ont 8.

# %% tags=["nbval-check-output"]
with torch.device("meta"):
    lettered = timm.create_model("mambavision_tiny", depths=(1, 3, 8, 8), dim=160)
    published = timm.create_model("mambavision_tiny")
for name, model in (("le tableau S.2", lettered), ("le réseau publié", published)):
    weights = sum(p.numel() for p in model.parameters()) / 1e6
    print(
        name,
        ":",
        f"{weights:.1f}".replace(".", ","),
        "M de poids, étages de",
        *(stage["num_chs"] for stage in model.feature_info),
        "canaux",
    )
print("taille de l’état :", mixers(network)[0].A_log.shape[1])

# %% [markdown]
# Un portage qui suivrait ce tableau serait plusieurs fois trop gros : ici, les poids tranchent.
#
# ## Ce qui ne compte qu’à l’entraînement
#
# ### L’initialisation du pas est effacée
#
# Mamba initialise le biais du pas pour que chaque canal ait sa durée de mémoire. Dans MambaVision, une initialisation
# générale passe en dernier et remet tous les biais à zéro. Voici le pas médian d’un réseau neuf, puis du même avec
# l’initialisation de Mamba.


# %%
def median_step(model, times):
    seen = []

    def keep(proj, given, raw):
        seen.append(F.softplus(raw + (times - 1) * proj.bias).flatten())

    hooks = [mixer.dt_proj.register_forward_hook(keep) for mixer in mixers(model)]
    model(images["224 × 224"])
    for hook in hooks:
        hook.remove()
    return torch.cat(seen).median().item()


# %% [markdown]
# Le code de Mamba tire le pas entre un millième et un dixième, en échelle logarithmique.


# %%
def as_mamba(model):
    draw = torch.Generator().manual_seed(0)
    for mixer in mixers(model):
        bound = mixer.dt_proj.in_features**-0.5
        mixer.dt_proj.weight.uniform_(-bound, bound, generator=draw)
        step = torch.rand(mixer.dt_proj.out_features, generator=draw).double()
        step = torch.exp(step * math.log(100) + math.log(0.001))
        mixer.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))
    return model


# %% tags=["nbval-check-output"]
torch.manual_seed(0)
fresh = timm.create_model("mambavision_nano").double().eval().requires_grad_(False)
mamba = as_mamba(copy.deepcopy(fresh))
print("réseau neuf :", f"{median_step(fresh, 2):.2g}".replace(".", ","))
for times, said in ((1, "une fois"), (2, "deux fois")):
    step = f"{median_step(mamba, times):.1g}".replace(".", ",")
    print(f"à la façon de Mamba, biais compté {said} :", step)

# %% [markdown]
# Un réseau neuf part d’un pas proche de $\ln 2$, une mémoire courte, et doit apprendre les durées longues. Quant à ses
# réponses, voici ce qui les déplace.

# %% tags=["nbval-check-output"]
image = images["224 × 224"]
start, elsewhere = fresh(image), mamba(image)
gap = ((elsewhere - start).norm() / start.norm()).item()
once = copy.deepcopy(fresh)
mixing_as(BiasOnce)(once)
print(f"l’initialisation de Mamba : {100 * gap:.1g} %".replace(".", ","))
print("compter le biais une fois :", "aucun effet" if torch.equal(once(image), start) else "effet")

# %% [markdown]
# La dernière ligne justifie les poids reconstruits : avec des poids neufs, le biais est nul, et l’écart mesuré plus haut
# serait passé inaperçu.
#
# ### La décroissance touche A
#
# Les auteurs exemptent `A_log` et `D` de la décroissance des poids, mais rien ne transmet cette marque à l’optimiseur de
# timm, qui n’exempte d’office que les tenseurs à une dimension : `D`, non `A_log`. Notre réseau déclare les deux.

# %% tags=["nbval-check-output"]
from timm.optim import param_groups_weight_decay

model = timm.create_model("mambavision_nano")
for case, spared in (("sans liste", ()), ("avec notre liste", model.no_weight_decay())):
    _, decayed = param_groups_weight_decay(model, 0.05, no_weight_decay_list=spared)
    kept = {id(weight) for weight in decayed["params"]}
    touched = [name for name, weight in model.named_parameters() if id(weight) in kept]
    print(
        case,
        ":",
        sum(name.endswith("A_log") for name in touched),
        "A_log et",
        sum(name.endswith(".D") for name in touched),
        "D décroissent",
    )

# %% [markdown]
# Nous mesurons le terme : `A_log` à zéro, tous les états oublient à la même vitesse.


# %%
def decayed_to_zero(altered):
    for mixer in mixers(altered):
        mixer.A_log.zero_()


measure("A_log éteint par<br>la décroissance", "le cas extrême", decayed_to_zero)

# %% [markdown]
# ### La profondeur stochastique tire par fenêtre
#
# À l’entraînement, un bloc est parfois sauté, par tirage sur chaque ligne du lot. Dans les deux derniers étages, une ligne
# est une *fenêtre*, non une image. Nous comparons, sur une image à quatre fenêtres, à un tirage commun.


# %%
class PerImage(DropPath):
    def forward(self, x):
        return x * (torch.rand(()) >= self.drop_prob) / (1 - self.drop_prob)


def spread(model, large, draws=24):
    torch.manual_seed(0)
    drawn = torch.cat([model(large) for _ in range(draws)])
    return (drawn.std(dim=0).norm() / drawn.mean(dim=0).norm()).item()


# %% tags=["nbval-check-output"]
dropping = rebuilt.fill(timm.create_model("mambavision_nano", drop_path_rate=0.3)).eval()
dropping.requires_grad_(False)
droppers = [m for level in dropping.levels[2:] for m in level.modules() if isinstance(m, DropPath)]
for dropper in droppers:
    dropper.train()
large = rebuilt.image(1, 448, 448)
by_window = spread(dropping, large)
for dropper in droppers:
    dropper.__class__ = PerImage
by_image = spread(dropping, large)
print("moins de bruit avec un tirage par fenêtre :", bool(by_window < by_image))

# %% [markdown]
# Quatre tirages se compensent en partie : la profondeur stochastique régularise moins une grande image qu’une petite.
#
# ## Ce qu’un détecteur reçoit
#
# Les cartes intermédiaires sont prises *avant* la réduction qui clôt l’étage.

# %% tags=["nbval-check-output"]
stages = timm.create_model("mambavision_nano", features_only=True).eval().requires_grad_(False)
for i, taken in enumerate(stages(rebuilt.image(1, 224, 224))[:3]):
    after = network.levels[i].downsample(taken.double())
    print(f"étage {i + 1} : avant", *taken.shape[1:], "; après", *after.shape[1:])

# %% [markdown]
# ## Tout ensemble
#
# Toutes les mesures, de la plus forte à la plus faible sur l’image de 200 × 264.

# %%
order = sorted(origins, key=effects["200 × 264"].get, reverse=True)
tables.show(tables.departures(effects, {choice: origins[choice] for choice in order}))

# %% [markdown]
# L’échelle est logarithmique : d’un repère au suivant, l’effet est cent fois plus fort. Ce qui n’a pas d’effet n’a pas de
# barre.

# %% mystnb={"figure": {"name": "fig-papier-code", "caption": "Ce que déplace chaque choix, remplacé par une autre lecture : norme de l’écart des logits rapportée à leur norme, `mambavision_nano`, poids reconstruits, double précision, pour une image dont les fenêtres tombent juste et une autre qu’il faut compléter."}, "image": {"alt": "Barres horizontales en échelle logarithmique, deux par choix, des plus fortes en haut aux plus faibles en bas. En haut, l’ordre des blocs et la réunion des deux branches, qui déplacent les logits de leur propre taille ; en bas, les constantes des normalisations et les variantes de GELU, mille fois plus faibles. Les choix de remplissage n’ont de barre que pour l’image à compléter."}}
watch.departures(effects)

# %% [markdown]
# De la {numref}`fig-papier-code`, retenons trois faits.

# %% tags=["nbval-check-output"]
square, odd = effects["224 × 224"], effects["200 × 264"]
print("invisibles à 224 pixels seulement :")
hidden = [choice for choice in origins if square[choice] < 1e-9 < odd[choice]]
print(*(f"  {choice.replace('<br>', ' ')}" for choice in hidden), sep="\n")
print("invisibles partout :")
print(*(f"  {c.replace('<br>', ' ')}" for c in origins if max(square[c], odd[c]) < 1e-9), sep="\n")
strong = [choice for choice in origins if odd[choice] > 0.05]
print("plus d’un vingtième sur l’image à compléter :", len(strong), "choix sur", len(origins))
print(
    "le plus fort :",
    max(odd, key=odd.get),
    "; il déplace les logits",
    "de plus que leur taille" if max(odd.values()) > 1 else "de moins que leur taille",
)

# %% [markdown]
# ### Et sur MambaVision-T ?
#
# Nous refaisons quelques-unes de ces mesures sur MambaVision-T, avec l’image à compléter.

# %%
tiny = rebuild("mambavision_tiny")
main = [
    "attention d’abord",
    "y multiplié par z",
    "remplissage refait<br>à chaque bloc",
    "convolution causale",
    "le biais du pas<br>compté une fois",
    "GELU approchée dans<br>les perceptrons",
]
size = "200 × 264"
answer = tiny(images[size])
larger = {choice: moved(tiny, changes[choice], images[size], answer) for choice in main}

# %%
both = {"mambavision_nano": effects[size], "mambavision_tiny": larger}
tables.show(tables.departures(both, {choice: origins[choice] for choice in main}))

# %% [markdown]
# Les valeurs diffèrent, l’ordre de grandeur tient.

# %% tags=["nbval-check-output", "remove-cell"]
ratios = [effects[size][choice] / larger[choice] for choice in main]
print(
    "d’un réseau à l’autre, moins d’un facteur trois :", max(*ratios, *(1 / r for r in ratios)) < 3
)

# %% [markdown]
# **Exercice.** Que perd-on sans la branche $Z$ ? Une solution :


# %% tags=["hide-cell"]
class Halved(Mixer):
    def join(self, y, z):
        return torch.cat([y, torch.zeros_like(z)], dim=-1)


print(f"sans Z : {100 * moved(network, mixing_as(Halved), images[size], answers[size]):.0f} %")

# %% [markdown]
# **Exercice.** Deux erreurs se compensent-elles ? Une solution, avec le biais du pas et la convolution causale :


# %% tags=["hide-cell"]
class Both(BiasOnce, Causal):
    pass


alone = [
    effects[size][choice]
    for choice in ("le biais du pas<br>compté une fois", "convolution causale")
]
together = moved(network, mixing_as(Both), images[size], answers[size])
print(
    "seules :", *(f"{100 * gap:.0f} %" for gap in alone), "; ensemble :", f"{100 * together:.0f} %"
)

# %% [markdown]
# ## Ce que nous retenons
#
# * Les articles suffisent à comprendre MambaVision, pas à le refaire : des choix qu’ils ne disent pas déplacent les
#   réponses autant que ceux qu’ils disent.
# * Le biais du pas compté deux fois ressemble à une faute ; les poids publiés ne valent qu’avec lui.
# * Un portage se vérifie sur des poids où rien n’est nul, à une taille qui oblige à compléter l’image, et avec une
#   tolérance à la mesure de la précision du calcul.
#
# ## Ce qui pourrait être faux
#
# * **Un écart de logits n’est pas une perte d’exactitude.** Nos poids sont reconstruits et nos images sont du bruit :
#   entraîné avec l’autre lecture, un réseau l’apprendrait peut-être aussi bien.
# * **Une taille d’effet dépend des poids.** Des barres voisines pourraient changer de rang ; des ordres de grandeur,
#   beaucoup moins.
# * **Des poids inventés.** Ceux du biais des convolutions, de la normalisation des réductions et du code de position
#   décident de leur effet.
# * **La source.** Nous tenons le réseau publié d’une spécification rédigée sans accès au code : noms et tailles de ses
#   poids, réponses observées.
#
# ```{provenance}
# ```
