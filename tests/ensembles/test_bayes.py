"""Posteriors of the last layer against ones that are known, and what doubt is to do."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

from flarecast.batches import Batch, cpu_threads
from flarecast.ensembles.bayes import POSTERIORS, draw_heads, gaussian_process
from flarecast.ensembles.bayes.embedding import Embedded, link_of, numbers_of, with_numbers
from flarecast.ensembles.bayes.laplace import evidence_precision, information
from flarecast.ensembles.bayes.variational import divergence, weight_of_divergence
from flarecast.models.head import ClassHead, FunctionHead, NestedHead
from flarecast.models.shape import Shape
from flarecast.uncertainty import credible_range, entropy_parts

WITHOUT_GP = pytest.mark.skipif(find_spec("gpytorch") is None, reason="the extra gp is not installed")

OPTIONS = {
    "laplace": {"prior_precision": 1.0, "independent": 1.0},
    "variational": {
        "prior_scale": 1.0,
        "epochs": 1,
        "warm_up": 0.3,
        "learning_rate": 0.05,
        "independent": 1.0,
    },
    "gp": {"epochs": 1, "learning_rate": 0.05, "independent": 1.0},
}
KINDS = [pytest.param(name, marks=WITHOUT_GP) if name == "gp" else name for name in POSTERIORS]
FLAT = torch.tensor([0.5, 0.5])


@pytest.fixture(autouse=True)
def _one_thread():
    """Products as small as these are slower with more."""
    with cpu_threads(1):
        yield


class Toy(nn.Module):
    """A network whose embedding is its input: one event, a logistic regression."""

    def __init__(self, size, head=NestedHead):
        super().__init__()
        self.head = head(size, Shape(size, 1, 2))

    def forward(self, steps, last_class):
        return self.head(steps[:, 0])


def logistic_data(n, weight, rng, spread=1.0):
    """Inputs and outcomes of a logistic regression through the origin with known weights."""
    inputs = rng.normal(size=(n, weight.size)) * spread
    return inputs, rng.random(n) < 1 / (1 + np.exp(-inputs @ weight))


def batch(inputs, occurred):
    steps = torch.from_numpy(inputs).float()[:, None]
    classes = torch.from_numpy(occurred.astype(np.int64))
    return Batch(steps, torch.full((len(steps),), -1), classes, classes, torch.ones(len(steps)))


def fitted(inputs, occurred, head=NestedHead):
    """A toy network at its maximum a posteriori under N(0, 1) for every number."""
    module = Toy(inputs.shape[1], head)
    data = batch(inputs, occurred)
    nn.init.zeros_(module.head.weight)
    module.head.start_at(FLAT)
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        said = torch.log_softmax(module(data.steps, None), dim=1)
        value = -said.gather(1, data.low[:, None]).sum()
        value = value + 0.5 * sum(one.square().sum() for one in module.parameters())
        value.backward()
        return value

    optimizer.step(loss)
    return module


def drawn_heads(kind, module, inputs, occurred, n=200, prior=FLAT, **options):
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    data, options = [batch(inputs, occurred)], OPTIONS[kind] | options
    return draw_heads(kind, module, data, prior=prior, n=n, generator=generator, options=options)


def members(kind, module, inputs, occurred, where, **how):
    """Probability of the event at some inputs by drawn heads, shape (window, event, member)."""
    heads = drawn_heads(kind, module, inputs, occurred, **how)
    here = torch.from_numpy(where).float()
    with torch.no_grad():
        said = [torch.softmax(head(here).double(), dim=1)[:, 1:].numpy() for head in heads]
    return np.stack(said, axis=2)


def grid_posterior(inputs, occurred, variance=1.0):
    """Weights and bias on a fine grid, and their exact posterior under N(0, variance)."""
    axis = np.linspace(-4, 4, 161)
    weight, bias = np.meshgrid(axis, axis, indexing="ij")
    logit = inputs[:, 0, None, None] * weight + bias
    log_likelihood = -np.logaddexp(0, np.where(occurred[:, None, None], -logit, logit)).sum(axis=0)
    log_posterior = log_likelihood - 0.5 * (weight**2 + bias**2) / variance
    mass = np.exp(log_posterior - log_posterior.max())
    return weight, bias, mass / mass.sum()


def assert_as_known(got, known, mass):
    """Range of 90 % and both parts of the entropy of drawn members are those of a posterior by its masses.

    Ends within 0.25 of the log odds between the known ends, the parts within 0.03 bit and 30 % and 0.003 bit.
    """
    order = np.argsort(known)
    ends = np.interp([0.05, 0.95], np.cumsum(mass[order]), known[order])
    found = np.concatenate(credible_range(got[None, None]))[:, 0]
    away = np.log(found / (1 - found)) - np.log(ends / (1 - ends))
    assert np.abs(away).max() < 0.25 * np.diff(np.log(ends / (1 - ends)))[0]
    aleatoric = (mass * binary_entropy(known)).sum()
    epistemic = binary_entropy((mass * known).sum()) - aleatoric
    parts = entropy_parts(got[None, None])
    assert parts[0].item() == pytest.approx(aleatoric, abs=0.03)
    assert parts[1].item() == pytest.approx(epistemic, rel=0.3, abs=0.003)


def binary_entropy(probability):
    return -(probability * np.log2(probability) + (1 - probability) * np.log2(1 - probability))


@pytest.mark.parametrize("n", [60, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("head", [NestedHead, ClassHead])
@pytest.mark.parametrize("kind", ["laplace", "variational"])
def test_range_and_entropies_are_those_of_a_known_posterior(kind, head, n):
    """Of a logistic regression with one input, by quadrature on a grid, near the data and far from them.

    What counts of two classes is their difference: where both have a prior of 1 it has one of 2.
    """
    inputs, occurred = logistic_data(n, np.array([1.0]), np.random.default_rng(0))
    variance = 2.0 if head is ClassHead and kind == "laplace" else 1.0
    weight, bias, mass = grid_posterior(inputs, occurred, variance)
    where = np.array([[-2.0], [0.0], [1.0], [3.0]])
    got = members(kind, fitted(inputs, occurred, head), inputs, occurred, where, n=2000)[:, 0]
    for nth, place in enumerate(where[:, 0]):
        known = 1 / (1 + np.exp(-weight * place - bias))
        assert_as_known(got[nth], known.ravel(), mass.ravel())


@pytest.mark.slow
def test_few_windows_leave_the_best_independent_gaussians_what_the_prior_says():
    inputs, occurred = logistic_data(15, np.array([1.0]), np.random.default_rng(2))
    weight, bias, mass = grid_posterior(inputs, occurred)
    got = members(
        "variational", fitted(inputs, occurred), inputs, occurred, np.array([[-2.0], [1.0]]), n=2000
    )
    for nth, place in enumerate((-2.0, 1.0)):
        known = 1 / (1 + np.exp(-weight * place - bias))
        assert_as_known(got[nth, 0], known.ravel(), mass.ravel())
    drawn = np.stack([numbers_of(head)[0] for head in drawn_heads(
        "variational", fitted(inputs[:2], occurred[:2]), 0 * inputs[:2], occurred[:2], n=2000
    )])  # fmt: skip
    assert drawn[:, 0].std() == pytest.approx(1.0, abs=0.1), "of a weight that no input shows"


@pytest.mark.parametrize("kind", ["laplace", "variational"])
def test_copies_that_are_said_to_be_copies_count_once(kind):
    """Ten times 60 windows with `independent` 0.1 leave the posterior of 60."""
    inputs, occurred = logistic_data(60, np.array([1.0]), np.random.default_rng(0))
    weight, bias, mass = grid_posterior(inputs, occurred)
    many, where = (np.repeat(inputs, 10, axis=0), np.repeat(occurred, 10)), np.array([[-1.0], [1.0]])
    got = members(kind, fitted(inputs, occurred), *many, where, n=2000, independent=0.1)
    for nth, place in enumerate(where[:, 0]):
        known = 1 / (1 + np.exp(-weight * place - bias))
        assert_as_known(got[nth, 0], known.ravel(), mass.ravel())


def test_laplace_draws_have_the_inverse_of_curvature_and_precision():
    rng = np.random.default_rng(0)
    inputs, occurred = logistic_data(30, np.array([1.0, -1.0]), rng)
    module = fitted(inputs, occurred)
    heads = drawn_heads("laplace", module, inputs, occurred, n=4000, prior_precision=7.0, independent=0.5)
    numbers = np.stack([numbers_of(head).flatten() for head in heads])
    seen = np.concatenate([inputs, np.ones((30, 1))], axis=1)
    at = numbers_of(module.head)[0].numpy()
    said = 1 / (1 + np.exp(-seen @ at))
    expected = np.linalg.inv(0.5 * seen.T @ ((said * (1 - said))[:, None] * seen) + 7.0 * np.eye(3))
    np.testing.assert_allclose(np.cov(numbers.T), expected, atol=0.05 * expected.max())
    np.testing.assert_allclose(numbers.mean(axis=0), at, atol=0.02)


def test_the_precision_is_that_of_the_evidence_around_the_head_that_knows_the_class_priors_alone():
    """A head that stayed there needs no room around it, wherever that is."""
    prior = torch.tensor([0.95, 0.05])
    inputs, occurred = logistic_data(200, np.array([1.0, -1.0]), np.random.default_rng(0))
    spread = {}
    for name in ("stayed", "moved"):
        module = Toy(2) if name == "stayed" else fitted(inputs, occurred)
        if name == "stayed":
            nn.init.zeros_(module.head.weight)
            module.head.start_at(prior)
        heads = drawn_heads("laplace", module, inputs, occurred, prior=prior, prior_precision=None)
        spread[name] = np.stack([numbers_of(head)[0] for head in heads]).std(axis=0).max()
    assert spread["stayed"] < 1e-3
    assert spread["moved"] > 0.1


def two_places(n):
    """Half of n windows at -1, where an event is rare, half at 1, where it is usual."""
    occurred = np.zeros(n, dtype=bool)
    occurred[: n // 20] = True
    occurred[n // 2 : n - n // 20] = True
    return np.repeat([[-1.0], [1.0]], n // 2, axis=0), occurred


def posterior_at_two_places(occurred, near, variance, mean, count=1.0):
    """Values of functions at both places on a grid, and their exact posterior under a kernel.

    The kernel has a variance, and `near` is the correlation of functions at the places; each window counts as
    so many.
    """
    axis = np.linspace(-9, 9, 361)
    first, second = (one.ravel() for one in np.meshgrid(axis, axis, indexing="ij"))
    inverse = np.linalg.inv(variance * np.array([[1, near], [near, 1]]))
    a, b = first - mean, second - mean
    log_mass = -0.5 * (inverse[0, 0] * (a**2 + b**2) + 2 * inverse[0, 1] * a * b) / count
    for value, seen in ((first, occurred[: len(occurred) // 2]), (second, occurred[len(occurred) // 2 :])):
        log_mass -= seen.sum() * np.logaddexp(0, -value) + (~seen).sum() * np.logaddexp(0, value)
    mass = np.exp(count * (log_mass - log_mass.max()))
    return first, second, mass / mass.sum()


@WITHOUT_GP
@pytest.mark.parametrize(("n", "independent", "prior"), [(60, 1.0, 0.5), (200, 0.2, 0.1)])
def test_a_process_finds_the_exact_posterior_under_its_kernel(n, independent, prior, monkeypatch):
    """At two places where all windows are, and between them by the kernel's own conditional distribution."""
    kept, fit = [], gaussian_process._fit
    monkeypatch.setattr(gaussian_process, "LEAST_STEPS", 250)
    monkeypatch.setattr(gaussian_process, "_fit", lambda *given: kept.append(fit(*given)) or kept[0])
    inputs, occurred = two_places(n)
    where, shares = np.array([[-1.0], [1.0], [0.2]]), torch.tensor([1 - prior, prior])
    how = {"n": 800, "prior": shares, "independent": independent}
    got = members("gp", Toy(1), inputs, occurred, where, **how)[:, 0]
    variance = kept[0].covar_module.outputscale.item()
    length = kept[0].covar_module.base_kernel.lengthscale.item()
    near = np.exp(-0.5 * (np.array([2.0, 1.2, 0.8]) / length) ** 2)
    mean = np.log(prior / (1 - prior))
    first, second, mass = posterior_at_two_places(occurred, near[0], variance, mean, independent)
    assert_as_known(got[0], 1 / (1 + np.exp(-first)), mass)
    assert_as_known(got[1], 1 / (1 + np.exp(-second)), mass)
    share = np.linalg.solve([[1, near[0]], [near[0], 1]], near[1:])
    left = variance * (1 - share @ near[1:])
    noise = np.sqrt(2 * left) * np.polynomial.hermite.hermgauss(9)[0]
    weight = np.polynomial.hermite.hermgauss(9)[1] / np.sqrt(np.pi)
    between = (mean + share[0] * (first - mean) + share[1] * (second - mean))[:, None] + noise
    assert_as_known(got[2], 1 / (1 + np.exp(-between.ravel())), (mass[:, None] * weight).ravel())


@pytest.mark.slow
@WITHOUT_GP
def test_the_ranges_of_a_process_cover_functions_drawn_from_its_prior(monkeypatch):
    """With the kernel that they were drawn by; one that is fitted to 80 windows costs some of the cover."""
    make = gaussian_process._process

    def known_kernel(*given):
        process = make(*given)
        process.covar_module.outputscale, process.covar_module.base_kernel.lengthscale = 2.0, 2**0.5
        process.covar_module.requires_grad_(False)
        return process

    rng, inside = np.random.default_rng(0), {True: [], False: []}
    monkeypatch.setattr(gaussian_process, "LEAST_STEPS", 200)
    for _ in range(8):
        places = rng.normal(size=(180, 2))
        apart = ((places[:, None] - places[None]) ** 2).sum(axis=2)
        root = np.linalg.cholesky(2.0 * np.exp(-0.25 * apart) + 1e-6 * np.eye(180))
        true = 1 / (1 + np.exp(-root @ rng.normal(size=180)))
        occurred = rng.random(80) < true[:80]
        for known, found in inside.items():
            monkeypatch.setattr(gaussian_process, "_process", known_kernel if known else make)
            got = members("gp", Toy(2), places[:80], occurred, places[80:])[:, 0]
            low, high = np.quantile(got, [0.05, 0.95], axis=1)
            found.append(((low <= true[80:]) & (true[80:] <= high)).mean())
    assert 0.83 <= np.mean(inside[True]) <= 0.96
    assert 0.75 <= np.mean(inside[False]) <= 0.96


@WITHOUT_GP
def test_few_windows_do_not_make_a_process_sure_of_a_flat_function(monkeypatch):
    """A kernel chosen by the evidence alone would: nothing tells 10 events of 20 windows from a constant."""
    monkeypatch.setattr(gaussian_process, "LEAST_STEPS", 200)
    rng = np.random.default_rng(0)
    inputs, occurred = rng.normal(size=(20, 2)), np.arange(20) % 2 == 0
    got = members("gp", Toy(2), inputs, occurred, rng.normal(size=(100, 2)))
    assert np.mean(np.diff(credible_range(got), axis=0)) > 0.3


@pytest.mark.parametrize(("kind", "repeats"), [("laplace", 60), ("variational", 12)])
def test_the_ranges_cover_probabilities_drawn_from_the_prior(kind, repeats, monkeypatch):
    """Truths drawn from the prior lie in the 90 % range of the posterior 90 % of the time."""
    monkeypatch.setattr("flarecast.ensembles.bayes.variational.LEAST_STEPS", 300)
    rng = np.random.default_rng(1)
    inside, where = [], np.array([[0.5, 0.5], [-1.5, 0.0], [0.0, 2.5], [-1.0, -1.0]])
    for _ in range(repeats):
        truth, bias = rng.normal(size=2), rng.normal()
        inputs = rng.normal(size=(80, 2))
        occurred = rng.random(80) < 1 / (1 + np.exp(-inputs @ truth - bias))
        got = members(kind, fitted(inputs, occurred), inputs, occurred, where)[:, 0]
        low, high = np.quantile(got, [0.05, 0.95], axis=1)
        true = 1 / (1 + np.exp(-where @ truth - bias))
        inside += [(low <= true) & (true <= high)]
    share = np.mean(inside)
    assert 0.82 <= share <= 0.97


@pytest.mark.parametrize("kind", KINDS)
def test_epistemic_doubt_falls_with_more_data_and_aleatoric_doubt_does_not(kind, monkeypatch):
    monkeypatch.setattr("flarecast.ensembles.bayes.variational.LEAST_STEPS", 400)
    monkeypatch.setattr("flarecast.ensembles.bayes.gaussian_process.LEAST_STEPS", 150)
    rng = np.random.default_rng(2)
    weight = np.array([1.0, -0.5])
    where, parts = rng.normal(size=(100, 2)), {}
    for n in (60, 2000):
        inputs, occurred = logistic_data(n, weight, rng)
        parts[n] = [
            part.mean()
            for part in entropy_parts(members(kind, fitted(inputs, occurred), inputs, occurred, where))
        ]
    assert parts[2000][1] < 0.4 * parts[60][1]
    assert parts[2000][0] > parts[60][0] - 0.05
    truth = 1 / (1 + np.exp(-where @ weight))
    entropy = -(truth * np.log2(truth) + (1 - truth) * np.log2(1 - truth)).mean()
    assert parts[2000][0] == pytest.approx(entropy, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_epistemic_doubt_rises_out_of_distribution_and_aleatoric_doubt_does_not(kind, monkeypatch):
    """Far from the training inputs along a direction that they hardly show, where the outcome is open."""
    monkeypatch.setattr("flarecast.ensembles.bayes.variational.LEAST_STEPS", 400)
    monkeypatch.setattr("flarecast.ensembles.bayes.gaussian_process.LEAST_STEPS", 150)
    rng = np.random.default_rng(3)
    inputs, occurred = logistic_data(600, np.array([1.0, 0.0]), rng, spread=np.array([1.0, 0.3]))
    near = np.stack([np.zeros(50), rng.normal(size=50) * 0.3], axis=1)
    far = np.stack([np.zeros(50), 4.0 * np.sign(rng.normal(size=50))], axis=1)
    module = fitted(inputs, occurred)
    aleatoric, epistemic = entropy_parts(members(kind, module, inputs, occurred, np.concatenate([near, far])))
    assert epistemic[50:].mean() > 3 * epistemic[:50].mean()
    assert aleatoric[50:].mean() <= aleatoric[:50].mean() + 0.02


@pytest.mark.parametrize("head", [ClassHead, NestedHead])
def test_the_curvature_is_the_hessian_of_the_likelihood(head):
    """For these two links the Fisher information is the Hessian itself where classes are known."""
    torch.manual_seed(0)
    made = head(3, Shape(3, 1, 4)).double()
    hidden, classes = torch.randn(40, 3, dtype=torch.float64), torch.randint(4, (40,))
    weight = torch.rand(40, dtype=torch.float64)
    numbers = numbers_of(made)

    def loss(flat):
        matrix = flat.view_as(numbers)
        said = link_of(made)(hidden @ matrix[:, :-1].T + matrix[:, -1])
        return -(weight * said.gather(1, classes[:, None])[:, 0]).sum()

    expected = torch.autograd.functional.hessian(loss, numbers.flatten())
    got = information(made, Embedded(hidden, classes, classes, weight))
    if (
        head is NestedHead
    ):  # windows below an event say nothing of what tells later ones apart: in expectation
        diagonal = torch.diagonal(got)
        assert (diagonal > 0).all()
        assert got.shape == expected.shape
    else:
        torch.testing.assert_close(got, expected)


def test_windows_known_in_part_add_no_curvature():
    head = ClassHead(2, Shape(2, 1, 3)).double()
    low, high = torch.tensor([0, 1, 0]), torch.tensor([0, 2, 2])
    hidden, weight = torch.randn(3, 2, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    first = Embedded(hidden[:1], low[:1], high[:1], weight[:1])
    torch.testing.assert_close(
        information(head, Embedded(hidden, low, high, weight)), information(head, first)
    )


def test_the_evidence_finds_the_precision_of_a_linear_model():
    """With unit curvature in each of n directions and numbers of spread s the precision is near 1 / s^2."""
    generator = torch.Generator().manual_seed(0)
    curvature = 1e6 * torch.eye(400, dtype=torch.float64)
    away = 0.2 * torch.randn(400, generator=generator, dtype=torch.float64)
    assert evidence_precision(curvature, away) == pytest.approx(25.0, rel=0.15)


def test_the_divergence_is_that_of_two_gaussians():
    mean, spread = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.3, 2.0]])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, spread), torch.distributions.Normal(torch.zeros(1, 2), 1.5)
    ).sum()
    torch.testing.assert_close(divergence(mean, spread.log(), torch.zeros(1, 2), 1.5), expected)


def test_the_divergence_warms_up(monkeypatch):
    assert [weight_of_divergence(done, 0.5) for done in (0.1, 0.25, 0.5, 1.0)] == [0.2, 0.5, 1.0, 1.0]
    assert weight_of_divergence(0.01, 0.0) == 1.0
    asked = []
    ours = lambda done, warm_up: asked.append((done, warm_up)) or 1.0  # noqa: E731
    monkeypatch.setattr("flarecast.ensembles.bayes.variational.weight_of_divergence", ours)
    monkeypatch.setattr("flarecast.ensembles.bayes.variational.LEAST_STEPS", 4)
    inputs, occurred = logistic_data(10, np.array([1.0]), np.random.default_rng(0))
    drawn_heads("variational", Toy(1), inputs, occurred, n=2)
    assert asked == [(0.25, 0.3), (0.5, 0.3), (0.75, 0.3), (1.0, 0.3)]


def test_numbers_go_into_a_head_and_come_out():
    head = NestedHead(4, Shape(4, 1, 3))
    numbers = torch.randn(2, 5, dtype=torch.float64)
    torch.testing.assert_close(numbers_of(with_numbers(head, numbers)), numbers, rtol=1e-6, atol=1e-6)


@WITHOUT_GP
def test_a_drawn_function_knows_its_kernel_far_away(monkeypatch):
    """Far from all data its values spread as the prior's do; nearby they do not."""
    monkeypatch.setattr("flarecast.ensembles.bayes.gaussian_process.LEAST_STEPS", 150)
    rng = np.random.default_rng(4)
    inputs, occurred = logistic_data(1000, np.array([1.0, 1.0]), rng)
    where = np.concatenate([inputs[:50], inputs[:50] + 60.0])
    got = members("gp", fitted(inputs, occurred), inputs, occurred, where, n=60)[:, 0]
    logit = np.log(got) - np.log1p(-got)
    assert logit[50:].std(axis=1).mean() > 2 * logit[:50].std(axis=1).mean()
    assert FunctionHead(2, Shape(2, 1, 2)).pull.dtype == torch.float64
