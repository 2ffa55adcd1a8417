"""make bench: every figure beside its peer, in one run. `--quick` tries the harness; its figures mean nothing."""

import argparse
import shutil
import sys
import time
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
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement")
    parser.add_argument("--checkpoint", type=float, default=1, metavar="GB", help="size of the hashed checkpoint")
    parser.add_argument("only", nargs="*", help="benchmarks to run (default: all)")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    scale = 100 if options.quick else 1
    benchmarks = {
        "size": life.size,
        "start": lambda: life.start(rounds * 4),
        "end": lambda: life.end(rounds),
        "environments": lambda: life.environments(min(rounds, 3)),
        "overhead": lambda: life.overhead(rounds, 10 if options.quick else 50),
        "hashing": lambda: checkpoints.hashing(rounds, int(options.checkpoint * GB) // scale),
        "beside": lambda: checkpoints.beside(rounds, 5 if options.quick else 20, GB // scale),
        "files": lambda: checkpoints.files(rounds, 10_000 // scale),
        "latency": lambda: log.latency(min(rounds, 3), 100 if options.quick else 1000),
        "capture": lambda: log.capture(min(rounds, 3), GB // scale),
        "memory": lambda: log.memory([GB // 100 // scale, GB // 10 // scale], 10 * GB // scale),
    }
    unknown = set(options.only) - set(benchmarks)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(benchmarks)}")
    rows, failed, began = [], [], time.monotonic()
    for name, benchmark in benchmarks.items():
        if not options.only or name in options.only:
            print(f"== {name}", file=sys.stderr, flush=True)
            start = time.monotonic()
            try:
                with ControlGroup():
                    rows += benchmark()
            except Exception:
                # The other benchmarks run all the same.
                traceback.print_exc()
                failed.append(name)
            print(f"== {name} took {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    # The samples take many gigabytes.
    shutil.rmtree(FOLDER, ignore_errors=True)
    held = report(rows, ROOT / ".build" / "bench.json")
    took = time.monotonic() - began
    print(f"total time: {took // 60:.0f} min {took % 60:.0f} s")
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 0 if held and not failed else 1


sys.exit(main())
