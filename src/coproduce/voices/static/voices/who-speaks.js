// "Who speaks?" by one key a turn: 1 to 9 name the speaker, 0 nobody; each is saved at once. Without this file
// the page has its radio buttons and one button to save.
(function () {
  "use strict";
  var form = document.getElementById("who");
  if (!form) return;
  var turns = Array.prototype.slice.call(form.querySelectorAll(".who__turn"));
  var says = form.querySelector(".savebar__says");
  var keys = form.querySelector(".keys");
  var token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  var line = Promise.resolve(); // one after the other, so that the last press is the one that stays
  var waiting = 0;

  keys.hidden = false;
  turns.forEach(function (turn) {
    turn.tabIndex = 0;
  });

  function say(words, failed) {
    says.textContent = words;
    says.classList.toggle("savebar__says--failed", !!failed);
  }

  function save(turn, value) {
    waiting += 1;
    say(form.dataset.saving);
    line = line
      .then(function () {
        return fetch(turn.dataset.url, {
          method: "POST",
          headers: { "X-CSRFToken": token },
          body: new URLSearchParams({ speaker: value }),
          keepalive: true,
        });
      })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) throw answer;
        return answer.json();
      })
      .then(function (told) {
        waiting -= 1;
        delete turn.dataset.unsaved;
        document.getElementById("count-who").textContent = told.count;
        if (!form.querySelector("[data-unsaved]")) say(waiting ? form.dataset.saving : form.dataset.saved + " ✓");
      })
      .catch(function () {
        waiting -= 1;
        turn.dataset.unsaved = "";
        say(form.dataset.failed, true);
      });
  }

  function go(turn, by) {
    var next = turns[turns.indexOf(turn) + by];
    if (next) next.focus();
    else if (by > 0) form.querySelector(".savebar button").focus();
  }

  form.addEventListener("change", function (event) {
    var turn = event.target.closest(".who__turn");
    if (turn) save(turn, event.target.value);
  });

  form.addEventListener("keydown", function (event) {
    var turn = event.target.closest(".who__turn");
    if (!turn || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) {
      var choice = turn.querySelector('[data-key="' + event.key + '"]');
      if (!choice) return;
      event.preventDefault();
      choice.checked = true;
      save(turn, choice.value);
      go(turn, 1);
    } else if (event.key === "j" || (event.key === "ArrowDown" && event.target === turn)) {
      event.preventDefault();
      go(turn, 1);
    } else if (event.key === "k" || (event.key === "ArrowUp" && event.target === turn)) {
      event.preventDefault();
      go(turn, -1);
    }
  });

  form.querySelector("[data-begin]").addEventListener("click", function () {
    var first = turns.find(function (turn) {
      return turn.querySelector('[data-key="0"]').checked;
    });
    (first || turns[0]).focus();
  });
})();
