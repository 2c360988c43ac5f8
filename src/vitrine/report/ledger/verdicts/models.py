"""Names of the recipes that the verdicts speak of."""

__all__ = ["HOG", "KERAS", "MICRO", "PROBE", "TORCH"]

PROBE, HOG = "mobilenetv2-int8-probe", "histogram-hog"
KERAS, TORCH = "efficientnet-b0-keras-scratch", "efficientnet-b0-torch-scratch"
MICRO = "mambavision-micro-scratch"
