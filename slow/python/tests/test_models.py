"""Models against the libraries that made them."""

import json
import unittest

import numpy as np
from wirecross.models import Model

import reference


def model(name):
    with open(reference.path(f"ml/{name}"), "rb") as file:
        return Model(file.read())


class Models(unittest.TestCase):
    def test_trees_are_their_libraries(self):
        rows = reference.table("ml/ml_inputs.csv", np.float32)
        for kind in ["binary", "multiclass", "regression"]:
            forest = model(f"lgb_{kind}.txt")
            self.assertEqual(forest.features, rows.shape[1])
            raw = reference.table(f"ml/lgb_{kind}_raw.csv")
            np.testing.assert_array_equal(forest.margins(rows), raw, err_msg=kind)
            wanted = reference.table(f"ml/lgb_{kind}_prob.csv")
            np.testing.assert_allclose(forest.predict(rows), wanted, atol=1e-12, err_msg=kind)
        for kind in ["binary", "multiclass"]:
            forest = model(f"xgb_{kind}.json")
            raw = reference.table(f"ml/xgb_{kind}_raw.csv", np.float32)
            found = forest.margins(rows).astype(np.float32)
            np.testing.assert_array_equal(found, raw, err_msg=kind)
            np.testing.assert_array_equal(forest.margins(np.asfortranarray(rows)), found)

    def test_networks_are_scikit_learns(self):
        network = model("mlp_weights.json")
        rows = reference.table("ml/mlp_inputs.csv", np.float32)
        found = network.predict(rows)
        self.assertEqual(found.shape, (rows.shape[0], network.outputs))
        wanted = reference.table("ml/mlp_prob.csv")
        np.testing.assert_allclose(found, wanted, atol=1e-6)
        # Numbers of other types are taken as float32.
        np.testing.assert_array_equal(network.predict(rows.astype(np.float64)), found)

    def test_refused(self):
        logistic = Model(json.dumps({"coef": [1.0, 2.0], "intercept": 0.5}).encode())
        cases = [
            (lambda: Model(b""), "line 1"),
            (lambda: Model(b"tree\nversion=v4\n"), "cut off"),
            (lambda: Model(b'{"learner": {}}'), "gradient_booster"),
            (lambda: logistic.predict(np.ones((2, 3))), "of 3 numbers, the model has 2"),
            (lambda: logistic.margins(np.ones((1, 2))), "only trees"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            logistic.predict(np.ones(2))
        self.assertEqual(logistic.predict(np.ones((0, 2))).shape[0], 0)


if __name__ == "__main__":
    unittest.main()
