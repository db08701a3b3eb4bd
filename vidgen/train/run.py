"""A whole training run: recipe, data, loop, validation, export."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch

from vidgen.train import data, recipe
from vidgen.train.export import export
from vidgen.train.train import averaged, evaluate, train, words

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
    sequences = data.prepare(plan.data, plan.net.scale)
    held_out = list(data.validation(plan.data, plan.net.scale))
    state = train(
        plan, sequences, state_path, resume=resume, seconds=seconds or math.inf, held_out=held_out
    )
    net = averaged(state, plan.net)
    gains = evaluate(net, held_out)
    if state.step < plan.train.steps:
        done = f"step {state.step} of {plan.train.steps}"
        return f"{plan.name}: {done}, {words(gains)}; go on with --resume"
    luma, chroma = np.mean(list(gains.values()), 0).round(3).tolist()
    quality = {
        "validation": {
            "what": "files held out by the recipe, shrunk by area, H.264 CRF 23",
            "gain_psnr_y_over_lanczos": luma,
            "gain_psnr_uv_over_lanczos": chroma,
        }
    }
    model = export(net, plan, out, steps=state.step, quality=quality)
    return f"{model.name}: {state.step} steps, {words(gains)}; written to {out}"
