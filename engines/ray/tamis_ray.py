"""Sends one stage of a tamis plan to a Ray cluster and waits until it is done: `tamis run --engine ray` calls this.

Each Ray task is a lease, the same `tamis work` that Slurm's jobs run, so Ray sees as many tasks as there are cores, not as there are files.
What is done is told by commit records alone: a lease whose worker died is tried again, on whichever node, and goes on with what is left.
"""
import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time

import ray


class Again(Exception):
    """The lease ended with work left (exit code 75): worth another try."""


class Failed(Exception):
    """tamis says why; another try would end the same."""


def die_with_parent():
    """tamis ends when Ray's worker does, also where that is killed: nobody would wait for it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def lease(words, name, folder):
    """Runs one lease to its end, on the node where Ray put it."""
    # Lives of one name must grow from try to try: the clock of the node is close enough, as claims are advice.
    words = [os.path.expandvars(word) if before == "--scratch" else word for before, word in zip([None, *words], words)]
    words = [*words, "--as", name, "--life", str(int(time.time()))]
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=die_with_parent)
    said = done.stderr.strip()
    if done.returncode in (0, 1):
        return said
    if done.returncode == 75 or done.returncode < 0:
        raise Again(f"lease {name} ended with {done.returncode}: {said[-500:]}")
    raise Failed(f"lease {name} ended with {done.returncode}: {said[-2000:]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tamis", required=True, help="the program, at the same path on all nodes")
    parser.add_argument("--plan", required=True, help="the plan's file, at the same path on all nodes")
    parser.add_argument("--stage", required=True, choices=["clean", "decide", "emit"])
    parser.add_argument("--leases", type=int, required=True, help="Ray tasks at most")
    parser.add_argument("--cpus", type=int, default=1, help="cores of a lease")
    parser.add_argument("--memory-max", type=int, help="bytes that a lease may take")
    parser.add_argument("--scratch", help="folder on a node's own disk, where tasks are tried; its variables are those of the node")
    parser.add_argument("--steal-after", type=int, default=300)
    parser.add_argument("--retries", type=int, default=20, help="how often a lease is tried again")
    parser.add_argument("--keys", help="folder of the keys of takedowns, at the same path on all nodes")
    parser.add_argument("--address", help="of the cluster; else RAY_ADDRESS, else the one on this machine")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


def command(args, number, leases):
    words = [args.tamis, "work", "--plan", args.plan, "--until", args.stage, "--lease", f"{number}/{leases}", "--leave-others",
             "--steal-after", str(args.steal_after), "--threads", str(args.cpus)]
    if args.memory_max:
        words += ["--memory-max", str(args.memory_max)]
    if args.scratch:
        words += ["--scratch", args.scratch]
    return words + (["--keys", args.keys] if args.keys else [])


def run(args):
    """Sends the leases and waits. Raises what the last try of one raised."""
    ray.init(address=args.address or os.environ.get("RAY_ADDRESS", "auto"), log_to_driver=False, logging_level="ERROR")
    # Leases beyond the cluster's cores would only wait: they are made as the work is, and what they hold moves on when they end.
    leases = max(1, min(args.leases, int(ray.cluster_resources().get("CPU", 1)) // args.cpus))
    options = {"num_cpus": args.cpus, "max_retries": args.retries, "retry_exceptions": [Again], "scheduling_strategy": "SPREAD"}
    if args.memory_max:
        options["memory"] = args.memory_max
    remote = ray.remote(lease).options(**options)
    run_id = f"ray {ray.get_runtime_context().get_job_id()}"
    open_leases = [remote.remote(command(args, number, leases), f"{run_id} {args.stage} {number}", os.getcwd()) for number in range(leases)]
    done = 0
    while open_leases:
        ready, open_leases = ray.wait(open_leases, num_returns=1)
        for said in ray.get(ready):
            done += 1
            if said and not args.quiet:
                print(said, file=sys.stderr)
        if not args.quiet:
            print(f"{args.stage:<6} {done} of {leases} leases done", file=sys.stderr, flush=True)


def main():
    args = arguments()
    try:
        run(args)
    except ConnectionError as error:
        sys.exit(f"error: no Ray cluster was found ({error}); start one (`ray start --head`), or give its address: address = \"..\" in the engine profile")
    except ray.exceptions.RayTaskError as error:
        print(f"error: {error.cause}", file=sys.stderr)
        sys.exit(75 if isinstance(error.cause, Again) else 2)
    except (ray.exceptions.RayError, KeyboardInterrupt) as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(75)


if __name__ == "__main__":
    main()
