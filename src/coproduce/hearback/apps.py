from django.apps import AppConfig


class HearbackConfig(AppConfig):
    name = "coproduce.hearback"
    label = "hearback"

    def ready(self) -> None:
        from coproduce.hearback import checks  # noqa: F401 - registers itself
