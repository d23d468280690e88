"""Time to draw 30 members of a network of 100,000 weights from SWAG's moments: at most 1 s.

The alternative is torch.distributions.LowRankMultivariateNormal of the same mean and covariance, building
included. What a member costs besides is printed too: batch norm on 1,024 windows, and a file of weights.
"""

import copy
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.distributions import LowRankMultivariateNormal

from flarecast.averaging import AVERAGINGS, refresh_batch_norm
from flarecast.averaging.gaussian import draw, fill, flat
from flarecast.models import load_builder
from flarecast.models.shape import Shape

LIMIT = 1.0
MEMBERS, COLLECTED, REPEATS = 30, 40, 5
N_FEATURES, N_STEPS, N_WINDOWS = 24, 60, 1024


def fastest(work: object, repeats: int = REPEATS) -> float:
    """Seconds of the fastest of some calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> int:
    """Print one line; exit 1 where drawing takes longer than its limit."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    module = load_builder("cnn")(Shape(N_FEATURES, N_STEPS, 4), channels=(64, 128, 84))
    swag = AVERAGINGS["swag"]()
    assert swag is not None
    average, start = swag.start(module), flat(module)
    for _ in range(COLLECTED):
        fill(module, start + 0.01 * torch.randn_like(start))
        average.update_parameters(module)
    moments = average.moments()  # type: ignore[operator]
    members = [copy.deepcopy(module) for _ in range(MEMBERS)]

    def ours() -> None:
        generator = torch.Generator().manual_seed(0)
        for member, weights in zip(members, draw(moments, MEMBERS, 1.0, generator), strict=True):
            fill(member, weights)

    def theirs() -> None:
        factor = moments.deviations.double().T / (2 * (len(moments.deviations) - 1)) ** 0.5
        normal = LowRankMultivariateNormal(
            moments.mean, factor, moments.variance / 2 + 1e-30, validate_args=False
        )
        for member, weights in zip(members, normal.sample((MEMBERS,)), strict=True):
            fill(member, weights)

    steps, last_class = torch.randn(N_WINDOWS, N_STEPS, N_FEATURES), torch.full((N_WINDOWS,), -1)
    batches = list(zip(steps.split(256), last_class.split(256), strict=True))
    drawn, other = fastest(ours), fastest(theirs)
    norm = fastest(lambda: refresh_batch_norm(members[0], batches), 3)
    with tempfile.TemporaryDirectory() as name:
        state = members[0].state_dict()
        written = fastest(lambda: save_file(state, Path(name) / "model.safetensors"))
    print(
        f"swag, {MEMBERS} members of {len(start):,} weights drawn: ours {drawn:.3f} s (at most {LIMIT} s), "
        f"LowRankMultivariateNormal {other:.3f} s, ratio {drawn / other:.2f}; besides, for each member: "
        f"batch norm on {N_WINDOWS:,} windows {norm:.3f} s, writing its weights {written:.4f} s"
    )
    return int(drawn > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
