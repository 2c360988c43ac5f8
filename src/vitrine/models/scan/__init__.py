"""The selective scan of Mamba: one function, four forms of it.

::

    selective_scan --dispatch--> reference   sequential and exact: the yardstick
                             +-> chunked     what a CPU runs
                             +-> triton      what a CUDA device runs
                             +-> two_level   what torch.export and ONNX see

Every form has the same signature and is called ``selective_scan`` in the module of its name.
"""

from vitrine.models.scan.dispatch import selective_scan

__all__ = ["selective_scan"]
