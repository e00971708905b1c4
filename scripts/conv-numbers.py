"""Convolutions and their gradients as JAX computes them, for crates/core/src/ops/conv/numbers.rs to hold ours against.

    .tools/jax/bin/python scripts/conv-numbers.py > crates/core/src/ops/conv/numbers.txt

(`npm run bench:jax` makes that Python; any with bench/jax/requirements.txt does.)

All inputs are small integers. So every sum is exact in any order, in f32 as in f64, and the test needs no tolerance.
Images are [B, H, W, C]; weights [KH, KW, I, O], for a transposed convolution [KH, KW, out, in].
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)

# B, H, W, I, KH, KW, O, stride, pad
CONVS = [
    (2, 5, 4, 2, 3, 3, 3, 1, 1),
    (1, 6, 8, 1, 4, 4, 3, 2, 1),
    (1, 6, 4, 2, 5, 3, 2, 1, 0),
    (1, 7, 8, 1, 2, 3, 2, 3, 1),
    (2, 3, 2, 3, 1, 1, 4, 1, 0),
    (1, 5, 7, 2, 5, 3, 1, 2, 2),
    (1, 3, 3, 1, 3, 3, 17, 1, 1),
]
TRANSPOSED = [
    (2, 3, 2, 3, 4, 4, 1, 2, 1),
    (1, 3, 4, 2, 3, 3, 3, 1, 1),
    (1, 2, 3, 2, 5, 3, 1, 3, 1),
    (2, 3, 2, 4, 1, 1, 2, 1, 0),
    (1, 2, 2, 1, 4, 4, 9, 2, 1),
]
LAYOUT = ("NHWC", "HWIO", "NHWC")


def conv(x, w, stride, pad):
    return lax.conv_general_dilated(x, w, (stride, stride), [(pad, pad)] * 2, dimension_numbers=LAYOUT)


def transposed(x, w, stride, pad):
    """As a convolution of the image with zeros between its pixels, with the kernel turned by half a circle."""
    turned = w[::-1, ::-1].swapaxes(2, 3)
    padding = [(k - 1 - pad, k - 1 - pad) for k in w.shape[:2]]
    return lax.conv_general_dilated(x, turned, (1, 1), padding, lhs_dilation=(stride, stride), dimension_numbers=LAYOUT)


random = np.random.default_rng(28)


def draw(shape):
    return random.integers(-3, 4, shape).astype(np.float64)


def case(name, f, extents):
    b, h, wide, i, kh, kw, o, stride, pad = extents
    x = draw((b, h, wide, i))
    w = draw((kh, kw, i, o) if f is conv else (kh, kw, o, i))
    y, pull_back = jax.vjp(lambda x, w: f(x, w, stride, pad), x, w)
    dy = draw(y.shape)
    dx, dw = pull_back(dy)
    print(f"\n{name}, stride {stride}, pad {pad}")
    for key, values in (("x", x), ("w", w), ("y", y), ("dy", dy), ("dx", dx), ("dw", dw)):
        assert np.array_equal(values, np.rint(values))
        shape = ",".join(map(str, values.shape))
        print(f"{key} [{shape}]", *(int(v) for v in np.asarray(values).ravel()))


print(f"JAX {jax.__version__}, float64; written by scripts/conv-numbers.py")
for extents in CONVS:
    case("conv", conv, extents)
for extents in TRANSPOSED:
    case("transposed", transposed, extents)
