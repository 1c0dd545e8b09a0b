from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "coproduce.changes"
    label = "changes"
