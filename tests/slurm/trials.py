#!/usr/bin/env python3
"""Runs a plan on a real Slurm of three nodes under all kinds of trouble, and compares every published file with a plain local run.

    tests/slurm/trials.py --tamis TARGET/debug/tamis --archive A.warc.gz [--only node-killed ..]

Each trial has a Slurm of its own (tests/slurm/cluster) and a workspace of its own. A debug build is needed for `killed-before-commit`
(TAMIS_KILL_AT). Prints a line a trial; exit code 1 if one of them is not the same.
"""
import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROFILE = """cpus = 1
memory = "900 MiB"
leases_max = {leases}
time_minutes = {minutes}
steal_after_s = {steal}
restarts_max = 30
[environment]
{environment}
"""


def members(archive):
    """The gzip members of an archive, as they are stored: a record each."""
    data = Path(archive).read_bytes()
    at = 0
    while at < len(data):
        unpacker = zlib.decompressobj(31)
        unpacker.decompress(data[at:])
        end = len(data) - len(unpacker.unused_data)
        yield data[at:end]
        at = end


def cut(archive, folder, files):
    """The archive in so many files of about as many records. Returns their pattern."""
    folder.mkdir()
    records = list(members(archive))
    files = min(files, len(records))
    for number in range(files):
        part = records[number * len(records) // files:(number + 1) * len(records) // files]
        (folder / f"part-{number:05}.warc.gz").write_bytes(b"".join(part))
    return f"{folder}/*.warc.gz", files


def digests(workspace):
    root = workspace / "data"
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(root.rglob("*")) if file.is_file()}


class Trial:
    def __init__(self, args, scratch, name, pattern, leases=6, minutes=10, steal=4, environment=""):
        self.args, self.folder, self.pattern = args, scratch / name, pattern
        self.folder.mkdir()
        self.workspace = self.folder / "w"
        self.profile = self.folder / "profile.toml"
        self.set_profile(leases=leases, minutes=minutes, steal=steal, environment=environment)
        self.slurm = self.folder / "slurm"
        self.environment = os.environ | {"SLURM_CONF": str(self.slurm / "slurm.conf"), "NO_COLOR": "1"}
        self.submissions = 0

    def set_profile(self, **values):
        self.values = getattr(self, "values", {}) | values
        self.profile.write_text(PROFILE.format(**self.values))

    def cluster(self, *words):
        subprocess.run([HERE / "cluster", words[0], self.slurm, *words[1:]], check=True, stdin=subprocess.DEVNULL)

    def __enter__(self):
        self.cluster("up", "3", "2")
        return self

    def __exit__(self, *_):
        self.cluster("down")

    def tamis(self, *words, ok=(0,)):
        done = subprocess.run([self.args.tamis, *map(str, words)], cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode not in ok:
            sys.exit(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def submit(self, ok=(0,)):
        self.submissions += 1
        return self.tamis("run", self.args.recipe, "--workspace", self.workspace, "--set", f"input={self.pattern}",
                          "--set", "limits.task_bytes_max=1 B", "--engine", "slurm", "--profile", self.profile, "--quiet", ok=ok)

    def slurm_says(self, *words):
        return subprocess.run(words, env=self.environment, capture_output=True, text=True).stdout

    def running(self):
        """Jobs that run: id and node."""
        return [line.split("|") for line in self.slurm_says("squeue", "-h", "-r", "-t", "running", "-o", "%A|%N").splitlines()]

    def wait_running(self, jobs=1, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.running()) >= jobs and self.commits() >= 1:
                return self.running()
            time.sleep(0.05)
        sys.exit("no job came to run")

    def commits(self):
        return len(list((self.workspace / "_tamis/commits").glob("*/clean/*.json")))

    def finish(self, seconds=900, again=3):
        """Waits until it is published; submits anew where nobody is at it any more, as a user would."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done = self.tamis("status", self.workspace, "--watch", "--every", "1", "--json", ok=(0, 75))
            if done.returncode == 0:
                return
            if again == 0:
                sys.exit(f"still open:\n{self.tamis('status', self.workspace).stdout}")
            again -= 1
            self.submit()
        sys.exit("not done in time")


def plain(trial):
    trial.submit()
    told = trial.submit().stdout
    assert "nothing to submit" in told, told
    return "submitted twice: the second time nothing"


def node_killed(trial):
    trial.submit()
    node = trial.wait_running(3)[0][1]
    trial.cluster("kill-node", node)
    time.sleep(12)
    trial.cluster("start-node", node)
    return f"{node} killed, back after 12 s"


def zombie(trial):
    trial.submit()
    node = trial.wait_running(3)[0][1]
    trial.cluster("freeze-node", node)
    time.sleep(20)
    frozen = trial.commits()
    trial.cluster("thaw-node", node)
    return f"{node} frozen for 20 s, its tasks were done by others meanwhile ({frozen} commits), then it came back"


def requeued(trial):
    trial.submit()
    jobs = [job for job, _ in trial.wait_running(3)]
    for job in jobs:
        trial.slurm_says("scontrol", "requeue", job)
    return f"{len(jobs)} running jobs requeued"


def wall_time(trial):
    trial.submit()
    return "jobs of one minute"


def killed_before_commit(trial):
    trial.submit()
    while trial.slurm_says("squeue", "-h"):
        time.sleep(0.2)
    published = {file.name.split(".")[0] for file in trial.workspace.glob("_tamis/staging/*/clean-*")}
    committed = {f"clean-{file.stem}" for file in trial.workspace.glob("_tamis/commits/*/clean/*.json")}
    assert published - committed, "no file was published without its commit record"
    trial.set_profile(environment="")
    return f"every worker was killed: {len(published - committed)} tasks had published files and no commit record"


def many_tasks(trial):
    begun = time.monotonic()
    told = trial.submit().stdout.splitlines()[0]
    return f"{told.strip()}; submitted in {time.monotonic() - begun:.1f} s"


def refused(trial):
    trial.profile.write_text('partition = "no-such"\n')
    said = trial.submit(ok=(2,)).stderr
    assert "`sbatch` refused" in said and "partition" in said, said
    assert trial.slurm_says("squeue", "-h") == "", "nothing stays queued"
    trial.set_profile()
    trial.submit()
    return said.strip().split("\n")[-1][:150]


TRIALS = {
    "plain": (plain, {}, {}),
    "node-killed": (node_killed, {}, {}),
    "zombie": (zombie, {}, {}),
    "requeued": (requeued, {}, {}),
    "refused": (refused, {}, {}),
    "killed-before-commit": (killed_before_commit, {}, dict(environment='TAMIS_KILL_AT = "{kill_at}"')),
    "wall-time": (wall_time, dict(files=400), dict(leases=2, minutes=1)),
    "2500-tasks": (many_tasks, dict(files=2500), dict(leases=2500)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tamis", required=True, type=lambda path: Path(path).resolve())
    parser.add_argument("--archive", required=True)
    parser.add_argument("--recipe", default="pipelines/common-crawl.toml")
    parser.add_argument("--only", nargs="*", choices=TRIALS, default=list(TRIALS))
    parser.add_argument("--kill-at", type=int, default=4, help="the lasting change of a worker after which it is killed: by then its first files are published")
    args = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="tamis-slurm-") as scratch:
        scratch, local = Path(scratch), {}
        for name in args.only:
            act, inputs, profile = TRIALS[name]
            files = inputs.get("files", 24)
            if files not in local:
                pattern, made = cut(args.archive, scratch / f"in-{files}", files)
                place = scratch / f"local-{files}"
                begun = time.monotonic()
                subprocess.run([args.tamis, "run", args.recipe, "--workspace", place, "--set", f"input={pattern}", "--set", "limits.task_bytes_max=1 B",
                                "--quiet"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
                local[files] = (pattern, digests(place), time.monotonic() - begun, made)
            pattern, wanted, local_s, made = local[files]
            profile = {key: value.format(kill_at=args.kill_at) if isinstance(value, str) else value for key, value in profile.items()}
            with Trial(args, scratch, name, pattern, **profile) as trial:
                begun = time.monotonic()
                what = act(trial)
                trial.finish()
                took = time.monotonic() - begun
            found = digests(trial.workspace)
            differing = [file for file in wanted.keys() | found.keys() if wanted.get(file) != found.get(file)]
            bad += bool(differing)
            restarts = sum(log.read_text().count("into the queue again") for log in trial.workspace.glob("_tamis/logs/*/*.log"))
            print(f"{'same' if not differing else 'DIFFERS'}  {name:<22} {made} files, {len(wanted)} shards, {len(differing)} differ; local {local_s:.0f} s, Slurm {took:.0f} s, "
                  f"submitted {trial.submissions} times, {restarts} restarts for time; {what}", flush=True)
            for file in differing[:5]:
                print(f"  {file}: local {wanted.get(file, 'absent')[:12]}, Slurm {found.get(file, 'absent')[:12]}")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
