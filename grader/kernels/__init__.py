"""Jupyter kernels forked warm from a process that has imported NumPy, PyTorch and ipykernel already."""
