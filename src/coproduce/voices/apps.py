from django.apps import AppConfig
from django.db.models.signals import post_migrate


class VoicesConfig(AppConfig):
    name = "coproduce.voices"
    label = "voices"

    def ready(self) -> None:
        from coproduce.voices.search import set_up

        post_migrate.connect(set_up, sender=self)
