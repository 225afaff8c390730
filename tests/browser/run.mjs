// The pages in a real browser: every view, by pointer and by keys alone, on a desktop and on a phone, light and dark; axe finds no serious
// fault; a document is erased by two officers; and of more than a hundred scripts that pages carry, none runs.
//
//   node tests/browser/run.mjs TAMIS CHROMIUM [FOLDER FOR SCREENSHOTS]
//
// playwright-core and axe-core are taken from NODE_PATH's folder, as tests/run installs them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { open, payloads } from "./house.mjs";

const [tamis, chromium, pictures] = process.argv.slice(2);
const require = createRequire(join(process.env.TAMIS_BROWSER_MODULES ?? import.meta.dirname, "x.js"));
const browsers = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core"), "utf8");

const house = await open(tamis);
const browser = await browsers.chromium.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const base = `http://${house.listen}`;
let passed = 0;
let failed = 0;
const outside = [];

async function comeIn(name, options = {}) {
  // The page's own policy forbids what axe needs to be put in; its checks see the same page.
  const context = await browser.newContext({ bypassCSP: options.bypassCSP ?? false, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("request", (request) => {
    if (!request.url().startsWith(base)) outside.push(request.url());
  });
  page.on("dialog", (dialog) => dialog.dismiss());
  await page.goto(house.links[name]);
  return page;
}

async function check(promise, test) {
  try {
    await test();
    passed += 1;
    console.log(`ok  ${promise}`);
  } catch (error) {
    failed += 1;
    console.log(`NOT ${promise}\n${error.stack}`);
  }
}

async function go(page, path) {
  for (;;) {
    const answer = await page.goto(base + path);
    if (answer.status() !== 429) return answer;
    await page.waitForTimeout(500);
  }
}

/** Serious faults that axe finds. */
async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
  const serious = found.violations.filter((fault) => ["serious", "critical"].includes(fault.impact));
  return serious.map((fault) => `${fault.id}: ${fault.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
}

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const reader = await comeIn("reader", { bypassCSP: true, viewport: { width: 1200, height: 850 } });
for (let tries = 0; tries < 60 && (await reader.locator("#hosts").count()) === 0; tries += 1) {
  await reader.waitForTimeout(300);
  await go(reader, "/");
}
await go(reader, "/search?lang=de");
const first = await reader.locator(".results h3 a").first().getAttribute("href");
const set = "tafel";
const views = { overview: "/", search: "/search?q=der", draw: "/draw?lang=de&signal=words&most=400&n=3", document: first, compare: "/compare", recipes: "/recipes" };

await check("every view is there, is sound to axe in light and dark, and fits a phone", async () => {
  for (const [name, path] of Object.entries(views)) {
    for (const colorScheme of ["light", "dark"]) {
      await reader.emulateMedia({ colorScheme });
      assert.equal((await go(reader, path)).status(), 200, path);
      assert.deepEqual(await faults(reader), [], `${name}, ${colorScheme}`);
    }
    await picture(reader, `${name}-dark`);
    await reader.emulateMedia({ colorScheme: "light" });
    await picture(reader, name);
    await reader.setViewportSize({ width: 375, height: 740 });
    const [wide, seen] = await reader.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= seen, `${name} is ${wide} px wide on a phone`);
    await picture(reader, `${name}-phone`);
    await reader.setViewportSize({ width: 1200, height: 850 });
  }
  await go(reader, "/recipes");
  await reader.locator("tbody a").first().click();
  assert.match(await reader.locator("pre").innerText(), /stage = /);
  assert.deepEqual(await faults(reader), [], "recipe");
});

await check("a document shows what of its page was left out, and its way", async () => {
  await go(reader, first);
  await reader.locator("details.cuts summary").click();
  assert.ok((await reader.locator("details.cuts del").count()) > 3, "menus were left out");
  assert.match(await reader.locator("section:has(#trail)").innerText(), /lang_score/);
  assert.deepEqual(await faults(reader), [], "with the whole page open");
  await picture(reader, "cuts");
});

await check("a search finds documents by words, language and host", async () => {
  await go(reader, "/search");
  await reader.locator("#lang").selectOption("fi");
  await reader.getByRole("button", { name: "Search", exact: true }).click();
  const facts = await reader.locator(".results .facts").allInnerTexts();
  assert.ok(facts.length > 0 && facts.every((fact) => fact.includes("fi")), facts.join());
  await go(reader, `/search?set=${set}`);
  await reader.locator("#q").fill("Tafel stand");
  await reader.locator("#host").fill("tafel.example.eu");
  await reader.getByRole("button", { name: "Search", exact: true }).click();
  assert.ok((await reader.locator(".results mark").count()) > 5);
  await reader.getByRole("link", { name: "Next page" }).click();
  assert.ok((await reader.locator(".results > li").count()) > 5);
});

await check("documents are drawn by language and signal, others with another seed", async () => {
  await go(reader, "/search?lang=de");
  await reader.getByRole("link", { name: "Draw documents by chance" }).click();
  assert.equal(await reader.locator("#lang").inputValue(), "de");
  await reader.locator("#signal").selectOption("words");
  await reader.locator("#most").fill("300");
  await reader.locator("#n").fill("2");
  await reader.getByRole("button", { name: "Draw", exact: true }).click();
  const drawn = () => reader.locator(".results h3 a").evaluateAll((links) => links.map((link) => link.getAttribute("href")).join());
  const facts = await reader.locator(".results > li > p.facts").allInnerTexts();
  assert.ok(facts.length === 2 && facts.every((fact) => Number(fact.replace("words", "")) <= 300), facts.join());
  const one = await drawn();
  await reader.getByRole("link", { name: "Draw others" }).click();
  assert.notEqual(await drawn(), one);
  await go(reader, "/draw?signal=words&most=many");
  assert.equal(await reader.getByRole("alert").count(), 1);
  assert.deepEqual(await faults(reader), [], "a draw that makes no sense");
});

await check("keys alone lead from the start to a document", async () => {
  const page = await comeIn("reader");
  await go(page, "/search?lang=de");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  for (let tabs = 0; tabs < 20 && !(await page.evaluate(() => document.activeElement.closest(".results"))); tabs += 1) await page.keyboard.press("Tab");
  const href = () => page.evaluate(() => document.activeElement.getAttribute("href"));
  const one = await href();
  await page.keyboard.press("j");
  const two = await href();
  assert.ok(two.startsWith("/document/") && one !== two);
  await page.keyboard.press("k");
  assert.equal(await href(), one);
  await page.keyboard.press("Enter");
  await page.waitForURL(base + one);
  await page.context().close();
});

await check("pages work without a script", async () => {
  const page = await comeIn("reader", { javaScriptEnabled: false });
  await page.getByRole("link", { name: "Search", exact: true }).click();
  await page.locator("#q").fill("und");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.locator(".results h3 a").first().click();
  assert.match(page.url(), /document\/[0-9a-f]{32}$/);
  await page.context().close();
});

await check("the line of the running night is kept up by events", async () => {
  const page = await comeIn("reader");
  await page.evaluate(() => (document.getElementById("live-told").textContent = "old"));
  await page.reload();
  await page.waitForFunction(() => document.getElementById("live-told").textContent.includes("night"));
  await page.context().close();
});

await check(`of ${payloads().length} scripts in pages none runs`, async () => {
  const page = await comeIn("reader", { viewport: { width: 1200, height: 850 } });
  const faultsOf = [];
  page.on("pageerror", (error) => faultsOf.push(String(error)));
  let documents = new Set();
  for (let path = `/search?set=${set}`; path; path = await page.locator("a.next").getAttribute("href", { timeout: 200 }).catch(() => null)) {
    await go(page, path);
    for (const link of await page.locator(".results h3 a").all()) documents.add(await link.getAttribute("href"));
    assert.doesNotMatch(await page.title(), /^ran/);
  }
  assert.ok(documents.size >= 100, `${documents.size} documents`);
  for (const path of documents) {
    await go(page, path);
    await page.locator("iframe").scrollIntoViewIfNeeded();
    assert.ok(!/^ran\d/.test(await page.title()), `${path}: ${await page.title()}`);
  }
  await page.waitForTimeout(300);
  assert.ok(page.frames().every((frame) => frame.url().startsWith(base)), "no frame went elsewhere");
  const original = [...documents][0] + "/original";
  const answer = await page.request.get(base + original);
  assert.match(answer.headers()["content-security-policy"], /^sandbox; default-src 'none'/);
  assert.match(await answer.text(), /<script>top\.document|wiederkommt/);
  await page.goto(base + original);
  assert.ok(!/^ran\d/.test(await page.title()), "not even on its own");
  assert.deepEqual(faultsOf, []);
  await page.context().close();
});

await check("a document goes when two officers want it", async () => {
  const anna = await comeIn("anna", { bypassCSP: true, viewport: { width: 1200, height: 850 } });
  const bert = await comeIn("bert", { bypassCSP: true, viewport: { width: 1200, height: 850 } });
  await go(anna, "/takedown");
  await anna.locator("summary", { hasText: "Enter a request" }).click();
  await anna.locator("#new-reference").fill("az 7");
  await anna.locator("form[action='/takedown/register'] button").click();
  await go(anna, first);
  const address = await anna.locator("p.address").innerText();
  await anna.getByRole("link", { name: "Plan a takedown of this document" }).click();
  await anna.getByLabel("For the request").selectOption("1");
  assert.deepEqual(await faults(anna), [], "console");
  await anna.getByRole("button", { name: "Search and plan" }).click();
  await anna.waitForURL(/pending/);
  assert.ok((await anna.locator("main").innerText()).includes(address));
  assert.equal(await anna.getByRole("button", { name: "Approve and erase" }).count(), 0, "not her own");
  await go(bert, "/takedown");
  assert.deepEqual(await faults(bert), [], "console with a plan");
  await go(bert, "/takedown?kind=host&value=nobody.example.eu");
  await bert.getByLabel("For the request").selectOption("1");
  await bert.getByRole("button", { name: "Search and plan" }).click();
  assert.deepEqual(await faults(bert), [], "a job under way");
  await bert.waitForURL(/pending/, { timeout: 20000 });
  assert.deepEqual(await faults(bert), [], "a plan without documents");
  await bert.getByRole("button", { name: "Withdraw" }).click();
  await go(bert, "/takedown");
  await picture(bert, "takedown");
  await bert.locator("#waiting ~ .scroll a").first().click();
  assert.deepEqual(await faults(bert), [], "plan");
  await picture(bert, "plan");
  for (const box of await bert.getByRole("checkbox").all()) await box.check();
  await bert.getByRole("button", { name: "Approve and erase" }).click();
  await bert.waitForURL(/receipt\/1/, { timeout: 20000 });
  assert.deepEqual(await faults(bert), [], "receipt");
  await picture(bert, "receipt");
  const gone = await go(anna, first);
  assert.equal(gone.status(), 410);
  assert.match(await anna.locator("main").innerText(), /erased; its receipt has number 1/);
  await picture(anna, "gone");
});

await check("nothing was asked of anybody but the server", async () => assert.deepEqual(outside, []));

await browser.close();
await house.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
