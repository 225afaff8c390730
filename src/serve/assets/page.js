// Keeps the line of the running night up to date, and moves between results by j and k while one of them has the focus.
// Without this file everything works; only the line stands still until the page is loaded again.
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
