"""Options against closed forms and references; interruption and threads."""

import _thread
import signal
import threading
import unittest

import numpy as np
from wirecross import montecarlo
from wirecross.montecarlo import Contract, Gbm, Heston, Merton

import reference


def gbm(case, steps):
    return Gbm(case["S"], case["vol"], rate=case["r"], years=case["T"], steps=steps)


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
        for contract in [Contract("lookback"), Contract("european")]:
            timer = threading.Timer(0.1, _thread.interrupt_main)
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                montecarlo.price(Gbm(steps=252), contract, 10_000_000_000)
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
