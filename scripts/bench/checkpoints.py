"""What it costs to prove a checkpoint."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peer
from measure import medians, row
from pod import FOLDER, ROOT, Pod, wait_for

AGENT = ROOT / "dist" / "pod-agent"


def run(*command):
    """Seconds, processor seconds and the most resident MB of a program whose output is not wanted."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = 0
    # What wait4 tells of memory counts the program that started this one.
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = max([memory] + [int(line.split()[1]) for line in status.split("\n") if line.startswith("VmHWM:")])
        if time.monotonic() - began > peer.PATIENCE:
            process.kill()
        time.sleep(0.002)
    seconds = time.monotonic() - began
    _, process.returncode, usage = ended
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {"s": seconds, "cpu": usage.ru_utime + usage.ru_stime, "MB": memory / 1024}


def write_random(path, size):
    """At least `size` bytes."""
    with open(path, "wb") as file:
        for _ in range(-(-size // 10**6)):
            file.write(os.urandom(10**6))


class Folder:
    """A folder for files, removed at the end."""

    def __enter__(self):
        self.path = FOLDER / "checkpoint"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def hashing(rounds, size):
    """The sums of a checkpoint of two files, beside openssl; from memory as far as that holds them."""
    with Folder() as folder:
        small = folder / "small.bin"
        write_random(small, 10**8)
        least = [run(AGENT, "verify", "--sums", small)["MB"] for _ in range(rounds)]
        small.unlink()
        files = [folder / "a.bin", folder / "b.bin"]
        for path in files:
            write_random(path, size // 2)
        seen = medians(
            {
                "agent": lambda: run(AGENT, "verify", "--sums", folder),
                "openssl": lambda: run("openssl", "dgst", "-sha256", *files),
            },
            rounds,
        )
    speeds = {name: [size / 1e9 / s for s in figures["s"]] for name, figures in seen.items()}
    growth = [large - small for large, small in zip(seen["agent"]["MB"], least)]
    return [
        row("hashing a checkpoint", "GB/s", speeds["agent"], "openssl dgst -sha256", speeds["openssl"], ">= 0.9"),
        row("processor time of it", "s", seen["agent"]["cpu"], "openssl dgst -sha256", seen["openssl"]["cpu"]),
        row(f"memory of it, {size / 1e9:g} GB against 0.1 GB", "MB", growth, target="<= 8"),
    ]


# Steps of some milliseconds in so many processes, and one save. Its files are links to one, so that there is much to read at no cost.
TRAINING = """
import os, sys, time
content, processes = sys.argv[1], int(sys.argv[2])
first = os.getpid()
for _ in range(processes - 1):
    if os.getpid() == first:
        os.fork()
if os.getpid() == first:
    os.makedirs("out/checkpoint-1")
    for number in range(100): os.link(content, f"out/checkpoint-1/part-{number}")
ends = [time.monotonic()]
while not os.path.exists("done"):
    total = 0.0
    for i in range(50000): total += i * 1e-9
    ends.append(time.monotonic())
    if os.getpid() == first and len(ends) % 100 == 0: print("step", len(ends), flush=True)
with open(f"{content}.steps-{os.getpid()}", "w") as file:
    file.write(" ".join(map(str, ends)))
if os.getpid() == first:
    for _ in range(processes - 1): os.wait()
"""


def beside(rounds, size):
    """A training's steps while a checkpoint is hashed for its receipt, beside those while the agent stands still, second by second."""
    rows = []
    with Folder() as folder:
        content = folder / "content.bin"
        write_random(content, size)
        for processes in (1, os.cpu_count()):
            command = [sys.executable, "-c", TRAINING, str(content), str(processes)]
            with Pod(command, {"checkpoints": {"path": "out"}}) as pod:
                pod.start()
                windows = alternate(pod, rounds)
                shutil.rmtree(pod.run / "work" / "out")
                (pod.run / "work" / "done").touch()
                pod.wait()
            steps = [[float(end) for end in path.read_text().split()] for path in folder.glob("*.steps-*")]
            for path in folder.glob("*.steps-*"):
                path.unlink()
            means = [step_time(steps, *window) for window in windows]
            # Each beside those just before and after it, between which the agent stood still.
            slower = [100 * (2 * now / (before + after) - 1) for before, now, after in zip(means[::2], means[1::2], means[2::2])]
            rows.append(row(f"what hashing adds to a step of a training on {processes} of {os.cpu_count()} cores", "%", slower, target="<= 2"))
    return rows


def alternate(pod, rounds):
    """Windows of a second, as (begin, end): in every second one `serve` hashes, in the others it stands still."""
    wait_for(lambda: len(pod.pids()) == 2, "serve")
    serve = pod.pids()[-1]

    def read():
        return int(Path(f"/proc/{serve}/io").read_text().split()[1])

    wait_for(lambda: read() > 50e6, "hashing")
    windows = []
    try:
        for number in range(2 * rounds + 1):
            os.kill(serve, signal.SIGCONT if number % 2 else signal.SIGSTOP)
            before, begin = read(), time.monotonic()
            time.sleep(1)
            windows.append((begin, time.monotonic()))
            # It stops where it is next to run, which is after a buffer or two.
            if (read() - before > 10**6) != bool(number % 2):
                raise RuntimeError("the proof did not go on, or did not stop")
    finally:
        os.kill(serve, signal.SIGCONT)
    return windows


def step_time(processes, begin, end):
    """Mean seconds of the steps inside that time."""
    return statistics.mean(b - a for ends in processes for a, b in zip(ends, ends[1:]) if begin <= a and b <= end)


def files(rounds, count):
    """A checkpoint of many small files, beside coreutils' sums of the same."""
    content = (ROOT / "Tests" / "Fixtures" / "checkpoints" / "trainer" / "scheduler.pt").read_bytes()
    with Folder() as folder:
        for number in range(count):
            (folder / f"state_{number}.pt").write_bytes(content)
        names = [str(folder / name) for name in sorted(os.listdir(folder))]
        seen = medians(
            {
                "formats": lambda: run(AGENT, "verify", folder),
                "sums": lambda: run(AGENT, "verify", "--sums", folder),
                "coreutils": lambda: run("sha256sum", *names),
            },
            rounds,
        )
    return [
        row(f"formats of {count} small files", "s", seen["formats"]["s"]),
        row(f"formats and sums of {count} small files", "s", seen["sums"]["s"], "sha256sum", seen["coreutils"]["s"]),
    ]
