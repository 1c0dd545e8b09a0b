"""Work for later: taking in a long story, and taking the quotes of many."""

from django_tasks import task

from coproduce.engine import transcript
from coproduce.people.models import Person
from coproduce.voices import actions, taking
from coproduce.voices.models import Speaker, Story


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
