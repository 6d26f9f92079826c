"""What the docs show runs."""

import os
import re
import unittest

DOCS = os.path.join(os.path.dirname(__file__), "../../../docs/quant.md")


class Docs(unittest.TestCase):
    def test_the_example_runs(self):
        with open(DOCS, encoding="utf-8") as file:
            examples = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(examples), 1)
        # There is no model of the reader's here.
        lines = [line for line in examples[0].splitlines() if not line.startswith("Model(")]
        names = {}
        exec("\n".join(lines), names)
        self.assertLessEqual(names["best"].gap, 1e-12)


if __name__ == "__main__":
    unittest.main()
