from django.apps import AppConfig


class ConsensusConfig(AppConfig):
    name = "coproduce.consensus"
    label = "consensus"
