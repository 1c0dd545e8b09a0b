// Select words in a turn and keep them as a quote. Without this file each turn's own page does it.
(function () {
  "use strict";
  var bar = document.querySelector(".keepbar");
  if (!bar) return;
  var words = bar.querySelector(".keepbar__words");
  var says = document.querySelector(".keepbar__says");
  var token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  var chosen = null;

  document.querySelector(".if-script").hidden = false;
  document.querySelector(".if-no-script").hidden = true;

  function place(turn, node, offset) {
    var before = document.createRange();
    before.setStart(turn, 0);
    before.setEnd(node, offset);
    return before.toString().length;
  }

  // Counted in characters, as the server does; an emoji is one of them and two of the browser's.
  function characters(text, until) {
    return Array.from(text.slice(0, until)).length;
  }

  function choose() {
    var selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    var range = selection.getRangeAt(0);
    var start = range.startContainer;
    var turn = (start.nodeType === 1 ? start : start.parentElement).closest("[data-keep]");
    if (!turn) return null;
    var text = turn.textContent;
    var begins = place(turn, start, range.startOffset);
    var ends = turn.contains(range.endContainer) ? place(turn, range.endContainer, range.endOffset) : text.length;
    // Whole words, without the white space around them.
    while (begins < ends && /\s/.test(text[begins])) begins += 1;
    while (ends > begins && /\s/.test(text[ends - 1])) ends -= 1;
    if (begins >= ends) return null;
    while (begins > 0 && /\S/.test(text[begins - 1])) begins -= 1;
    while (ends < text.length && /\S/.test(text[ends])) ends += 1;
    return { turn: turn, begins: characters(text, begins), ends: characters(text, ends), words: text.slice(begins, ends) };
  }

  document.addEventListener("selectionchange", function () {
    if (bar.contains(document.activeElement) && chosen) return;
    chosen = choose();
    bar.hidden = !chosen;
    if (chosen) {
      words.textContent = "“" + chosen.words + "”";
      says.textContent = "";
    }
  });

  function say(text, failed) {
    says.textContent = text;
    says.classList.toggle("keepbar__says--failed", !!failed);
  }

  // The press itself must not take the selection away.
  bar.addEventListener("mousedown", function (event) {
    event.preventDefault();
  });

  bar.querySelector("button").addEventListener("click", function () {
    var kept = chosen;
    if (!kept) return;
    chosen = null;
    fetch(kept.turn.dataset.keep, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams({ begins: kept.begins, ends: kept.ends, seen: kept.turn.dataset.seen }),
    })
      .then(function (answer) {
        return answer.text().then(function (text) {
          if (answer.status === 422) return say(text, true);
          if (!answer.ok || answer.redirected) throw answer;
          var article = kept.turn.closest(".turn");
          var id = article.id;
          article.outerHTML = text;
          document.getSelection().removeAllRanges();
          bar.hidden = true;
          document.getElementById(id).querySelector(".turn__who a").focus({ preventScroll: true });
          say(says.dataset.kept);
        });
      })
      .catch(function () {
        say(says.dataset.failed, true);
      });
  });
})();
