"""Referee: thirty minutes of Bitstamp's real orders, as PyPI's ob-analytics ships them.

Its file is played here by plain dictionaries, and every row that `wirecross quant features` writes
of it is compared: what stood, what the middle did, what a trade would have brought. Then trees are
trained on the rows, walking forward, and what comes out is said as it is.
"""

import sys

sys.dont_write_bytecode = True

import bisect
import csv
import gzip
import importlib.util
import json
import pathlib
import subprocess
import tempfile
from decimal import Decimal

from subject.venue import BOUND_S, Refusal, built, check

NAME = "bitstamp"
EVERY_MS, AHEAD, MOVE = 500, 20, 1
OVERLAP_MS = 1_000
LEVELS, NEAR_TICKS = 5, 10
BACK_MS = [1_000, 5_000, 30_000]
FOLDS = 4
TRAINING = ["--folds", FOLDS, "--gap", AHEAD, "--leaves", 7, "--least-rows", 50, "--rate", 0.05]


def recording():
    """Where the package keeps its file; the package itself is not run."""
    found = importlib.util.find_spec("ob_analytics")
    check(found, "PyPI's ob-analytics is missing: `cargo x setup` installs it")
    return pathlib.Path(found.submodule_search_locations[0]) / "_sample_data/orders.csv.gz"


class Side:
    """Quantities by price, the best price first by `sign`."""

    def __init__(self, sign):
        self.sign, self.stands, self.order = sign, {}, []

    def add(self, price, change):
        before = self.stands.get(price, 0)
        after = before + change
        if before == 0 and after > 0:
            bisect.insort(self.order, self.sign * price)
        elif before > 0 and after == 0:
            self.order.pop(bisect.bisect_left(self.order, self.sign * price))
        self.stands[price] = after

    def levels(self, count):
        return [(self.sign * key, self.stands[self.sign * key]) for key in self.order[:count]]


class Book:
    """Orders one by one, and the book as it last was a market."""

    def __init__(self):
        self.sides = {"bid": Side(-1), "ask": Side(1)}
        self.orders, self.since, self.market = {}, None, None

    def line(self, number, row):
        key, price = row["id"], int(Decimal(row["price"]))
        quantity = int(Decimal(row["volume"]) * 10**8)
        before = self.drop(key)
        stays = row["action"] != "deleted" and quantity > 0
        if stays and (before or row["action"] == "created"):
            came = before[3] if before else number
            self.orders[key] = (row["direction"], price, quantity, came)
            self.sides[row["direction"]].add(price, quantity)
        now = int(row["exchange_timestamp"])
        if self.overlaps():
            self.since = now if self.since is None else self.since
            if now - self.since <= OVERLAP_MS:
                return
            while self.overlaps():
                self.drop(self.oldest_best())
        self.since = None
        self.market = self.look()

    def drop(self, key):
        order = self.orders.pop(key, None)
        if order:
            self.sides[order[0]].add(order[1], -order[2])
        return order

    def best(self):
        bids, asks = (self.sides[name].levels(1) for name in ["bid", "ask"])
        return (bids[0], asks[0]) if bids and asks else None

    def overlaps(self):
        best = self.best()
        return best is not None and best[0][0] >= best[1][0]

    def oldest_best(self):
        at = dict(zip(["bid", "ask"], (level[0] for level in self.best())))
        orders = self.orders.items()
        best = [(order[3], key) for key, order in orders if order[1] == at[order[0]]]
        return min(best)[1]

    def look(self):
        best = self.best()
        if best is None:
            return None
        return best, [self.sides[name].levels(40) for name in ["bid", "ask"]]


def played(file):
    """What stood at even times, from what came before each."""
    book, seen, due = Book(), [], None
    with gzip.open(file, "rt", newline="") as text:
        for number, row in enumerate(csv.DictReader(text)):
            received = int(row["timestamp"])
            due = received + EVERY_MS if due is None else due
            while received >= due:
                seen.append(book.market)
                due += EVERY_MS
            book.line(number, row)
    return seen


def part(bids, asks):
    return (bids - asks) / (bids + asks)


def expected(seen):
    """The rows that there must be."""
    middle = [market and (market[0][0][0] + market[0][1][0]) / 2 for market in seen]
    for at, market in enumerate(seen):
        later = seen[at + AHEAD] if at + AHEAD < len(seen) else None
        if not market or not later:
            continue
        ((bid, bids), (ask, asks)), levels = market
        change = middle[at + AHEAD] - middle[at]
        near = [
            sum(lots for price, lots in side if abs(price - side[0][0]) <= NEAR_TICKS)
            for side in levels
        ]
        row = {
            "spread": ask - bid,
            "microprice": bid + (ask - bid) * bids / (bids + asks) - middle[at],
            "imbalance": part(bids, asks),
            "imbalance_levels": part(*(sum(lots for _, lots in s[:LEVELS]) for s in levels)),
            "near": part(*near),
            "future_buy": later[0][0][0] - ask,
            "future_sell": bid - later[0][1][0],
            "label": "BUY" if change >= MOVE else "SELL" if change <= -MOVE else "HOLD",
        }
        for back in BACK_MS:
            before = at - back // EVERY_MS
            known = before >= 0 and middle[before] is not None
            row[f"moved_{back}ms"] = middle[at] - middle[before] if known else None
        yield row


def compare(found, wanted):
    check(len(found) == len(wanted), f"{len(found)} rows, {len(wanted)} are right")
    for number, (row, right) in enumerate(zip(found, wanted)):
        for name, value in right.items():
            cell = row[name]
            if isinstance(value, str) or value is None:
                is_so = cell == (value or "")
            else:
                is_so = abs(float(cell) - value) <= 1e-6
            check(is_so, f"row {number + 1}, {name}: {cell}, {value} is right")


def majority(labels):
    """How often the commonest label of all before a fold was right in it."""
    size, right = len(labels) // (FOLDS + 1), 0
    for fold in range(1, FOLDS + 1):
        end = len(labels) if fold == FOLDS else size * (fold + 1)
        seen = labels[: size * fold - AHEAD]
        usual = max(sorted(set(seen)), key=seen.count)
        right += labels[size * fold : end].count(usual)
    return right / (len(labels) - size)


def ask(program, *words):
    words = [str(program), *map(str, words), "--json"]
    answer = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=BOUND_S * 10)
    check(answer.returncode == 0, f"`{' '.join(words)}` failed")
    return json.loads(answer.stdout)


def judge(program, folder):
    file, rows, model = recording(), folder / "rows.csv", folder / "model.txt"
    steps = ["--every-ms", EVERY_MS, "--ahead", AHEAD, "--move", MOVE, "--tick", 1]
    told = ask(program, "features", file, rows, *steps)
    with open(rows, newline="") as text:
        found = list(csv.DictReader(text))
    compare(found, list(expected(played(file))))
    check(told["rows"] == len(found), f"{told['rows']} rows told, {len(found)} written")
    earns = ["--earns", "BUY=future_buy", "--earns", "SELL=future_sell"]
    words = ["train", rows, "--model", model, *TRAINING, *earns]
    plain, balanced = ask(program, *words), ask(program, *words, "--balanced")
    check(plain == ask(program, *words), "trained twice, and found two things")
    usual = majority([row["label"] for row in found])
    for learnt in [plain, balanced]:
        told = learnt["majority"]["accuracy"]
        check(abs(usual - told) < 1e-12, f"the majority is right in {usual}, not in {told}")
    lines = [f"{len(found)} rows equal"]
    lines += verdict("as rows are", plain) + verdict("labels weighing the same", balanced)
    return "\n  ".join(lines)


def verdict(how, learnt):
    """What came out on later rows, good or not."""
    lines = [f"trained on rows, {how}; on later rows"]
    for name in ["accuracy", "balanced_accuracy", "macro_f1"]:
        found, usual = learnt["all"][name], learnt["majority"][name]
        beat = learnt["beats_majority"][name]
        points, above = beat["points"], beat["folds_above"]
        check(abs(points - 100 * (found - usual)) < 1e-9, f"{name}: {points} points")
        check(beat["beats"] == (points > 0 and above == FOLDS), f"{name}: {beat}")
        word = "beats" if beat["beats"] else "does NOT beat"
        lines.append(
            f"  {name} {found:.2%} {word} the majority's {usual:.2%}: above in {above} of {FOLDS}"
        )
    earned = learnt["earned"]
    lines.append(f"  {earned['trades']} trades brought {earned['total']:.1f} ticks after the spread")
    return lines


def main():
    try:
        program = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
        program = program or built("calculator", "wirecross-quant")
        with tempfile.TemporaryDirectory() as folder:
            print(f"{NAME}: {judge(program, pathlib.Path(folder))}", flush=True)
    except (Refusal, OSError, subprocess.SubprocessError) as refusal:
        print(f"{NAME}: REFUSED: {refusal}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
