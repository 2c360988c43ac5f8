"""Make the plotly figures of the book from data: one function a figure, by chapter.

``style`` holds what they share (layout, colours, names), ``plots`` the kinds of figure that several
chapters draw. A function takes numbers that ``metrics`` or ``facts`` computed and returns a
``Figure``; it computes nothing but positions and saves nothing.
"""
