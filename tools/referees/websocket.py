"""Referee: Autobahn's cases of WebSocket, as the PyPI package kosoku plays them.

An echo server speaks the protocol by our crate; every case of framing, pings, reserved bits, opcodes,
fragments, UTF-8 and closes must pass, and those of automatic fragmentation.
"""

import sys

sys.dont_write_bytecode = True

import json
import os
import pathlib
import subprocess

from subject.venue import BUILD_BOUND_S, JUDGE_BOUND_S, ROOT, check, judged, wait_until

NAME = "websocket"
GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
CASES = 247


def echo():
    """Builds the server, and says where it is."""
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--quiet", "--profile", "checked"]
    chosen = ["--package", "websocket", "--example", "echo", "--message-format", "json"]
    made = subprocess.run(
        cargo + chosen, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=BUILD_BOUND_S
    )
    check(made.returncode == 0, "the server cannot be built: see above")
    lines = map(json.loads, made.stdout.splitlines())
    return [it["executable"] for it in lines if it.get("executable")][-1]


def judge(stage):
    """Plays all cases."""
    process = stage.start("echo", [echo(), "127.0.0.1:0"])
    told = wait_until("the server's address", lambda: stage.output(process).strip())
    kosoku = [str(pathlib.Path(sys.executable).parent / "kosoku"), "-m", "fuzzingclient"]
    for group in GROUPS:
        kosoku += ["-i", group]
    reports = stage.directory / "reports"
    kosoku += ["-o", str(reports), told.rsplit("/", 1)[1]]
    played = subprocess.run(kosoku, capture_output=True, text=True, timeout=JUDGE_BOUND_S)
    check(played.returncode == 0, f"kosoku: {played.stdout[-2000:]}{played.stderr[-2000:]}")
    judgements = [json.loads(it.read_text()) for it in reports.glob("*_case_*.json")]
    # A few cases are for information, or may be closed later than the strictest would.
    good = {"OK", "NON-STRICT", "INFORMATIONAL"}
    wrong = [it["id"] for it in judgements if it["behavior"] not in good]
    check(not wrong, f"cases {', '.join(wrong)}")
    check(len(judgements) == CASES, f"{len(judgements)} cases instead of {CASES}")
    return f"all {CASES} cases of groups 1 to 7 and 10"


if __name__ == "__main__":
    judged(NAME, judge)
