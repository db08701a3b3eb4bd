"""What the kernels of `kernels/` compute, in NumPy alone: plain, slow, and code for code.

The fast ways on the CPU are held to the same functions, or use them. They need nothing but NumPy,
so that a kernel can be checked on a machine that has a GPU and little else.
"""
