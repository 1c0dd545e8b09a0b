from django.urls import path

from coproduce.agenda import views

app_name = "agenda"
urlpatterns = [
    path("topics/", views.topics, name="topics"),
    path("topics/raise/", views.raise_topic, name="raise"),
    path("key-messages/<int:pk>/topic/", views.raise_from, name="raise_from"),
    path("topics/<int:pk>/", views.topic, name="topic"),
    path("topics/<int:pk>/decide/", views.decide, name="decide"),
    path("topics/<int:pk>/tie/", views.tie, name="tie"),
    path("topics/<int:pk>/untie/", views.untie, name="untie"),
]
