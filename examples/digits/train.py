"""Trains a small neural network on the handwritten digits that come with scikit-learn.

    python train.py --config hyper.json [--epochs N] [--resume checkpoints/checkpoint-720]

Each epoch ends with a checkpoint of all that the training depends on: weights, optimizer, random
generator, counters. So a resumed training ends with the very same bytes as one that was never stopped.
"""

import argparse
import json
import os

import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits


class Network:
    """Fully connected layers with ReLU between them. The weights are one dict of named arrays."""

    def __init__(self, sizes, rng):
        self.layers = range(len(sizes) - 1)
        self.weights = {}
        for i in self.layers:
            scale = np.float32(np.sqrt(2 / sizes[i]))
            self.weights[f"w{i}"] = scale * rng.standard_normal(sizes[i : i + 2], dtype=np.float32)
            self.weights[f"b{i}"] = np.zeros(sizes[i + 1], dtype=np.float32)

    def forward(self, x):
        """The input of every layer and, last, the logits."""
        values = [x]
        for i in self.layers:
            x = values[-1] @ self.weights[f"w{i}"] + self.weights[f"b{i}"]
            values.append(x if i == self.layers[-1] else np.maximum(x, 0))
        return values

    def backward(self, x, labels):
        """Cross-entropy and accuracy on a batch, and the gradient of each weight."""
        values = self.forward(x)
        logits = values[-1] - values[-1].max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        rows = np.arange(len(labels))
        loss = -log_p[rows, labels].mean()
        accuracy = (logits.argmax(axis=1) == labels).mean()

        delta = np.exp(log_p)
        delta[rows, labels] -= 1
        delta /= len(labels)
        gradients = {}
        for i in reversed(self.layers):
            gradients[f"w{i}"] = values[i].T @ delta
            gradients[f"b{i}"] = delta.sum(axis=0)
            delta = (delta @ self.weights[f"w{i}"].T) * (values[i] > 0)
        return float(loss), float(accuracy), gradients

    def accuracy(self, images, labels):
        logits = self.forward(images.reshape(len(images), -1))[-1]
        return float((logits.argmax(axis=1) == labels).mean())


class Adam:
    def __init__(self, weights):
        self.mean = {name: np.zeros_like(w) for name, w in weights.items()}
        self.square = {name: np.zeros_like(w) for name, w in weights.items()}

    def update(self, weights, gradients, step, rate, beta1=0.9, beta2=0.999):
        rate *= (1 - beta2**step) ** 0.5 / (1 - beta1**step)
        for name, g in gradients.items():
            m, v = self.mean[name], self.square[name]
            m += (1 - beta1) * (g - m)
            v += (1 - beta2) * (g * g - v)
            weights[name] -= rate * m / (np.sqrt(v) + 1e-8)


def load_data(held_out):
    """Training and held-out images and labels, the same split in every run."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(images))
    test, train = order[:held_out], order[held_out:]
    return images[train], digits.target[train], images[test], digits.target[test]


def varied(images, noise, rng):
    """Each image moved by up to one pixel in each direction and made noisy: no epoch is like another."""
    count, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    down, right = rng.integers(0, 3, size=(2, count, 1, 1))
    rows = down + np.arange(height)[:, None]
    columns = right + np.arange(width)
    moved = padded[np.arange(count)[:, None, None], rows, columns]
    return moved + np.float32(noise) * rng.standard_normal(moved.shape, dtype=np.float32)


def save_checkpoint(folder, network, adam, rng, state):
    os.makedirs(folder, exist_ok=True)
    np.savez(f"{folder}/weights.npz", **network.weights)
    moments = {f"mean.{name}": m for name, m in adam.mean.items()}
    moments.update({f"square.{name}": v for name, v in adam.square.items()})
    np.savez(f"{folder}/optimizer.npz", **moments)
    with open(f"{folder}/random.json", "w") as file:
        json.dump(rng.bit_generator.state, file)
    with open(f"{folder}/state.json", "w") as file:
        json.dump(state, file)


def load_checkpoint(folder, network, adam, rng):
    with np.load(f"{folder}/weights.npz") as saved:
        network.weights = dict(saved)
    with np.load(f"{folder}/optimizer.npz") as saved:
        for name in network.weights:
            adam.mean[name] = saved[f"mean.{name}"]
            adam.square[name] = saved[f"square.{name}"]
    with open(f"{folder}/random.json") as file:
        rng.bit_generator.state = json.load(file)
    with open(f"{folder}/state.json") as file:
        return json.load(file)


def train_epoch(network, adam, rng, images, labels, state, hyper):
    """One pass over several varied views of each training image, in random order."""
    rate = hyper["rate"] * hyper["rate_decay"] ** state["epoch"]
    state["epoch"] += 1
    order = rng.permutation(np.tile(np.arange(len(images)), hyper["views"]))
    losses, accuracies = [], []
    for start in range(0, len(order), hyper["batch"]):
        batch = order[start : start + hyper["batch"]]
        x = varied(images[batch], hyper["noise"], rng).reshape(len(batch), -1)
        loss, accuracy, gradients = network.backward(x, labels[batch])
        state["step"] += 1
        adam.update(network.weights, gradients, state["step"], rate)
        losses.append(loss)
        accuracies.append(accuracy)
        if state["step"] % hyper["log_every"] == 0:
            recent = slice(-hyper["log_every"], None)
            loss, accuracy = np.mean(losses[recent]), np.mean(accuracies[recent])
            print(f"step {state['step']} epoch {state['epoch']} loss {loss:.4f} acc {accuracy:.4f}")
    state["losses"].append(float(np.mean(losses)))


def main():
    parser = argparse.ArgumentParser(description="Train a digit classifier.")
    parser.add_argument("--config", default="hyper.json", help="the hyper-parameters")
    parser.add_argument("--epochs", type=int, help="overrides the number in the config")
    parser.add_argument("--resume", metavar="DIR", help="continue from this checkpoint")
    options = parser.parse_args()
    with open(options.config) as file:
        hyper = json.load(file)
    epochs = options.epochs or hyper["epochs"]

    threadpool_limits(1)  # the order of floating-point sums must not depend on the number of cores
    images, labels, test_images, test_labels = load_data(hyper["held_out"])
    rng = np.random.default_rng(hyper["seed"])
    network = Network([images[0].size, *hyper["hidden"], 10], rng)
    adam = Adam(network.weights)
    state = {"epoch": 0, "step": 0, "losses": []}
    print(f"{len(images)} training images, {len(test_images)} held out, {epochs} epochs")
    if options.resume:
        state = load_checkpoint(options.resume, network, adam, rng)
        print(f"resumed from {options.resume} at step {state['step']}")
        if state["epoch"] >= epochs:
            print(f"nothing left to train: {state['epoch']} of {epochs} epochs are done")

    while state["epoch"] < epochs:
        train_epoch(network, adam, rng, images, labels, state, hyper)
        accuracy = network.accuracy(test_images, test_labels)
        print(f"epoch {state['epoch']}/{epochs} done: held-out accuracy {accuracy:.4f}")
        save_checkpoint(f"checkpoints/checkpoint-{state['step']}", network, adam, rng, state)

    os.makedirs("final", exist_ok=True)
    np.savez("final/weights.npz", **network.weights)
    accuracy = network.accuracy(test_images, test_labels)
    print(f"final held-out accuracy {accuracy:.4f}, weights in final/weights.npz")


if __name__ == "__main__":
    main()
