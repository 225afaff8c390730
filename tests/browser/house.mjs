// A workspace to look at, and the server that shows it: the quickstart's data set, and one of pages that carry scripts everywhere.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const here = import.meta.dirname;
export const root = join(here, "..", "..");
const vectors = JSON.parse(readFileSync(join(here, "vectors.json"), "utf8"));

/** Every vector four times, each with a mark of its own: more than a hundred. */
export function payloads() {
  return [0, 1, 2, 3].flatMap((turn) => vectors.map((vector, at) => vector.replaceAll("MARK", `top.document.title='ran${turn * 100 + at}'`)));
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A page that has the payload in its title, text and address, and as live markup. */
function infected(payload, number) {
  const lines = ["Storch", "Kranich", "Reiher", "Habicht", "Uhu"].map(
    (bird, line) =>
      `<p>Am ${number * 7 + line}. Tag sah Mutter den ${bird} auf dem Dach Nummer ${number * 31 + line}, und niemand im Dorf wollte glauben, dass er ` +
      `wiederkommt, bevor die Wiesen am Fluss wieder trocken sind und die ${number}. Brücke steht.</p>`,
  );
  const html =
    `<html><head><title>Seite ${number} ${escaped(payload)}</title></head><body><article><h1>Seite ${number}</h1>${lines.join("")}` +
    `<p>Auf der Tafel stand am Morgen: ${escaped(payload)} und niemand wusste, wer das geschrieben hatte.</p></article>${payload}` +
    `<p><a href="https://elsewhere.example/">weiter</a></p></body></html>`;
  const http = `HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}`;
  const url = `https://tafel.example.eu/${number}?${encodeURIComponent(payload)}`;
  return gzipSync(
    `WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: ${url}\r\nWARC-Date: 2026-05-02T03:04:05Z\r\nWARC-Record-ID: <urn:uuid:${number}>\r\n` +
      `Content-Type: application/http\r\nContent-Length: ${Buffer.byteLength(http)}\r\n\r\n${http}\r\n\r\n`,
  );
}

const recipe = 'dataset = "tafel"\n[source]\nkind = "warc"\n[[clean]]\nstage = "extract"\n[[emit]]\nstage = "tokenize"\n';

function run(tamis, words) {
  const done = spawnSync(tamis, words, { cwd: root, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${tamis} ${words.join(" ")} ended with ${done.status}\n${done.stderr}`);
}

/** Makes the workspace and starts the server; `end` stops it and removes everything. */
export async function open(tamis) {
  const folder = mkdtempSync(join(tmpdir(), "tamis-browser-"));
  const at = (name) => join(folder, name);
  mkdirSync(at("w/archive/night"), { recursive: true });
  writeFileSync(at("w/archive/night/a.warc.gz"), Buffer.concat(payloads().map(infected)));
  writeFileSync(at("recipe.toml"), recipe);
  const place = ["--workspace", at("w"), "--keys", at("keys")];
  run(tamis, ["run", "pipelines/quickstart.toml", ...place]);
  run(tamis, ["run", at("recipe.toml"), ...place, "--set", `input=${at("w/archive/night/*.warc.gz")}`]);
  const words = ["serve", at("w"), "--listen", "127.0.0.1:0", "--officer", "anna", "--officer", "bert", "--keys", at("keys"), "--json"];
  const server = spawn(tamis, words, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((told, failed) => {
    server.stdout.once("data", (data) => told(String(data)));
    server.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
  });
  const end = () =>
    new Promise((ended) => {
      server.once("exit", () => {
        rmSync(folder, { recursive: true, force: true });
        ended();
      });
      server.kill("SIGTERM");
    });
  return { ...JSON.parse(line), end };
}
