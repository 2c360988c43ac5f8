"""An audit that heard nothing does not pass for one that found nothing."""

import json
import re
import sys
from pathlib import Path

import audit
import pytest
import sbom

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {"name": "pillow", "version": "12.3.0", "vulns": []}
UNHEARD = {"name": "pillow", "skip_reason": "Dependency not found and could not be audited"}
HIT = {
    "name": "pillow",
    "version": "12.3.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["12.3.1"], "aliases": [], "description": "…"}],
}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([CLEAN], []),
        ([HIT], [r"pillow 12\.3\.0 has CVE-1, fixed in: 12\.3\.1; run `make lock`"]),
        ([UNHEARD], [r"told nothing of 1 of 1 packages \(pillow"]),
        ([], [r"told nothing of 1 of 1 packages"]),
    ],
)
def test_each_package_is_cleared_by_name_or_told(rows, told):
    faults = audit.judge({"dependencies": rows}, {"pillow"})

    assert len(faults) == len(told)
    assert all(re.search(pattern, fault) for pattern, fault in zip(told, faults, strict=True))


def stand_in(tmp_path, code):
    script = tmp_path / "pip_audit.py"
    script.write_text(code)
    return (sys.executable, "-IS", str(script))


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "lock.txt"
    path.write_text(
        "pillow==12.3.0 \\\n    --hash=sha256:0\n"
        "colorama==0.4 ; sys_platform == 'never' \\\n    --hash=sha256:0\n"
    )
    return path


def test_what_another_platform_installs_is_not_waited_for(tmp_path, lock):
    answer = json.dumps({"dependencies": [CLEAN]})

    faults = audit.audit(lock, stand_in(tmp_path, f"print({answer!r})"))

    assert faults == []


def test_audit_that_stops_is_told_by_its_last_words(tmp_path, lock):
    faults = audit.audit(lock, stand_in(tmp_path, "raise SystemExit('no route to the service')"))

    assert faults == ["expected an answer of pip-audit, it stopped: no route to the service"]


def test_audit_exits_with_one_when_a_lock_has_a_fault(tmp_path, lock, monkeypatch, capsys):
    monkeypatch.setattr(audit, "audit", lambda _: ["told nothing"])

    code = audit.main([str(lock)])

    assert code == 1
    assert "told nothing" in capsys.readouterr().err
    assert audit.main([]) == 2


@pytest.mark.parametrize("image", ["api", "ui"])
def test_bill_names_every_package_of_the_image(image):
    lock = ROOT / "requirements" / f"{image}.txt"
    everywhere = set(re.findall(r"^([\w.\-]+)==(\S+) \\$", lock.read_text(), re.M))

    bill = json.loads(sbom.bill(lock))

    held = {(part["name"], part["version"]) for part in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == f"vitrine-{image}"
    assert len(everywhere) > 10 and everywhere <= held
    assert all(p["purl"] == f"pkg:pypi/{p['name']}@{p['version']}" for p in bill["components"])


def test_bill_leaves_out_what_another_platform_installs(lock):
    assert sbom.installed(lock) == {"pillow": "12.3.0"}
