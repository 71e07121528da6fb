// Keys of the page on which rows are labelled: each presses what names it. One label or step from each page.
"use strict";
(() => {
  let left = false;
  window.addEventListener("pageshow", () => { left = false; });
  document.addEventListener("submit", (event) => {
    if (left) event.preventDefault();
    left = true;
  });
  for (const hint of document.querySelectorAll(".key")) hint.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    const writes = at !== null && at.tagName === "INPUT" && at.type !== "checkbox";
    if (writes && event.key === "Escape") at.blur();
    if (writes && !(at.type === "number" && /^[asu]$/.test(event.key))) return;
    if (event.key === "Enter" && at !== null && /^(A|BUTTON|SUMMARY)$/.test(at.tagName)) return;
    const named = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
    if (named === undefined) return;
    event.preventDefault();
    if (event.repeat || left) return;
    named.click();
    if (named.tagName === "A") left = true;
  });
})();
