// Reloads the page when something has changed, unless somebody is typing or has typed; and a few keys.
"use strict";
(() => {
  const status = document.getElementById("live");
  const typing = () => {
    const at = document.activeElement;
    return at !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  };
  const typed = () => [...document.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
  let waiting = false;
  const refresh = () => {
    waiting = true;
    if (document.hidden || typing() || typed()) return;
    location.reload();
  };
  if (status !== null && "EventSource" in window) {
    const events = new EventSource("/live");
    status.hidden = false;
    const say = (words, live) => { status.textContent = words; status.classList.toggle("on", live); };
    say("Connecting", false);
    events.addEventListener("open", () => say("Live", true));
    events.addEventListener("error", () => say("Not live", false));
    events.addEventListener("changed", refresh);
    window.addEventListener("pagehide", () => events.close());
  }
  const again = () => { if (waiting) refresh(); };
  document.addEventListener("visibilitychange", again);
  document.addEventListener("focusout", () => setTimeout(again, 100));

  const soon = document.querySelector("[data-look-again]");
  if (soon !== null) setTimeout(refresh, 1000 * Number(soon.dataset.lookAgain));

  const step = (by) => {
    const links = [...document.querySelectorAll("[data-step], tbody th a:not(.tag)")];
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (typing() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const search = document.getElementById("q");
      if (search === null) location.assign("/");
      else { event.preventDefault(); search.focus(); }
    }
    if (event.key === "o") location.assign("/");
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
})();
