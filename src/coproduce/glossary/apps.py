from django.apps import AppConfig


class GlossaryConfig(AppConfig):
    name = "coproduce.glossary"
    label = "glossary"
