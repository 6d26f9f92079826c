#!/usr/bin/env python3
"""LightGBM as referee of `wirecross quant train`: reads the model that was written, asks it about the
rows it came from, and is trained itself on the same folds.

    wirecross quant generate rows.csv --count 50000 --rate 0.78
    pip install lightgbm
    tools/referees/by_hand/training.py wirecross-quant rows.csv

Fails if a result of LightGBM's differs from one of `predict`, or if LightGBM is right more often by
one in a hundred.
"""

import csv
import json
import subprocess
import sys
import tempfile

import lightgbm
import numpy

FOLDS, GAP, HELD_BACK = 4, 5, 5
ASKED = 5_000
MORE = 0.01


def ask(program, *words):
    answer = subprocess.run([program, *words, "--json"], check=True, capture_output=True)
    return json.loads(answer.stdout)


def main(program, file):
    with open(file, newline="") as text:
        names, *rows = csv.reader(text)
    at = names.index("label")
    numbers = [[float(x) for x in row[:at] + row[at + 1 :]] for row in rows]
    numbers = numpy.array(numbers, dtype=numpy.float32).astype(float)
    with tempfile.TemporaryDirectory() as folder:
        model, some = f"{folder}/model.txt", f"{folder}/some.csv"
        words = ["--model", model, "--folds", str(FOLDS), "--gap", str(GAP)]
        ours = ask(program, "train", file, *words)
        numpy.savetxt(some, numbers[:ASKED], delimiter=",", fmt="%.17g")
        answers = ask(program, "predict", model, some)["rows"]
        answers = numpy.array([row["results"] for row in answers])
        theirs = lightgbm.Booster(model_file=model).predict(numbers[:ASKED])
    off = numpy.abs(answers - theirs).max()
    labels = numpy.array([ours["classes"].index(row[at]) for row in rows])
    rate = walk(numbers, labels, len(ours["classes"]))
    found = ours["all"]["accuracy"]
    print(f"results differ by at most {off:.1e}; right on later rows: {found:.2%}, LightGBM {rate:.2%}")
    return int(off > 1e-12 or rate > found + MORE)


def walk(numbers, labels, classes):
    settings = dict(objective="multiclass", num_class=classes, lambda_l2=1.0, verbose=-1, num_threads=1)
    part, right, judged = len(labels) // (FOLDS + 1), 0, 0
    for fold in range(FOLDS):
        start = part * (fold + 1)
        end = len(labels) if fold + 1 == FOLDS else start + part
        known = start - GAP
        held = known - known // HELD_BACK
        learnt = lightgbm.Dataset(numbers[: held - GAP], labels[: held - GAP])
        later = lightgbm.Dataset(numbers[held:known], labels[held:known], reference=learnt)
        stop = lightgbm.early_stopping(20, verbose=False)
        trees = lightgbm.train(settings, learnt, 500, [later], callbacks=[stop])
        answers = trees.predict(numbers[start:end]).argmax(axis=1)
        right += (answers == labels[start:end]).sum()
        judged += end - start
    return right / judged


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
