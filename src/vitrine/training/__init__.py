"""Recipes and the runs made from them, in PyTorch, in TensorFlow or by a linear probe."""
