#!/usr/bin/env python3
"""Peers from PyPI beside the module `wirecross`: by turns, in one process on one core, answers
compared.

    cargo x python                                  # builds the wheel and says where it is
    pip install wirecross-*.whl piqp qpsolvers clarabel scipy lightgbm onnxruntime
    taskset -c 0 tools/referees/by_hand/peers.py ../shared/vectors

Times are of the process's CPU and of whole calls from Python, ours with all checks of the inputs.
`ours again` is the noise. Fails if an answer differs from a peer's by more than the row says.
"""

import json
import os
import statistics
import sys
import tempfile
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[threads] = "1"

import lightgbm
import numpy
import onnxruntime
import qpsolvers
import scipy.sparse
from wirecross import models, montecarlo, portfolio

ROUNDS = 5
PATHS = 1_000_000
WORTH = 9.413403383853016  # Black and Scholes
TREE_ROWS, FEATURES = 20_000, 40


def row(name, unit, calls, compare):
    """Times each of `calls` by turns; the first is ours. `unit` is what ns are divided by."""
    names, spent, answers = list(calls), {name: [] for name in calls}, {}
    for _ in range(ROUNDS):
        for each in names:
            begun = time.process_time_ns()
            answers[each] = calls[each]()
            spent[each].append((time.process_time_ns() - begun) / unit[1])
    ours = names[0]
    print(f"\n{name} ({unit[0]})")
    for each in names:
        times = spent[each]
        ratios = sorted(a / b for a, b in zip(spent[ours], times))
        middle, most = statistics.median(times), max(times)
        off = compare(answers[ours], answers[each])
        ratio = f"ours by it {statistics.median(ratios):.4f} ({ratios[0]:.4f} to {ratios[-1]:.4f})"
        print(f"  {each:28} median {middle:12.3f}  max {most:12.3f}  {ratio}  differs by {off:.1e}")
    sys.stdout.flush()


def within(limit):
    """The greatest difference, which may be no more than `limit`."""

    def compare(ours, theirs):
        off = float(numpy.max(numpy.abs(numpy.asarray(ours) - numpy.asarray(theirs))))
        if not off <= limit:
            sys.exit(f"answers differ by {off}, more than {limit}")
        return off

    return compare


def portfolios(folder):
    with open(f"{folder}/portfolio/portfolio.json", encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    for market, kind in [("std1000", "mv_g5"), ("std1000", "minvar"), ("idio1000", "minvar")]:
        part = lambda name: numpy.load(f"{folder}/portfolio/{market}_{name}.npy")
        loadings, factors, own = part("B"), part("f"), part("d")
        matrix = (loadings * factors) @ loadings.T
        matrix = (matrix + matrix.T) / 2.0 + numpy.diag(own)
        known = next(case for case in cases if case["name"] == market)
        case = next(case for case in known["cases"] if case["case"] == kind)
        mean = part("mu") if case["mu"] == "mu" else numpy.zeros(len(own))
        aversion, count = case["gamma"], len(own)
        ones, zeros = numpy.ones((1, count)), numpy.zeros(count)

        def ours():
            return portfolio.optimise(matrix, mean, aversion=aversion).weights

        def by(solver, form, **settings):
            problem = qpsolvers.Problem(
                form(aversion * matrix), -mean, None, None, form(ones), numpy.ones(1), zeros, None
            )
            return lambda: qpsolvers.solve_problem(problem, solver=solver, **settings).x

        calls = {
            "ours": ours,
            "ours again": ours,
            "piqp, dense": by("piqp", lambda x: x, eps_abs=1e-9, eps_rel=1e-9),
            "clarabel": by("clarabel", scipy.sparse.csc_matrix),
        }
        # What a tolerance of theirs leaves open in a weight.
        row(f"1000 assets, {market} {kind}", ("ms", 1e6), calls, within(1e-3))


def paths():
    generator = numpy.random.Generator(numpy.random.SFC64(1))

    def plainly(steps):
        length = 1.0 / steps
        drift, deviation = (0.03 - 0.02) * length, 0.2 * length**0.5
        logs = numpy.zeros(PATHS)
        for _ in range(steps):
            logs += drift + deviation * generator.standard_normal(PATHS)
        gains = numpy.maximum(100.0 * numpy.exp(logs) - 100.0, 0.0)
        return float(numpy.exp(-0.03) * gains.mean())

    for steps in (1, 12, 252):
        model = montecarlo.Gbm(100.0, 0.2, rate=0.03, steps=steps)
        option = montecarlo.Contract("european", "call", 100.0)

        def ours(**how):
            how = {"sampling": "plain", **how}
            return montecarlo.price(model, option, PATHS, **how).value

        calls = {
            "ours, f64": ours,
            "ours again": ours,
            "ours, f32": lambda: ours(precision="single"),
            "ours, f32, antithetic": lambda: ours(precision="single", sampling="antithetic"),
            "numpy, SFC64": lambda: plainly(steps),
        }
        near = lambda ours, theirs: max(within(0.07)(WORTH, ours), within(0.07)(WORTH, theirs))
        row(f"{PATHS} paths of {steps} steps", ("ms", 1e6), calls, near)


def trees():
    generator = numpy.random.default_rng(1)
    rows = generator.standard_normal((TREE_ROWS, FEATURES)).astype(numpy.float32)
    labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] > 0.0).astype(int)
    settings = {"objective": "binary", "max_depth": 6, "num_leaves": 64, "verbose": -1}
    trained = lightgbm.train(settings, lightgbm.Dataset(rows, labels), num_boost_round=100)
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        trained.save_model(file.name)
        with open(file.name, "rb") as text:
            model = models.Model(text.read())
    for count, calls_each in [(1, 500), (1_024, 5)]:
        some = numpy.ascontiguousarray(rows[:count])

        def often(call):
            def repeated():
                for _ in range(calls_each):
                    answer = call()
                return numpy.asarray(answer).ravel()

            return repeated

        calls = {
            "ours": often(lambda: model.predict(some)),
            "ours again": often(lambda: model.predict(some)),
            "lightgbm": often(lambda: trained.predict(some, num_threads=1)),
        }
        unit = ("us a row", 1e3 * calls_each * count)
        row(f"100 trees of 6 levels, {count} rows a call", unit, calls, within(1e-12))


def networks(folder):
    with open(f"{folder}/ml/mlp_weights.json", "rb") as file:
        model = models.Model(file.read())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{folder}/ml/mlp.onnx", options)
    taken, given = session.get_inputs()[0], session.get_outputs()[-1]
    generator = numpy.random.default_rng(2)
    for count, calls_each in [(1, 2_000), (1_024, 20)]:
        rows = generator.standard_normal((count, taken.shape[1])).astype(numpy.float32)

        def often(call):
            def repeated():
                for _ in range(calls_each):
                    answer = call()
                return numpy.asarray(answer).reshape(count, -1)

            return repeated

        calls = {
            "ours": often(lambda: model.predict(rows)),
            "ours again": often(lambda: model.predict(rows)),
            "onnxruntime": often(lambda: session.run([given.name], {taken.name: rows})[0]),
        }
        unit = ("us a row", 1e3 * calls_each * count)
        name = f"a network of {taken.shape[1]} numbers, {count} rows a call"
        row(name, unit, calls, within(1e-5))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    portfolios(sys.argv[1])
    paths()
    trees()
    networks(sys.argv[1])
