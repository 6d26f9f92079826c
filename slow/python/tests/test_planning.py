"""Rebalancing, forecasts and cointegration against their references."""

import unittest

import numpy as np
from wirecross import cointegration, forecasting, rebalancing

import reference


class Rebalancing(unittest.TestCase):
    def test_plans_are_the_reference(self):
        for count in [5, 100, 500, 1000, 5000]:
            case = reference.read(f"market/rebalance_{count}.json")
            names = ["price", "lot", "qty", "target_ppm"]
            found = rebalancing.rebalance(
                *(np.array(case[name], np.int64) for name in names),
                case["cash"],
                fee_ppm=case["fee_ppm"],
                band_ppm=case["band_ppm"],
                min_notional=case["min_notional"],
            )
            wanted = case["expected"]
            self.assertEqual(found.sells.tolist(), wanted["sells"])
            self.assertEqual(found.buys.tolist(), wanted["buys"])
            self.assertEqual(found.total, wanted["total"])
            self.assertEqual(found.cash_after, wanted["cash_after"])

    def test_refused(self):
        one = np.ones(1, np.int64)
        cases = [
            (lambda: rebalancing.rebalance(0 * one, one, one, one, 5), "price"),
            (lambda: rebalancing.rebalance(one, one, one, -one, 5), r"target_ppm\[0\]"),
            (lambda: rebalancing.rebalance(one, one, one, one, -5), "cash"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            rebalancing.rebalance([1.5], one, one, one, 5)


class Forecasting(unittest.TestCase):
    def test_forecasts_are_statsmodels(self):
        for case in reference.read("forecast/forecast.json")["recs"]:
            load = next(iter(reference.columns(f"forecast/load_{case['kind']}.csv").values()))
            wanted = case["hw_add_.2_.01_.1"]
            weights = {"level": 0.2, "trend": 0.01, "seasonal": 0.1}
            train, season = case["train"], case["season"]
            found = forecasting.forecast(
                load[:train], 288, "holt-winters", season=season, **weights
            )
            np.testing.assert_allclose(found[:24], wanted["forecast_first24"], rtol=1e-9)
            naive = forecasting.backtest(load, train, 288, season=season)
            self.assertAlmostEqual(naive.mae, case["seasonal_naive_mae"], delta=1e-9)
            self.assertAlmostEqual(naive.mase, naive.mae / case["mase_scale"], delta=1e-9)
            self.assertEqual(naive.count, load.size - train)

    def test_refused(self):
        cases = [
            (lambda: forecasting.forecast([], 1), "series"),
            (lambda: forecasting.forecast([1.0], 0), "steps: 0"),
            (lambda: forecasting.forecast([1.0], 1, "oracle"), "oracle"),
            (lambda: forecasting.forecast([1.0], 1, "simple", level=2.0), "level"),
            (lambda: forecasting.backtest([1.0, np.nan, 2.0], 2, 1), r"series\[1\]"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()


class Cointegration(unittest.TestCase):
    def test_tests_are_statsmodels(self):
        for case in reference.read("coint/coint.json")["recs"]:
            series = reference.columns("coint/" + case["file"])
            if set(series) != {"x", "y"}:
                continue
            for name, wanted in case["engle_granger"].items():
                trend, lags = name.split("/")
                lags = 1 if lags == "fixed1" else lags
                found = cointegration.engle_granger(series["x"], series["y"], trend, lags)
                statistic = wanted["stat"]
                self.assertAlmostEqual(found.statistic / statistic, 1.0, delta=1e-9)
                self.assertAlmostEqual(found.p_value, wanted["p"], delta=1e-6)
            for name, wanted in case["adf"].items():
                trend, lags = name.split("/")
                lags = int(lags[5:]) if lags.startswith("fixed") else lags.lower()
                spread = self.spread(case, series)
                found = cointegration.adf(spread, trend, lags)
                self.assertAlmostEqual(found.p_value, wanted["p"], delta=1e-6)
                self.assertEqual(found.lags, wanted["lags"])

    def spread(self, case, series):
        """What the references test: a series, or what a line leaves of it."""
        wanted = case["adf"]["c/fixed1"]["stat"]
        line = case["ols_x_on_const_y"]
        left = series["x"] - line["alpha"] - line["beta"] * series["y"]
        for candidate in [series["x"], series["y"], left]:
            if abs(cointegration.adf(candidate, "c", 1).statistic / wanted - 1.0) < 1e-9:
                return candidate
        raise AssertionError(f"{case['name']}: no series has the statistic {wanted}")

    def test_a_scan_is_single_tests(self):
        random = np.random.default_rng(11)
        common = np.cumsum(random.normal(0.0, 1.0, 250))
        series = common + random.normal(0.0, 1.0, (6, 250)) + np.arange(6.0)[:, None]
        series[4:] = np.cumsum(random.normal(0.0, 1.0, (2, 250)), axis=1)
        from_, to, statistic, hedge = cointegration.scan(series)
        self.assertEqual(len(from_), 15)
        for at in range(15):
            y, x = series[from_[at]], series[to[at]]
            one = cointegration.engle_granger(y, [x], "c", 1)
            other = cointegration.engle_granger(x, y, "c", 1)
            self.assertAlmostEqual(statistic[at], one.statistic, delta=1e-8)
            self.assertLessEqual(one.statistic, other.statistic + 1e-8)
            self.assertAlmostEqual(hedge[at], one.coefficients[1], delta=1e-8)

    def test_refused(self):
        walk = np.cumsum(np.random.default_rng(1).normal(0.0, 1.0, 50))
        cases = [
            (lambda: cointegration.adf(np.ones(50)), "all numbers are the same"),
            (lambda: cointegration.adf(walk, "x"), "trend"),
            (lambda: cointegration.adf(walk, "c", "hq"), "lags"),
            (lambda: cointegration.engle_granger(walk, [walk, walk]), "follows from"),
            (lambda: cointegration.engle_granger(walk, walk[:9]), "numbers beside"),
            (lambda: cointegration.scan(np.ones((2, 50))), "all numbers are the same"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()


if __name__ == "__main__":
    unittest.main()
