"""Work for later: taking in much work from another tool."""

from django_tasks import task

from coproduce.themes import bringing
from coproduce.themes.models import Brought


@task()
def take_in_brought(brought_id: int) -> None:
    """Take in what is not in yet. Safe to run twice: what is in is known, and is not taken in again."""
    brought = Brought.objects.select_related("hub", "brought_by").filter(pk=brought_id).first()
    if brought is not None and brought.file:
        bringing.go_on(brought)
