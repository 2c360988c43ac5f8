"""The web page in Gradio: try the classifier, explore the data set.

A client of the service over HTTP, which cannot know a tensor::

    settings -> client (the service, over HTTP) --+
                pictures, markup (what is shown) -+-> events -> page (tabs) -> app (FastAPI, Gradio)
                uploads (what visitors send) -----+
    showcase -> dashboard (figures of the data) --+
"""

from vitrine.serving.ui.app import create_app

__all__ = ["create_app"]
