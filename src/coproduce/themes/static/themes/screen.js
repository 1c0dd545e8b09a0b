// On the big screen the arrow keys go from theme to theme. Without this file the links do.
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    var rel = { ArrowRight: "next", PageDown: "next", ArrowLeft: "prev", PageUp: "prev" }[event.key];
    var link = rel && document.querySelector("a[rel=" + rel + "]");
    if (link) {
      event.preventDefault();
      link.click();
    }
  });
})();
