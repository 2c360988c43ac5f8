"""Data to plotly figures, one function a figure of the book, by chapter.

``style`` holds what they share: colours, names, layout. A function takes numbers that ``metrics`` or
``facts`` computed and returns a ``Figure``; it computes nothing but positions and saves nothing.
"""
