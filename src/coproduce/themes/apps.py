from django.apps import AppConfig


class ThemesConfig(AppConfig):
    name = "coproduce.themes"
    label = "themes"
