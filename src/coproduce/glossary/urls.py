from django.urls import path

from coproduce.glossary import views

app_name = "glossary"
urlpatterns = [
    path("words/", views.words, name="words"),
    path("words/explain/", views.explain, name="explain"),
    path("words/ask/", views.ask, name="ask"),
    path("words/asked/", views.asked, name="asked"),
    path("words/asked/<int:pk>/put-aside/", views.put_aside, name="put_aside"),
    path("words/check/", views.check, name="check"),
    path("words/<int:pk>/", views.word, name="word"),
    path("words/<int:pk>/picture/", views.picture, name="picture"),
    path("words/<int:pk>/change/", views.change, name="change"),
    path("words/<int:pk>/agree/", views.agree, name="agree"),
    path("words/<int:pk>/remove/", views.remove, name="remove"),
]
