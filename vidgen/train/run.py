"""A whole training run: recipe, data, loop, validation, export."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch

from vidgen.train import data, moments, recipe
from vidgen.train.export import export
from vidgen.train.fusing import Fusing
from vidgen.train.recipe import Data, Net, Recipe
from vidgen.train.train import Lesson, averaged, train, words
from vidgen.train.upscaling import Upscaling

__all__ = ["train_recipe"]


def train_recipe(
    path: Path, out: Path, resume: bool, seconds: float | None, threads: int | None
) -> str:
    """Train as `path` says, keep the state in the cache, export into `out` after the last step.

    Returns a line for the user. Raises UsageError for a bad recipe or nothing to resume, InputError
    where the data folder holds nothing, ModelError when the export fails its checks.
    """
    plan = recipe.read(path)
    if threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
    state_path = data.cache_folder() / "runs" / (plan.name + ("-gan" if plan.gan else ""))
    lesson = prepared(plan)
    state = train(plan, lesson, state_path, resume=resume, seconds=seconds or math.inf)
    net = averaged(state, lesson)
    gains = lesson.evaluate(net)
    if state.step < plan.train.steps:
        done = f"step {state.step} of {plan.train.steps}"
        return f"{plan.name}: {done}, {words(gains, lesson.baseline)}; go on with --resume"
    luma, chroma = np.mean(list(gains.values()), 0).round(3).tolist()
    over = lesson.baseline.replace(" ", "_").lower()
    quality = {
        "validation": {
            "what": f"files held out by the recipe, {lesson.what}",
            f"gain_psnr_y_over_{over}": luma,
            f"gain_psnr_uv_over_{over}": chroma,
        }
    }
    model = export(net, plan, out, steps=state.step, quality=quality)
    return f"{model.name}: {state.step} steps, {words(gains, lesson.baseline)}; written to {out}"


def prepared(plan: Recipe) -> Lesson:
    """What that recipe teaches, its data made where they are not there yet."""
    if isinstance(plan.data, Data):
        assert isinstance(plan.net, Net)
        scale = plan.net.scale
        sequences = data.prepare(plan.data, scale)
        return Upscaling(plan, sequences, data.validation(plan.data, scale))
    return Fusing(plan, moments.prepare(plan.data), moments.validation(plan.data))
