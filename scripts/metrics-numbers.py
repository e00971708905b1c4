"""What scikit-learn, scipy and prdc say of made-up digits and features, for crates/core/src/metrics/numbers.rs to hold ours
against.

    python3 -m venv .tools/metrics && .tools/metrics/bin/pip install -r scripts/metrics-requirements.txt
    .tools/metrics/bin/python scripts/metrics-numbers.py > crates/core/src/metrics/numbers.json

Digits and features follow from a formula that the test repeats, so that the file holds only what becomes of them. Features
are whole sixteenths, few enough that distances and inner products are exact in f32, too: ties are ties on both sides.
"""

import contextlib
import io
import json
import sys

import numpy as np
import prdc
import scipy
import sklearn
from scipy import linalg
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.metrics.pairwise import polynomial_kernel


def mixed(number):
    """SplitMix64 of each number."""
    with np.errstate(over="ignore"):
        z = (np.asarray(number, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def small(number):
    """From -63 to 63, those around 0 most often."""
    m = mixed(number)
    return ((m & np.uint64(63)) + (m >> np.uint64(6) & np.uint64(63))).astype(np.int64) - 63


def cloud(stream, rows, width, shift, spread, independent, distinct):
    """Features [rows, width], of which the first so many are independent; row i equals row i + distinct."""
    i = (np.arange(rows) % distinct)[:, None]
    j = (np.arange(width) % independent)[None, :]
    at = (stream << 40) + i * 4096
    return (spread * small(at + j) + small(at + 4095) * (j % 3) + shift * (j % 5)) / 16


def digits(count, wrong, never_read, never_asked):
    """One in `wrong` is read as something else."""
    i = np.arange(count)
    wanted = i % 10
    wanted = np.where(wanted == never_asked, 1, wanted)
    m = mixed(i)
    other = (m >> np.uint64(8)).astype(np.int64) % 10
    read = np.where(m % np.uint64(wrong) == 0, other, wanted)
    return wanted, np.where(read == never_read, 8, read)


def report(*args):
    wanted, read = digits(*args)
    labels = list(range(10))
    options = dict(labels=labels, zero_division=0)
    data = classification_report(wanted, read, output_dict=True, **options)
    row = lambda scores: [scores[key] for key in ("precision", "recall", "f1-score", "support")]
    return dict(
        of=args,
        confusion=confusion_matrix(wanted, read, labels=labels).tolist(),
        digits=[row(data[str(digit)]) for digit in labels],
        accuracy=data["accuracy"],
        macro=row(data["macro avg"]),
        weighted=row(data["weighted avg"]),
        text={decimals: classification_report(wanted, read, digits=decimals, **options) for decimals in (2, 4)},
    )


def frechet(a, b):
    x, y = cloud(*a), cloud(*b)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    means = ((x.mean(0) - y.mean(0)) ** 2).sum()
    if min(np.linalg.matrix_rank(s), np.linalg.matrix_rank(t)) == len(s):
        shared = np.trace(linalg.sqrtm(s @ t)).real
    else:
        # sqrtm doesn't take matrices without full rank. The eigenvalues of s·t are those of the symmetric product.
        shared = np.sqrt(np.clip(linalg.eigvals(s @ t).real, 0, None)).sum()
    return dict(of=[a, b], fd=means + np.trace(s) + np.trace(t) - 2 * shared)


def drawn(features, size, stream):
    order = np.arange(len(features))
    for i in range(size):
        j = i + int(mixed(stream << 32 | i)) % (len(order) - i)
        order[[i, j]] = order[[j, i]]
    return features[order[:size]]


def discrepancy(x, y):
    m = len(x)
    k = lambda a, b: polynomial_kernel(a, b, degree=3, gamma=1 / x.shape[1], coef0=1)
    within = sum(kernel.sum() - np.trace(kernel) for kernel in (k(x, x), k(y, y)))
    return within / (m * (m - 1)) - 2 * k(x, y).mean()


def kid(a, b, subsets, size):
    x, y = cloud(*a), cloud(*b)
    values = [discrepancy(drawn(x, size, 2 * s), drawn(y, size, 2 * s + 1)) for s in range(subsets)]
    return dict(of=[a, b], subsets=subsets, size=size, mean=np.mean(values), deviation=np.std(values))


def manifold(a, b, nearest):
    with contextlib.redirect_stdout(io.StringIO()):
        return dict(of=[a, b], nearest=nearest, **prdc.compute_prdc(cloud(*a), cloud(*b), nearest))


# stream, rows, width, shift, spread, independent, distinct
json.dump(
    dict(
        program="written by scripts/metrics-numbers.py",
        numpy=np.__version__,
        scipy=scipy.__version__,
        sklearn=sklearn.__version__,
        prdc="0.2",
        report=[report(*args) for args in [(610, 12, 10, 10), (1000, 3, 7, 10), (500, 2, 4, 3), (40, 1, 0, 9)]],
        frechet=[
            frechet((1, 300, 16, 0, 1, 16, 300), (2, 200, 16, 5, 1, 16, 200)),
            frechet((3, 1000, 96, 0, 2, 96, 1000), (4, 1500, 96, 1, 2, 96, 1500)),
            frechet((5, 700, 128, 3, 1, 128, 700), (6, 700, 128, 3, 1, 128, 700)),
            frechet((7, 400, 24, 0, 2, 10, 400), (8, 300, 24, 4, 1, 24, 300)),
            frechet((9, 400, 24, 0, 2, 24, 400), (10, 300, 24, 4, 1, 24, 1)),
        ],
        kid=[
            kid((11, 300, 16, 0, 1, 16, 300), (12, 500, 16, 3, 1, 16, 500), 12, 100),
            kid((13, 250, 96, 0, 1, 96, 250), (14, 400, 96, 0, 1, 96, 400), 5, 250),
        ],
        manifold=[
            manifold((15, 400, 24, 0, 1, 24, 400), (16, 300, 24, 0, 1, 24, 300), 5),
            manifold((17, 400, 24, 0, 2, 24, 400), (18, 500, 24, 2, 1, 24, 500), 5),
            manifold((19, 200, 12, 0, 1, 12, 200), (20, 500, 12, 1, 1, 12, 90), 3),
            manifold((21, 300, 12, 0, 1, 12, 100), (21, 300, 12, 0, 1, 12, 300), 5),
            manifold((22, 300, 2, 0, 1, 1, 300), (23, 200, 2, 0, 1, 2, 200), 5),
        ],
    ),
    sys.stdout,
    indent=1,
)
print()
