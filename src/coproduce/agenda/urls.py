from django.urls import path

from coproduce.agenda import topic_pages

app_name = "agenda"
urlpatterns = [
    path("topics/", topic_pages.topics, name="topics"),
    path("topics/raise/", topic_pages.raise_topic, name="raise"),
    path("key-messages/<int:pk>/topic/", topic_pages.raise_from, name="raise_from"),
    path("topics/<int:pk>/", topic_pages.topic, name="topic"),
    path("topics/<int:pk>/decide/", topic_pages.decide, name="decide"),
    path("topics/<int:pk>/tie/", topic_pages.tie, name="tie"),
    path("topics/<int:pk>/untie/", topic_pages.untie, name="untie"),
]
