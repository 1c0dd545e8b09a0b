"""Work for later: taking in a long story."""

from django_tasks import task

from coproduce.engine import transcript
from coproduce.voices import actions
from coproduce.voices.models import Story


@task()
def take_in_story(story_id: int) -> None:
    """Save the turns that are still missing. Safe to run twice: it goes on where it stopped."""
    story = Story.objects.filter(pk=story_id).first()
    if story is None or not story.file:
        return
    with story.file.open("rb") as file:
        read = transcript.read(file.read(), story.file_name)
    actions.take_in_turns(story, read.turns)
