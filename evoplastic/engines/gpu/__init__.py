"""The GPU engine: lifetimes as Triton kernels, one program an individual."""
