"""What the group works on. One file for each noun."""

from coproduce.agenda.models.topics import Decision, Stage, Topic, TopicQuerySet, themes_of, voices_on

__all__ = ["Decision", "Stage", "Topic", "TopicQuerySet", "themes_of", "voices_on"]
