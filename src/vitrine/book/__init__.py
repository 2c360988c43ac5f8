"""The executable book: run notebooks, keep stamps, build, check and publish.

::

    notebooks/NN_name.py -sources-> notebook -runner-> build/executed/<profile>/NN_name.ipynb
                                                   | stamps: fresh, prose-only, stale, hollow
                                                   +-build-> build/html -checks-> first page
                                                   +-publish-> notebooks/NN_name.ipynb (tracked)

``runner`` executes through papermill (``engine``), in a kernel that notes the files it reads
(``recorder``); ``imports`` follows what code depends on. ``sphinx_ext`` is what ``_config.yml``
loads: French interface and spaces (``french``, ``search``, ``bibliography``), plotly figures with
their data (``plotly_renderer``, ``figure_data``; ``plotted`` on pages of prose), numbers of the
ledger in the prose (``roles``, ``wording``, ``citing``), markup that screen readers follow
(``markup``), code coloured lightly (``highlighting``), and what a reader takes away
(``takeaways``). ``lint`` refuses a result typed by hand and ``proofreading`` what French would not
print, in the ``prose`` of pages and notebooks.
``inserts`` write parts of pages from tracked files: the reading notes (``readings``), what commands
took (``budget``), how the service answered under load (``loads``).

``note`` and ``slides`` are one story, that ``telling`` lets the templates of ``pages/`` tell, with
``illustrations`` in small ``drawings``. ``gallery`` makes a figure alone, from the lines of its
notebook that it needs (``slices``), and ``exhibit`` writes it.

A notebook is a text file in py:percent format. It starts like this::

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
    # # Titre de la page

    # %% tags=["parameters"]
    profile = "published"
    recipe = "efficientnet-b0-keras-scratch"
    retrain = False

There is exactly one ``parameters`` cell, of plain literals. A cell that ends on a figure declares
its caption and its alternative text, on one line, and is cited by ``{numref}`fig-courbes```::

    # %% mystnb={"figure": {"name": "fig-courbes", "caption": "..."}, "image": {"alt": "..."}}

The kernel sees ``VITRINE_PROFILE`` (published or smoke) and ``VITRINE_PHOTOS`` (1 or 0: whether
original photos may be shown), and runs from the repository root.
"""
