(function () {
  "use strict";

  var root = document.documentElement;
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var holders = Array.prototype.slice.call(document.querySelectorAll("[data-chart]"));
  var options = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };

  function painted(node, key, style) {
    if (Array.isArray(node)) {
      return node.map(function (item) { return painted(item, key, style); });
    }
    if (node && typeof node === "object") {
      var copy = {};
      Object.keys(node).forEach(function (name) { copy[name] = painted(node[name], name, style); });
      return copy;
    }
    if (typeof node === "string" && /color$/.test(key) && node.slice(0, 2) === "--") {
      return style.getPropertyValue(node).trim();
    }
    if (key === "family" && node === "inherit") {
      return window.getComputedStyle(document.body).fontFamily;
    }
    return node;
  }

  function draw(width) {
    var style = window.getComputedStyle(root);
    holders.forEach(function (holder) {
      var figure = painted(figures[holder.dataset.chart], "", style);
      if (width) {
        figure.layout.width = Math.min(width, holder.dataset.half ? width / 2 - 12 : width);
      }
      window.Plotly.react(holder, figure.data, figure.layout, options);
    });
  }

  root.classList.add("drawn");
  draw(0);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { draw(0); });
  window.addEventListener("beforeprint", function () { root.classList.add("printing"); draw(680); });
  window.addEventListener("afterprint", function () { root.classList.remove("printing"); draw(0); });
})();
