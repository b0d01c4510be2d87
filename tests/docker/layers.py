"""What is in the layers of an image, as `docker save` gives them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or link of a layer, without its time."""

    kind: bytes
    mode: int
    uid: int
    gid: int
    content: str  # digest of a file, target of a link


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str  # of the uncompressed tar, as the image's configuration has it
    entries: dict[str, Entry]
    times: dict[str, float]


@dataclass(frozen=True, slots=True)
class Saved:
    """An image in a tar file."""

    archive: Path

    def config(self) -> dict[str, object]:
        with tarfile.open(self.archive) as image:
            found: dict[str, object] = json.loads(_read(image, _manifest(image)["Config"]))
            return found

    def layers(self) -> list[Layer]:
        return [Layer(*one) for one in self._layers()]

    def _layers(self) -> Iterator[tuple[str, dict[str, Entry], dict[str, float]]]:
        with tarfile.open(self.archive) as image:
            manifest = _manifest(image)
            digests = json.loads(_read(image, manifest["Config"]))["rootfs"]["diff_ids"]
            for digest, name in zip(digests, manifest["Layers"], strict=True):
                entries, times = {}, {}
                source = image.extractfile(_target(image, name))
                assert source is not None
                with tarfile.open(fileobj=source) as layer:
                    for member in layer:
                        path = "/" + member.name.strip("/").removeprefix("./")
                        times[path] = member.mtime
                        content = member.linkname
                        if member.isfile():
                            file = layer.extractfile(member)
                            assert file is not None
                            content = hashlib.file_digest(file, "sha256").hexdigest()
                        entries[path] = Entry(member.type, member.mode, member.uid, member.gid, content)
                yield digest, entries, times


def _manifest(image: tarfile.TarFile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(_read(image, "manifest.json"))[0]
    return found


def _read(image: tarfile.TarFile, name: object) -> bytes:
    file = image.extractfile(str(name))
    assert file is not None
    return file.read()


def _target(image: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """Return a layer's member; the same layer a second time is a link to the first."""
    member = image.getmember(name)
    if member.issym():
        return image.getmember(str(Path(name).parent / member.linkname).replace(f"{Path(name).parent}/../", ""))
    return member
