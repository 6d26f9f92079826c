"""Kernels and indicators against NumPy and TA-Lib."""

import unittest

import numpy as np
from wirecross import kernels

import reference


class Kernels(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(7)
        self.x = random.normal(100.0, 5.0, 100_003)
        self.y = 0.5 * self.x + random.normal(0.0, 1.0, self.x.size)

    def near(self, found, wanted, relative=1e-12):
        self.assertTrue(abs(found - wanted) <= relative * max(1.0, abs(wanted)), (found, wanted))

    def test_numbers_are_numpys(self):
        x, y = self.x, self.y
        self.near(kernels.sum(x), x.sum())
        self.near(kernels.mean(x), x.mean())
        self.near(kernels.variance(x), x.var())
        self.near(kernels.variance(x, ddof=1), x.var(ddof=1))
        self.near(kernels.dot(x, y), x @ y)
        self.near(kernels.covariance(x, y, ddof=1), np.cov(x, y)[0, 1], 1e-10)
        self.near(kernels.correlation(x, y), np.corrcoef(x, y)[0, 1])
        slope, intercept = kernels.regression(x, y)
        self.near(slope, np.polyfit(x, y, 1)[0], 1e-8)
        self.near(intercept, y.mean() - slope * x.mean(), 1e-10)
        self.assertEqual(kernels.extremes(x), (x.min(), x.max()))
        self.near(kernels.vwap(x, np.abs(y)), (x * np.abs(y)).sum() / np.abs(y).sum())
        np.testing.assert_array_equal(kernels.returns(x), x[1:] / x[:-1] - 1.0)
        np.testing.assert_allclose(kernels.returns(x, log=True), np.log(x[1:] / x[:-1]), atol=1e-15)

    def test_nothing_is_read_but_what_the_array_shows(self):
        # Every second number, turned around, of other types, and of a column among others.
        x = self.x
        views = [x[::2], x[::-1], x.astype(np.float32), np.round(x).astype(np.int32), x[:1000]]
        views += [x[:100_000].reshape(1000, 100)[:, 3], np.asfortranarray(x.reshape(-1, 1))[:, 0]]
        for view in views:
            self.near(kernels.sum(view), view.astype(np.float64).sum())
        swapped = x.astype(">f8")
        self.near(kernels.sum(swapped), x.sum())
        self.assertEqual(kernels.sum([1, 2.5, 3]), 6.5)

    def test_sums_that_cancel(self):
        case = reference.read("stats/stats_sums.json")["alternating_big"]
        found = kernels.sum(case["x"], compensated=True)
        self.assertEqual(found, float(case["sum_correctly_rounded"]))

    def test_bars_are_exact(self):
        random = np.random.default_rng(3)
        prices = random.integers(2**31, 2**32, 5_000, dtype=np.uint32)
        units = random.integers(2**31, 2**32, 5_000, dtype=np.uint32)
        found = kernels.bar(prices, units)
        value = sum(int(price) * int(unit) for price, unit in zip(prices, units))
        self.assertEqual(found.value, value)
        self.assertGreater(value, 2**64)
        self.assertEqual((found.low, found.high), (prices.min(), prices.max()))
        self.assertEqual((found.open, found.close), (prices[0], prices[-1]))
        self.assertEqual((found.count, found.volume), (5_000, int(units.sum(dtype=np.uint64))))
        self.near(found.vwap, value / found.volume)

    def test_indicators_are_ta_libs(self):
        series = reference.columns("indicators/ta_walk.csv")
        close = series["close"]
        found = {
            "EMA_26": kernels.ema(close, 26),
            "SMA_20": kernels.sma(close, 20),
            "RSI_14": kernels.rsi(close, 14),
            "ATR_14": kernels.atr(series["high"], series["low"], close, 14),
        }
        for at, values in enumerate(kernels.macd(close)):
            found[f"MACD_12_26_9__{at}"] = values
        for at, values in enumerate(kernels.bollinger(close)):
            found[f"BBANDS_20_2__{at}"] = values
        for name, values in found.items():
            wanted = series[name]
            np.testing.assert_array_equal(np.isnan(values), np.isnan(wanted), err_msg=name)
            np.testing.assert_allclose(values, wanted, rtol=1e-10, atol=1e-10, err_msg=name)

    def test_refused(self):
        cases = [
            (lambda: kernels.mean([]), "x: too few numbers"),
            (lambda: kernels.variance([1.0], ddof=1), "x: too few numbers"),
            (lambda: kernels.dot([1.0], [1.0, 2.0]), "y: 2 numbers beside 1 of x"),
            (lambda: kernels.regression([1.0, 1.0], [1.0, 2.0]), "x: all numbers are the same"),
            (lambda: kernels.ema([1.0], 0), "period"),
            (lambda: kernels.bar(np.zeros(0, np.uint32), np.zeros(0, np.uint32)), "too few"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            kernels.sum(np.ones((2, 2)))
        # No price is made of what is none.
        with self.assertRaises(TypeError):
            kernels.bar(np.ones(3), np.ones(3))

    def test_packed_records_are_refused_and_not_misread(self):
        packed = np.zeros(10, np.dtype([("flag", "u1"), ("x", "<f8")]))
        packed["x"] = np.arange(10.0)
        with self.assertRaisesRegex(ValueError, "odd addresses"):
            kernels.sum(packed["x"])
        self.assertEqual(kernels.sum(np.require(packed["x"], requirements="A")), 45.0)


if __name__ == "__main__":
    unittest.main()
