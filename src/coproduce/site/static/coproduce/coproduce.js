// What is nicer with JavaScript. Every page works without this file.
(function () {
  "use strict";

  // htmx sends Django's token against forged requests.
  document.addEventListener("htmx:configRequest", function (event) {
    var form = event.target.closest && event.target.closest("form");
    var field = (form || document).querySelector("[name=csrfmiddlewaretoken]");
    if (field) event.detail.headers["X-CSRFToken"] = field.value;
  });

  // What went wrong is read out first.
  function focusOnErrors(root) {
    var summary = root.querySelector(".govuk-error-summary");
    if (summary) summary.focus();
  }

  // Progress is said aloud at each quarter, not at every look.
  function sayProgress() {
    document.querySelectorAll(".progress").forEach(function (box) {
      var now = box.querySelector("[data-say]");
      var live = box.querySelector("[role=status]");
      if (now && live && live.textContent !== now.dataset.say) live.textContent = now.dataset.say;
    });
  }

  document.addEventListener("htmx:afterSwap", function (event) {
    focusOnErrors(event.target);
    sayProgress();
  });

  // A second press while the first is on its way does nothing.
  var sent = new WeakMap();
  document.addEventListener("submit", function (event) {
    var last = sent.get(event.target);
    if (last && Date.now() - last < 1500) event.preventDefault();
    else sent.set(event.target, Date.now());
  });

  // Escape closes an open menu and gives the focus back to it.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  focusOnErrors(document);
})();
