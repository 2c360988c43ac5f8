"""Small state-space models that the teaching chapter runs, from equations to a layer.

From a system in continuous time to a layer that learns::

    systems  a linear system, held into steps, run as a recurrence or as a convolution
    hippo    a memory of the whole past, in a few Legendre coefficients
    copying  a task that only a system which chooses its step can learn
    traffic  what a scan reads from and writes to memory, counted operator by operator
"""
