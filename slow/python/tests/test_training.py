"""Training on rows whose best answers are known, and interruption of it."""

import _thread
import signal
import threading
import unittest

import numpy as np
from wirecross import training
from wirecross.models import Model


def examples(count, seed=1):
    """Rows whose class is 1 where the first number is above the second, but for one in ten."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 3)).astype(np.float32)
    labels = (rows[:, 0] > rows[:, 1]).astype(np.int64)
    wrong = random.random(count) < 0.1
    labels[wrong] = 1 - labels[wrong]
    return rows, labels


GROWTH = training.Growth(rounds=60, leaves=8)


class Training(unittest.TestCase):
    def test_trees_learn_what_can_be_known(self):
        rows, labels = examples(6_000)
        found = training.walk(rows, labels, folds=2, gap=3, growth=GROWTH)
        self.assertGreater(found.all.accuracy, 0.86)
        self.assertLess(found.majority.accuracy, 0.6)
        self.assertEqual(found.all.count, sum(fold.quality.count for fold in found.folds))
        for fold in found.folds:
            self.assertEqual(fold.learnt[1] + 3, fold.held_back[0])
            self.assertEqual(fold.held_back[1] + 3, fold.judged[0])
            begin, end = fold.judged
            right = (fold.answers == labels[begin:end]).mean()
            self.assertAlmostEqual(fold.quality.accuracy, right, delta=1e-12)
        again = training.walk(rows, labels, folds=2, gap=3, growth=GROWTH)
        self.assertEqual(again.booster.text(), found.booster.text())

    def test_a_model_is_read_and_answers_as_the_booster_does(self):
        (rows, labels), (later, classes) = examples(2_000), examples(500, seed=2)
        booster = training.train(rows, labels, held_back=(later, classes), growth=GROWTH)
        self.assertTrue(0 < booster.rounds <= 60)
        text = booster.text(["first", "second", "third"])
        self.assertIn("feature_names=first second third", text)
        model = Model(text.encode())
        np.testing.assert_array_equal(model.predict(later).argmax(axis=1), booster.answers(later))
        # Without held back rows all rounds are kept; lists and other layouts are copied.
        growth = training.Growth(rounds=5)
        kept = training.train(np.asfortranarray(rows), labels.tolist(), growth=growth)
        self.assertEqual(kept.rounds, 5)
        self.assertEqual(kept.text(), training.train(rows, labels, growth=growth).text())

    def test_it_may_be_interrupted(self):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        rows, labels = examples(20_000)
        growth = training.Growth(rounds=10_000, patience=10_000)
        for call in [training.walk, training.train]:
            timer = threading.Timer(0.1, _thread.interrupt_main)
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                call(rows, labels, growth=growth)
            timer.join()

    def test_refused(self):
        rows, labels = examples(400)
        booster = training.train(rows, labels, growth=training.Growth(rounds=1))
        cases = [
            (lambda: training.train(rows, labels[1:]), "rows: 1200 numbers beside 1197"),
            (lambda: training.train(rows, -labels), r"labels\[\d+\]: -1 is no class"),
            (lambda: training.train(rows, labels, classes=1), "classes: 1"),
            (lambda: training.train(rows, 0 * labels), "classes: 1"),
            (lambda: training.train(np.inf * rows, labels), r"rows\[0\]"),
            (lambda: training.train(rows, labels, growth=training.Growth(rate=0.0)), "rate: 0"),
            (lambda: training.train(rows[:0], labels[:0]), "classes: 0"),
            (
                lambda: training.train(rows, labels, held_back=(rows[:, :2], labels)),
                "held_back: rows of 2 numbers beside 3",
            ),
            (lambda: training.walk(rows, labels, folds=0), "folds: 0"),
            (lambda: training.walk(rows, labels, folds=50), "examples: 400 numbers"),
            (lambda: booster.text(["one"]), "names: 1 of 3"),
            (lambda: booster.answers(rows[:, :2]), "rows: of 2 numbers, the model has 3"),
        ]
        for call, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                call()
        with self.assertRaises(TypeError):
            training.train(rows, labels + 0.5)


if __name__ == "__main__":
    unittest.main()
