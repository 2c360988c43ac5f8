"""The selective scan of Mamba: one function, five forms of it.

::

    selective_scan --dispatch--> reference   sequential and exact: the yardstick
                             +-> chunked     what a CPU runs
                             +-> short       what it runs of few short sequences
                             +-> triton      what a CUDA device runs
                             +-> two_level   what torch.export and ONNX see, other devices run

Every form has the same signature and is called ``selective_scan`` in the module of its name. What
``selective_scan`` takes beyond it (a gate, states, layouts, groups) is in ``options``, and
``compat`` has it under the name and with the arguments of ``mamba_ssm``.
"""

from vitrine.models.scan.dispatch import selective_scan

__all__ = ["selective_scan"]
