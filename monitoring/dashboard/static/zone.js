// A button that writes the times of tables in the reader's own time zone, and back; the choice is kept in this browser.
"use strict";
(() => {
  const KEY = "pitfalls-own-zone";
  const button = document.getElementById("zone");
  const times = [...document.querySelectorAll("time[datetime]")];
  if (button === null || times.length === 0) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const two = "2-digit";
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: two, day: two, hour: two, minute: two,
  });
  const written = times.map((time) => time.textContent);
  const inOwn = (text) => {
    const of = Object.fromEntries(format.formatToParts(new Date(text)).map((part) => [part.type, part.value]));
    return `${of.year}-${of.month}-${of.day} ${of.hour}:${of.minute}`;
  };
  let own = false;
  const show = () => {
    times.forEach((time, place) => { time.textContent = own ? inOwn(time.dateTime) : written[place]; });
    button.setAttribute("aria-pressed", String(own));
  };
  try { own = localStorage.getItem(KEY) === "yes"; } catch { own = false; }
  button.textContent = `Tables in your time zone, ${zone}`;
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    own = !own;
    try { localStorage.setItem(KEY, own ? "yes" : "no"); } catch { /* the choice is not kept */ }
    show();
  });
})();
