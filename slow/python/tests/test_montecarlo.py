"""Options against closed forms and references; interruption and threads."""

import _thread
import math
import signal
import threading
import unittest

import numpy as np
from wirecross import montecarlo
from wirecross.montecarlo import Basket, Contract, CorrelatedGbm, Gbm, Heston, Merton

import reference


def gbm(case, steps):
    return Gbm(case["S"], case["vol"], rate=case["r"], years=case["T"], steps=steps)


ONES = np.ones(2)
TWO = CorrelatedGbm([100.0, 50.0], [0.2, 0.3], np.eye(2))


class MonteCarlo(unittest.TestCase):
    def near(self, found, wanted, error=0.0):
        bound = 4.5 * np.hypot(found.error, error)
        self.assertLessEqual(abs(found.value - wanted), bound, (found.value, wanted, found.error))

    def test_options_are_the_reference(self):
        for case in reference.read("mc/mc_refs.json")["options"][:4]:
            model = gbm(case, 12)
            for kind in ["call", "put"]:
                wanted = case[kind]
                self.assertAlmostEqual(model.european(kind, case["K"]), wanted, delta=1e-9)
                contract = Contract("european", kind, case["K"])
                for sampling in ["plain", "antithetic", "stratified", "sobol"]:
                    found = montecarlo.price(model, contract, 40_000, sampling=sampling)
                    self.assertGreaterEqual(found.paths, 40_000)
                    self.near(found, wanted)
                self.near(montecarlo.price(model, contract, 40_000, precision="single"), wanted)
            geometric = model.geometric_asian("call", case["K"])
            self.assertAlmostEqual(geometric, case["asian_geo_12"], delta=1e-9)
            found = montecarlo.price(model, Contract("asian", "call", case["K"]), 40_000)
            self.near(found, case["asian_arith_12"], case["asian_arith_12_se"])

    def test_the_same_seed_gives_the_same_bits(self):
        model, contract = Gbm(steps=5), Contract("lookback", "put")
        first, again = (montecarlo.price(model, contract, 5_000).value for _ in range(2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, montecarlo.price(model, contract, 5_000, seed=2).value)

    def test_paths_are_those_of_the_model(self):
        model = Gbm(100.0, 0.3, rate=0.05, years=2.0, steps=4)
        paths = montecarlo.paths(model, 50_001)
        self.assertEqual(paths.shape, (50_001, 4))
        logs = np.diff(np.log(paths), axis=1)
        np.testing.assert_allclose(logs.std(axis=0), 0.3 * np.sqrt(0.5), rtol=0.02)
        np.testing.assert_allclose(logs.mean(axis=0), 0.5 * (0.05 - 0.045), atol=0.005)
        # A payoff of one's own is that of the library.
        worth = np.exp(-0.1) * np.maximum(paths.max(axis=1) - 110.0, 0.0)
        found = montecarlo.price(model, Contract("lookback", "call", 110.0), 50_000, seed=9)
        self.near(found, worth.mean(), worth.std() / np.sqrt(worth.size))

    def test_an_exchange_is_worth_margrabes_formula(self):
        starts, deviations, dividends = [90.0, 62.0], [0.2, 0.35], [0.02, 0.0]
        matrix = np.array([[1.0, 0.6], [0.6, 1.0]])
        model = CorrelatedGbm(
            starts, deviations, matrix, dividends=dividends, rate=0.03, years=1.5
        )
        got, given = 2.0 * 90.0 * math.exp(-0.02 * 1.5), 3.0 * 62.0
        deviation = math.sqrt((0.2**2 + 0.35**2 - 2 * 0.6 * 0.2 * 0.35) * 1.5)
        above = math.log(got / given) / deviation + deviation / 2.0

        def below(x):
            return math.erfc(-x / math.sqrt(2.0)) / 2.0

        wanted = got * below(above) - given * below(above - deviation)
        basket = Basket([2.0, -3.0], "call", 0.0)
        self.assertAlmostEqual(model.exactly(basket), wanted, delta=1e-10)
        for sampling in ["plain", "antithetic", "stratified", "sobol"]:
            self.near(montecarlo.price(model, basket, 40_000, sampling=sampling), wanted)
        best = Basket([2.0, 3.0], "call", 0.0, together="best")
        self.near(montecarlo.price(model, best, 40_000), given + wanted)
        worst = Basket([2.0, 3.0], "call", 0.0, together="worst")
        self.near(montecarlo.price(model, worst, 40_000), got - wanted)
        self.assertIsNone(model.exactly(best))

    def test_assets_move_together_as_they_are_told(self):
        matrix = np.array([[1.0, 0.5, -0.2], [0.5, 1.0, 0.0], [-0.2, 0.0, 1.0]])
        deviations = np.array([0.2, 0.3, 0.1])
        model = CorrelatedGbm([100.0, 50.0, 10.0], deviations, matrix, years=2.0, steps=4)
        self.assertEqual(model.assets, 3)
        paths = montecarlo.paths(model, 50_001)
        self.assertEqual(paths.shape, (50_001, 4, 3))
        logs = np.diff(np.log(paths), axis=1).reshape(-1, 3)
        np.testing.assert_allclose(logs.std(axis=0), deviations * np.sqrt(0.5), rtol=0.02)
        np.testing.assert_allclose(np.corrcoef(logs.T), matrix, atol=0.01)
        # A payoff of one's own is that of the library.
        weights = np.array([1.0, 2.0, 5.0])
        worth = np.maximum(paths[:, -1] @ weights - 240.0, 0.0)
        found = montecarlo.price(model, Basket(weights, "call", 240.0), 20_000, seed=9)
        self.near(found, worth.mean(), worth.std() / np.sqrt(worth.size))
        self.assertLess(found.error, 0.05 * worth.std() / np.sqrt(20_000))
        # One asset is no basket.
        alone = CorrelatedGbm([100.0], [0.2], [[1.0]])
        self.assertAlmostEqual(alone.exactly(Basket([1.0])), Gbm().european(), delta=1e-12)

    def test_other_models(self):
        calm = montecarlo.price(Merton(jumps=0.0), Contract(), 50_000)
        self.near(calm, Gbm().european())
        variance = {"mean_variance": 0.04, "variance_volatility": 1e-6}
        calm = montecarlo.price(Heston(volatility=0.2, **variance), Contract(), 50_000)
        self.near(calm, Gbm().european())
        # Both are worth an option without a barrier.
        model = Gbm(steps=50)
        both = [
            montecarlo.price(model, Contract(style, "put", 100.0, barrier=90.0), 20_000).value
            for style in ["knock-in", "knock-out"]
        ]
        whole = montecarlo.price(model, Contract("european", "put"), 20_000)
        self.assertAlmostEqual(sum(both), whole.value, delta=5.0 * whole.error)
        early = montecarlo.price(Gbm(rate=0.05, steps=50), Contract("american", "put"), 20_000)
        self.assertGreater(early.value, Gbm(rate=0.05).european("put"))

    def test_other_threads_run_and_may_interrupt_it(self):
        # Who is started in the background by a shell ignores what is asked for here.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        # Hours of work: it ends only because another thread, which runs meanwhile, asks for it.
        long = Gbm(steps=252)
        works = [(long, Contract("lookback")), (long, Contract("european")), (TWO, Basket(ONES))]
        for model, contract in works:
            timer = threading.Timer(0.1, _thread.interrupt_main)
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                montecarlo.price(model, contract, 10_000_000_000)
            timer.join()

    def test_refused(self):
        cases = [
            (lambda: Gbm(-1.0), "start"),
            (lambda: Gbm(steps=0), "steps: 0"),
            (lambda: Gbm(volatility=float("nan")), "volatility"),
            (lambda: Gbm().european("call", -1.0), "strike"),
            (lambda: Gbm().european("straddle"), "straddle"),
            (lambda: Contract("bermudan"), "bermudan"),
            (lambda: Contract("european", barrier=90.0), "barrier"),
            (lambda: Contract("knock-in"), "barrier"),
            (lambda: Contract(strike=float("inf")), "strike"),
            (lambda: montecarlo.price(Gbm(), Contract(), 0), "paths: 0"),
            (lambda: montecarlo.price(Gbm(), Contract(), sampling="x"), "sampling"),
            (lambda: montecarlo.price(Gbm(), Contract("asian"), precision="single"), "precision"),
            (lambda: montecarlo.price(Gbm(), Contract("american"), precision="single"), "single"),
            (lambda: Basket([np.nan]), "weight: NaN"),
            (lambda: Basket([1.0], together="all"), "together"),
            (lambda: CorrelatedGbm([1.0], [0.1, 0.2], [[1.0]]), "volatilities: 2 numbers"),
            (lambda: CorrelatedGbm([1.0, 1.0], [0.1, 0.2], np.ones((2, 3))), "correlations: 2 rows of 3"),
            (lambda: CorrelatedGbm([1.0, 1.0], [0.1, 0.2], 2 * np.eye(2)), "the diagonal"),
            (lambda: CorrelatedGbm(ONES, ONES, np.ones((1, 4))), "1 rows of 4 numbers"),
            (lambda: CorrelatedGbm([], [], np.ones((0, 0))), "assets: 0"),
            (lambda: montecarlo.price(Gbm(), Basket([1.0])), "CorrelatedGbm"),
            (lambda: montecarlo.price(TWO, Contract()), "a Basket"),
            (lambda: montecarlo.price(TWO, Basket([1.0])), "weights: 1 numbers"),
            (lambda: TWO.exactly(Basket([1.0])), "weights: 1 numbers"),
            (lambda: montecarlo.price(TWO, Basket(ONES), precision="single"), "single"),
            (lambda: montecarlo.paths(Gbm(), 0), "count: 0"),
            (lambda: montecarlo.paths(Gbm(), 2**40), "count"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(OverflowError):
            montecarlo.price(Gbm(), Contract(), -1)


if __name__ == "__main__":
    unittest.main()
