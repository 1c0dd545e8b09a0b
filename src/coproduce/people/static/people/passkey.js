// Says when a passkey did not work, and prints the spare codes.
(function () {
  "use strict";
  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    var trouble = document.getElementById("passkey-trouble");
    if (trouble) trouble.hidden = false;
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("[data-print]")) window.print();
  });
})();
