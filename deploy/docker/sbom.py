"""Print what the image consists of, as CycloneDX 1.6: the Debian packages and the Python distributions.

Runs in the image, with the Python of the environment that is described, and needs nothing but the standard library. No
time and no random number is in it, so that the same image gives the same list.
Format: https://cyclonedx.org/docs/1.6/json/; purl: https://github.com/package-url/purl-spec.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import quote

_DEBIAN = ("Package", "Version", "Architecture", "Maintainer")


def debian_packages() -> list[dict[str, Any]]:
    """Return a component for each Debian package that is installed."""
    form = "\t".join(f"${{{field}}}" for field in _DEBIAN) + "\n"
    command = ["/usr/bin/dpkg-query", "--show", f"--showformat={form}"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - constant
    found = []
    for line in listed.splitlines():
        name, version, architecture, maintainer = line.split("\t")
        purl = f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe='')}?arch={architecture}&distro=trixie"
        found.append(
            {"type": "library", "bom-ref": purl, "supplier": {"name": maintainer}, "name": name, "version": version,
             "purl": purl}
        )  # fmt: skip
    return found


def python_distributions() -> list[dict[str, Any]]:
    """Return a component for each Python distribution, ours left out."""
    return [describe(one) for one in distributions() if one.metadata["Name"] != "oguardai"]


def describe(distribution: Distribution) -> dict[str, Any]:
    """Return the component of a distribution; the name in the purl is normalized as PEP 503 has it."""
    name, version = distribution.metadata["Name"], distribution.version
    normal = re.sub(r"[-_.]+", "-", name).lower()
    purl = f"pkg:pypi/{normal}@{quote(version, safe='')}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    expression = distribution.metadata.get("License-Expression")
    named = (distribution.metadata.get("License") or "").partition("\n")[0].strip()
    if expression:
        component["licenses"] = [{"expression": expression}]
    elif named:
        component["licenses"] = [{"license": {"name": named}}]
    return component


def bill_of_materials() -> dict[str, Any]:
    """Return the document; its serial number follows from its content."""
    own = next(one for one in distributions() if one.metadata["Name"] == "oguardai")
    components = sorted(debian_packages() + python_distributions(), key=lambda one: one["bom-ref"])
    subject = describe(own) | {"type": "application"}
    digest = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([subject, components], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{digest}",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [one["bom-ref"] for one in components]}],
    }


if __name__ == "__main__":
    json.dump(bill_of_materials(), sys.stdout, indent=1)
    sys.stdout.write("\n")
