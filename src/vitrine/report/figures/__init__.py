"""Data to plotly figures, one function a figure of the book, by chapter.

``style`` holds what they share (layout, colours, names), ``plots`` the kinds of figure that several
chapters draw. A function takes numbers that ``metrics`` or ``facts`` computed and returns a
``Figure``; it computes nothing but positions and saves nothing.
"""
