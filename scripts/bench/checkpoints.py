"""What the proof of a checkpoint costs, by itself and for the training beside it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import peer
import steps
from measure import row, take_turns
from pod import FOLDER, ROOT, Pod, wait_for
from steps import Steps

AGENT = ROOT / "dist" / "pod-agent"


def run(*command):
    """Runs a program without its output. Returns its seconds, processor seconds and peak resident MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = 0
    # The peak that wait4 reports also counts the parent before the exec, so it is read from /proc.
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = max([memory] + [int(line.split()[1]) for line in status.split("\n") if line.startswith("VmHWM:")])
        if time.monotonic() - began > peer.TIMEOUT:
            process.kill()
        time.sleep(0.002)
    seconds = time.monotonic() - began
    _, process.returncode, usage = ended
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {"s": seconds, "cpu": usage.ru_utime + usage.ru_stime, "MB": memory / 1024}


def write_random(path, size):
    """Writes at least `size` random bytes."""
    with open(path, "wb") as file:
        for _ in range(-(-size // 10**6)):
            file.write(os.urandom(10**6))


class Folder:
    """A folder for files. Its context removes it at the end."""

    def __enter__(self):
        self.path = FOLDER / "checkpoint"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def hashing(rounds, size):
    """The hashes of a checkpoint of two files, beside openssl. Both read from the page cache as far as it holds the
    files.
    """
    with Folder() as folder:
        small = folder / "small.bin"
        write_random(small, 10**8)
        least = [run(AGENT, "verify", "--sums", small)["MB"] for _ in range(rounds)]
        small.unlink()
        files = [folder / "a.bin", folder / "b.bin"]
        for path in files:
            write_random(path, size // 2)
        seen = take_turns(
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


ADDED = """The wall time that a step takes more while serve hashes a checkpoint than while serve is stopped; one process in turn,
windows of 0.1 s. It is the processor time of the training itself (median), its waits for a processor that others have, and its
other waits (means). Each value is one training."""


def beside(rounds, quads, size, seconds=0.1):
    """What hashing adds to the steps of a training.

    In the windows A serve hashes a checkpoint for its receipt. In the windows B serve is stopped by SIGSTOP. The
    training runs without a pause and prints too little to matter. A row misses its target only if hashing makes a step
    use more processor time, as both share caches and memory, or takes the training's processor. The rows below it say
    which.
    """
    rows = []
    with Folder() as folder:
        content = folder / "content.bin"
        write_random(content, size)
        for processes in (1, os.cpu_count()):
            seen = {}
            for _ in range(rounds):
                training = Steps(FOLDER / "steps", processes, 50_000, 100, content=content)
                for name, value in while_hashing(training, quads, seconds).items():
                    seen.setdefault(name, []).append(value)
            speed = seen.pop("MB/s")
            rows += steps.rows(f"what hashing adds to a step on {processes} of {os.cpu_count()} processors", seen, "<= 2", ADDED)
            rows.append(row("  speed of the hashing", "MB/s", speed))
    return rows


def while_hashing(training, quads, seconds):
    """Runs one training with a checkpoint that is hashed. Returns the figures of `Steps.added`, and the MB that were
    hashed a second.
    """
    with Pod(training.command, {"checkpoints": {"path": "out"}}) as pod:
        pod.start()
        serve = pod.serve()

        def read():
            return int(Path(f"/proc/{serve}/io").read_text().split()[1])

        wait_for(lambda: read() > 50e6, "hashing")
        # What was read by the begin of each window, which are A, B, A, and so on.
        counts = []

        def switch(runs):
            counts.append(read())
            os.kill(serve, signal.SIGCONT if runs else signal.SIGSTOP)

        try:
            training.measure(quads, seconds, switch)
        finally:
            counts.append(read())
            os.kill(serve, signal.SIGCONT)
            # Without its checkpoint the agent ends at once.
            shutil.rmtree(pod.run / "work" / "out")
            training.end()
        pod.wait()
    spans = [end - begin for begin, end in zip(counts, counts[1:])]
    stopped = sum(spans[1::3])
    hashed = sum(spans) - stopped
    # A stopped thread still ends the call in which it is: a buffer or two.
    if hashed < 10**6 or stopped > hashed / 2:
        raise RuntimeError(f"serve read {hashed} bytes while it should hash, and {stopped} while it should not")
    return training.added() | {"MB/s": hashed / 1e6 / (2 * quads * seconds)}


def files(rounds, count):
    """A checkpoint of many small files, beside the sums of coreutils."""
    content = (ROOT / "Tests" / "Fixtures" / "checkpoints" / "trainer" / "scheduler.pt").read_bytes()
    with Folder() as folder:
        for number in range(count):
            (folder / f"state_{number}.pt").write_bytes(content)
        names = [str(folder / name) for name in sorted(os.listdir(folder))]
        seen = take_turns(
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
