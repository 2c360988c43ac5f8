"""Benchmarks of speed and memory, side by side, behind the commands of ``vitrine bench``.

::

    plain (the slow scan to beat)  --+
                                     +--> scan, lengths, model --> runs/bench/*.json --> the book
    clock (interleaved, medians)   --+                    ^
                                            results (machine, versions, bars)

Candidates take turns in one process, so that what slows the machine down slows them all. On a CPU
the clock is the processor time of one thread, which other programs hardly move; on a GPU it is that
of CUDA's events. A ratio is the median over the turns of (baseline / candidate): above 1, faster.
``serving`` starts its candidates as processes, ours and the ``naive`` one, and puts both under the
same ``load``; ``serving_peers`` does so with LitServe and BentoML, which ``peer_servers`` sets up.
"""
