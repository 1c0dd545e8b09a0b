from django.apps import AppConfig


class AgendaConfig(AppConfig):
    name = "coproduce.agenda"
    label = "agenda"
