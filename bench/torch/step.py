"""The training step of the dense GAN in PyTorch on an NVIDIA GPU, eager and as a CUDA graph, and its product of 4096.

It is the step that crates/core/src/models/gan.rs records for `MLP` of crates/cli/src/bench.rs: noise and a batch drawn
within, the fakes used twice, D on real and fake rows as one batch, Adam for both. Shapes: B batch, Z noise, P pixels.
Single precision throughout (no TF32), as the shaders have it.

    python3 bench/torch/step.py [--seconds S] [--json FILE]

Needs PyTorch with CUDA; nothing else. Prints and writes medians with their range by rounds.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

B, Z, P = 64, 100, 784
RATE, BETAS, SLOPE = 2e-4, (0.5, 0.999), 0.2
IMAGES = 10_000
WARM, ROUND = 30, 0.05


def dense(widths, last):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.LeakyReLU(SLOPE)]
    return torch.nn.Sequential(*layers[:-1], *last).cuda()


class Gan:
    def __init__(self, capturable):
        self.g = dense([Z, 256, 512, P], [torch.nn.Tanh()])
        self.d = dense([P, 512, 256, 1], [])
        adam = lambda net: torch.optim.Adam(net.parameters(), RATE, BETAS, fused=True, capturable=capturable)
        self.g_optimizer, self.d_optimizer = adam(self.g), adam(self.d)
        self.images = torch.randint(0, 256, (IMAGES, P), dtype=torch.uint8, device="cuda")
        self.losses = torch.zeros(2, device="cuda")

    def step(self):
        noise = torch.randn(B, Z, device="cuda")
        rows = torch.randint(0, IMAGES, (B,), device="cuda")
        real = self.images[rows].float() * (2 / 255) - 1
        fake = self.g(noise)
        self.d_optimizer.zero_grad()
        logits = self.d(torch.cat([real, fake.detach()]))
        d_loss = F.softplus(-logits[:B]).mean() + F.softplus(logits[B:]).mean()
        d_loss.backward()
        self.d_optimizer.step()
        self.g_optimizer.zero_grad()
        g_loss = F.softplus(-self.d(fake)).mean()
        # D's weights want no gradient here.
        gradients = torch.autograd.grad(g_loss, list(self.g.parameters()))
        for weight, gradient in zip(self.g.parameters(), gradients):
            weight.grad = gradient
        self.g_optimizer.step()
        self.losses.copy_(torch.stack([d_loss.detach(), g_loss.detach()]))


def eager():
    return Gan(False).step


def graph():
    step = Gan(True).step
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(11):
            step()
    torch.cuda.current_stream().wait_stream(side)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        step()
    return recorded.replay


def product(n):
    a, b = (torch.randn(n, n, device="cuda") for _ in range(2))
    y = torch.empty(n, n, device="cuda")
    return lambda: torch.mm(a, b, out=y)


def timed(work, times):
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(times):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    works = {"eager": eager(), "graph": graph()}
    sizes = [512, 1024, 2048, 4096]
    works |= {f"product {n}": product(n) for n in sizes}
    counts = {}
    for name, work in works.items():
        timed(work, WARM)
        counts[name] = max(1, round(ROUND / timed(work, 10)))
    samples = {name: [] for name in works}
    until = time.perf_counter() + options.seconds
    while time.perf_counter() < until or len(samples["eager"]) < 3:
        for name, work in [*works.items(), *reversed(works.items())]:
            samples[name].append(timed(work, counts[name]) * 1e3)
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda, "ms": {}}
    for name, ms in samples.items():
        median = statistics.median(ms)
        report["ms"][name] = {"median": median, "low": min(ms), "high": max(ms), "count": len(ms)}
        rate = ""
        if name.startswith("product"):
            rate = f"  {2 * int(name.split()[1]) ** 3 / median / 1e9:.1f} TFLOP/s"
        print(f"{name:16} {median:.4f} ms ({min(ms):.4f} to {max(ms):.4f}){rate}")
    if options.json:
        with open(options.json, "w") as file:
            file.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
