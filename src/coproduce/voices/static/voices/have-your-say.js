// While somebody writes, their browser does the small sum of ALTCHA. Without this the form works too.
const box = document.querySelector("altcha-widget");
if (box && globalThis.$altcha) {
  globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(box.dataset.worker));
}
