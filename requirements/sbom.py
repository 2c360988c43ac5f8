"""Write what an image holds, as a CycloneDX bill of materials, from its lock; needs no network.

    python requirements/sbom.py build/audit requirements/api.txt requirements/ui.txt

The packages are those that the lock installs on Linux with the Python of the images.
Format: CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
"""

import re
import sys
import tomllib
from pathlib import Path

from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

__all__ = ["bill", "installed", "main"]

ROOT = Path(__file__).resolve().parents[1]
IMAGE = {"python_version": "3.11", "python_full_version": "3.11.16", "sys_platform": "linux"}
IMAGE |= {"platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix"}


def installed(lock: Path) -> dict[str, str]:
    """Return the packages that a lock installs in an image, with their versions."""
    lines = re.findall(r"^[\w.\-]+==[^\\\n]+", lock.read_text(encoding="utf-8"), re.M)
    wanted = [Requirement(line.strip()) for line in lines]
    held = [r for r in wanted if r.marker is None or r.marker.evaluate(IMAGE)]
    return {r.name: str(r.specifier).removeprefix("==") for r in held}


def bill(lock: Path) -> str:
    """Return the bill of materials of a lock, as JSON."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    name = f"vitrine-{lock.stem}"
    whole = Component(name=name, version=version, type=ComponentType.APPLICATION, bom_ref=name)
    parts = [
        Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=(purl := PackageURL("pypi", name=name, version=version)),
            bom_ref=str(purl),
        )
        for name, version in installed(lock).items()
    ]
    bom = Bom(components=parts)
    bom.metadata.component = whole
    bom.metadata.tools.components.add(this_component())
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def main(folder: Path, locks: list[Path]) -> None:
    """Write one bill a lock into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for lock in locks:
        target = folder / f"{lock.stem}.cdx.json"
        target.write_text(bill(lock) + "\n", encoding="utf-8")
        print(f"{target}: {len(installed(lock))} packages")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
