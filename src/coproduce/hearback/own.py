"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from coproduce.hearback.enclosed import files_of
from coproduce.hearback.models import Attempt, Enclosed, Feedback, Letters, Notice, Reply, State, Update
from coproduce.hearback.tasks import write_letters
from coproduce.people.models import Person


def export(person: Person) -> dict[str, Any]:
    """All they were told or are owed, and what they answered. The updates they wrote, by title."""
    owed = Feedback.objects.filter(person=person).select_related(
        "update__change", "update__topic", "answer__voice"
    )
    owed = owed.prefetch_related("attempts")
    return {
        "told": [
            {
                "about": feedback.update.about.title,
                "title": feedback.update.title,
                "text": feedback.update.text,
                "state": str(feedback.get_state_display()),
                "how": str(feedback.get_went_by_display() or ""),
                "owed_at": feedback.owed_at,
                "sent_at": feedback.sent_at,
                "heard_at": feedback.heard_at,
                "problem": feedback.problem,
                "tried": [
                    {
                        "at": attempt.at,
                        "how": str(attempt.get_kind_display()),
                        "what_came_of_it": str(attempt.get_outcome_display()),
                    }
                    for attempt in feedback.attempts.all()
                ],
                "answer": _answer(feedback),
            }
            for feedback in owed
        ],
        "wrote_back": [
            {
                "at": reply.at,
                "how": str(reply.get_came_by_display()),
                "original": reply.original,
                "said_back_at": reply.said_back_at,
                "files": [
                    {"name": each.name, "kind": each.kind, "size": each.size, "kept": bool(each.file)}
                    for each in reply.enclosed.all()
                ],
            }
            for reply in Reply.objects.filter(person=person).prefetch_related("enclosed")
        ],
        "updates_written": [
            {"number": update.pk, "title": update.title, "at": update.written_at}
            for update in Update.objects.filter(written_by=person)
        ],
    }


def _answer(feedback: Feedback) -> dict[str, Any] | None:
    given = getattr(feedback, "answer", None)
    if given is None:
        return None
    return {
        "it_answered_them": given.answered,
        "it_is_not_put_right": given.not_fixed,
        "words": given.voice.words if given.voice else "",
        "at": given.at,
    }


def erase(person: Person, choice: str) -> list[str]:
    """What they were told still counts; what they are still owed goes, as nobody can be told any more.

    What a worker is sending at this moment stays until it is known what became of it: the cleaning that
    follows waits for that and comes back here. Piles of letters that hold one of theirs lose their PDF; those
    not in the post yet are made again without it. Returns the files to delete.
    """
    files: list[str] = []
    in_letters = Feedback.objects.filter(letters__isnull=False)
    piles = in_letters.filter(Q(person=person) | Q(update__quotes__person=person)).values("letters")
    for pile in Letters.objects.select_for_update().filter(pk__in=piles):
        if pile.pdf:
            files.append(str(pile.pdf.name))
        if pile.posted_at is None:
            pile.feedback.filter(person=person).update(letters=None)
            if not pile.feedback.exists():
                pile.delete()
                continue
        pile.pdf, pile.written = "", 0
        pile.save(update_fields=["pdf", "written"])
        if pile.posted_at is None:
            write_letters.enqueue(pile.pk)
    theirs = Feedback.objects.filter(person=person)
    theirs.filter(state__in=[State.OWED, State.UNDELIVERABLE, State.UNCERTAIN], answer__isnull=True).delete()
    theirs.update(problem="")
    for address in person.ways.exclude(address="").values_list("address", flat=True):
        Feedback.objects.filter(problem__icontains=address).update(problem="")
    addresses = Q(sender__in=[way.address.lower() for way in person.ways.exclude(address="")])
    replies = Reply.objects.filter(addresses | Q(person=person) | Q(feedback__person=person))
    files += files_of(replies)
    replies.delete()
    Enclosed.objects.filter(seen_by=person).update(seen_by=None)
    Reply.objects.filter(taken_by=person).update(taken_by=None)
    Notice.objects.filter(trusted=person).delete()
    Feedback.objects.filter(told_by=person).update(told_by=None)
    Attempt.objects.filter(by=person).update(by=None)
    Update.objects.filter(stopped_by=person).update(stopped_by=None)
    Update.objects.filter(written_by=person).update(written_by=None)
    Letters.objects.filter(made_by=person).update(made_by=None)
    return files


def is_on_its_way_to(person: Person) -> bool:
    """Whether a worker is sending them something at this moment."""
    return Feedback.objects.filter(person=person, state=State.SENDING).exists()
