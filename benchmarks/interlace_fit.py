"""Fit the rule by which the deinterlacer mixes candidates: writes `vidgen/restore/fusion.json`.

    python -m benchmarks.interlace_fit               ../shared/data/train/video, some minutes

Fields are taken from films of which every frame is a picture: the frames of a film as one field
each, so that what is left out of each is known. Drawn textures that move as a whole, strongly, are
among them: a rule that knew only films took that for noise. Half of the fields are as they are,
half have been through an interlaced H.264 encoder. The loss is the squared error of the mixed luma
rows, in each clip as a share of the error of the best candidate there; it is minimised by Adam: for
fields without flow, for the first pass, then for the second on what the first one makes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.weave import coded, pictures_of, woven_frames
from vidgen.frame import Planes
from vidgen.restore.deinterlace import (
    Choice,
    Field,
    filled,
    improved,
    linked,
    luma_choice,
    no_flow,
    windows,
)
from vidgen.restore.fields import rows_of
from vidgen.restore.fusion import CANDIDATES, Rule

FILMS = Path(__file__).parents[2] / "shared" / "data" / "train" / "video"
TARGET = Path(__file__).parents[1] / "vidgen" / "restore" / "fusion.json"

CLIPS = {
    "bbb_0-30s_720p.webm": 560,
    "mdn_tears-of-steel-battle.webm": 60,
    "openh264_flower_720p.264": 30,
    "sam2_05_default_juggle.mp4": 60,
    "udacity_highway.mp4": 50,
    "mdn_elf.mp4": 100,
    "sam2_03_blocks.mp4": 40,
    "openshot_traffic_60p.mp4": 200,
}
"""File, and the first picture taken from it."""
TEXTURES = (
    (1.6, 2.5, (1.7, 0.9)),
    (2.0, 2.0, (5.3, 0.0)),
    (1.2, 1.5, (-3.1, 2.4)),
    (3.0, 3.0, (12.0, -7.0)),
    (1.0, 1.0, (0.4, 0.3)),
    (2.0, 1.5, (0.0, 1.0)),
)
"""Blur in pixels, contrast, and motion from picture to picture, (x, y) in pixels."""
PICTURES = 10
HEIGHT = 432  # to which larger films are reduced
SAMPLES = 16_000  # places of a field
HIDDEN = 16
STEPS, BATCH, RATE = 4000, 8192, 1e-2


@dataclass
class Samples:
    """Places of rows: what describes them, the candidates, the truth, and the weight."""

    features: list[NDArray[Any]]
    tried: list[NDArray[Any]]
    truth: list[NDArray[Any]]
    weight: list[NDArray[Any]]


Clips = list[tuple[list[Planes], list[Field]]]


def main() -> None:
    """Fit the rules and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=Path, default=FILMS)
    films = parser.parse_args().films
    torch.manual_seed(0)
    torch.set_num_threads(1)
    filled_ones = [(truth, list(map(filled, fields))) for truth, fields in material(films)]
    still = [(truth, list(linked(fields, no_flow))) for truth, fields in filled_ones]
    rule = fitted(sampled(still))
    told("without flow", [(truth, list(improved(each, rule, True))) for truth, each in still])
    clips = [(truth, list(linked(fields))) for truth, fields in filled_ones]
    rules, passes = {"still": plain(rule)}, []
    for number in range(2):
        rule = fitted(sampled(clips))
        passes.append(plain(rule))
        clips = [(truth, list(improved(each, rule, everything=True))) for truth, each in clips]
        told(f"pass {number + 1}", clips)
    TARGET.write_text(json.dumps({**rules, "passes": passes}) + "\n", "utf-8")
    print(f"written: {TARGET}")


def material(films: Path) -> Iterator[tuple[list[Planes], list[Field]]]:
    """Pictures, and the fields that are left of them; each clip once as it is, once coded."""
    taken = [islice(pictures_of(films / name, HEIGHT), n, None) for name, n in CLIPS.items()]
    drawn = [texture(*words) for words in TEXTURES]
    for number, pictures in enumerate([*taken, *drawn]):
        crf = (17, 20, 23)[number % 3]
        truth = list(islice(pictures, PICTURES))
        frames = woven_frames(truth)
        for version in (frames, list(coded(frames, crf=crf))):
            yield (
                truth,
                [
                    Field(rows_of(version[n // 2], n % 2), n % 2, fresh=n == 0)
                    for n in range(len(truth))
                ],
            )


def texture(blur: float, contrast: float, step: tuple[float, float]) -> Iterator[Planes]:
    """A texture on its way."""
    noise = np.random.default_rng(0).uniform(0, 255, (3 * HEIGHT, 3 * HEIGHT)).astype(np.float32)
    ground = cv2.GaussianBlur(noise, (0, 0), blur) - 127.5
    ground *= contrast * 30 / ground.std()
    ground += 127.5
    size = (HEIGHT * 16 // 9, HEIGHT)
    for number in count():
        place = np.array([[1, 0, HEIGHT / 2], [0, 1, HEIGHT / 2]], np.float32)
        place[:, 2] += np.multiply(step, number)
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        y = np.clip(np.rint(cv2.warpAffine(ground, place, size, flags=how)), 16, 235)
        uv = cv2.resize(y, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        yield y.astype(np.uint8), cv2.merge([uv, 255 - uv]).astype(np.uint8)


def sampled(clips: Clips) -> Samples:
    """Random places of all fields but the outermost."""
    samples, rng = Samples([], [], [], []), np.random.default_rng(0)
    for truth, fields in clips:
        first = len(samples.truth)
        for number, window in enumerate(windows(fields)):
            if 1 < number < len(fields) - 2:
                missing = truth[number][0][1 - fields[number].parity :: 2]
                take(samples, luma_choice(window), missing, rng)
        pairs = zip(samples.tried[first:], samples.truth[first:], strict=True)
        errors = np.mean([((tried - true[:, None]) ** 2).mean(0) for tried, true in pairs], axis=0)
        count = len(samples.truth) - first
        samples.weight += [np.full(SAMPLES, 1 / (errors.min() + 0.1), np.float32)] * count
    return samples


def take(samples: Samples, choice: Choice, truth: NDArray[Any], rng: np.random.Generator) -> None:
    """Add places of one field."""
    rows, width = truth.shape
    y, x = rng.integers(0, rows, SAMPLES), rng.integers(0, width // 2 * 2, SAMPLES)
    means = np.array([each.mean() for each in choice.features], np.float32)
    local = np.stack([each[y, x // 2] for each in choice.features], 1)
    samples.features.append(np.concatenate([local, np.tile(means, (SAMPLES, 1))], 1))
    samples.tried.append(np.stack([each[y, x] for each in choice.tried], 1))
    samples.truth.append(truth[y, x].astype(np.float32))


def fitted(samples: Samples) -> Rule:
    """The rule with the least weighted squared error."""
    features, tried, truth, weight = (
        torch.from_numpy(np.concatenate(each).astype(np.float32))
        for each in (samples.features, samples.tried, samples.truth, samples.weight)
    )
    mean, spread = features.mean(0), features.std(0).clamp(min=0.01)  # without flow, some are 0
    net = torch.nn.Sequential(
        torch.nn.Linear(features.shape[1], HIDDEN),
        torch.nn.ReLU(),
        torch.nn.Linear(HIDDEN, CANDIDATES),
    )
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    for _ in range(STEPS):
        batch = torch.randint(0, len(truth), (BATCH,))
        shares = torch.softmax(net((features[batch] - mean) / spread), 1)
        error = (shares * tried[batch]).sum(1) - truth[batch]
        loss = (error**2 * weight[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    hidden, out = net[0], net[2]
    matrix = hidden.weight / spread
    arrays = (matrix, hidden.bias - matrix @ mean, out.weight, out.bias)
    first, second, third, fourth = (each.detach().numpy().astype(np.float32) for each in arrays)
    return Rule(first, second[:, None], third, fourth[:, None])


def plain(rule: Rule) -> dict[str, Any]:
    """The rule for JSON, to four decimals."""
    return {
        "hidden": rule.hidden.astype(float).round(4).tolist(),
        "hidden_bias": rule.hidden_bias[:, 0].astype(float).round(4).tolist(),
        "out": rule.out.astype(float).round(4).tolist(),
        "out_bias": rule.out_bias[:, 0].astype(float).round(4).tolist(),
    }


def told(name: str, clips: Clips) -> None:
    """What each clip has become."""
    print(f"{name}: {', '.join(f'{quality(*clip):.2f}' for clip in clips)} dB", flush=True)


def quality(truth: list[Planes], fields: list[Field]) -> float:
    """PSNR of luma over the inner fields, in dB."""
    errors = [
        np.mean((field.picture[0].astype(np.float32) - true[0]) ** 2)
        for true, field in list(zip(truth, fields, strict=True))[2:-2]
        if field.picture is not None
    ]
    return float(10 * np.log10(255**2 / np.mean(errors)))


if __name__ == "__main__":
    main()
