"""Work for later: finding what people agree on as votes come in. Safe to run twice."""

from __future__ import annotations

from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.consensus.models import Conversation
from coproduce.consensus.reckoning import reckon, to_reckon


@task()
def find_common_ground(conversation_id: int) -> None:
    conversation = Conversation.objects.select_related("topic__hub").filter(pk=conversation_id).first()
    if conversation is not None and not reckon(conversation):
        find_common_ground.enqueue(conversation_id)


def reckon_what_is_new() -> None:
    """Put that in the queue for each conversation with something new that nothing there sees to. The worker asks often,
    so no vote waits for it."""
    if not (new := to_reckon()):
        return
    known = DBTaskResult.objects.filter(task_path=find_common_ground.module_path)
    waiting = known.exclude(status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED])
    seen_to = {job.args_kwargs["args"][0] for job in waiting}
    for pk in new:
        if pk not in seen_to:
            find_common_ground.enqueue(pk)
