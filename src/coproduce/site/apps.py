from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "coproduce.site"
    label = "site"
