"""What it costs to prove a checkpoint."""

import os
import resource
import shutil
import subprocess
import time

import peer
from measure import medians, row
from pod import FOLDER, ROOT

AGENT = ROOT / "dist" / "pod-agent"


def run(*command):
    """Processor seconds and seconds of a program whose output is not wanted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    peer.run(command)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "s": seconds}


def peak_memory(*command):
    """Resident MB at the most."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise RuntimeError(f"{command} ended with {status}")
    return usage.ru_maxrss / 1024


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
    """The sums of two files that are in memory, beside openssl; and memory over a file of ten times the size, which is a hole."""
    with Folder() as folder:
        files = [folder / "a.bin", folder / "b.bin"]
        for path in files:
            with open(path, "wb") as file:
                for _ in range(size // 2 // 10**6):
                    file.write(os.urandom(10**6))
        seen = medians(
            {
                "agent": lambda: run(AGENT, "verify", "--sums", folder),
                "openssl": lambda: run("openssl", "dgst", "-sha256", *files),
            },
            rounds,
        )
        speeds = {name: [size / 1e9 / s for s in figures["s"]] for name, figures in seen.items()}
        small = peak_memory(AGENT, "verify", "--sums", files[0].rename(folder.parent / "small.bin"))
        (folder.parent / "small.bin").unlink()
        with open(files[1], "wb") as file:
            file.truncate(10 * size)
        large = peak_memory(AGENT, "verify", "--sums", files[1])
    return [
        row("hashing a checkpoint", "GB/s", speeds["agent"], "openssl dgst -sha256", speeds["openssl"], ">= 0.9"),
        row("processor time of it", "s", seen["agent"]["cpu"], "openssl dgst -sha256", seen["openssl"]["cpu"]),
        row(f"memory of it, {10 * size / 1e9:g} GB against {size / 2e9:g} GB", "MB", [large - small], target="<= 8"),
    ]


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
