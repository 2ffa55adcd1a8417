"""A training that measures its own steps, in turn while something else runs and while it stands still.

The wall times of two runs cannot show 1 %. Two processes of one program differ by up to 10 %, as their memory lies at
other places, and a shared machine changes its speed from second to second. So one process is compared with itself, in
windows of a fraction of a second, and each process of the training stays on one processor. Its wall time has three
parts:

- processor time, user and system, from the thread's own clock;
- waiting time, in which the training could run and another thread had its processor, from /proc/self/schedstat;
- blocked time, the rest, in which the training waits for a pipe or a file.

The windows come as A B B A, so that a steady change of the machine's speed cancels out.
"""

import json
import mmap
import os
import statistics
import sys
import time
from statistics import mean
from typing import NamedTuple

from measure import row
from pod import wait_for

# Prints a line every `every` steps. Cell 0 is the number of the window. Cell 1 is the output: 0 for standard output, 1
# for the pipe `bare`. The other cells are 1 once their process runs.
TRAINING = """
import json, mmap, os, sys, time
control, processes, loops, every, bare, content = sys.argv[1], *map(int, sys.argv[2:5]), *sys.argv[5:7]
with open(control, "r+b") as file: cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
if content:
    os.makedirs("out/checkpoint-1")
    for number in range(100): os.link(content, f"out/checkpoint-1/part-{number}")
outputs = [sys.stdout, open(bare, "w") if bare else None]
place, children = 0, []
for other in range(1, processes):
    child = os.fork()
    if child == 0:
        place, children = other, []
        break
    children.append(child)
processors = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, {processors[place % len(processors)]})
step, window, marks = 0, 0, []
cells[2 + place] = 1
while window != 2**64 - 1:
    step += 1
    total = 0.0
    for i in range(loops): total += i * 1e-9
    if place == 0 and step % every == 0: print(f"step {step} loss {total:.6f}", file=outputs[cells[1]], flush=True)
    if (now := cells[0]) != window:
        mark = (step, time.monotonic_ns(), time.thread_time_ns(), int(open("/proc/self/schedstat").read().split()[1]))
        # More than one if no step ended in a window: all of that time belongs to the window before.
        marks += [mark] * (1 if now == 2**64 - 1 else now - window)
        window = now
with open(f"{control}.{place}", "w") as file: json.dump(marks, file)
for child in children: os.waitpid(child, 0)
"""

END = 2**64 - 1


class Window(NamedTuple):
    """Steps, and nanoseconds."""

    steps: int
    wall: int
    processor: int
    waiting: int


class Cost(NamedTuple):
    """Nanoseconds of a step. Their sum is its wall time."""

    processor: float
    waiting: float
    blocked: float

    @staticmethod
    def of(windows):
        steps, wall, processor, waiting = map(sum, zip(*windows))
        return Cost(processor / steps, waiting / steps, (wall - processor - waiting) / steps)


class Steps:
    """A training of one process for each of `processes` processors. Only the first process prints.

    A step runs a loop of `loops` rounds: 10 000 take about half a millisecond. `bare` is a named pipe for the lines of
    the windows B. `content` is a file that the training links a hundred times into a checkpoint, which the agent then
    hashes.
    """

    def __init__(self, control, processes, loops=10_000, every=1, bare="", content=""):
        self.control, self.processes, self.quads = control, processes, 0
        control.write_bytes(bytes(8 * (2 + processes)))
        with open(control, "r+b") as file:
            self.cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")
        options = [str(value) for value in (control, processes, loops, every, bare, content)]
        self.command = [sys.executable, "-c", TRAINING, *options]

    def measure(self, quads, seconds, switch):
        """Takes the windows A, B, B, A `quads` times, each of `seconds`. `switch(True)` begins A, `switch(False)`
        begins B.
        """
        wait_for(lambda: all(self.cells[2:]), "training")
        self.quads = quads
        for _ in range(quads):
            for runs, share in ((True, 1), (False, 2), (True, 1)):
                self.cells[1] = not runs
                switch(runs)
                self.cells[0] += 1
                time.sleep(share * seconds)
        self.cells[0] += 1

    def end(self):
        self.cells[0] = END

    def added(self):
        """What a step costs more in A than in B, in % of a step's wall time in B: `all`, and the three parts of it.

        The processor time of a step varies with the machine's speed, so the median over the quads counts. Waiting and
        blocked times are rare and may be long, so their sums count. Call it after the training's end.
        """
        processes = [self.windows(place) for place in range(self.processes)]
        a = [Cost.of(windows[0::3] + windows[2::3]) for windows in processes]
        b = [Cost.of(windows[1::3]) for windows in processes]
        whole = mean(sum(cost) for cost in b)
        quads = [[windows[i : i + 3] for windows in processes] for i in range(0, 3 * self.quads, 3)]
        changes = {
            "processor": statistics.median(mean(map(self.change, quad)) for quad in quads if all(map(self.has_steps, quad))),
            "waiting": mean(x.waiting - y.waiting for x, y in zip(a, b)),
            "blocked": mean(x.blocked - y.blocked for x, y in zip(a, b)),
        }
        return {"all": 100 * sum(changes.values()) / whole} | {name: 100 * change / whole for name, change in changes.items()}

    def windows(self, place):
        """The windows of one process: A, B of double length, A, and so on."""
        path = self.control.with_name(f"{self.control.name}.{place}")
        marks = json.loads(path.read_text())
        path.unlink()
        windows = [Window(*(end - begin for begin, end in zip(*pair))) for pair in zip(marks, marks[1:])]
        return windows[: 3 * self.quads]

    @staticmethod
    def has_steps(quad):
        return quad[0].steps + quad[2].steps > 0 and quad[1].steps > 0

    @staticmethod
    def change(quad):
        """Processor time that a step takes more in A than in B."""
        return Cost.of([quad[0], quad[2]]).processor - Cost.of([quad[1]]).processor


def rows(name, seen, target, note):
    """The rows of `Steps.added`, of several trainings."""
    return [row(name, "%", seen["all"], target=target, note=note)] + [
        row(f"  of it {part}", "%", values) for part, values in seen.items() if part != "all"]
