// Keeps the line of the running night and what is being planned or erased up to date, and moves between results by j and k while one of them
// has the focus. Without this file everything works; only these stand still until the page is loaded again.
"use strict";

const told = document.getElementById("live-told");
if (told) {
  const share = document.getElementById("live-share");
  const events = new EventSource(told.dataset.events);
  events.onmessage = (event) => {
    const now = JSON.parse(event.data);
    if (told.textContent !== now.told) told.textContent = now.told;
    share.hidden = !now.runs;
    share.max = now.of;
    share.value = now.done;
  };
  addEventListener("pagehide", () => events.close());
}

// What is under way is asked for again each second, without taking the reader's place on the page; when it has ended the page that tells how
// is opened.
if (document.querySelector("[data-again]")) {
  const again = async () => {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.redirected || (answer.ok && !page.querySelector("[data-again]"))) return location.replace(answer.url);
    const [old, now] = [document, page].map((one) => one.querySelector("progress"));
    if (old && now) {
      [old.max, old.value] = [now.max, now.value];
      document.querySelector(".done").textContent = page.querySelector(".done").textContent;
    }
    setTimeout(again, 1000);
  };
  setTimeout(again, 300);
}

for (const list of document.querySelectorAll("[data-keys=results]")) {
  const links = [...list.querySelectorAll("h3 a")];
  list.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    const next = links[links.indexOf(document.activeElement) + step];
    if (step && next && !event.ctrlKey && !event.altKey && !event.metaKey) {
      next.focus();
      event.preventDefault();
    }
  });
}
