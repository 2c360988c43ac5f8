"""A browser that has one family of fonts: a page must hold whatever its reader has installed."""

import os
import shutil
from pathlib import Path

import pytest

FAMILIES = ("DejaVu", "Liberation")
"""Wide letters, which come with matplotlib, and the measures of Arial, Times and Courier."""

CONFIGURATION = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/cache</cachedir>
  <alias><family>serif</family><prefer><family>{family} Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>{mono}</family></prefer></alias>
  <match><edit name="family" mode="append_last"><string>{family} Sans</string></edit></match>
</fontconfig>
"""
SPACED = "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
"""What a reader may ask of any page, by criterion 1.4.12 of WCAG: letters wider than any font's."""


def files(family: str) -> list[Path]:
    """Return the fonts of a family: those of matplotlib, or else those of the machine."""
    from matplotlib import font_manager, get_data_path

    ours = (Path(get_data_path()) / "fonts" / "ttf").glob(f"{family}*.ttf")
    system = (Path(file) for file in font_manager.findSystemFonts())
    return sorted(ours) or sorted(file for file in system if file.name.startswith(family))


def launch(browser, family: str, folder: Path):
    """Start a browser once more, knowing one family alone; skip where its fonts are absent."""
    found = files(family)
    if not found:
        pytest.skip(f"no font {family} is installed: Debian has them in fonts-{family.lower()}")
    (folder / "fonts").mkdir()
    for file in found:
        shutil.copy(file, folder / "fonts")
    mono = {"DejaVu": "DejaVu Sans Mono"}.get(family, f"{family} Mono")
    configuration = folder / "fonts.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, family=family, mono=mono))
    return browser.browser_type.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"],
        env=os.environ | {"FONTCONFIG_FILE": str(configuration)},
    )  # fmt: skip


def families(tab, selector: str) -> set[str]:
    """Return the first word of each font, of the machine, that paints what a selector finds."""
    devtools = tab.context.new_cdp_session(tab)
    for domain in ("DOM", "CSS"):
        devtools.send(f"{domain}.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    nodes = devtools.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector})
    fonts = [
        font
        for node in nodes["nodeIds"]
        for font in devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    ]
    devtools.detach()
    return {font["familyName"].split()[0] for font in fonts if not font["isCustomFont"]}
