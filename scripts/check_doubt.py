"""Doubt against the truth: what ensembles say of a logistic regression whose posterior is known.

Two inputs and a bias, drawn from N(0, 1), decide outcomes; the posterior under that prior is found by
importance sampling ("exact"). Last-layer posteriors see the inputs themselves; networks are two layers of 32
with dropout, the weights best on a quarter of the windows held out kept (SWAG: the average). Of each there
are the share of true probabilities inside the 90 % range, and both parts of the entropy [bit]: at inputs like
those seen, and at 5 times their distance where the outcome stays as open as at 0. The table is that of
docs/ensembles.md.
"""

import argparse
import copy
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from flarecast.averaging.gaussian import GaussianAverage, draw, fill
from flarecast.batches import Batch, cpu_threads
from flarecast.ensembles.bayes import draw_heads
from flarecast.ensembles.bayes.dropout import thinned
from flarecast.models.head import NestedHead
from flarecast.models.shape import Shape
from flarecast.uncertainty import credible_range, entropy_parts

FloatArray = NDArray[np.float64]
Arm = Callable[[FloatArray, NDArray[np.bool_], FloatArray, int], FloatArray]
"""Inputs (n, 2), outcomes (n,), other inputs (m, 2), seed -> probability by each member (m, 1, member)."""

SIZES, FAR, N_NEAR, N_MEMBERS = (30, 100, 1000, 10_000), 5.0, 200, 100
SHARES = (0.1, 0.3, 0.5)
STEPS, LOOK, BATCH, RATE = 800, 40, 256, 0.01
OPTIONS = {
    "laplace": {"prior_precision": 1.0, "independent": 1.0},
    "variational": {
        "prior_scale": 1.0, "epochs": 5, "warm_up": 0.5, "learning_rate": 0.05, "independent": 1.0,
    },
    "gp": {"epochs": 5, "learning_rate": 0.05, "independent": 1.0},
}  # fmt: skip


class Line(nn.Module):
    """A network whose embedding is its input: a logistic regression."""

    def __init__(self) -> None:
        super().__init__()
        self.head = NestedHead(2, Shape(2, 1, 2))

    def forward(self, steps: Tensor, last_class: Tensor) -> Tensor:
        """Log probabilities, shape (b, 2)."""
        del last_class
        return self.head(steps[:, 0])


def network(share: float) -> nn.Sequential:
    """Two layers of 32 with dropout behind each."""
    return nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Dropout(share), nn.Linear(32, 32), nn.ReLU(), nn.Dropout(share),
        nn.Linear(32, 2),
    )  # fmt: skip


def sigmoid(logit: FloatArray) -> FloatArray:
    """Probability of log odds."""
    return np.asarray(1 / (1 + np.exp(-logit)))


def with_one(inputs: FloatArray) -> FloatArray:
    """Inputs and a 1 for the bias."""
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)


def mode(inputs: FloatArray, occurred: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Most likely numbers under N(0, 1), and the curvature there, by Newton's method."""
    seen, at = with_one(inputs), np.zeros(3)
    for _ in range(50):
        said = sigmoid(seen @ at)
        curvature = seen.T @ ((said * (1 - said))[:, None] * seen) + np.eye(3)
        at = at + np.linalg.solve(curvature, seen.T @ (occurred - said) - at)
    return at, curvature


def exact(inputs: FloatArray, occurred: NDArray[np.bool_], where: FloatArray, seed: int) -> FloatArray:
    """Draws from the posterior: Gaussian ones at the mode, wider than it, resampled by their weight."""
    rng, (at, curvature) = np.random.default_rng(seed), mode(inputs, occurred)
    noise = rng.normal(size=(4000, 3)) * 1.5
    drawn = at + np.linalg.solve(np.linalg.cholesky(curvature).T, noise.T).T
    logit = with_one(inputs) @ drawn.T
    fit = np.where(occurred[:, None], -np.logaddexp(0, -logit), -np.logaddexp(0, logit)).sum(axis=0)
    weight = fit - 0.5 * (drawn**2).sum(axis=1) + 0.5 * (noise**2).sum(axis=1) / 1.5**2
    weight = np.exp(weight - weight.max())
    chosen = drawn[rng.choice(len(drawn), 2000, p=weight / weight.sum())]
    return sigmoid(with_one(where) @ chosen.T)[:, None]


def last_layer(kind: str) -> Arm:
    """Heads drawn by an entry of `POSTERIORS` around the most likely numbers."""

    def members(inputs: FloatArray, occurred: NDArray[np.bool_], where: FloatArray, seed: int) -> FloatArray:
        torch.manual_seed(seed)
        module, (at, _) = Line(), mode(inputs, occurred)
        with torch.no_grad():
            module.head.weight.copy_(torch.from_numpy(at[:2]))
            module.head.bias.copy_(torch.from_numpy(at[2:]))
        n, classes = len(inputs), torch.from_numpy(occurred.astype(np.int64))
        steps = torch.from_numpy(inputs).float()[:, None]
        heads = draw_heads(
            kind,
            module,
            [Batch(steps, torch.full((n,), -1), classes, classes, torch.ones(n))],
            prior=torch.tensor([0.5, 0.5]),
            n=N_MEMBERS,
            generator=torch.Generator().manual_seed(seed),
            options=OPTIONS[kind],
        )
        return said(heads, where)

    return members


@torch.no_grad()
def said(modules: list[nn.Module], where: FloatArray) -> FloatArray:
    """Probability by each network, shape (m, 1, member)."""
    inputs = torch.from_numpy(where).float()
    return np.stack([torch.softmax(one(inputs).double(), 1)[:, 1:].numpy() for one in modules], axis=2)


def trained(
    inputs: FloatArray, occurred: NDArray[np.bool_], share: float, seed: int
) -> tuple[nn.Sequential, float]:
    """A network at its best on a quarter of the windows, and its loss there."""
    torch.manual_seed(seed)
    module, held = network(share), len(inputs) // 4
    steps, classes = torch.from_numpy(inputs).float(), torch.from_numpy(occurred.astype(np.int64))
    optimizer = torch.optim.AdamW(module.parameters(), lr=RATE, weight_decay=1e-4)
    best, weights = np.inf, module.state_dict()
    for step in range(1, STEPS + 1):
        place = torch.randint(held, len(inputs), (min(BATCH, len(inputs) - held),))
        module.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(steps[place]), classes[place]).backward()
        optimizer.step()
        if step % LOOK == 0:
            with torch.no_grad():
                loss = float(nn.functional.cross_entropy(module.eval()(steps[:held]), classes[:held]))
            if loss < best:
                best, weights = loss, copy.deepcopy(module.state_dict())
    module.load_state_dict(weights)
    return module.eval(), best


def dropout(shares: tuple[float, ...]) -> Arm:
    """Thinned networks; of several shares that whose members forecast the held-out quarter best."""

    def members(inputs: FloatArray, occurred: NDArray[np.bool_], where: FloatArray, seed: int) -> FloatArray:
        held, losses, found = len(inputs) // 4, [], []
        for share in shares:
            module, _ = trained(inputs, occurred, share, seed)
            thin: list[nn.Module] = [thinned(module, 1000 * nth) for nth in range(N_MEMBERS)]
            mean = said(thin, inputs[:held]).mean(axis=2)[:, 0]
            losses.append(-np.log(np.where(occurred[:held], mean, 1 - mean)).mean())
            found.append(said(thin, where))
        return found[int(np.argmin(losses))]

    return members


def deep(inputs: FloatArray, occurred: NDArray[np.bool_], where: FloatArray, seed: int) -> FloatArray:
    """Five networks from other random numbers, without dropout."""
    return said([trained(inputs, occurred, 0.0, 10 * seed + nth)[0] for nth in range(5)], where)


def swag(inputs: FloatArray, occurred: NDArray[np.bool_], where: FloatArray, seed: int) -> FloatArray:
    """Thirty networks drawn around the average of 40 more visits of SGD at a constant rate."""
    module, _ = trained(inputs, occurred, 0.0, seed)
    average = GaussianAverage(module, 20)
    steps, classes = torch.from_numpy(inputs).float(), torch.from_numpy(occurred.astype(np.int64))
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)
    for step in range(1, STEPS + 1):
        place = torch.randint(len(inputs), (min(BATCH, len(inputs)),))
        optimizer.zero_grad()
        nn.functional.cross_entropy(module.train()(steps[place]), classes[place]).backward()
        optimizer.step()
        if step % (STEPS // 40) == 0:
            average.update_parameters(module)
    drawn: list[nn.Module] = []
    for weights in draw(average.moments(), 30, 1.0, torch.Generator().manual_seed(seed)):
        drawn.append(copy.deepcopy(module).eval())
        fill(drawn[-1], weights)
    return said(drawn, where)


ARMS: dict[str, Arm] = {
    "exact": exact,
    **{kind: last_layer(kind) for kind in OPTIONS},
    **{f"mc_dropout, {share:g}": dropout((share,)) for share in SHARES},
    "mc_dropout, best share": dropout((0.02, 0.05, *SHARES)),
    "deep": deep,
    "swag": swag,
}


def measure(arm: Arm, n: int, seed: int) -> list[float]:
    """Share inside, aleatoric and epistemic part near, the same two far; and the truth's entropy near."""
    rng = np.random.default_rng(seed)
    weight, bias = rng.normal(size=2), rng.normal()
    inputs, near = rng.normal(size=(n, 2)), rng.normal(size=(N_NEAR, 2))
    occurred = rng.random(n) < sigmoid(inputs @ weight + bias)
    along = np.array([[-weight[1], weight[0]]]) / np.hypot(*weight)
    far = FAR * rng.choice([-1.0, 1.0], size=(N_NEAR, 1)) * along
    member = arm(inputs, occurred, np.concatenate([near, far]), seed)
    true = sigmoid(near @ weight + bias)
    low, high = (end[:N_NEAR, 0] for end in credible_range(member))
    aleatoric, epistemic = (part[:, 0] for part in entropy_parts(member))
    parts = [
        part[place].mean()
        for place in (slice(N_NEAR), slice(N_NEAR, None))
        for part in (aleatoric, epistemic)
    ]
    open_left = entropy_parts(true[:, None, None])[0].mean()
    return [((low <= true) & (true <= high)).mean(), *parts, open_left]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    arguments = parser.parse_args()
    print(
        "| members | windows | inside 90 % | aleatoric (truth) | epistemic | aleatoric far | epistemic far |"
    )
    print("|---|---|---|---|---|---|---|")
    with cpu_threads(1):
        for name in arguments.arms:
            for n in SIZES:
                found = [measure(ARMS[name], n, seed) for seed in range(arguments.repeats)]
                inside, aleatoric, epistemic, *far, truth = np.mean(found, axis=0)
                print(
                    f"| {name} | {n:,} | {inside:.2f} | {aleatoric:.3f} ({truth:.3f}) | {epistemic:.4f} | "
                    f"{far[0]:.3f} | {far[1]:.4f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
