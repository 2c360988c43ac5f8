"""How a JPEG is laid out: whether its rows are decoded as they come, and how often it is gone over.

A decoder gives rows as they come only where the first scan holds every component. Else it keeps the
coefficients of the whole image, six bytes a pixel and more, whatever the scale asked of it, and
goes over them once a scan: a few hundred bytes may cost it hundreds of megabytes, or hours. The
markers tell both before any pixel is decoded. Source: ITU-T T.81, annex B.
"""

import re

__all__ = ["passes"]

# 00 is a byte of data, 01 and D0 to D7 stand alone: none begins a segment.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SEGMENTS = 1000
"""More than any encoder writes: an image of 13 MB that holds this many is made to be slow."""


def passes(data: bytes) -> int:
    """Count the scans of an image that is decoded as a whole; 0 where its rows come one by one.

    What is no JPEG, or is cut short, is counted as far as it goes: decoding it tells.

    Args:
        data: The file, from its first byte.
    """
    components, progressive, scans, at = b"", False, 0, 2
    for _ in range(_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[1][0] in (_START, _END):
            return scans
        marker, body = found[1][0], found.end() + 2
        at = found.end() + max(2, int.from_bytes(data[found.end() : body], "big"))
        if marker in _FRAMES:
            components, progressive = data[body + 5 : body + 6], marker in _PROGRESSIVE
        if marker == _SCAN:
            if not scans and not progressive and data[body : body + 1] == components:
                return 0
            scans += 1
    return _SEGMENTS
