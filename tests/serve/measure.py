#!/usr/bin/env python3
"""How quick the page of `tamis serve` is on a large data set, and how much memory it takes.

    python3 tests/serve/measure.py TAMIS FOLDER [DOCUMENTS]

Makes FOLDER/w with DOCUMENTS (1,000,000) documents of generated text in six languages on some 20,000 hosts, unless it is there, serves it, and asks
for every kind of page. Standard library only; everything happens on the loopback address.
"""

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

WORDS = {
    "de": "der die und Haus Wiese Fluss Brücke Morgen Schiff Regen kommt geht steht neben alte neue Stadt",
    "fr": "le la et maison pré rivière pont matin bateau pluie vient va près vieille nouvelle ville",
    "fi": "ja talo niitty joki silta aamu laiva sade tulee menee vanha uusi kaupunki vieressä",
    "pl": "i dom łąka rzeka most rano statek deszcz idzie stoi obok stare nowe miasto",
    "el": "και σπίτι λιβάδι ποτάμι γέφυρα πρωί πλοίο βροχή έρχεται πάει παλιά νέα πόλη",
    "mt": "u dar għalqa xmara pont filgħodu vapur xita ġej sejjer qadima ġdida belt",
}


def documents(count):
    draw = random.Random(7)
    langs = list(WORDS)
    words = {lang: text.split() for lang, text in WORDS.items()}
    for number in range(count):
        lang = langs[min(int(draw.expovariate(0.7)), 5)]
        host = f"h{min(int(draw.expovariate(1 / 3000)), 20000)}.example.eu"
        own = [draw.choice(words[lang]) + (str(number) if draw.random() < 0.02 else "") for _ in range(150)]
        rare = " zqseltenheit" if number % 250_000 == 249_999 else ""
        text = ". ".join(" ".join(own[at : at + 10]) for at in range(0, 150, 10)) + rare
        yield {"id": str(number), "url": f"https://{host}/{number}", "text": text, "title": f"{own[0]} {number}"}


def make(tamis, folder, count):
    lines = folder / "documents.jsonl"
    with open(lines, "w") as out:
        for document in documents(count):
            out.write(json.dumps(document, ensure_ascii=False) + "\n")
    recipe = 'dataset = "big"\n[source]\nkind = "jsonl"\n[[clean]]\nstage = "langid"\n[[clean]]\nstage = "repetition"\n[dedup]\nexact = false\nnear = false\n'
    (folder / "recipe.toml").write_text(recipe)
    words = ["run", folder / "recipe.toml", "--workspace", folder / "w", "--keys", folder / "keys", "--set", f"input={lines}"]
    subprocess.run([tamis, *words], check=True)
    lines.unlink()


class Server:
    def __init__(self, tamis, folder):
        words = [tamis, "serve", folder / "w", "--listen", "127.0.0.1:0", "--keys", folder / "keys", "--json"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        self.listen, self.cookie = told["listen"], ""
        path = told["links"]["reader"].split(self.listen)[1]
        self.cookie = self.ask(path)[2].split(";")[0]

    def ask(self, path):
        while True:
            connection = http.client.HTTPConnection(self.listen, timeout=120)
            begun = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            body = answer.read().decode()
            took = (time.perf_counter() - begun) * 1000
            connection.close()
            if answer.status != 429:
                return took, body, answer.headers.get("Set-Cookie") or answer.headers.get("Location") or ""
            time.sleep(0.5)

    def memory_mib(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024


def main():
    tamis, folder = os.path.abspath(sys.argv[1]), Path(sys.argv[2]).absolute()
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "w/data").is_dir():
        make(tamis, folder, count)
    begun = time.perf_counter()
    server = Server(tamis, folder)
    try:
        rows = [("first page, counting in the background", "/", server.ask("/")[0])]
        while 'id="hosts"' not in server.ask("/")[1]:
            time.sleep(0.2)
        print(f"hosts, clusters and signals counted after {time.perf_counter() - begun:.1f} s")
        found = server.ask("/search?lang=fr")[1]
        ids = re.findall(r"/document/([0-9a-f]{32})", found)
        url = re.findall(r"https://h\d+\.example\.eu/\d+", found)[-1]
        pages = {
            "overview": "/",
            "overview of one language": "/?lang=fr",
            "search: nothing asked": "/search",
            "search: language": "/search?lang=fr",
            "search: large host": "/search?host=h3.example.eu",
            "search: small host": "/search?host=h19990.example.eu",
            "search: common word": "/search?q=maison",
            "search: two words, host": "/search?" + urlencode({"q": "Haus Wiese", "host": "h30.example.eu"}),
            "search: rare word": "/search?q=zqseltenheit",
            "search: absent word": "/search?q=zqnirgends",
            "draw: language and signal": "/draw?lang=de&signal=duplicate_line_fraction&most=0.1",
            "draw: a rare host": "/draw?host=h19990.example.eu",
            "document by id": f"/document/{ids[-1]}",
            "document by address": "/search?" + urlencode({"q": url}),
            "unknown id": "/document/" + "0" * 32,
        }
        for name, path in pages.items():
            rows.append((name, path, sorted(server.ask(path)[0] for _ in range(5))[2]))
        for name, path, took in rows:
            print(f"{took:8.1f} ms  {name:42} {path[:60]}")
        print(f"memory: {server.memory_mib('VmRSS'):.0f} MiB now, {server.memory_mib('VmHWM'):.0f} MiB at most")
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)


main()
