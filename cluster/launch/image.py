"""The Dockerfile of the images that Kubernetes and clouds start, for CPUs or for NVIDIA GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from cluster.launch.run import LaunchedRun
from cluster.launch.template import filled
from evoplastic import __version__
from evoplastic.checks import require

Device = Literal["cpu", "cuda"]


def image_name(device: Device) -> str:
    """What an image of this version is called where nothing else was said."""
    return f"evoplastic:{__version__}-{device}"


def dockerfile(run: LaunchedRun, device: Device, title: str) -> str:
    """A Dockerfile whose container does the run, unless it is told something else.

    Raises:
        UsageError: the engine is not in such an image, or settings lie in files.
    """
    require(
        run.config.engine != "gpu" or device == "cuda",
        "an image for CPUs lacks the engine that engine=gpu asks for; say --device cuda",
    )
    suite = Path(run.config.suite)
    require(
        not run.files or (suite.is_absolute() and run.files == [str(suite)]),
        f"{', '.join(run.files)} will not be in the image; give a recipe by its name, and mount "
        "files of your own when you start the container",
    )
    return filled(
        "Dockerfile",
        {
            "TITLE": title,
            "IMAGE_CPU": image_name("cpu"),
            "IMAGE_CUDA": image_name("cuda"),
            "DEVICE": device,
            "COMMAND": json.dumps(["evoplastic", *run.words()]),
        },
    )
