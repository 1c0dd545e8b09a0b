// The big screen asks every 1.2 seconds what is new. Without this file it loads itself anew every two seconds.
(function () {
  "use strict";
  var wall = document.getElementById("wall");
  var number = document.getElementById("number");
  if (!wall) return;
  var since = Number(wall.dataset.since) || 0;
  var etag = wall.dataset.etag;
  var was_open = !!document.querySelector(".big__code");
  var sheets = new Map();
  wall.querySelectorAll("[data-note]").forEach(function (sheet) {
    sheets.set(Number(sheet.dataset.note), sheet);
  });

  function sheetOf(html) {
    var box = document.createElement("template");
    box.innerHTML = html.trim();
    return box.content.firstElementChild;
  }

  // Piles and sheets that are there move; nothing is made twice.
  function layOut(piles) {
    var order = document.createDocumentFragment();
    piles.forEach(function (pile) {
      var heap = wall.querySelector('[data-pile="' + pile.id + '"]') || document.createElement("section");
      heap.className = "heap";
      heap.dataset.pile = pile.id;
      var name = heap.querySelector(".heap__name");
      if (pile.name && !name) {
        name = document.createElement("h2");
        name.className = "heap__name";
        heap.prepend(name);
      }
      if (pile.name) {
        name.textContent = pile.name;
        heap.setAttribute("aria-label", pile.name);
      }
      var list = heap.querySelector("ul") || document.createElement("ul");
      list.className = "heap__notes";
      heap.append(list);
      list.replaceChildren.apply(list, pile.notes.map(function (pk) { return sheets.get(pk); }));
      order.append(heap);
    });
    wall.replaceChildren(order);
  }

  function take(told) {
    Object.keys(told.notes).forEach(function (pk) {
      var sheet = sheetOf(told.notes[pk]);
      if (!sheets.has(Number(pk))) {
        sheet.classList.add("sheet--new");
        sheets.set(Number(pk), sheet);
      }
      since = Math.max(since, Number(pk));
    });
    var all = told.piles.reduce(function (sum, pile) { return sum.concat(pile.notes); }, []);
    // One that was off the screen, or was written at the same moment as a later one: ask for all of them once.
    if (all.some(function (pk) { return !sheets.has(pk); })) return false;
    sheets.forEach(function (_sheet, pk) {
      if (all.indexOf(pk) < 0) sheets.delete(pk);
    });
    layOut(told.piles);
    if (number.textContent !== told.said) number.textContent = told.said;
    if (told.open !== was_open) location.reload();
    return true;
  }

  async function look() {
    try {
      var answer = await fetch(wall.dataset.url + "?since=" + since, { headers: { "If-None-Match": etag }, cache: "no-store" });
      if (answer.status === 404) return location.reload(); // there is a new link
      if (answer.ok) {
        if (take(await answer.json())) etag = answer.headers.get("ETag");
        else since = 0;
      }
    } catch (away) {
      // The line is down for a moment: the next look may get through.
    }
    setTimeout(look, 1200);
  }
  setTimeout(look, 1200);
})();
