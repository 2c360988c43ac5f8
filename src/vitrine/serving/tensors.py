"""Read and write the tensors of the Open Inference Protocol: JSON, or bytes after the JSON.

Sources: https://github.com/kserve/open-inference-protocol (version 2), and Triton's extension for
binary tensors, https://github.com/triton-inference-server/server, protocol/extension_binary_data.
"""

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, Field, ValidationError

from vitrine.data.images import Photo
from vitrine.serving.problems import ProblemError
from vitrine.serving.request_body import MOST_FILES, from_base64

__all__ = ["PHOTO", "PIXELS", "Infer", "Inferred", "Metadata", "described", "pack", "unpack"]

PHOTO, PIXELS = "photo", "image"
"""Inputs, of which a request has one: files of photos, or what the model itself receives."""
Kind = Literal["BYTES", "UINT8", "FP32", "BOOL"]
Output = Literal["probabilities", "label", "uncertain", "out_of_catalogue"]
OUTPUTS: Mapping[Output, Kind] = {
    "probabilities": "FP32", "label": "BYTES", "uncertain": "BOOL", "out_of_catalogue": "BOOL",
}  # fmt: skip
SIDES = 32
"""Numbers of a shape, at most: the product of a million of them would stop the service."""
LENGTH = struct.Struct("<I")
"""What stands before each element of a binary tensor of BYTES."""


class Signature(BaseModel):
    """A tensor that a model receives or gives; -1 is the number of photos."""

    name: str
    datatype: Kind
    shape: list[int]


class Metadata(BaseModel):
    """What a model is, and its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[Signature]
    outputs: list[Signature]


class Given(BaseModel):
    """An input, whose values are in ``data``, or after the JSON: ``binary_data_size`` bytes."""

    name: Literal["photo", "image"]
    datatype: Literal["BYTES", "UINT8"]
    shape: list[int] = Field(max_length=SIDES)
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class Asked(BaseModel):
    """An output to answer with; ``binary_data`` puts its values after the JSON."""

    name: Output
    parameters: dict[str, Any] = {}


class Infer(BaseModel):
    """A request for predictions."""

    id: str = ""
    parameters: dict[str, Any] = {}
    inputs: list[Given] = Field(min_length=1, max_length=1)
    outputs: list[Asked] = Field([], max_length=len(OUTPUTS))


class Told(Signature):
    """An output and its values."""

    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None


class Inferred(BaseModel):
    """The predictions asked for."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[Told]


def described(size: int, classes: int) -> dict[str, list[Signature]]:
    """Return the tensors of a model, for photos of ``size`` pixels and so many classes."""
    received = [
        Signature(name=PHOTO, datatype="BYTES", shape=[-1]),
        Signature(name=PIXELS, datatype="UINT8", shape=[-1, size, size, 3]),
    ]
    given = [
        Signature(name=name, datatype=kind, shape=[-1, classes] if kind == "FP32" else [-1])
        for name, kind in OUTPUTS.items()
    ]
    return {"inputs": received, "outputs": given}


def unpack(body: bytes, header: str | None, size: int) -> tuple[Infer, list[bytes | Photo]]:
    """Return a request and its photos; runs in a worker, since the JSON of pixels is long.

    Args:
        body: JSON, and binary values after it.
        header: How many bytes of it are JSON; all where it is absent; where there are none, the
            body is a photo.
        size: Side of what the model receives, in pixels.

    Raises:
        ProblemError: If the request has another form.
    """
    if header == "0":
        whole = Given(name=PHOTO, datatype="BYTES", shape=[1])
        return Infer(inputs=[whole]), [body]
    try:
        length = len(body) if header is None else int(header)
        if not 0 <= length <= len(body):
            raise ValueError("expected JSON within the body")
        asked = Infer.model_validate_json(_bounded(body[:length], size))
        (given,) = asked.inputs
        photos = _photos(given, _values(given, body[length:]), size)
    except (ValueError, TypeError, struct.error) as error:  # pydantic's errors are some
        facts = {"most": MOST_FILES, "size": size, "names": ", ".join(OUTPUTS)}
        raise ProblemError("requete_invalide", _fault(error), status=400, **facts) from error
    return asked, photos


def _fault(error: Exception) -> str:
    """Return the sentence that tells what is wrong with a request: its input, or its outputs."""
    found = error.errors(include_input=False) if isinstance(error, ValidationError) else ()
    return "sortie" if any(each["loc"][:1] == ("outputs",) for each in found) else "entree"


def _bounded(text: bytes, size: int) -> bytes:
    """Return a JSON text without more values, or lists, than the pixels of a request have.

    Each takes memory, a list ten times as much as a number.

    Raises:
        ValueError: If it has.
    """
    pixels = MOST_FILES * size * size
    if text.count(b",") > 4 * pixels or text.count(b"[") + text.count(b"{") > 2 * pixels:
        raise ValueError("expected fewer values")
    return text


def _values(given: Given, binary: bytes) -> bytes | list[Any]:
    announced = given.parameters.get("binary_data_size")
    if announced is None and given.data is not None and not binary:
        return given.data
    if announced != len(binary) or given.data is not None:
        raise ValueError("expected the bytes that are announced, and no other values")
    return binary


def _photos(given: Given, values: bytes | list[Any], size: int) -> list[bytes | Photo]:
    found: list[bytes | Photo]
    if min(given.shape, default=0) < 1:
        raise ValueError("expected a shape without unknown sides")
    if (given.name, given.datatype) == (PHOTO, "BYTES"):
        each = _elements(values) if isinstance(values, bytes) else _texts(values)
        found = list(islice(each, MOST_FILES + 1))  # a million are not read to be refused
        if math.prod(given.shape) != len(found):
            raise ValueError("expected as many photos as the shape says")
    elif (given.name, given.datatype) == (PIXELS, "UINT8"):
        if given.shape[1:] != [size, size, 3]:
            raise ValueError("expected another shape")
        found = [Photo(each, size, size, "RAW") for each in _pixels(values).reshape(given.shape)]
    else:
        raise ValueError("expected another type")
    if not 1 <= len(found) <= MOST_FILES:
        raise ValueError("expected another number of photos")
    return found


def _elements(binary: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(binary):
        (length,) = LENGTH.unpack_from(binary, place)
        place += LENGTH.size + length
        if place > len(binary):
            raise ValueError("expected the whole element")
        yield binary[place - length : place]


def _texts(values: Any) -> Iterator[bytes]:
    if isinstance(values, str):
        yield from_base64(values)
    elif isinstance(values, list):  # nested along the shape, or flat
        for each in values:
            yield from _texts(each)
    else:
        raise ValueError("expected texts")


def _pixels(values: bytes | list[Any]) -> UInt8[np.ndarray, " value"]:
    if isinstance(values, bytes):
        return np.frombuffer(values, dtype=np.uint8)
    found = np.asarray(values).ravel()
    if found.dtype.kind not in "iu" or not found.size or found.min() < 0 or found.max() > 255:  # noqa: PLR2004
        raise ValueError("expected integers from 0 to 255")
    return found.astype(np.uint8)


def pack(
    asked: Infer, values: Mapping[str, Sequence[Any] | np.ndarray], **model: str
) -> tuple[bytes, int | None]:
    """Return the body of an answer, and how many bytes of it are JSON where others follow.

    Args:
        asked: The request.
        values: Of every output, along the photos.
        model: ``model_name`` and ``model_version``.
    """
    told, binary = [], b""
    for wanted in asked.outputs or [Asked(name=name) for name in OUTPUTS]:
        kind, found = OUTPUTS[wanted.name], np.asarray(values[wanted.name])
        one: dict[str, Any] = {"name": wanted.name, "datatype": kind, "shape": list(found.shape)}
        if wanted.parameters.get("binary_data", asked.parameters.get("binary_data_output")):
            raw = _raw(found, kind)
            binary, one["parameters"] = binary + raw, {"binary_data_size": len(raw)}
        else:
            one["data"] = found.ravel().tolist()
        told.append(one)
    head = {**model, **({"id": asked.id} if asked.id else {}), "outputs": told}
    text = json.dumps(head, ensure_ascii=False).encode()
    return text + binary, len(text) if binary else None


def _raw(values: np.ndarray, kind: Kind) -> bytes:
    if kind == "BYTES":
        words = [str(word).encode() for word in values]
        return b"".join(LENGTH.pack(len(word)) + word for word in words)
    return values.astype("<f4" if kind == "FP32" else "?").tobytes()
