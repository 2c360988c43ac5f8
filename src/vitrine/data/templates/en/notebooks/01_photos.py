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
# # The photos and the models
#
# Each class is shared between training, validation and test. Duplicates, exact or near, and the photos of one group
# stay on one side.

# %% tags=["parameters", "remove-input"]
profile = "published"

# %% tags=["remove-input"]
from IPython.display import Markdown
from vitrine.report import own
from vitrine.training.session import begin

session = begin(profile)
report = own.load()

# %% tags=["remove-input"]
own.shown(report.data())

# %% [markdown]
# ## What the models are worth
#
# Each photo is classified by a model that had not learned it (cross-validation, first repetition). Intervals are at
# 95%.

# %% tags=["remove-input"]
own.shown(report.scores())

# %% [markdown]
# ## Which one to choose
#
# Models are compared in pairs on the same photos, as `vitrine.toml` announces. A gap is settled when its interval excludes zero and McNemar's test,
# corrected by Holm's method, is below 5%.

# %% tags=["remove-input"]
own.shown(report.gaps())

# %% tags=["remove-input"]
Markdown("\n".join(f"* {verdict}" for verdict in report.verdicts()))

# %% [markdown]
# ## What misleads the best one

# %% tags=["remove-input"]
own.shown(wrong) if len(wrong := report.confusions(report.best())) else None

# %% tags=["remove-input"]
report.errors(report.best()) if session.photos else None

# %% [markdown]
# ## What it looks at
#
# A white square hides each place of the photo in turn. The more a place is coloured, the more probability the class
# given loses when it is hidden. These are the surest errors on the test part of the split, by the best of the models
# that can be asked again.

# %% tags=["remove-input"]
report.looks() if session.photos else None

# %% [markdown]
# ## Limits
#
# These measures hold for photos drawn like these. A class of few photos has a wide interval, and a gap that is not
# settled does not say that the models are worth the same: it says that these photos are too few to tell them apart.
