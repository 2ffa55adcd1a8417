#!/usr/bin/env python3
"""Saves a small checkpoint of each kind, with the libraries that trainings use, into the given folder.

The ones in Tests/Fixtures/checkpoints were made with NumPy 2.4.6, safetensors 0.8.0 and torch 2.13.0 (CPU):

    python3 -m venv /tmp/v && /tmp/v/bin/pip install numpy safetensors torch
    rm -r Tests/Fixtures/checkpoints && /tmp/v/bin/python Tests/Fixtures/make_checkpoints.py Tests/Fixtures/checkpoints

`make torture` makes them with the newest version of each library and runs `pod-agent verify` on them. `--frameworks`
adds trainings under transformers, accelerate and lightning.
"""

import json
import pickle
import random
import sys
import warnings
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")


def tensors(count=4):
    return {f"layer.{i}.weight": torch.full((4, 3), float(i)) for i in range(count)} | {
        "half": torch.ones(5, dtype=torch.bfloat16), "empty": torch.zeros(0, 7), "scalar": torch.tensor(1.5)
    }


def trainer(folder):
    """A checkpoint of the Trainer of transformers."""
    folder.mkdir(parents=True)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    scheduler.step()
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save(scheduler.state_dict(), folder / "scheduler.pt")
    torch.save({"python": random.Random(1).getstate()[0], "cpu": torch.arange(40, dtype=torch.uint8)}, folder / "rng_state.pth")
    torch.save({"learning_rate": 1e-3}, folder / "training_args.bin")
    log = [{"step": 1, "loss": 0.5, "grad_norm": float("nan")}, {"step": 2, "loss": float("inf")}]
    state = {"global_step": 10, "log_history": log, "best_model_checkpoint": None, "is_world_process_zero": True}
    (folder / "trainer_state.json").write_text(json.dumps(state, indent=2, sort_keys=True) + "\n")
    (folder / "config.json").write_text(json.dumps({"architectures": ["Ünïcode \U0001f600"]}))


def sharded(folder):
    """A model in shards, with the index that names them."""
    folder.mkdir()
    names = [f"model-{i:05}-of-00003.safetensors" for i in (1, 2, 3)]
    for i, name in enumerate(names):
        save_file({f"layer.{i}": torch.ones(6) * i}, folder / name)
    index = {"metadata": {"total_size": 72}, "weight_map": {f"layer.{i}": name for i, name in enumerate(names)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))


def distributed(folder):
    import torch.distributed.checkpoint as checkpoint

    model = torch.nn.Linear(2, 2)
    checkpoint.save({"model": model.state_dict(), "step": 3, "text": "a"}, checkpoint_id=folder)


def arrays(folder):
    folder.mkdir()
    numpy.save(folder / "array.npy", numpy.arange(12.0).reshape(3, 4))
    numpy.save(folder / "texts.npy", numpy.array(["a", "bcd"]))
    numpy.save(folder / "dates.npy", numpy.array(["2026-01-01"], dtype="datetime64[ns]"))
    numpy.save(folder / "scalar.npy", numpy.float32(1))
    numpy.save(folder / "objects.npy", numpy.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    numpy.save(folder / "structure.npy", numpy.zeros(2, dtype=[("a", "<i4"), ("b", "<f8")]))
    numpy.savez(folder / "arrays.npz", a=numpy.arange(3), b=numpy.ones((2, 2)))
    numpy.savez_compressed(folder / "small.npz", a=numpy.zeros(1000))


def single(folder):
    """Checkpoints that are one file each."""
    folder.mkdir()
    torch.save({"state_dict": tensors(1), "epoch": 3, "global_step": 7}, folder / "last.ckpt")
    torch.save(tensors(1), folder / "model_00010.pt")
    torch.save({"a": torch.arange(4.0)}, folder / "old.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(torch.nn.Linear(2, 2)).save(folder / "script.pt")
    save_file(tensors(), folder / "tensors.safetensors", metadata={"a": '"{'})
    save_file({}, folder / "none.safetensors")
    with open(folder / "state.pkl", "wb") as file:
        pickle.dump({"a": [1, 2.5, "x", None], "b": b"y" * 300}, file)


def frameworks(folder):
    """Small trainings, each saved by its framework."""
    import accelerate
    import lightning
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2
    )
    model = transformers.LlamaForCausalLM(config)
    examples = [{"input_ids": torch.arange(8), "labels": torch.arange(8)}] * 4
    options = transformers.TrainingArguments(
        output_dir=folder / "transformers", max_steps=2, save_steps=2, report_to=[], use_cpu=True, disable_tqdm=True
    )
    transformers.Trainer(model=model, args=options, train_dataset=examples).train()
    model.save_pretrained(folder / "pretrained", max_shard_size="5KB")

    accelerator = accelerate.Accelerator(cpu=True)
    layer = torch.nn.Linear(3, 2)
    accelerator.prepare(layer, torch.optim.AdamW(layer.parameters()))
    accelerator.save_state(folder / "accelerate")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch, _):
            return self.layer(batch).sum()

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters())

    trainer = lightning.Trainer(
        max_steps=2, default_root_dir=folder / "lightning", accelerator="cpu", logger=False, enable_progress_bar=False
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.ones(4, 3)))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    trainer(folder / "trainer")
    sharded(folder / "sharded")
    distributed(folder / "distributed")
    arrays(folder / "arrays")
    single(folder / "single")
    if "--frameworks" in sys.argv:
        frameworks(folder)
    print(f"numpy {numpy.__version__}, torch {torch.__version__}")


main()
