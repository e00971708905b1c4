"""The training step of the preset `quick` as JAX's CPU code, to be timed beside Digit Forge's.

It is the step that crates/core/src/models/gan.rs records: noise and a batch drawn within, the fakes used twice, D on real
and fake rows as one batch, Adam for both networks, the average of G's weights, the row of losses. Shapes: B batch,
Z noise, P pixels; images are [B, H, W, C].

Many steps run in one compiled loop. The 4×4 stride-2 convolutions come in four formulations; `tune` times them all.

Reads orders from stdin, a line each, and answers each with a line of JSON:
    tune SECONDS         milliseconds a step of each formulation; keeps the fastest
    run SECONDS          milliseconds a step of the kept one: the median of rounds of 50 ms
"""

import functools
import json
import os
import statistics
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

B, Z, DIGITS, SIDE, C = 16, 64, 10, 28, 8
QUARTER = SIDE // 4
P = SIDE * SIDE
LABEL_SCALE, SLOPE = 5.0, 0.2
G_RATE, D_RATE, BETA1, BETA2, EPSILON, DECAY = 0.004, 0.002, 0.5, 0.999, 1e-8, 0.995
IMAGES, LOG_ROWS = 10_000, 4096


# Convolutions 4×4, stride 2, padding 1, by formulation. Weights are [4, 4, I, O] for both directions: a transposed
# convolution's are those of the convolution whose adjoint it is.


def conv_lax(x, w):
    return lax.conv_general_dilated(x, w, (2, 2), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC"))


def conv_transpose_lax(x, w):
    flipped = jnp.flip(w, (0, 1)).swapaxes(2, 3)
    return lax.conv_general_dilated(
        x, flipped, (1, 1), ((2, 2), (2, 2)), lhs_dilation=(2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def space_to_depth(x):
    """[B, 2H, 2W, C] to [B, H, W, 4C]."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * c)


def depth_to_space(x):
    """[B, H, W, 4C] to [B, 2H, 2W, C]."""
    b, h, w, c = x.shape
    return x.reshape(b, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)


def quarters(w):
    """[4, 4, I, O] to the four [4I, O] that meet a 2×2 neighbourhood after `space_to_depth`, in reading order."""
    w = w.reshape(2, 2, 2, 2, *w.shape[2:]).transpose(0, 2, 1, 3, 4, 5)
    return w.reshape(4, -1, w.shape[-1])


def corners(x, h, w):
    """The four [B, h, w, C] of each 2×2 neighbourhood, in reading order."""
    return [x[:, i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)]


def conv_patches(x, w):
    x = space_to_depth(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))
    b, h, width, _ = x.shape
    patches = jnp.concatenate(corners(x, h - 1, width - 1), -1).reshape(b * (h - 1) * (width - 1), -1)
    return (patches @ quarters(w).reshape(-1, w.shape[-1])).reshape(b, h - 1, width - 1, -1)


def conv_sums(x, w):
    x = space_to_depth(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))
    b, h, width, c = x.shape
    parts = [part.reshape(-1, c) @ q for part, q in zip(corners(x, h - 1, width - 1), quarters(w))]
    return sum(parts).reshape(b, h - 1, width - 1, -1)


def conv_transpose_patches(x, w):
    """Output block b sums x[b] and x[b - 1] along each axis, so the neighbourhood's order is reversed."""
    b, h, width, c = x.shape
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = jnp.concatenate(corners(x, h + 1, width + 1), -1).reshape(-1, 4 * c)
    phases = jnp.flip(quarters(w), 0).transpose(0, 2, 1).reshape(4 * c, -1)
    y = depth_to_space((patches @ phases).reshape(b, h + 1, width + 1, -1))
    return y[:, 1:-1, 1:-1]


def conv_transpose_sums(x, w):
    """One product to all sixteen taps, then the overlapping quarters are added."""
    b, h, width, c = x.shape
    taps = quarters(w).transpose(2, 0, 1).reshape(w.shape[-1], -1)
    y = (x.reshape(-1, c) @ taps).reshape(b, h, width, 4, -1)
    places = [(i, j) for i in (0, 1) for j in (0, 1)]
    parts = [jnp.pad(y[:, :, :, q], ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0))) for q, (i, j) in enumerate(places)]
    return depth_to_space(sum(parts))[:, 1:-1, 1:-1]


FORMULATIONS = {
    "lax.conv": (conv_lax, conv_transpose_lax),
    "patches": (conv_patches, conv_transpose_patches),
    "sums": (conv_sums, conv_transpose_sums),
    "patches down, sums up": (conv_patches, conv_transpose_sums),
}


def generator(p, z, labels, convs):
    x = jnp.concatenate([z, LABEL_SCALE * jax.nn.one_hot(labels, DIGITS)], 1)
    x = jax.nn.relu((x @ p["w0"] + p["b0"]).reshape(-1, QUARTER, QUARTER, 2 * C))
    x = jax.nn.relu(convs[1](x, p["w1"]) + p["b1"])
    return jnp.tanh(convs[1](x, p["w2"]) + p["b2"]).reshape(-1, P)


def discriminator(p, x, labels, convs):
    x = x.reshape(-1, SIDE, SIDE, 1)
    x = jax.nn.leaky_relu(convs[0](x, p["w0"]) + p["b0"], SLOPE)
    x = jax.nn.leaky_relu(convs[0](x, p["w1"]) + p["b1"], SLOPE)
    out = x.reshape(-1, QUARTER * QUARTER * 2 * C) @ p["w2"] + p["b2"]
    likeness = (out[:, 1:] * jax.nn.one_hot(labels, DIGITS)).sum(1)
    return out[:, 0] + likeness


def starts(key):
    """Both networks' weights, normal by their fan-in; biases zero."""
    shapes = {
        "g": [((Z + DIGITS, P), Z + DIGITS, 2), ((4, 4, C, 2 * C), 8 * C, 2), ((4, 4, 1, C), 4 * C, 1)],
        "d": [((4, 4, 1, C), 16, 2), ((4, 4, C, 2 * C), 16 * C, 2), ((P, 1 + DIGITS), P, 1)],
    }
    biases = {"g": [P, C, 1], "d": [C, 2 * C, 1 + DIGITS]}
    networks = {}
    for name, layers in shapes.items():
        networks[name] = {}
        for i, (shape, fan_in, gain) in enumerate(layers):
            key, part = jax.random.split(key)
            networks[name][f"w{i}"] = jax.random.normal(part, shape) * (gain / fan_in) ** 0.5
            networks[name][f"b{i}"] = jnp.zeros(biases[name][i])
    return networks


def adam(p, m, v, g, t, rate):
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
    # Both corrections as factors of scalars, so that only two operations a weight remain.
    step, scale = rate / (1 - BETA1**t), lax.rsqrt(1 - BETA2**t)
    p = jax.tree.map(lambda p, m, v: p - step * m / (jnp.sqrt(v) * scale + EPSILON), p, m, v)
    return p, m, v


def step(i, state, images, labels, convs):
    g, d, moments, average, log, key = state
    # noise, a batch and fakes
    key, for_noise, for_rows = jax.random.split(key, 3)
    z = jax.random.normal(for_noise, (B, Z))
    rows = jax.random.randint(for_rows, (B,), 0, IMAGES)
    real, real_labels = images[rows].astype(jnp.float32) * (2 / 255) - 1, labels[rows]
    fake, back_through_g = jax.vjp(lambda p: generator(p, z, real_labels, convs), g)

    # D on both as one batch
    def d_loss_of(p):
        both, both_labels = jnp.concatenate([real, fake]), jnp.concatenate([real_labels, real_labels])
        logits = discriminator(p, both, both_labels, convs)
        on_real, on_fake = logits[:B], logits[B:]
        loss = jax.nn.softplus(-on_real).mean() + jax.nn.softplus(on_fake).mean()
        return loss, (jax.nn.sigmoid(on_real).mean(), jax.nn.sigmoid(on_fake).mean())

    t = (i + 1).astype(jnp.float32)
    (d_loss, (on_real, on_fake)), gradient = jax.value_and_grad(d_loss_of, has_aux=True)(d)
    d, *moments["d"] = adam(d, *moments["d"], gradient, t, D_RATE)

    # G through the updated D
    g_loss_of = lambda x: jax.nn.softplus(-discriminator(d, x, real_labels, convs)).mean()
    g_loss, into_g = jax.value_and_grad(g_loss_of)(fake)
    (gradient,) = back_through_g(into_g)
    g, *moments["g"] = adam(g, *moments["g"], gradient, t, G_RATE)
    keep = jnp.minimum(DECAY, t / (t + 9))
    average = jax.tree.map(lambda a, p: a + (1 - keep) * (p - a), average, g)
    log = log.at[i % LOG_ROWS].set(jnp.stack([t, d_loss, g_loss, on_real, on_fake]))
    return g, d, moments, average, log, key


class Run:
    """Steps by one formulation."""

    def __init__(self, name, images, labels):
        convs = FORMULATIONS[name]

        @functools.partial(jax.jit, donate_argnums=0)
        def steps(state, after, count):
            return lax.fori_loop(after, after + count, lambda i, s: step(i, s, images, labels, convs), state)

        networks = starts(jax.random.key(1))
        zeros = lambda: [jax.tree.map(jnp.zeros_like, networks[n]) for n in ("g", "d")]
        (mg, md), (vg, vd) = zeros(), zeros()
        average = jax.tree.map(jnp.copy, networks["g"])
        moments = {"g": [mg, vg], "d": [md, vd]}
        log = jnp.zeros((LOG_ROWS, 5))
        self.state = (networks["g"], networks["d"], moments, average, log, jax.random.key(2))
        self.steps, self.after = steps, 0
        self.run(2)

    def run(self, count):
        """Milliseconds a step over so many steps."""
        began = time.perf_counter()
        self.state = jax.block_until_ready(self.steps(self.state, self.after, count))
        self.after += count
        return (time.perf_counter() - began) * 1e3 / count

    def rounds(self, seconds):
        """The median over rounds of 50 ms."""
        count = max(1, round(50 / self.run(20)))
        times, until = [self.run(count)], time.perf_counter() + seconds
        while time.perf_counter() < until:
            times.append(self.run(count))
        return statistics.median(times)

    def losses(self):
        return [float(v) for v in self.state[4][(self.after - 1) % LOG_ROWS][1:3]]


def made_up():
    """Images of a bar whose height tells its digit, [N, P] bytes, and their labels [N]."""
    labels = np.arange(IMAGES, dtype=np.int32) % DIGITS
    rows = np.arange(P) // SIDE // 2
    return jnp.asarray(np.where(rows[None] == 2 + labels[:, None], 255, 0).astype(np.uint8)), jnp.asarray(labels)


def same_formulations():
    """Whether all formulations compute the same, forwards and backwards."""
    key = jax.random.key(3)
    x, y = jax.random.normal(key, (2, SIDE, SIDE, 3)), jax.random.normal(key, (2, SIDE // 2, SIDE // 2, 5))
    w = jax.random.normal(key, (4, 4, 3, 5))

    def all_of(convs):
        down, back_down = jax.vjp(convs[0], x, w)
        up, back_up = jax.vjp(convs[1], y, w)
        return [down, *back_down(y), up, *back_up(x)]

    expected = all_of(FORMULATIONS["lax.conv"])
    for name, convs in FORMULATIONS.items():
        for got, want in zip(all_of(convs), expected):
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3, err_msg=name)


def tune(seconds, images, labels):
    same_formulations()
    runs = {name: Run(name, images, labels) for name in FORMULATIONS}
    times = {name: [] for name in runs}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times["sums"]) < 2:
        for name in [*runs, *reversed(runs)]:
            times[name].append(runs[name].run(100))
    medians = {name: statistics.median(t) for name, t in times.items()}
    best = min(medians, key=medians.get)
    return runs[best], {"formulation": best, "ms": medians}


def main():
    # XLA's own generator. JAX's default, threefry, has more work to do; STEP_PRNG=threefry2x32 times it.
    jax.config.update("jax_default_prng_impl", os.environ.get("STEP_PRNG", "unsafe_rbg"))
    images, labels = made_up()
    run = None
    for line in sys.stdin:
        order, number = line.split()
        if order == "tune":
            run, answer = tune(float(number), images, labels)
            answer["version"] = jax.__version__
        else:
            answer = {"ms": run.rounds(float(number)), "losses": run.losses()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
