"""Trains the network: `train.py --prepared FILE --out runs/NAME`. Started again, it goes on where it stopped."""

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from loss import cells, loss
from network import Network, load_onnx, log_scores
from recipe import add_recipe, read_recipe
from samples import Sampler
from views import Mistake, load_prepared

SAVE_EVERY_S = 120
here = Path(__file__).parent


def arguments():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--prepared", type=Path, required=True, help="what prepare.py wrote")
    a.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    a.add_argument("--start", type=Path, default=here.parent / "havenwacht.onnx", help="weights to begin with: an ONNX file that export.py wrote, the published YOLOX-nano, or a checkpoint")
    a.add_argument("--keep", type=int, metavar="SAMPLES", help="also keep the weights each time this many samples have been seen, for curve.py")
    add_recipe(a)
    return a.parse_args()


class Stream(IterableDataset):
    """Samples without end."""

    def __init__(self, sampler):
        self.sampler = sampler

    def __iter__(self):
        while True:
            picture, boxes, labels, unknown = self.sampler.sample()
            yield (
                torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)),
                torch.from_numpy(np.asarray(boxes, np.float32).reshape(-1, 4)),
                torch.from_numpy(np.asarray(labels, np.int64).reshape(-1)),
                torch.from_numpy(np.asarray(unknown, np.float32).reshape(-1, 5)),
            )


def collate(batch):
    return torch.stack([b[0] for b in batch]), [b[1:] for b in batch]


class Average:
    """Weights averaged over the last steps: steadier than any one of them."""

    def __init__(self, model):
        self.state = {k: v.clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model, step):
        keep = min(0.998, (1 + step) / (10 + step))
        for key, value in model.state_dict().items():
            self.state[key].lerp_(value, 1 - keep)


class Teacher:
    """What the network said before it was trained, for pictures of which only a part is labelled: fine-tuning forgets, and in the
    background of a close-up the old scores are better than none."""

    def __init__(self, model):
        self.model = copy.deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def scores(self, pictures, truths):
        """[batch, cells, classes]; NaN for pictures that are labelled as a whole."""
        area = pictures.shape[2] * pictures.shape[3]
        share = lambda unknown: float(((unknown[:, 2] - unknown[:, 0]) * (unknown[:, 3] - unknown[:, 1])).sum()) / area
        asked = [i for i, (_, _, unknown) in enumerate(truths) if share(unknown) > 0.1]
        if not asked:
            return None
        scores = log_scores(self.model(pictures[asked]))[0].exp()
        said = torch.full((len(pictures), *scores.shape[1:]), math.nan)
        said[asked] = scores
        return said


def train(options):
    recipe = read_recipe(options.recipe, options.set)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "last.pt"
    torch.manual_seed(recipe["seed"])
    model = Network()
    if options.start.suffix == ".onnx":
        load_onnx(model, options.start)
    else:
        model.load_state_dict(torch.load(options.start, weights_only=True)["average"])
    model = model.to(memory_format=torch.channels_last)
    teacher = Teacher(model) if recipe.get("keep_to_start") else None
    # Edges and colours are the same everywhere, and their large maps take a fifth of the time.
    model.backbone.stem.requires_grad_(False)
    steps = recipe["samples"] // recipe["batch"]
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), recipe["learning_rate"], weight_decay=0.01)
    warm = min(100, steps // 10)
    rate = lambda step: min(1.0, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    average, step = Average(model), 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        schedule.load_state_dict(saved["schedule"])
        average.state, step = saved["average"], saved["step"]
        print(f"{checkpoint}: going on at step {step} of {steps}")
    (options.out / "recipe.json").write_text(json.dumps(recipe, indent=1))
    # Another seed after a restart: the samples already seen need not come again.
    sampler = Sampler(load_prepared(options.prepared), recipe, (recipe["seed"], step))
    batches = iter(DataLoader(Stream(sampler), recipe["batch"], collate_fn=collate, num_workers=1, prefetch_factor=4))
    centres, strides = cells(recipe["side"])

    def save():
        state = dict(model=model.state_dict(), optimizer=optimizer.state_dict(), schedule=schedule.state_dict(), average=average.state, step=step)
        torch.save(state, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    began = saved_at = time.monotonic()
    first, sums = step, {}
    with (options.out / "log.jsonl").open("a") as log:
        while step < steps:
            pictures, truths = next(batches)
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            said = teacher.scores(pictures, truths) if teacher else None
            total, parts = loss(model(pictures), centres, strides, truths, said)
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            step += 1
            average.update(model, step)
            for key, value in parts.items():
                sums.setdefault(key, []).append(value)
            if step % 20 == 0 or step == steps:
                means = {k: round(float(np.mean(v)), 4) for k, v in sums.items()}
                sums = {}
                speed = (step - first) * recipe["batch"] / (time.monotonic() - began)
                left = (steps - step) * recipe["batch"] / speed
                log.write(json.dumps({"step": step, "samples": step * recipe["batch"], "rate": schedule.get_last_lr()[0], **means}) + "\n")
                log.flush()
                print(f"step {step} of {steps}, {means}, {speed:.1f} samples/s, {left / 60:.0f} min left", flush=True)
            if options.keep and step * recipe["batch"] % options.keep < recipe["batch"]:
                torch.save(dict(average=average.state), options.out / f"at-{step * recipe['batch']:06}.pt")
            if time.monotonic() - saved_at > SAVE_EVERY_S or step == steps:
                save()
                saved_at = time.monotonic()


if __name__ == "__main__":
    try:
        train(arguments())
    except Mistake as mistake:
        sys.exit(f"train: {mistake}")
