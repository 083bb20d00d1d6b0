"""The locked images: a Compose overlay with the digest of every image that others publish."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from engine import LOCK, Stack, lock_of
from environment import PLACES
from registry import DIGEST, Reference, Registries, RegistryProblem, reference

# Built here, so no registry knows it.
OURS = "twinning"
ARCHITECTURES = ("linux/amd64", "linux/arm64")
HEAD = """\
# Made by `python3 infra/stack images lock`: the digest behind each tag, laid over compose.yaml. To take newer images,
# change the tag there and lock again.
---
"""
SERVICE = re.compile(r"  ([a-z0-9][a-z0-9_-]*):\Z")
IMAGE = re.compile(r"    image: \"?([^\s\"]+)\"?\Z")


def wanted(stack: Stack) -> dict[str, dict[str, Reference]]:
    """By file of the lock: the image of each service. Raises EngineProblem, RegistryProblem."""
    by_place = {place: _images(stack, place) for place in PLACES}
    shared = {
        service: image
        for service, image in by_place[PLACES[0]].items()
        if all(of_place.get(service) == image for of_place in by_place.values())
    }
    files = {LOCK: shared}
    for place, images in by_place.items():
        files[lock_of(place)] = {service: image for service, image in images.items() if service not in shared}
    return files


def _images(stack: Stack, place: str) -> dict[str, Reference]:
    services = stack.described(locked=False, place=place)["services"]
    return {
        name: reference(service["image"])
        for name, service in sorted(services.items())
        if "image" in service and re.split("[:@]", service["image"])[0] != OURS
    }


def lock(stack: Stack, registries: Registries) -> list[str]:
    """Writes the lock of today's digests; what was locked, a line each. On any problem the old one stays.

    Raises RegistryProblem with all that went wrong.
    """
    files = wanted(stack)
    images = {image.text: image for of_file in files.values() for image in of_file.values()}
    answers, problems, told = {}, [], []
    for text, image in sorted(images.items()):
        try:
            answers[text] = registries.resolve(image)
        except RegistryProblem as problem:
            problems.append(str(problem))
            continue
        lacking = [name for name in ARCHITECTURES if name not in answers[text].platforms]
        told.append(f"{text} {answers[text].digest}" + (f" (without {', '.join(lacking)})" if lacking else ""))
    if problems:
        raise RegistryProblem("\n".join([*problems, "the lock stays as it was"]))
    for file, services in files.items():
        pinned = {name: f"{image.text}@{answers[image.text].digest}" for name, image in services.items()}
        _write(stack.folder / file, pinned)
    return told


def differences(stack: Stack) -> list[str]:
    """Where the lock and the Compose files differ, a line each. Raises EngineProblem, RegistryProblem."""
    found = []
    for file, services in wanted(stack).items():
        locked = read(stack.folder / file)
        for name, image in services.items():
            pinned = locked.get(name)
            if pinned is None:
                found.append(f"{file}: {name} ({image.text}) is not locked")
            elif pinned.partition("@")[0] != image.text:
                found.append(
                    f"{file}: {name} is locked to {pinned.partition('@')[0]}; the Compose files say {image.text}"
                )
            elif not DIGEST.match(pinned.partition("@")[2]):
                found.append(f"{file}: {name} is locked to no digest")
        found += [f"{file}: {name} is locked, but no service has that name" for name in locked if name not in services]
    return found


def read(file: Path) -> dict[str, str]:
    """The image of each service in a lock; none without a file. Raises RegistryProblem for what this tool can't have written."""
    images: dict[str, str] = {}
    name = ""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        if not line.strip() or line.startswith("#") or line in ("---", "services:", "services: {}"):
            continue
        service, image = SERVICE.match(line), IMAGE.match(line)
        if service:
            name = service[1]
        elif image and name and name not in images:
            images[name] = image[1]
        else:
            raise RegistryProblem(f"{file.name} holds a line that is none of a lock: {line.strip()[:80]}")
    return images


def _write(file: Path, images: Mapping[str, str]) -> None:
    """Writes the file whole or not at all; an empty one goes away."""
    if not images:
        file.unlink(missing_ok=True)
        return
    lines = "".join(f'  {name}:\n    image: "{image}"\n' for name, image in sorted(images.items()))
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    new.write_text(f"{HEAD}services:\n{lines}", encoding="utf-8")
    new.replace(file)
