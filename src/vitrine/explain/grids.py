"""Saliency maps: averaged over square cells, written to and read from the rows of a table."""

import numpy as np
import pandas as pd
from jaxtyping import Float

__all__ = ["CELLS", "Map", "laid_out", "pool", "read"]

CELLS = 16
"""Cells along each side that a fine map is averaged over, to be kept and compared."""

Map = Float[np.ndarray, "rows columns"]


def pool(fine: Float[np.ndarray, "height width"], cells: int = CELLS) -> Map:
    """Return the mean of a map over square cells; a map that is coarser already stays as it is."""
    if fine.shape[0] <= cells:
        return fine
    edges = np.linspace(0, fine.shape[0], cells + 1).round().astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(fine, edges, axis=0), edges, axis=1)
    sizes = np.diff(np.append(edges, fine.shape[0])).astype(int)
    return sums / (sizes[:, None] * sizes)


def laid_out(grid: Map) -> pd.DataFrame:
    """Return a map as rows ``y``, ``x``, ``value``, to 4 significant digits."""
    y, x = np.indices(grid.shape)
    values = [float(f"{value:.4g}") for value in grid.ravel()]
    return pd.DataFrame({"y": y.ravel(), "x": x.ravel(), "value": values})


def read(rows: pd.DataFrame) -> Map:
    """Return the map that ``laid_out`` made these rows from, in any order."""
    grid = np.full((int(rows.y.max()) + 1, int(rows.x.max()) + 1), np.nan)
    grid[rows.y.to_numpy(), rows.x.to_numpy()] = rows["value"].to_numpy(dtype=float)
    return grid
