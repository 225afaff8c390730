#!/usr/bin/env python3
"""A crawl of many local sites, timed: 50 host names on addresses of 127.0.0.0/8, 20,000 pages, with traps, forbidden paths, slow answers and storms.

    cargo build --release
    python3 benches/crawl_local_sites.py [--hosts 50] [--pages 400] [--tamis target/release/tamis] [--kills 0] [--slow 0] [--storms 0]

The servers count what they are asked for. Every allowed page must be asked for once (after kills at most once more a kill and connection), nothing
forbidden ever. --slow lets a page in so many wait two seconds before its answer; --storms lets a host in so many answer 503 to every question of
two moments of half a second, the first with Retry-After: 1, the second without, so that a wait of 30 s is due; what was refused then must be asked for
again, and not before. Politeness is off, because the sites are ours. Prints pages a second,
and the memory of the crawl as it was sampled every second.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--hosts", type=int, default=50)
parser.add_argument("--pages", type=int, default=400)
parser.add_argument("--kills", type=int, default=0)
parser.add_argument("--kill-after", type=float, default=0.4, help="seconds")
parser.add_argument("--slow", type=int, default=0, help="a page in so many is slow")
parser.add_argument("--storms", type=int, default=0, help="a host in so many has storms")
parser.add_argument("--tamis", default="target/release/tamis")
args = parser.parse_args()
SLOW_S, STORM_S, WAITS_S = 2.0, 0.5, [1, 30]
WORDS = "lauku ceļš pa pļavu uz upes pusi kur vecais dzirnavnieks katru rītu skatās ūdenī un skaita laivas ".split()


def page(host, number):
    text = " ".join(f"{WORDS[(number * 7 + at * 3) % len(WORDS)]}{(number + at) % 97}" for at in range(400))
    links = "".join(f"<a href=/p{next}>n</a>" for next in (2 * number + 1, 2 * number + 2) if next < args.pages)
    trap = f"<a href=/aizliegts/{number}>x</a><a href=/p{number}?utm_source=t>t</a><a href=/a/b/a/b/a/b/a/b/{number}>l</a>"
    return f"<html><head><title>{host} {number}</title></head><body><p>{text}</p>{links}{trap}</body></html>".encode()


def has_storm(storms, host):
    """Whether a storm is over the host: each begins with a question, and ends some time after it."""
    if not args.storms or int(host[1:].split(".")[0]) % args.storms:
        return False
    storm = storms.setdefault(host, {"begun": [], "answered": 0, "until": 0, "hurried": 0})
    begun, now = storm["begun"], time.monotonic()
    storm["hurried"] += now < storm["until"]
    if not (begun and now - begun[-1] < STORM_S):
        storm["answered"] += 1
        if len(begun) == len(WAITS_S) or storm["answered"] % 50:
            return False
        begun.append(now)
    storm["until"] = now + WAITS_S[len(begun) - 1] * 0.99
    return True


def serve(ports, counts):
    async def answer(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            host = re.search(rb"Host: ([^:\r]+)", head)[1].decode()
            key = "forbidden" if path.startswith("/aizliegts") else "page" if re.fullmatch(r"/p\d+", path) else "other"
            if key == "page" and has_storm(storms, host):
                key = "storm"
            asked[key, host, path] = asked.get((key, host, path), 0) + 1
            if key == "page" and args.slow and int(path[2:]) % args.slow == 7:
                await asyncio.sleep(SLOW_S)
            if path == "/robots.txt":
                body, status = b"User-agent: *\nDisallow: /aizliegts\n", "200 OK"
            elif key == "storm":
                body, status = b"later", "503 Service Unavailable"
                if len(storms[host]["begun"]) == 1:
                    status += "\r\nRetry-After: 1"
            elif key == "page":
                body, status = page(host, int(path[2:])), "200 OK"
            else:
                body, status = b"no", "404 Not Found"
            kind = "text/plain" if path == "/robots.txt" else "text/html"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def run():
        servers = [await asyncio.start_server(answer, f"127.0.20.{number + 1}", 0, backlog=512) for number in range(args.hosts)]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        while True:
            await asyncio.sleep(0.2)
            if counts.poll():
                counts.recv()
                counts.send((asked, sum(storm["hurried"] for storm in storms.values())))

    asked, storms = {}, {}
    asyncio.run(run())


def sample_memory(pid, samples, ended):
    """Resident MiB of a process, every second until it ends."""
    while not ended.wait(1):
        try:
            line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
            samples.append(int(line.split()[1]) / 1024)
        except (OSError, StopIteration):
            return


(ours, theirs), (ask, told) = multiprocessing.Pipe(), multiprocessing.Pipe()
server = multiprocessing.Process(target=serve, args=(theirs, told), daemon=True)
server.start()
ports = ours.recv()
with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    hosts = ", ".join(f'"v{number}.example.lv" = "127.0.20.{number + 1}:{port}"' for number, port in enumerate(ports))
    (folder / "seeds").write_text("".join(f"http://v{number}.example.lv/p0\n" for number in range(args.hosts)))
    (folder / "recipe.toml").write_text(
        f'dataset = "d"\n[source]\nkind = "crawl"\ncontact = "mailto:bench@example.org"\nseed_files = ["{folder}/seeds"]\ndelay_ms_min = 0\ndelay_factor = 0\n'
        f'host_pages_max = 100000\ndomain_pages_max = 10000000\npages_max = 10000000\nhosts = {{ {hosts} }}\n[[clean]]\nstage = "extract"\n[[emit]]\nstage = "tokenize"\n'
    )
    command = [args.tamis, "run", str(folder / "recipe.toml"), "--workspace", str(folder / "w"), "--night", "2026-11-26"]
    killed, samples, ended = 0, [], threading.Event()
    while True:
        crawl = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        if killed < args.kills:
            try:
                crawl.wait(timeout=args.kill_after)
            except subprocess.TimeoutExpired:
                crawl.send_signal(signal.SIGKILL)
                crawl.wait()
                killed += 1
                continue
        sampler = threading.Thread(target=sample_memory, args=(crawl.pid, samples, ended))
        sampler.start()
        said = crawl.communicate()[1]
        ended.set()
        sampler.join()
        break
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    ask.send(None)
    asked, hurried = ask.recv()
    count = lambda kind: [times for (key, _, _), times in asked.items() if key == kind]
    pages = count("page")
    line = next((line for line in said.splitlines() if line.startswith("crawl ")), said[-300:])
    seconds = float(re.search(r" in (\d+) s", line)[1]) if killed == 0 else float("nan")
    kept = subprocess.run([args.tamis, "warc", "ls", *map(str, sorted((folder / "w/archive").rglob("*.warc.gz")))], capture_output=True, text=True).stdout
    urls = [match for match in re.findall(r'"type":"response","uri":"(http://v\d+\.example\.lv/p\d+)"', kept)]
    print(line)
    print(f"exit {crawl.returncode}, {killed} kills; asked: {len(pages)} pages, {sum(times - 1 for times in pages)} of them again, {sum(count('forbidden'))} forbidden, {sum(count('storm'))} in storms, {hurried} before their wait was over; kept {len(urls)}, {len(set(urls))} different")
    print(f"{len(pages) / seconds:.0f} pages/s, peak {usage.ru_maxrss / 1024:.0f} MiB (with the run of the recipe)")
    print("resident MiB, a second each: " + " ".join(f"{sample:.0f}" for sample in samples))
server.terminate()
