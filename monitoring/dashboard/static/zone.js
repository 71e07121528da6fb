// A button for times in the reader's own time zone: a cookie says so, and the server writes all of the page in it.
"use strict";
(() => {
  const NAME = "pitfalls_zone";
  const button = document.getElementById("zone");
  if (button === null) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const chosen = document.cookie.split("; ").includes(`${NAME}=${encodeURIComponent(zone)}`);
  button.textContent = `Show in your time zone, ${zone}`;
  button.setAttribute("aria-pressed", String(chosen));
  button.hidden = false;
  button.addEventListener("click", () => {
    const secure = location.protocol === "https:" ? "; secure" : "";
    const kept = chosen ? "; max-age=0" : "; max-age=31536000";
    document.cookie = `${NAME}=${encodeURIComponent(zone)}; path=/; samesite=lax${kept}${secure}`;
    location.reload();
  });
})();
