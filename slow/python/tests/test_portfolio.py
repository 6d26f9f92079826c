"""Portfolios against certified ones, estimates against NumPy."""

import _thread
import signal
import threading
import unittest

import numpy as np
from wirecross import portfolio

import reference

# Further sizes are tried by the tests of the crate.
MARKETS = ["std5", "std20", "std100", "lw120", "idio300"]


class Market:
    """A market of the references, as a matrix and, but for one, as factors."""

    def __init__(self, name):
        self.name = name
        cases = reference.read("portfolio/portfolio.json")["cases"]
        self.case = next(case for case in cases if case["name"] == name)
        self.mean = self.array("mu")
        if name == "lw120":
            self.forms = [self.array("S")]
            return
        loadings, factors, own = (self.array(part) for part in "Bfd")
        matrix = (loadings * factors) @ loadings.T
        matrix = (matrix + matrix.T) / 2.0 + np.diag(own)
        self.forms = [matrix, (loadings, factors, own)]

    def array(self, part):
        return reference.array(f"portfolio/{self.name}_{part}.npy")


class Portfolios(unittest.TestCase):
    def test_weights_are_the_certified_ones(self):
        for market in map(Market, MARKETS):
            for case in market.case["cases"]:
                wanted = reference.array("portfolio/" + case["w_file"])
                for form in market.forms:
                    if case["case"] == "maxsharpe":
                        riskless = case.get("rf") or 0.0
                        found = portfolio.max_sharpe(form, market.mean, riskless=riskless)
                    else:
                        mean = market.mean if case["mu"] == "mu" else None
                        aversion, most = case["gamma"], case["hi"]
                        found = portfolio.optimise(form, mean, aversion=aversion, upper=most)
                    place = f"{market.name} {case['case']}"
                    np.testing.assert_allclose(found.weights, wanted, atol=1e-8, err_msg=place)
                    worst = max(found.equality, found.bound, found.stationarity, found.gap)
                    self.assertLessEqual(worst, 1e-12, place)

    def test_frontiers_are_the_reference(self):
        market = Market("std100")
        found = portfolio.frontier(market.forms[0], market.mean)
        self.assertEqual(found.weights.shape, (len(found), 100))
        self.assertTrue(np.all(np.diff(found.means) > 0.0))
        compared = 0
        for mean, deviation in market.case["frontier_ret_vol_piqp_1e-12"]:
            if found.means[0] <= mean <= found.means[-1]:
                weights, variance = found.at_mean(mean)
                self.assertAlmostEqual(np.sqrt(variance) / deviation, 1.0, delta=1e-7)
                self.assertAlmostEqual(weights @ market.forms[0] @ weights, variance, delta=1e-12)
                compared += 1
        self.assertGreater(compared, 10)

    def test_a_target_return_is_an_equality(self):
        market = Market("std20")
        matrix, target = market.forms[0], float(market.mean.mean())
        found = portfolio.optimise(matrix, equalities=[(market.mean, target)])
        self.assertAlmostEqual(found.weights @ market.mean, target, delta=1e-12)
        variance = portfolio.frontier(matrix, market.mean).at_mean(target)[1]
        self.assertAlmostEqual(found.weights @ matrix @ found.weights, variance, delta=1e-12)
        again = portfolio.optimise(
            matrix, equalities=[(market.mean, target)], start=found.weights
        )
        np.testing.assert_allclose(again.weights, found.weights, atol=1e-12)
        self.assertLessEqual(again.steps, found.steps)

    def test_constraints_are_kept_and_proved(self):
        market = Market("std20")
        sector = np.zeros(20)
        sector[:5] = 1.0
        rows = np.vstack([sector, market.mean])
        for form in market.forms:
            common = {"aversion": 5.0, "upper": 0.3}
            free = portfolio.optimise(form, market.mean, **common)
            loose = portfolio.constrained(form, market.mean, **common)
            np.testing.assert_allclose(loose.weights, free.weights, atol=1e-9)
            # As an equality, and as a limit on either side that binds.
            target = 0.5 * (sector @ free.weights)
            wanted = portfolio.optimise(
                form, market.mean, equalities=[(sector, target)], **common
            )
            limits = [(target, target), (-np.inf, target)]
            for lower, upper in limits:
                found = portfolio.constrained(
                    form,
                    market.mean,
                    constraints=([sector], lower, upper),
                    names=["sector"],
                    **common,
                )
                np.testing.assert_allclose(found.weights, wanted.weights, atol=1e-8)
                self.assertEqual(found.method, "active-set")
                self.assertLessEqual(found.gap, 1e-9)
            reached = rows @ free.weights
            found = portfolio.constrained(
                form,
                market.mean,
                constraints=(rows, [-np.inf, reached[1]], [target, np.inf]),
                **common,
            )
            value = rows @ found.weights
            self.assertTrue(value[0] <= target + 1e-9 and value[1] >= reached[1] - 1e-9)

    def test_turnover_and_costs_hold_back(self):
        market = Market("std20")
        held = np.full(20, 0.05)
        for form in market.forms:
            free = portfolio.optimise(form, market.mean, aversion=5.0)
            way = np.abs(free.weights - held).sum()
            found = portfolio.constrained(
                form, market.mean, aversion=5.0, held=held, turnover=0.25 * way
            )
            self.assertAlmostEqual(found.turnover, 0.25 * way, delta=1e-7)
            self.assertAlmostEqual(np.abs(found.weights - held).sum(), found.turnover)
            self.assertGreater(found.turnover_multiplier, 0.0)
            self.assertLessEqual(max(found.gap, found.turnover_beyond, found.budget), 1e-7)
            costly = portfolio.constrained(
                form, market.mean, aversion=5.0, held=held, cost=1.0
            )
            np.testing.assert_allclose(costly.weights, held, atol=1e-7)

    def test_constraints_that_cannot_be_are_named(self):
        one, pair = np.eye(3), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])

        def of(rows, least, most, **more):
            return lambda: portfolio.constrained(one, constraints=(rows, least, most), **more)

        cases = [
            (of(pair, 0.9, np.inf, names=["a", "b"], upper=0.6), '"a", "b" together'),
            (of(pair[:1], 2.0, np.inf, names=["tech"]), '"tech": at least 2 is asked for'),
            (of(pair, 0.6, 0.5), '"constraint 0": its lower limit'),
            (of(pair, [0.1], np.inf), "lower: 1 numbers beside 2 of constraints"),
            (of(pair, 0.1, np.inf, names=["a"]), "names: 1 numbers beside 2"),
            (of(pair, np.nan, np.inf), "lower limit"),
            (of(np.ones((1, 2)), 0.0, 1.0), "rows of 2 numbers, there are 3 assets"),
            (of(pair, 0.1, np.inf, turnover=0.2), "held: "),
            (lambda: portfolio.constrained(one, cost=0.1), "held: "),
            (lambda: portfolio.constrained(one, names=["a"]), "names: 1 numbers beside 0"),
            (lambda: portfolio.constrained(one, held=[1.0], cost=0.1), "held: 1 numbers"),
            (lambda: portfolio.constrained(one, held=np.ones(3), turnover=-1.0), "turnover"),
            (lambda: portfolio.constrained(np.zeros((0, 0))), "assets: 0"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()

    def test_rows_and_columns_may_lie_either_way(self):
        # Not symmetric but for rounding: what is read by columns would be another matrix.
        market = Market("lw120")
        matrix, bounds = market.forms[0], np.linspace(0.05, 1.0, 120)
        found = portfolio.optimise(matrix, market.mean, upper=bounds)
        turned = portfolio.optimise(np.asfortranarray(matrix), market.mean, upper=bounds)
        np.testing.assert_array_equal(found.weights, turned.weights)
        random = np.random.default_rng(5)
        returns = random.normal(0.0, 0.01, (60, 7))
        by_rows, by_columns = (
            portfolio.estimate(form, "sample").covariance
            for form in (returns, np.asfortranarray(returns))
        )
        np.testing.assert_array_equal(by_rows, by_columns)
        np.testing.assert_allclose(by_rows, np.cov(returns.T), rtol=1e-10)

    def test_a_frontier_may_be_interrupted(self):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        # Some 900 corners with hundreds of assets held.
        market = Market("idio1000")
        timer = threading.Timer(0.05, _thread.interrupt_main)
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            portfolio.frontier(market.forms[0], market.mean)
        timer.join()

    def test_parity_views_and_estimates(self):
        market = Market("std20")
        matrix = market.forms[0]
        found = portfolio.risk_parity(matrix, np.arange(1.0, 21.0))
        parts = portfolio.contributions(matrix, found.weights)
        np.testing.assert_allclose(parts / parts.sum(), np.arange(1.0, 21.0) / 210.0, atol=1e-9)
        self.assertAlmostEqual(parts.sum() ** 2, found.weights @ matrix @ found.weights)
        prior = portfolio.implied_mean(matrix, found.weights, aversion=2.5)
        np.testing.assert_allclose(prior, 2.5 * matrix @ found.weights, rtol=1e-12)
        view = np.eye(20)[3]
        after = portfolio.black_litterman(matrix, prior, [(view, 0.2, 1e-4)])
        scaled = 0.05 * matrix
        wanted = prior + scaled[:, 3] * (0.2 - prior[3]) / (scaled[3, 3] + 1e-4)
        np.testing.assert_allclose(after, wanted, rtol=1e-10)
        returns = reference.array("portfolio/lw120_X.npy")
        wanted = reference.array("portfolio/lw120_S.npy")
        found = portfolio.estimate(returns)
        np.testing.assert_allclose(252.0 * found.covariance, wanted, rtol=1e-9, atol=1e-12)
        self.assertTrue(0.0 < found.shrinkage < 1.0)

    def test_losses(self):
        case = reference.read("mc/mc_refs.json")["gaussian_var_es"]
        for level, name in [(0.95, "95"), (0.99, "99")]:
            at_risk, shortfall = portfolio.gaussian_risk(0.0, case["std"], level)
            self.assertAlmostEqual(at_risk / case["VaR" + name], 1.0, delta=1e-12)
            self.assertAlmostEqual(shortfall / case["ES" + name], 1.0, delta=1e-12)
        gains = -np.arange(1.0, 101.0)
        at_risk, shortfall = portfolio.historical_risk(gains, 0.9)
        self.assertAlmostEqual(at_risk, 90.0)
        self.assertAlmostEqual(shortfall, 95.5)
        self.assertEqual(portfolio.drawdown([1.0, 4.0, 2.0, 3.0, 1.0, 5.0]), (0.75, 1, 4))

    def test_refused(self):
        one = np.eye(3)
        cases = [
            (lambda: portfolio.optimise(one, lower=0.5), "sum of lower bounds: 1.5"),
            (lambda: portfolio.optimise(one, [1.0, np.nan, 1.0]), r"mean\[1\]"),
            (lambda: portfolio.optimise(one, [1.0, 2.0]), "mean: 2 numbers beside 3"),
            (lambda: portfolio.optimise(np.ones((3, 3))), "follows from"),
            (lambda: portfolio.optimise(np.ones((2, 3))), "not square"),
            (lambda: portfolio.optimise(np.zeros((0, 0))), "assets: 0"),
            (lambda: portfolio.optimise(one, aversion=0.0), "aversion: 0"),
            (lambda: portfolio.estimate(np.ones((5, 2)), "guess"), "guess"),
            (lambda: portfolio.estimate(np.zeros((0, 0))), "assets: 0"),
            (lambda: portfolio.historical_risk([]), "gains: 0 numbers"),
            (lambda: portfolio.frontier(one, [1.0, 2.0, 3.0]).at_mean(4.0), "above the greatest"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            portfolio.optimise(object())


if __name__ == "__main__":
    unittest.main()
