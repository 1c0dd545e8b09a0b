from django.urls import path

from coproduce.changes import views

app_name = "changes"
urlpatterns = [
    path("changes/", views.changes, name="changes"),
    path("changes/record/", views.record, name="record"),
    path("changes/<int:pk>/", views.change, name="change"),
    path("changes/<int:pk>/words/", views.words, name="words"),
    path("changes/<int:pk>/step/", views.step, name="step"),
    path("changes/<int:pk>/review/", views.review, name="review"),
    path("changes/<int:pk>/clause/", views.clause, name="clause"),
    path("changes/<int:pk>/tie/", views.tie, name="tie"),
    path("changes/<int:pk>/untie/", views.untie, name="untie"),
]
