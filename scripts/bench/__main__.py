"""make bench: every figure beside its peer, in one run. `--quick` is for trying the harness, not for figures."""

import argparse
import shutil
import sys
import traceback

import checkpoints
import life
import log
from group import ControlGroup
from measure import report
from pod import FOLDER, ROOT

GB = 10**9


def main():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is measured")
    parser.add_argument("--checkpoint", type=float, default=2, metavar="GB", help="size of the checkpoint that is hashed")
    parser.add_argument("only", nargs="*", help="names of benchmarks, all without")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    scale = 100 if options.quick else 1
    benchmarks = {
        "size": life.size,
        "start": lambda: life.start(rounds * 4),
        "end": lambda: life.end(rounds),
        "environments": lambda: life.environments(rounds),
        "overhead": lambda: life.overhead(3 * rounds),
        "hashing": lambda: checkpoints.hashing(rounds, int(options.checkpoint * GB) // scale),
        "beside": lambda: checkpoints.beside(6 * rounds, GB),
        "files": lambda: checkpoints.files(rounds, 10_000 // scale),
        "latency": lambda: log.latency(rounds, 2000 // (10 if options.quick else 1)),
        "capture": lambda: log.capture(rounds, 2 * GB // scale),
        "memory": lambda: log.memory([GB // 100 // scale, GB // 10 // scale, GB // scale], 10 * GB // scale),
    }
    unknown = set(options.only) - set(benchmarks)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(benchmarks)}")
    rows, failed = [], []
    for name, benchmark in benchmarks.items():
        if not options.only or name in options.only:
            print(f"== {name}", file=sys.stderr, flush=True)
            try:
                with ControlGroup():
                    rows += benchmark()
            except Exception:
                # The others are told all the same.
                traceback.print_exc()
                failed.append(name)
    # Samples of many gigabytes.
    shutil.rmtree(FOLDER, ignore_errors=True)
    held = report(rows, ROOT / ".build" / "bench.json")
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 0 if held and not failed else 1


sys.exit(main())
