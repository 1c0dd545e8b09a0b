from django.apps import AppConfig


class HearbackConfig(AppConfig):
    name = "coproduce.hearback"
    label = "hearback"
