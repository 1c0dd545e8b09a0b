"""Work for later: taking in a long story, taking the quotes of many, and looking for the parts of a story."""

import datetime as dt

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.engine import transcript
from coproduce.people.models import Person
from coproduce.voices import actions, parts, taking
from coproduce.voices.models import Speaker, Story

NOT_OFTENER = dt.timedelta(minutes=1)  # than this stories are looked through for their parts
AFTER_FAILING = dt.timedelta(hours=1)


@task()
def take_in_story(story_id: int) -> None:
    """Save the turns that are still missing. Safe to run twice: it goes on where it stopped."""
    story = Story.objects.filter(pk=story_id).first()
    if story is None or not story.file:
        return
    with story.file.open("rb") as file:
        read = transcript.read(file.read(), story.file_name)
    actions.take_in_turns(story, read.turns)


@task()
def take_quotes(by_id: int, speaker_ids: list[int]) -> None:
    """Take what these speakers said as quotes. Safe to run twice: what is a quote already is left alone."""
    by = Person.objects.filter(pk=by_id).first()
    if by is None:
        return
    for speaker in Speaker.objects.filter(pk__in=speaker_ids).select_related("story"):
        taking.take_from(by, speaker)


@task()
def find_parts() -> None:
    """Look for the parts of every story whose words are new or changed. Safe to run twice."""
    for story in parts.to_look_through():
        parts.find(story)


def find_parts_of_what_changed() -> None:
    """Put that in the queue where there is such a story and nothing there would see to it. The worker asks often."""
    if not parts.to_look_through().exists():
        return
    known = DBTaskResult.objects.filter(task_path=find_parts.module_path)
    waiting = known.exclude(status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED])
    lately = known.filter(enqueued_at__gt=timezone.now() - NOT_OFTENER)
    failed = known.filter(status=TaskResultStatus.FAILED, enqueued_at__gt=timezone.now() - AFTER_FAILING)
    if not (waiting.exists() or lately.exists() or failed.exists()):
        find_parts.enqueue()
