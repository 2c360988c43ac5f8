"""Pictures to send to the service, as bytes."""

import io

from PIL import Image


def encode(image, form="JPEG", **options):
    """Return the bytes of a picture."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def plain(colour, size=(400, 300), form="JPEG", **options):
    """Return the bytes of a picture of one colour."""
    return encode(Image.new("RGB", size, colour), form, **options)
